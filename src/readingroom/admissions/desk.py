"""The eligibility desk: what its lists hold, and when a form may be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from readingroom.admissions.call import Call
from readingroom.admissions.model import FORMAL, ApplicationState, CallState, Reason, ReviewState
from readingroom.core.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Listed:
    """One application in a list: what the desk sorts and filters by.

    Attributes:
        since: when what counts was first submitted; the order in which applications came.
        reviews: how many were submitted.
        checked: whether the desk has found its form in order.
        about: the first answer of the form, which says what it is about; no other answer is listed.
    """

    id: str
    person: str
    state: ApplicationState
    passes: int
    tier: str
    since: datetime
    reviews: int = 0
    checked: bool = False
    correct_until: datetime | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class DeskPage:
    """A page of a call's applications.

    Attributes:
        counts: of the whole call, by state; half-finished ones are counted and not listed.
        unchecked: how many the desk has yet to look at; 0 where the call asks for no desk.
        due: application to by when a person means to decide.
    """

    call: Call
    rows: tuple[Listed, ...]
    total: int
    counts: dict[ApplicationState, int]
    reviews: dict[ReviewState, int]
    fewest_reviews: int
    unchecked: int
    due: dict[str, datetime]


def check_desk(call: Call) -> Refusal | None:
    """Refuse where the call has no desk, or where what it looks at is over."""
    if not call.file.eligibility.desk:
        return Refusal("admissions/no-desk", "This call has no eligibility desk (`eligibility: {desk: true}`).")
    if call.state in {CallState.OPEN, CallState.CLOSED}:
        return None
    return Refusal("admissions/not-in-review", "The call has been allocated.", {"state": call.state.value})


def may_check(call: Call, each: Listed) -> bool:
    """Tell whether the desk has yet to look at an application."""
    return check_desk(call) is None and each.state is ApplicationState.SUBMITTED and not each.checked


def check_formal(state: ApplicationState, reason: Reason, note: str) -> Refusal | None:
    """Refuse to find ineligible what is not with the desk, or without a reason of the closed list and its words."""
    if state is not ApplicationState.SUBMITTED:
        text = "The desk looks at what is submitted and not yet in review."
        return Refusal("admissions/wrong-state", text, {"state": state.value})
    if reason not in FORMAL:
        known = sorted(each.value for each in FORMAL)
        text = f"{reason.value!r} is no reason of the form. One of: {', '.join(known)}."
        return Refusal("admissions/reason-not-fitting", text, {"reason": reason.value, "fitting": known})
    if not note.strip():
        return Refusal("admissions/note-missing", "Say in words why: the applicant is told.", {"reason": reason.value})
    return None
