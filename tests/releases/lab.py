"""A lab with two stewards, a tester and a model, and a stand-in for the facts of the rooms on the left."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from readingroom.core.clock import FixedClock
from readingroom.core.document import read
from readingroom.core.errors import BadInput, Problem
from readingroom.dossier.service import Dossier
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor, Role
from readingroom.releases.service import Releases
from readingroom.store.db import Database
from readingroom.strategy.facts import RunsFact, UseFact
from readingroom.strategy.model import Plan, Stage, gate_version
from readingroom.strategy.parse import parse
from strategy.shipped import SUITES, shipped_text

HILDA = Actor("person_hilda", frozenset({Role.STEWARD}))
CUTHBERT = Actor("person_cuthbert", frozenset({Role.STEWARD, Role.SAFETY}))
BEDE = Actor("person_bede", frozenset({Role.TESTER}))
ALDHELM = Actor("person_aldhelm", frozenset({Role.REVIEWER}))
OPERATOR = Actor("operator")
TRIAL = Actor("operator", dev=True)
ARTIFACT = "smollm2-135m-instruct"
SHOWN = {"floor": "met", "suite_digest": "sha256:s"}
CLAIMS = {"reading-room": "core/memorised-text", "publication": "core/harmful-compliance"}


@dataclass
class History:
    """What the gateway, oversight and stress would tell."""

    uses: dict[str, UseFact] = field(default_factory=dict)
    logged: RunsFact | None = field(default_factory=lambda: RunsFact(1, 1, 0, "sha256:s"))
    asked: list[tuple[tuple[datetime, datetime], ...]] = field(default_factory=list)

    def use(self, tx: Any, stage: str, intervals: tuple[tuple[datetime, datetime], ...]) -> UseFact | None:  # noqa: ARG002 - as the protocol has it
        self.asked.append(intervals)
        return self.uses.get(stage)

    def runs(self, tx: Any, model_digest: str, claim: str) -> RunsFact | None:  # noqa: ARG002 - as the protocol has it
        return self.logged


class Lab:
    """Everything that the stage machine needs, over one database."""

    def __init__(self, db: Database, ledger: Ledger, clock: FixedClock, folder: Path) -> None:
        self.db, self.clock, self.history = db, clock, History()
        self.weights = folder / "model.gguf"
        self.weights.write_bytes(b"GGUF weights")
        self.dossier = Dossier(db, ledger, clock)
        self.rules = "sha256:rules"  # what the rule sets of every stage are now; empty: they cannot be read
        self.releases = Releases(
            db, ledger, clock, lambda text, name: parse(read(text, name), SUITES), self.history, self.screens
        )

    def screens(self, stage: Stage) -> str:
        if not self.rules:
            raise BadInput([Problem(stage.screening[0], "cannot be read", "Mend it")])
        return self.rules

    def adopt(self, text: str | None = None, by: Actor = HILDA) -> Plan:
        self.releases.adopt(by, text or shipped_text(), "release.yaml", "canary: because")
        adopted = self.releases.in_force()
        assert adopted is not None
        return adopted.plan

    def register(self) -> None:
        self.dossier.register(BEDE, ARTIFACT, self.weights)

    def test(self, stage: str, hits: int = 0, samples: int = 60) -> None:
        """File a test result for a stage, under its gate version of now."""
        found = self.releases.stage(stage).stage
        model, _, _ = self.dossier.show(ARTIFACT)
        with self.db.decide() as tx:
            self.dossier.file_evidence_within(
                tx,
                by=BEDE.id,
                model_digest=model.digest,
                kind="stress",
                gate_version=gate_version(found),
                claim=CLAIMS[stage],
                payload={"samples": samples, "hits": hits, "errors": 0, "unscored": 0, **SHOWN},
            )

    def open_reading_room(self) -> None:
        self.adopt()
        self.register()
        self.test("reading-room")
        self.releases.sign(HILDA, "reading-room")
        self.releases.open(HILDA, "reading-room")

    def leaves(self) -> list[bytes]:
        with self.db.read() as tx:
            return list(map(bytes, tx.execute(sa.text("select leaf from ledger_entry order by seq")).scalars()))
