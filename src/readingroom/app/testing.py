"""Stress tests on the served model: the way to it, and under which gates the results count."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

from readingroom.app.guarding import fingerprint, keep_fingerprint
from readingroom.app.house import House
from readingroom.app.serving import EngineKeeper
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.dossier import queries as dossier
from readingroom.dossier.model import ModelVersion
from readingroom.dossier.rules import model_unknown
from readingroom.engines.identity import ADDRESS, served_digest
from readingroom.engines.model import Engine, EngineFault, ForwardRequest, Kind, one_by_one
from readingroom.engines.registry import make_engine
from readingroom.people.model import Actor
from readingroom.releases import queries as releases
from readingroom.strategy.gates.stress import Stress
from readingroom.strategy.model import Stage, gate_version
from readingroom.stress.model import Answer, CallFailed, Run
from readingroom.stress.service import Progress


class EngineCaller:
    """Asks the engine as the gateway does, sampling greedily. Passes are counted in the run, not in a grant."""

    def __init__(self, engine: Engine) -> None:
        """Take the engine."""
        self._engine = engine

    async def __call__(self, messages: Sequence[Mapping[str, str]], *, max_tokens: int, seed: int) -> Answer:
        """Ask once."""
        asked = [dict(each) for each in messages]
        body = {"messages": asked, "max_tokens": max_tokens, "seed": seed, "temperature": 0}
        text, passes, usage, ended = "", 0, None, ""
        try:
            async for chunk in one_by_one(self._engine, ForwardRequest(Kind.CHAT, body)):
                text += chunk.text
                passes += chunk.tokens
                usage = chunk.usage or usage
                ended = chunk.finish_reason or ended
        except EngineFault as fault:
            raise CallFailed(str(fault)) from fault
        return Answer(text, max(1, usage.completion_tokens if usage else passes), ended)


async def run_suite(house: House, by: Actor, model: str, suite: str, progress: Progress) -> Run:
    """Run a suite on a registered model, under every gate in force that speaks of that model."""
    found = house.stress.suite(suite)
    with house.db.read() as tx:
        version = dossier.model_by_name(tx, model)
        adopted = releases.plan_in_force(tx)
    if version is None:
        raise Refused(model_unknown(model))
    stages = adopted.plan.stages if adopted else ()
    gates = [gate_version(stage) for stage in stages if stage.model.artifact == model and _rests_on(stage, suite)]
    async with _engine(house) as engine:
        require(check_served(version, served_digest(house.settings)))
        taken = await fingerprint(engine)
        done = await house.stress.run(
            by,
            model=model,
            model_digest=version.digest,
            suite=found,
            gate_versions=gates,
            caller=EngineCaller(engine),
            progress=progress,
        )
    keep_fingerprint(house, by, version.digest, taken)
    return done


def _rests_on(stage: Stage, suite: str) -> bool:
    return any(isinstance(clause, Stress) and clause.suite == suite for clause in stage.gate.clauses)


def check_served(version: ModelVersion, served: str) -> Refusal | None:
    """Refuse to test one model in the name of another."""
    if version.digest == served:
        return None
    reason = (
        f"The engine of this house does not serve {version.name} as it is registered ({version.digest}), so what it "
        "answers would be no evidence on it. Set `engine` and `model` in readingroom.toml to that model."
    )
    return Refusal("stress/not-the-served-model", reason, {"digest": version.digest, "served": served})


@contextlib.asynccontextmanager
async def _engine(house: House) -> AsyncIterator[Engine]:
    """Use the running server's engine, or start one for the time of the run."""
    keeper = None
    if house.settings.engine == "embedded" and not (house.settings.run / ADDRESS).exists():
        keeper = EngineKeeper(house.settings)
        keeper.start()
    engine = make_engine(house.settings)
    try:
        yield engine
    finally:
        await engine.close()
        if keeper is not None:
            keeper.stop()
