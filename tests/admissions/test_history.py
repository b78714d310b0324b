"""An application's history: complete, by role, and blind to all that reviewers do."""

from __future__ import annotations

import json
from datetime import timedelta

from admissions.world import ANSWERS, World, judged
from readingroom.admissions import notices
from readingroom.admissions.model import Application, ApplicationState, Draft, Outcome, Reason, Risk, Ruling
from readingroom.admissions.teams import Part
from readingroom.core.clock import FixedClock
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor
from readingroom.store.db import Database


def said(world: World, who: Actor, application: str) -> str:
    """Spell everything that an applicant is shown of where it stands."""
    steps, waiting = world.desk.history(who, application)
    found = world.desk.application(who, application)
    shown = [each.to_json() for each in steps] + [each.to_json() for each in waiting]
    return json.dumps([shown, found.state.value, found.revision, str(found.updated_at), found.note])


def texts(world: World, who: Actor, application: str) -> list[str]:
    return [each.text for each in world.desk.history(who, application)[0]]


def waits(world: World, who: Actor, application: str) -> list[tuple[str, bool]]:
    return [(each.who, each.until is not None) for each in world.desk.history(who, application)[1]]


def test_every_step_is_told_with_who_has_it_and_by_when(world: World) -> None:
    call = world.open_by_person(guarantor="required")
    (who,) = world.applicants(1)
    made = world.desk.start(who, call.id, Draft(ANSWERS, 9_000))
    assert waits(world, who, made.id) == [("the applicant", True)]
    world.desk.submit(who, made.id)
    assert waits(world, who, made.id) == [("the applicant", False), ("the panel", False)]
    until = world.clock.now() + timedelta(days=3)
    world.desk.return_application(world.steward, made.id, "Name the machine.", until)
    steps, waiting = world.desk.history(who, made.id)
    assert [(each.who, each.until) for each in waiting] == [("the applicant", until)]
    assert steps[-1].by == "the desk"
    world.clock.advance(days=4)
    assert waits(world, who, made.id) == [("the desk", False)], "the date has passed, and a person will decide"
    world.clock.advance(days=-3)
    world.desk.submit(who, made.id)
    _, secret = world.desk.invite(who, made.id, "dean@uni.example", Part.GUARANTOR)
    assert waits(world, who, made.id) == [("the guarantor", True), ("the panel", False)]
    world.desk.answer(world.person("dean@uni.example"), secret, accept=True)
    assert waits(world, who, made.id) == [("the panel", False)]
    world.desk.decide(world.panel, made.id, Ruling(Outcome.AWARDED, Reason.SUITABLE))
    assert waits(world, who, made.id) == [("the applicant", True)]
    (award,) = world.desk.my_awards(who)
    world.desk.decline_award(who, award.id)
    assert waits(world, who, made.id) == [("nobody", False)]
    assert texts(world, who, made.id) == [
        "Begun",
        "Version 1 submitted",
        "Returned for correction, which is no refusal",
        "Version 2 submitted",
        "A guarantor asked",
        "The guarantor vouched for version 2",
        "Decided: awarded, suitable",
        "An award offered",
        "The award declined",
    ]
    assert {each.by for each in world.desk.history(world.steward, made.id)[0]} == {
        "the applicant", "the desk", "the panel", "the guarantor",
    }  # fmt: skip


def test_late_and_half_finished_are_kept_and_told(lite: World) -> None:
    call = lite.open()
    one, two = lite.applicants(2)
    half = lite.desk.start(one, call.id, Draft({"purpose": "Half of it"}))
    lite.apply(two, call)
    heard: list[str] = []
    lite.ledger.on("admissions.application.late", lambda _tx, entry: heard.append(str(entry.data["person"])))
    lite.desk.close_call(lite.steward, call.id)
    assert heard == [one.id]
    assert lite.desk.application(one, half.id).draft.answers == {"purpose": "Half of it"}
    assert waits(lite, one, half.id) == [("the applicant", False)]
    assert "kept as late, and nothing was decided" in texts(lite, one, half.id)[-1]


def in_review(world: World) -> tuple[Actor, Application]:
    call = world.open()
    who, other = world.applicants(2)
    made = world.apply(who, call)
    world.apply(other, call)
    world.desk.close_call(world.steward, call.id)
    world.desk.assign_reviewers(world.steward, call.id)
    return who, made


def test_two_worlds_that_differ_in_what_reviewers_did_look_the_same(lite: World) -> None:
    """One world, looked at before and after each act of a reviewer: not a byte changes."""
    who, made = in_review(lite)
    before = said(lite, who, made.id)
    lite.review(lite.reviewers[0], made.id, judged(1, 1, Risk.VETO))
    assert said(lite, who, made.id) == before
    lite.review(lite.reviewers[0], made.id, judged(5, 5))
    assert said(lite, who, made.id) == before
    lite.recuse(lite.reviewers[1], made.id, "a friend")
    assert said(lite, who, made.id) == before
    lite.person("third@west.example", "West", *lite.reviewers[0].roles)
    lite.desk.assign_reviewers(lite.steward, made.call)
    assert said(lite, who, made.id) == before
    for (each,) in [[r] for r in lite.desk.reviews(lite.steward, made.call) if r.state.value == "assigned"][:1]:
        lite.desk.release_review(lite.steward, each.id)
    assert said(lite, who, made.id) == before


def test_a_refusal_letter_says_all_that_the_page_does(sqlite_db: Database, ledger: Ledger, clock: FixedClock) -> None:
    world = World(sqlite_db, ledger, clock)
    call = world.open_by_person(reapply_after_days=30)
    (who,) = world.applicants(1)
    made = world.apply(who, call)
    decided = world.desk.decide(world.panel, made.id, Ruling(Outcome.REFUSED, Reason.UNCLEAR, "Which prompts?"))
    letter = notices.refusal_letter(call.file, decided)
    for part in ("unclear", "Which prompts?", decided.differ, str(decided.reapply_from.date()), decided.appeal):
        assert part in letter


def test_where_a_call_says_by_when_it_decides_the_applicant_is_told_and_an_amendment_does_not_put_it_off(
    lite: World,
) -> None:
    (who,) = lite.applicants(1)
    made = lite.apply(who, lite.open_by_person(window={"standing": True}, decide_within="24h"))
    promised = lite.clock.now() + timedelta(hours=24)
    lite.clock.advance(seconds=3600)
    lite.desk.submit(who, lite.desk.save(who, made.id, Draft(ANSWERS, 9_000)).id)
    (waiting,) = lite.desk.history(who, made.id)[1]
    assert (waiting.who, waiting.until) == ("the panel", promised)
    lite.clock.advance(days=3)
    assert lite.desk.application(who, made.id).state is ApplicationState.SUBMITTED
