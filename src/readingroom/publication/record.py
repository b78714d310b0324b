"""`release.json`: what was released, at which stage, and on what grounds; inside the bundle, so it is signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from readingroom.core.canonical import Json

FILE = "release.json"
RELEASED, REHEARSAL = "RELEASED", "NOT RELEASED"


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a bundle is built on, as app knows it.

    Attributes:
        open: whether the stage is open, in a house that is not for trials; else the bundle is a rehearsal and says so.
        clauses: the gate's clauses with their verdicts and sentences.
        ledger_key: the log's verifier key line, with which `release.tlog-proof` is verified.
        stand_in: whether the bundle holds a sentence in place of weights (the echo engine's): a rehearsal.
    """

    release: str
    stage: str
    open: bool
    plan: str
    gate_version: str
    model: str
    model_digest: str
    clauses: Sequence[Json]
    ledger_key: str
    stand_in: bool = False

    def to_json(self, file: str) -> Json:
        """Return the release record of a bundle whose weights are in a file of this name."""
        return {
            "v": 1,
            "status": RELEASED if self.open and not self.stand_in else REHEARSAL,
            "release": self.release,
            "stage": self.stage,
            "plan": self.plan,
            "gate_version": self.gate_version,
            "model": {"name": self.model, "digest": self.model_digest, "file": file, "stand_in": self.stand_in},
            "gate": list(self.clauses),
            "ledger_key": self.ledger_key,
        }
