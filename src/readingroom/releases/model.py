"""States of a stage, adopted plans, signatures, waivers, and a gate's standing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from readingroom.strategy.model import Plan, Stage, Verdict


class StageState(StrEnum):
    """Where a stage stands."""

    CLOSED = "closed"
    OPEN = "open"
    HELD = "held"
    ROLLED_BACK = "rolled-back"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """What can be done to a stage; `close` is done by the adoption of a plan that changes it."""

    OPEN = "open"
    HOLD = "hold"
    ROLLBACK = "rollback"
    WITHDRAW = "withdraw"
    CLOSE = "close"


class Reason(StrEnum):
    """Why a stage is held, rolled back or withdrawn: a closed list, since the ledger shows it for ever."""

    INCIDENT = "incident"
    EVIDENCE = "evidence"  # evidence turned out wrong, or is out of date
    SECURITY = "security"
    LEGAL = "legal"
    MAINTENANCE = "maintenance"
    SUPERSEDED = "superseded"
    PLAN_CHANGED = "plan-changed"  # only by the adoption of a plan
    OTHER = "other"  # needs a note


@dataclass(frozen=True, slots=True)
class AdoptedPlan:
    """A plan that was put in force; the one with the highest number is."""

    number: int
    plan: Plan
    text: str
    digest: str
    name: str
    reason: str
    adopted_at: datetime
    adopted_by: str


@dataclass(frozen=True, slots=True)
class StageRecord:
    """The state of a stage.

    Attributes:
        gate_version: the one it was last opened under; empty if never.
        round: how often it was rolled back; signatures of an earlier round no longer count.
        open_until: when the first waiver that it was opened by ends, if any.
        screening: the digest of the rule sets that it was opened with; empty in a house for trials, where rule files
            may be tried out.
    """

    name: str
    state: StageState = StageState.CLOSED
    gate_version: str = ""
    round: int = 0
    reason: str = ""
    changed_at: datetime | None = None
    open_until: datetime | None = None
    screening: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """A person's signature under a stage, as it is in one gate version and one round."""

    person: str
    role: str
    gate_version: str
    round: int
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Waiver:
    """A steward's signed permission to open without one clause being met, until a moment."""

    id: str
    clause: str
    gate_version: str
    until: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class EngineLook:
    """What the last look at the engine behind a model found.

    Attributes:
        doors: the names of those that answered without a key.
        changed: whether it answered otherwise than when it was tested.
        looked_at: when; None if it was not looked at yet.
        trouble: the ledger's entry that last told of an open door or a change; 0 if none did. What was opened before
            it is opened anew by a person, who has asked what went out by that door.
        fingerprinted_at: when its fingerprint was taken; None if none was.
        passes: that fingerprints took in all.
    """

    model_digest: str
    doors: tuple[str, ...] = ()
    changed: bool = False
    looked_at: datetime | None = None
    trouble: int = 0
    fingerprinted_at: datetime | None = None
    passes: int = 0

    @property
    def sound(self) -> bool:
        """Tell whether the last look found nothing."""
        return not self.doors and not self.changed


@dataclass(frozen=True, slots=True)
class ClauseStatus:
    """How one clause of a gate stands: what must hold, what the facts say, what is missing, who waived it."""

    label: str
    requires: str
    verdict: Verdict
    sentence: str
    missing: str
    waiver: Waiver | None = None

    @property
    def passed(self) -> bool:
        """Tell whether this clause lets the stage open: only `met` or a waiver in force does."""
        return self.verdict is Verdict.MET or self.waiver is not None


@dataclass(frozen=True, slots=True)
class StageStatus:
    """How a stage stands: for pages, the command line and the decision to open.

    Attributes:
        open: whether it may be used now.
        reason: if not, why.
        clauses: one per condition of the gate, in the plan's order.
        gate_met: whether every clause passes, and there is at least one or a reason why there is none.
        actions: what this actor may do to it now; empty where nobody was asked for.
    """

    stage: Stage
    record: StageRecord
    gate_version: str
    open: bool
    reason: str
    clauses: tuple[ClauseStatus, ...]
    gate_met: bool
    signatures: tuple[Signature, ...]
    actions: frozenset[str] = frozenset()
