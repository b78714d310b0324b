"""Each letter is written by the step that it tells of, in a house as it is wired: none lacks a fact, none is dead."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from admissions.world import ANSWERS, call_text
from readingroom.access.model import Amounts, Award, Grant, Reason
from readingroom.admissions.call import Call
from readingroom.admissions.model import Draft, Outcome, Ruling
from readingroom.admissions.model import Reason as Why
from readingroom.app.desk import open_call
from readingroom.app.house import House
from readingroom.app.lending import issue_discretionary
from readingroom.app.letters.table import LETTERS
from readingroom.core.clock import FixedClock, SystemClock
from readingroom.core.settings import load
from readingroom.oversight.work import Kind, Work
from readingroom.people.model import Actor, Role
from readingroom.post.tables import letter as table
from served import found

GOOD = Work(Kind.NOTE, "Reading", ("A Reader",), 2026)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(load(found(tmp_path / "home")), FixedClock(SystemClock().now()))


def person(house: House, name: str, *roles: Role) -> Actor:
    made = house.people.add(house.people.operator(), f"{name}@{name}.example", affiliation=name, roles=roles)
    return house.people.actor(made.id)


def grant(house: House, by: Actor, email: str) -> Grant:
    ends = house.clock.now() + timedelta(days=30)
    lent = Award("", "reading-room", "text", Amounts(passes=100, tokens=5), ends, "test")
    return issue_discretionary(house, by, email, lent, accept_terms=False)[0]


def applications(house: House, steward: Actor) -> None:
    """Let applications take every way that there is."""
    lab, clock = house.admissions, house.clock
    single = open_call(house, steward, call_text(allocation={"policy": "by-person"}, review=None), "call.yaml")
    people = [person(house, name) for name in ("one", "two", "three", "four", "five")]
    made = [lab.submit(each, lab.start(each, single.id, Draft(ANSWERS, 10_000)).id) for each in people]
    lab.return_application(steward, made[0].id, "Say where.", clock.now() + timedelta(days=3))
    lab.submit(people[0], made[0].id)
    lab.withdraw(people[0], made[0].id)
    for each in made[1:4]:
        lab.decide(steward, each.id, Ruling(Outcome.AWARDED, Why.SUITABLE))
    lab.decide(steward, made[4].id, Ruling(Outcome.REFUSED, Why.UNCLEAR, "Not clear."))
    first, second, third = (lab.my_awards(each)[0] for each in people[1:4])
    lab.accept_award(people[1], first.id)
    lab.decline_award(people[2], second.id)
    assert isinstance(clock, FixedClock)
    clock.moment = third.accept_by + timedelta(seconds=1)
    lab.lapse_award(steward, third.id)


def reviews(house: House, steward: Actor) -> Call:
    """Let a reviewer be asked and let go; one application stays a draft."""
    lab = house.admissions
    more = {"review": {**yaml.safe_load(call_text())["review"], "per_application": 1}}
    now = house.clock.now()
    more["window"] = {"opens": (now - timedelta(days=1)).isoformat(), "closes": (now + timedelta(days=9)).isoformat()}
    call = open_call(house, steward, call_text(**more), "call.yaml")
    person(house, "reviewer", Role.REVIEWER)
    six, seven = person(house, "six"), person(house, "seven")
    lab.submit(six, lab.start(six, call.id, Draft(ANSWERS, 10_000)).id)
    lab.start(seven, call.id, Draft(ANSWERS, 10_000))
    lab.close_call(steward, call.id)
    (review,) = lab.assign_reviewers(steward, call.id)
    lab.release_review(steward, review.id)
    return call


def sanctions(house: House, steward: Actor) -> None:
    """Let a grant be stopped and put right, keys changed by the lab, terms changed, a stage shut, a person barred."""
    held, access = grant(house, steward, "reader@reader.example"), house.access
    key, _ = access.issue_key(steward, held.id)
    rotated, _ = access.rotate_key(steward, key.id)
    access.revoke_key(steward, rotated.id)
    access.suspend(steward, held.id, Reason.SECURITY)
    access.reinstate(steward, held.id, Reason.ERROR_CORRECTED)
    for material in (True, False):
        house.agreements.publish(steward, f"# Terms\n\n1. {material}\n", material=material, reason="better")
    reader = house.people.actor(held.holder)
    work = house.works.submit(reader, held.id, GOOD).id
    house.works.decline(steward, work, "The link is dead.")
    work = house.works.submit(reader, held.id, GOOD).id
    house.works.publish(steward, work)
    house.works.withdraw(steward, work, "By request.")
    house.releases.hold(steward, "reading-room", "other", "a look")
    access.revoke(steward, held.id, Reason.PROJECT_ENDED)
    ends = house.clock.now() + timedelta(days=30)
    access.bar(steward, held.holder, ends, Reason.TERMS_BREACH)
    access.bar(steward, held.holder, ends - timedelta(days=1), Reason.ERROR_CORRECTED)


def test_every_letter_is_written_by_the_step_that_it_tells_of(house: House) -> None:
    steward = person(house, "steward", Role.STEWARD, Role.TESTER)
    house.people.change_role(house.people.operator(), "steward@steward.example", Role.TESTER, add=False)
    applications(house, steward)
    reviews(house, steward)
    sanctions(house, steward)
    with house.db.read() as tx:
        rows = tx.execute(sa.select(table)).all()
    written = {row.event for row in rows}
    elsewhere = {"releases.stage.rolled-back", "releases.stage.withdrawn", "releases.stage.closed"}  # as `held`
    assert set(LETTERS) - written == elsewhere
    assert all(row.subject and "Dear " in row.text and row.html for row in rows)
    assert not [row.text for row in rows if "None" in row.text or "{" in row.text]
    house.close()
