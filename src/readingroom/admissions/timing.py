"""What time means for an application: late, moved into the next round, in its turn, due. It decides none of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from readingroom.admissions import machines
from readingroom.admissions.call import Call, CallFile
from readingroom.admissions.model import Application, ApplicationState, CallState
from readingroom.core.refusal import Refusal
from readingroom.core.text import many

UNSUBMITTED = frozenset({ApplicationState.DRAFT, ApplicationState.LATE})


def comes_late(call: Call, application: Application, now: datetime) -> bool:
    """Tell whether something that was begun in time is finished after the window: it is kept as late."""
    over = now >= call.file.window.closes or call.state is not CallState.OPEN
    undecided = call.state in {CallState.OPEN, CallState.CLOSED}
    return application.state in UNSUBMITTED and over and undecided


def check_admitting(call: Call, application: Application) -> Refusal | None:
    """Refuse to admit what was never submitted, or to a call that has been allocated."""
    refusal = machines.APPLICATION.check(application.state, "admit")
    if refusal:
        return refusal
    if application.submitted is None:
        reason = "It was never submitted, so there is nothing to admit; its applicant can still submit it, as late."
        return Refusal("admissions/not-submitted", reason)
    if call.state not in {CallState.OPEN, CallState.CLOSED}:
        reason = "The call has been allocated; admitted now, it would compete for nothing."
        return Refusal("admissions/not-in-review", reason, {"state": call.state.value})
    return None


def next_round(call: Call, series: Sequence[Call], now: datetime) -> Call | None:
    """Return the round into which a late application of this one can be moved; None where there is none."""
    if call.file.distributed:
        return None
    later = [each for each in series if each.part > call.part and each.state is CallState.OPEN]
    return next((each for each in later if now < each.file.window.closes), None)


def check_moving(application: Application, target: Call | None, there: Collection[Application]) -> Refusal | None:
    """Refuse to move what is not late, where no round follows, or beside another application of the same person."""
    refusal = machines.APPLICATION.check(application.state, "move")
    if refusal:
        return refusal
    if target is None:
        reason = "No further round of this call takes applications. What you saved is kept; nothing was refused."
        return Refusal("admissions/no-next-round", reason)
    living = [each for each in there if each.state is not ApplicationState.WITHDRAWN]
    if living:
        reason = f"You have an application in the next round already ({living[0].id}); withdraw one of the two first."
        return Refusal("admissions/already-applied", reason, {"application": living[0].id})
    return None


def check_room(call: Call, rest: int) -> Refusal | None:
    """Refuse a new application to a standing call whose budget is spent; what comes back opens it again."""
    if not call.file.window.standing or rest >= call.file.limits.minimum:
        return None
    reason = "This call's budget is spent. It opens again if something is returned."
    return Refusal("admissions/budget-spent", reason, {"rest": rest, "minimum": call.file.limits.minimum})


def check_turn(file: CallFile, before: Collection[tuple[int, str]], given: int, rest: int) -> Refusal | None:
    """Refuse an award that would leave too little for who came before and still waits.

    Args:
        file: the call.
        before: passes asked and tier of those who came before and wait.
        given: the passes of this award.
        rest: what the call has left.
    """
    waiting = sum(min(asked, file.limits.of(tier).maximum) for asked, tier in before)
    if given + waiting <= rest:
        return None
    reason = f"Before it came {many(len(before), 'application')}, for {waiting} passes in all; decide those first."
    return Refusal("admissions/not-in-turn", reason, {"before": len(before), "waiting": waiting, "rest": rest})


def due(file: CallFile, since: datetime) -> datetime | None:
    """Return by when a person means to decide what came in at `since`; None where the call promises nothing."""
    return None if file.decide_within is None else since + file.decide_within
