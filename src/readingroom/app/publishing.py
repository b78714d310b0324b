"""What a bundle is built on, gathered from the rooms that know."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import Connection

from readingroom.app.house import House
from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refused
from readingroom.dossier import queries as dossier
from readingroom.dossier.model import ModelVersion
from readingroom.dossier.rules import model_unknown
from readingroom.engines.identity import ECHO
from readingroom.people.model import Actor
from readingroom.publication.record import Grounds
from readingroom.releases import queries as releases
from readingroom.releases.model import StageStatus
from readingroom.strategy.model import Channel


def bundle_folder(house: House, stage: str) -> Path:
    """Return where a stage's bundle is laid out."""
    return house.settings.home / "bundles" / weights_stage(house, stage).stage.name


def build(house: House, by: Actor, stage: str) -> list[str]:
    """Build the bundle of a stage; one whose gate holds is a rehearsal and says NOT RELEASED."""
    status = weights_stage(house, stage)
    adopted = house.releases.in_force()
    name = status.stage.model.artifact
    with house.db.read() as tx:
        model = dossier.model_by_name(tx, name)
        if model is None:
            raise Refused(model_unknown(name))
        filed = dossier.documents(tx, model.id)
        documents = {f"{each.kind}.md": dossier.document_content(tx, each.id) for each in filed}
    grounds = Grounds(
        release=adopted.plan.release if adopted else "",
        stage=status.stage.name,
        open=status.open and not house.settings.dev,
        plan=adopted.digest if adopted else "",
        gate_version=status.gate_version,
        model=name,
        model_digest=model.digest,
        clauses=[{"clause": c.label, "verdict": c.verdict.value, "sentence": c.sentence} for c in status.clauses],
        ledger_key=house.verifier_key(),
        stand_in=model.size == 0,
    )
    kept = {kind: content for kind, content in documents.items() if content is not None}
    weights = _stand_in(house, model) if grounds.stand_in else Path(model.source)
    return house.publication.build(by, grounds, weights, kept, bundle_folder(house, stage))


def push(house: House, by: Actor, stage: str, target: Path) -> None:
    """Publish a stage's signed bundle."""

    def is_open(tx: Connection) -> bool:
        fact = releases.stage_fact(tx, stage, house.clock.now())
        return fact is not None and fact.open

    house.publication.push(by, bundle_folder(house, stage), target, stage_open=is_open)


def _stand_in(house: House, model: ModelVersion) -> Path:
    """Return a file that says there are no weights, for the echo engine; a model behind an address has no bundle."""
    if model.source != ECHO:
        cure = "Register the file itself with `readingroom model add PATH --name ...`"
        raise BadInput([Problem(model.name, "is registered by its address only; there are no weights to bundle", cure)])
    path = house.settings.run / "echo.txt"
    path.write_text("The echo engine has no weights; this file stands in their place.\n", encoding="utf-8")
    return path


def weights_stage(house: House, name: str) -> StageStatus:
    """Return a stage that gives out weights.

    Raises:
        BadInput: the stage has another channel.
    """
    status = house.releases.stage(name)
    if status.stage.channel is not Channel.WEIGHTS:
        cure = "Only a stage with `channel: weights` has a bundle"
        raise BadInput([Problem("STAGE", f"{name} has the channel {status.stage.channel.value}", cure)])
    return status
