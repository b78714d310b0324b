"""Dates of calls and applications: none that is nobody's, and those that a person means to keep."""

from __future__ import annotations

from datetime import timedelta

from admissions.world import ANSWERS, World
from readingroom.admissions.model import Draft
from readingroom.app.letters import dates
from readingroom.core.clock import FixedClock
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database

BASE = "https://reading.example"


def test_a_standing_call_has_no_end_until_it_is_closed_and_its_tickets_are_due(
    sqlite_db: Database, ledger: Ledger, clock: FixedClock
) -> None:
    world = World(sqlite_db, ledger, clock)
    call = world.open_by_person(window={"standing": True}, decide_within="24h")
    assert [each.uid.rpartition("/")[2] for each in dates.of_call(call, BASE)] == ["opens"]
    made = world.apply(world.applicants(1)[0], call, 3_000)
    assert made.submitted is not None
    (due,) = dates.of_application(made, call, [], BASE)
    assert due.uid == f"{made.id}/decide-by"
    assert due.at == made.submitted.submitted_at + timedelta(hours=24)
    world.clock.advance(days=3)
    closed = world.desk.close_call(world.steward, call.id)
    (_, end) = dates.of_call(closed, BASE)
    assert end.at == world.clock.now()


def test_a_call_with_an_end_says_until_when_a_draft_can_be_submitted(
    sqlite_db: Database, ledger: Ledger, clock: FixedClock
) -> None:
    world = World(sqlite_db, ledger, clock)
    call = world.open()
    draft = world.desk.start(world.applicants(1)[0], call.id, Draft(dict(ANSWERS), 9_000))
    (last,) = dates.of_application(draft, call, [], BASE)
    assert (last.uid, last.at) == (f"{draft.id}/submit-by", call.file.window.closes)
