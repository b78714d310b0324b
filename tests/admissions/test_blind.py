"""Reviewers see neither names nor each other: the page is the same bytes whoever the applicant is."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from admissions.world import ANSWERS, CALL, World, judged
from readingroom.admissions import call_file
from readingroom.admissions.blind import BlindView, blind_view
from readingroom.admissions.model import Application, Draft, Outcome, Reason, Ruling, Version
from readingroom.core.canonical import canonical
from readingroom.core.refusal import Refused
from readingroom.people.model import Role

FILE = call_file.parse(CALL)
moments = st.datetimes(timezones=st.just(UTC))


@given(team=st.lists(st.text(), max_size=3), machine=st.text(), number=st.integers(1, 9), at=moments, salt=st.binary())
def test_the_view_has_the_same_bytes_whoever_applies_with_whom_when_and_from_where(
    team: list[str], machine: str, number: int, at: datetime, salt: bytes
) -> None:
    draft = Draft({**ANSWERS, "machine": machine}, 5_000, "text", tuple(team))
    seen = blind_view("application_x", Version(number, draft, salt, "", at), FILE)
    plain = Version(1, Draft(ANSWERS, 5_000, "text"), b"", "", datetime(2026, 1, 1, tzinfo=UTC))
    assert canonical(seen.to_json()) == canonical(blind_view("application_x", plain, FILE).to_json())


def test_the_view_has_no_field_in_which_a_person_could_be() -> None:
    fields = {each.name for each in dataclasses.fields(BlindView)}
    assert fields == {"review", "passes", "tier", "answers"}
    assert fields.isdisjoint({"person", "team"} & {each.name for each in dataclasses.fields(Application)})


def test_two_worlds_with_other_applicants_show_a_reviewer_the_same(lite: World) -> None:
    """Two calls, alike but for who applies, in which order, with which team: the tasks differ in ids alone."""
    pages = []
    for names in (("ada@ada.example", "Ada Q"), ("zoe@zoe.example", "Zoe House")):
        call = lite.open()
        who = lite.person(names[0], names[1])
        lite.apply(who, call)
        lite.desk.close_call(lite.steward, call.id)
        lite.desk.assign_reviewers(lite.steward, call.id)
        (task,) = [each for each in lite.desk.reviews_to_do(lite.reviewers[0]) if each.call == call.id]
        page = canonical(task.view.to_json()).replace(task.view.review.encode(), b"review_x")
        pages.append((page, task.criteria, task.anchors, task.state, task.mine))
    assert pages[0] == pages[1]


def test_a_reviewer_sees_the_same_whether_or_not_another_has_reviewed(lite: World) -> None:
    call = lite.open()
    made = lite.apply(lite.applicants(1)[0], call)
    lite.desk.close_call(lite.steward, call.id)
    lite.desk.assign_reviewers(lite.steward, call.id)
    before = lite.desk.reviews_to_do(lite.reviewers[0])
    lite.review(lite.reviewers[1], made.id, judged(1, 1))
    assert lite.desk.reviews_to_do(lite.reviewers[0]) == before


def test_nothing_that_a_reviewer_sees_stands_beside_a_person_in_the_public_log(lite: World) -> None:
    call = lite.open()
    who = lite.applicants(1)[0]
    made = lite.apply(who, call)
    lite.desk.close_call(lite.steward, call.id)
    lite.desk.assign_reviewers(lite.steward, call.id)
    (task,) = lite.desk.reviews_to_do(lite.reviewers[0])
    lite.desk.review(lite.reviewers[0], task.view.review, judged())
    shown = canonical(task.view.to_json())
    assert made.id.encode() not in shown
    assert who.id.encode() not in shown
    with lite.db.read() as tx:
        leaves = tx.execute(text("select leaf from ledger_entry")).scalars().all()
    beside = [leaf for leaf in leaves if task.view.review.encode() in leaf]
    assert beside  # the reviewer's own act
    assert not [leaf for leaf in beside if who.id.encode() in leaf or made.id.encode() in leaf]


def test_who_reviews_learns_no_names_by_another_role_until_it_is_allocated(lite: World) -> None:
    both = lite.person("both@west.example", "West", Role.REVIEWER, Role.PANEL)
    call = lite.open()
    made = lite.apply(lite.applicants(1)[0], call)
    lite.desk.close_call(lite.steward, call.id)
    lite.desk.assign_reviewers(lite.steward, call.id, [both.id, lite.reviewers[0].id])
    for look in (
        lambda: lite.desk.applications(both, call.id),
        lambda: lite.desk.application(both, made.id),
        lambda: lite.desk.reviews(both, call.id),
        lambda: lite.desk.awards(both, call.id),
        lambda: lite.desk.decision(both, made.id),
        lambda: lite.desk.allocate(both, call.id, dry_run=True),
    ):
        with pytest.raises(Refused, match="admissions/blind-phase"):
            look()
    for each in (both, lite.reviewers[0]):
        lite.review(each, made.id, judged())
    lite.desk.allocate(lite.steward, call.id)
    assert [each.id for each in lite.desk.applications(both, call.id)] == [made.id]
    assert lite.desk.decision(both, made.id) is None


def test_who_reviews_where_a_person_decides_learns_no_names_by_a_decision_or_by_looking_for_conflicts(
    lite: World,
) -> None:
    both = lite.person("both@west.example", "West", Role.REVIEWER, Role.STEWARD)
    call = lite.open(allocation={"policy": "by-person"})
    first, second = lite.applicants(2)
    made, other = lite.apply(first, call), lite.apply(second, call)
    lite.desk.assign_reviewers(lite.steward, call.id, [both.id, lite.reviewers[0].id])
    for each in (both, lite.reviewers[0]):
        lite.review(each, made.id, judged())
    lite.desk.decide(lite.steward, made.id, Ruling(Outcome.AWARDED, Reason.SUITABLE))
    (award,) = lite.desk.my_awards(first)
    for look in (
        lambda: lite.desk.conflicts(both, call.id, first.id),
        lambda: lite.desk.decision(both, made.id),
        lambda: lite.desk.award(both, award.id),
        lambda: lite.desk.awards(both, call.id),
        lambda: lite.desk.application(both, other.id),
    ):
        with pytest.raises(Refused, match="admissions/blind-phase"):
            look()
    assert lite.desk.award(lite.panel, award.id) == award
