"""What changes when one plan follows another: what people read before adopting it, and what the ledger keeps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from readingroom.core.canonical import Json, digest
from readingroom.strategy.model import Plan, Stage, gate_version


class ChangeKind(StrEnum):
    """What can change."""

    STAGE_ADDED = "stage-added"
    STAGE_REMOVED = "stage-removed"
    STAGE_CHANGED = "stage-changed"
    ORDER_CHANGED = "order-changed"
    TEXT_CHANGED = "text-changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        subject: the stage's name, or the field's.
        before: digest of what was there (for a stage its gate version), or empty.
        after: digest of what is there now, or empty.
        sentence: for people; never for the ledger.
    """

    kind: ChangeKind
    subject: str
    before: str
    after: str
    sentence: str

    def to_ledger(self) -> Json:
        """Return the change as ids and digests only."""
        return {"kind": self.kind.value, "subject": self.subject, "before": self.before, "after": self.after}


def diff(old: Plan | None, new: Plan) -> tuple[Change, ...]:
    """Return every change from `old` (None: there was no plan) to `new`, stages first."""
    before = {stage.name: stage for stage in old.stages} if old else {}
    after = {stage.name: stage for stage in new.stages}
    changes = [
        _stage(name, before.get(name), after.get(name))
        for name in [*after, *(name for name in before if name not in after)]
    ]
    kept = [name for name in before if name in after]
    if kept != [name for name in after if name in before]:
        sentence = f"the stages stand in another order: {', '.join(after)}"
        changes.append(Change(ChangeKind.ORDER_CHANGED, "stages", digest(list(before)), digest(list(after)), sentence))
    changes += [_text(name, old, new) for name in ("release", "steward", "benefits", "hazards", "levers", "models")]
    return tuple(each for each in changes if each is not None)


def _stage(name: str, old: Stage | None, new: Stage | None) -> Change | None:
    before, after = (gate_version(each) if each else "" for each in (old, new))
    if before == after:
        return None
    if old is None:
        return Change(ChangeKind.STAGE_ADDED, name, before, after, f"stage {name} is new")
    if new is None:
        return Change(ChangeKind.STAGE_REMOVED, name, before, after, f"stage {name} is gone, and closes")
    was, now = old.canonical(), new.canonical()
    parts = ", ".join(key for key in {**was, **now} if was.get(key) != now.get(key))
    sentence = f"stage {name} changes ({parts}): it closes, and evidence and signatures so far do not count for it"
    return Change(ChangeKind.STAGE_CHANGED, name, before, after, sentence)


def _text(name: str, old: Plan | None, new: Plan) -> Change | None:
    was, now = _said(name, old), _said(name, new)
    if was == now:
        return None
    # The steward's address is personal: a digest of it could be guessed, so none is made (promise 9).
    before, after = ("" if said is None or name == "steward" else digest(said) for said in (was, now))
    return Change(ChangeKind.TEXT_CHANGED, name, before, after, f"{name} {'changes' if old else 'is set'}")


def _said(name: str, plan: Plan | None) -> Json:
    if plan is None:
        return None
    return plan.steward if name == "steward" else plan.canonical()[name]
