"""The phases of review: who may say and see what in each. A person moves from one to the next; no date does. Pure.

`independent`: reviewers see neither names nor each other. `consolidation`: who has given a review reads those of the
same application under aliases, and may amend, saying why; the first version is kept. `panel`: reviews are fixed; the
panel reads all, ranks and comments. Where a call has a panel phase, nobody reads a score before it: not by a sum, a
mean or a rehearsed allocation either.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from readingroom.admissions.call import Call, CallFile, Phase
from readingroom.admissions.model import CallState, ReviewState
from readingroom.core.refusal import Refusal
from readingroom.core.text import many
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, may

OVER = frozenset({CallState.ALLOCATED, CallState.PUBLISHED})


@dataclass(frozen=True, slots=True)
class PhaseNow:
    """Where a call's review is; `due` is when this phase should be done, and decides nothing."""

    phase: Phase = Phase.INDEPENDENT
    due: datetime | None = None
    moved_at: datetime | None = None


def of(file: CallFile) -> tuple[Phase, ...]:
    """Return a call's phases."""
    return file.reviewing.phases if file.reviewing else (Phase.INDEPENDENT,)


def following(file: CallFile, now: Phase) -> Phase | None:
    """Return the phase after this one; None after the last."""
    phases = of(file)
    at = phases.index(now) + 1 if now in phases else len(phases)
    return phases[at] if at < len(phases) else None


def check_moving(file: CallFile, now: Phase, to: Phase) -> Refusal | None:
    """Refuse any move but to the next phase."""
    comes = following(file, now)
    if to is comes:
        return None
    cure = f"The next is {comes.value!r}." if comes else "It is the last; the allocation comes next."
    reason = f"The review is in the phase {now.value!r}. {cure}"
    return Refusal("admissions/phase-not-next", reason, {"phase": now.value, "next": comes.value if comes else None})


def check_over(file: CallFile, now: Phase) -> Refusal | None:
    """Refuse to decide before the last phase that the call promised."""
    comes = following(file, now)
    if comes is None:
        return None
    reason = f"This call promised the phase {comes.value!r} before it is decided; move on to it first."
    return Refusal("admissions/phase-open", reason, {"phase": now.value, "next": comes.value})


def check_amending(now: Phase, state: ReviewState, why: str) -> Refusal | None:
    """Refuse to amend what is fixed, or, once others were read, to amend without saying why."""
    if state is not ReviewState.SUBMITTED or now is Phase.INDEPENDENT:
        return None
    if now is Phase.PANEL:
        return Refusal("admissions/reviews-fixed", "The panel reads the reviews now; they are no longer amended.")
    if not why.strip():
        reason = "Say why you amend it: the panel sees both versions."
        return Refusal("admissions/why-missing", reason)
    return None


def sees_peers(now: Phase, state: ReviewState) -> bool:
    """Tell whether a reviewer reads the others of the same application: after the own review, never before."""
    return now is not Phase.INDEPENDENT and state is ReviewState.SUBMITTED


def check_shown(call: Call, now: Phase) -> Refusal | None:
    """Refuse to show what reviews say before the panel phase, where the call has one."""
    if Phase.PANEL not in of(call.file) or now is Phase.PANEL or call.state in OVER:
        return None
    reason = "What the reviews say is shown from the panel phase on; until then, only whether they are given."
    return Refusal("admissions/blind-phase", reason, {"call": call.id, "phase": now.value})


def aliased(call: Call) -> bool:
    """Tell whether reviewers are shown under aliases to the desk and the panel."""
    return bool(call.file.reviewing and call.file.reviewing.double_blind) and call.state not in OVER


def hides_applicants(by: Actor, call: Call) -> bool:
    """Tell whether somebody of the panel is shown no applicants: in a double-blind call, until it is allocated.

    Whoever runs the desk reads names in every call: returning, eligibility and conflicts are judged by them.
    """
    return aliased(call) and may(by, Permission.CALL_DECIDE) and not may(by, Permission.CALL_OPEN)


def alias(position: int) -> str:
    """Return what the reviewer at a place is called: Reviewer A, B ... Z, AA, AB ..."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"Reviewer {letters}"


def check_opinions(file: CallFile, given: dict[str, int], in_play: Collection[str]) -> Refusal | None:
    """Refuse to allocate while an opinion on misuse by a person with the role safety is missing."""
    needed = file.reviewing.safety_opinions if file.reviewing else 0
    missing = {each: needed - given.get(each, 0) for each in sorted(in_play) if given.get(each, 0) < needed}
    if not missing:
        return None
    reason = f"Missing: {many(sum(missing.values()), 'opinion')} on misuse, of {many(len(missing), 'application')}."
    return Refusal("admissions/opinions-missing", reason, {"missing": missing})
