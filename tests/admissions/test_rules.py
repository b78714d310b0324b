"""What may be done now, and the yes/no twins that pages draw their buttons by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from admissions.world import CALL
from readingroom.admissions import call_file, rules
from readingroom.admissions.call import Call, Window
from readingroom.admissions.model import (
    Amounts,
    Application,
    ApplicationState,
    Award,
    AwardState,
    CallState,
    Draft,
)
from readingroom.people.model import Actor, Role

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FILE = replace(call_file.parse(CALL), window=Window(NOW, NOW + 10 * DAY))
OPEN = Call("call_x", CallState.OPEN, FILE, "", "", NOW, "person_s")
DRAFT = Application("application_x", "call_x", "person_a", ApplicationState.DRAFT, Draft())
AWARD = Award(
    "award_x", "call_x", "application_x", "person_a", AwardState.OFFERED, "reading-room", "text", Amounts(5), 90,
    "terms", NOW + 14 * DAY, NOW,
)  # fmt: skip


@pytest.mark.parametrize(
    ("now", "state", "is_open"),
    [
        (NOW - DAY, CallState.OPEN, False),
        (NOW, CallState.OPEN, True),
        (NOW + 10 * DAY - timedelta(microseconds=1), CallState.OPEN, True),
        (NOW + 10 * DAY, CallState.OPEN, False),
        (NOW + DAY, CallState.CLOSED, False),
        (NOW + DAY, CallState.PUBLISHED, False),
    ],
)
def test_the_window_is_open_from_its_first_moment_to_just_before_its_last(
    now: datetime, state: CallState, *, is_open: bool
) -> None:
    assert rules.window_open(replace(OPEN, state=state), DRAFT, now) is is_open


@pytest.mark.parametrize(
    ("now", "state", "is_open"),
    [
        (NOW + 12 * DAY, CallState.OPEN, True),
        (NOW + 12 * DAY, CallState.CLOSED, True),
        (NOW + 12 * DAY, CallState.ALLOCATED, False),
        (NOW + 14 * DAY, CallState.CLOSED, False),
    ],
)
def test_a_returned_application_has_its_own_time_but_never_after_the_allocation(
    now: datetime, state: CallState, *, is_open: bool
) -> None:
    returned = replace(DRAFT, state=ApplicationState.RETURNED, correct_until=NOW + 13 * DAY)
    assert rules.window_open(replace(OPEN, state=state), returned, now) is is_open


def test_a_call_may_be_closed_at_its_end_or_before_if_it_said_so() -> None:
    early = replace(OPEN, file=replace(FILE, window=replace(FILE.window, may_close_early=True)))
    assert not rules.may_close(OPEN, NOW + 9 * DAY)
    assert rules.may_close(early, NOW + 9 * DAY)
    assert rules.may_close(OPEN, NOW + 10 * DAY)
    assert not rules.may_close(replace(OPEN, state=CallState.CLOSED), NOW + 10 * DAY)


def test_names_are_shown_to_who_may_read_and_does_not_review_until_the_allocation() -> None:
    panel = Actor("person_p", frozenset({Role.PANEL, Role.REVIEWER}))
    assert rules.may_see_names(panel, OPEN, {"person_q"})
    assert not rules.may_see_names(panel, OPEN, {"person_p"})
    assert rules.may_see_names(panel, replace(OPEN, state=CallState.ALLOCATED), {"person_p"})
    assert not rules.may_see_names(Actor("person_r", frozenset({Role.REVIEWER})), OPEN, set())


def test_an_offer_may_be_taken_back_only_after_its_date_and_only_while_it_is_one() -> None:
    assert not rules.may_lapse(AWARD, AWARD.accept_by)
    assert rules.may_lapse(AWARD, AWARD.accept_by + DAY)
    assert not rules.may_lapse(replace(AWARD, state=AwardState.ACCEPTED), AWARD.accept_by + DAY)
