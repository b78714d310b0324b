"""What waits for somebody: the next step of each role, told where they begin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from readingroom.admissions.appeals.rules import APPEAL
from readingroom.admissions.call import Call
from readingroom.admissions.model import ApplicationState, CallState
from readingroom.admissions.pool import InvitationState
from readingroom.app import mailroom
from readingroom.people.rules import Permission
from readingroom.post.model import State
from readingroom.web.browser import Visitor

CALLS = 50  # of the newest calls: whose next step is looked for


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing to do, and the page on which it is done."""

    says: str
    path: str


def waits(who: Visitor, reviews: int | None = None) -> list[Wait]:
    """Return what waits for who is signed in: what they owe others first, then their own.

    Args:
        who: who looks.
        reviews: how many reviews they have yet to give, where the page knows it.
    """
    if who.person is None:
        return []
    return [*_reviews(who, reviews), *_appeals(who), *_desk(who), *_steward(who), *_applications(who)]


def _reviews(who: Visitor, left: int | None) -> Iterator[Wait]:
    admissions, reviews = who.house.admissions, who.may(Permission.APPLICATION_REVIEW)
    if reviews:
        for each in admissions.my_invitations(who.actor):
            if each.state is InvitationState.INVITED:
                yield Wait(f"Say whether you review in {admissions.call(each.call).file.title}", "/reviews")
    if reviews or admissions.is_peer(who.actor):
        left = admissions.reviews_left(who.actor) if left is None else left
        yield from _some(left, "review to give", "reviews to give", "/reviews" if reviews else "/desk")
    if reviews:
        looks = admissions.sifts_left(who.actor)
        yield from _some(looks, "first look to give", "first looks to give", "/desk#looks")
    if who.may(Permission.RISK_JUDGE):
        risks = admissions.risks_left(who.actor)
        yield from _some(risks, "opinion on misuse to give", "opinions on misuse to give", "/reviews")


def _appeals(who: Visitor) -> Iterator[Wait]:
    if who.may(Permission.APPEAL_HEAR):
        found = [each for each in who.house.admissions.appeals(who.actor) if each.state not in APPEAL.final]
        yield from _some(len(found), "appeal to be heard", "appeals to be heard", "/appeals")


def _desk(who: Visitor) -> Iterator[Wait]:
    if not who.may(Permission.APPLICATION_READ):
        return
    admissions = who.house.admissions
    for call in admissions.calls_page(CALLS)[0]:
        if says := _step(who, call):
            yield Wait(says, f"/desk/calls/{call.id}")
    if who.may(Permission.CALL_DECIDE) and (asked := admissions.requests(who.actor)):
        first = f"/desk/requests/{asked[0].id}"
        yield from _some(len(asked), "request of a holder to answer", "requests of holders to answer", first)


def _step(who: Visitor, call: Call) -> str:
    """Say what a call's next step is, for who may take it; no date takes it."""
    window, opens, decides = call.file.window, who.may(Permission.CALL_OPEN), who.may(Permission.CALL_DECIDE)
    if call.state is CallState.OPEN and opens and not window.standing and window.closes < who.house.clock.now():
        return f"Close {call.file.name}: its window has ended"
    if call.state is CallState.CLOSED and (opens or decides):
        return f"Bring {call.file.name} to its decision: it is closed"
    if call.state is CallState.ALLOCATED and decides:
        return f"Publish the awards of {call.file.name}: the allocation is fixed"
    return ""


def _steward(who: Visitor) -> Iterator[Wait]:
    if who.may(Permission.OBSERVATION_HANDLE):
        found = sum(1 for each in who.house.observations.all(who.actor) if each.answered_at is None)
        yield from _some(found, "report of a reader to answer", "reports of readers to answer", "/steward/reports")
    if who.may(Permission.WORK_PUBLISH):
        found = len(who.house.works.waiting(who.actor))
        yield from _some(found, "work of a reader to look at", "works of readers to look at", "/steward/works")
    if who.may(Permission.LETTER_MANAGE):
        stuck = mailroom.counts(who.house, who.actor).get(State.STUCK, 0)
        yield from _some(stuck, "letter that is stuck", "letters that are stuck", "/steward/letters")


def _applications(who: Visitor) -> Iterator[Wait]:
    admissions = who.house.admissions
    for each in admissions.my_applications(who.actor):
        title = admissions.call(each.call).file.title
        if each.state is ApplicationState.DRAFT:
            yield Wait(f"Submit your application to {title}: it is not finished", f"/applications/{each.id}")
        elif each.state is ApplicationState.RETURNED:
            yield Wait(f"Correct your application to {title}", f"/applications/{each.id}")
        elif each.state is ApplicationState.LATE:
            yield Wait(f"Say what becomes of your application to {title}: it came late", f"/applications/{each.id}")


def _some(count: int, one: str, many: str, path: str) -> Iterator[Wait]:
    if count:
        yield Wait(f"{count:,} {one if count == 1 else many}", path)
