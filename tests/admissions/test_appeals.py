"""Appeals: nobody hears what they took part in, no deadline decides, and an upheld one unseats nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admissions.world import World, call_text, judged
from readingroom.admissions import call_file, queries, tables
from readingroom.admissions.after import Appeals, Ground, IfShort
from readingroom.admissions.allocation import Sheet
from readingroom.admissions.appeals import rules
from readingroom.admissions.appeals.model import AppealState, Bar, Part, SanctionFact, Voice
from readingroom.admissions.call import Call
from readingroom.admissions.model import Application, Outcome, Reason, Ruling
from readingroom.core.clock import FixedClock
from readingroom.core.refusal import Refused
from readingroom.ledger.model import Entry
from readingroom.people.model import Actor, Role

NO = Ruling(Outcome.REFUSED, Reason.UNCLEAR, "Unclear.")
UP, PART, DOWN = AppealState.UPHELD, AppealState.PARTLY, AppealState.REJECTED


def refused(world: World, passes: int = 9_000, **changes: Any) -> tuple[Call, Actor, Application]:
    """Open a call in which a person decides, and refuse somebody."""
    call = world.open_by_person(**changes)
    who = world.person("edith@abbey.example", "Abbey")
    made = world.apply(who, call, passes)
    world.desk.decide(world.steward, made.id, NO)
    return call, who, made


def hearers(world: World, count: int = 2) -> list[Actor]:
    return [world.person(f"h{n}@hear{n}.example", f"Hear {n}", Role.PANEL) for n in range(count)]


def hear(world: World, appeal: str, panel: list[Actor], outcome: AppealState) -> None:
    world.desk.admit_appeal(panel[0], appeal, "It is to be heard.")
    for each in panel:
        world.desk.speak(each, appeal, outcome, "As I found it.")


def code(caught: pytest.ExceptionInfo[Refused]) -> str:
    return caught.value.refusal.code


def test_an_upheld_appeal_gets_an_award_out_of_the_reserve_and_nobody_loses_one(world: World) -> None:
    call, who, made = refused(world, 3_000)
    before = world.desk.budget(call.id)["passes"]
    appeal = world.desk.appeal_refusal(who, made.id, Ground.PROCEDURE, "Nobody read my second page.")
    panel = hearers(world)
    hear(world, appeal.id, panel, UP)
    done = world.desk.conclude_appeal(panel[1], appeal.id, "It was not read.")
    assert (done.state, done.passes, done.place) == (UP, 3_000, False)
    held = world.desk.budget(call.id)["passes"]
    assert (held.reserve, held.offered, held.rest) == (before.reserve - 3_000, 3_000, before.rest)
    (award,) = world.desk.my_awards(who)
    assert award.amounts.passes == 3_000
    with pytest.raises(Refused) as caught:
        world.desk.appeal_refusal(who, made.id, Ground.PROCEDURE, "Again.")
    assert code(caught) == "admissions/nothing-to-appeal"


@pytest.mark.parametrize(("reserve", "if_short", "passes", "place"), [
    (2_500, "what-is-left", 2_500, False), (2_500, "next-call", 0, True), (1_999, "what-is-left", 0, True),
])  # fmt: skip
def test_where_the_reserve_does_not_suffice_the_call_says_what_an_appeal_gets(
    lite: World, reserve: int, if_short: str, passes: int, *, place: bool
) -> None:
    more: dict[str, Any] = {"appeals": {"if_short": if_short}, "reapply_after_days": 90, "appeal_reserve": reserve}
    call, who, made = refused(lite, **more)
    appeal = lite.desk.appeal_refusal(who, made.id, Ground.FACTUAL_ERROR, "It says 20 and not 200.")
    panel = hearers(lite)
    hear(lite, appeal.id, panel, UP)
    done = lite.desk.conclude_appeal(panel[0], appeal.id, "So it does.")
    assert (done.passes, done.place) == (passes, place)
    assert lite.desk.budget(call.id)["passes"].reserve == reserve - passes
    if place:  # and may take it at once
        assert lite.apply(who, lite.open_by_person()).submitted is not None


def test_whoever_took_part_can_neither_see_nor_hear_it(world: World) -> None:
    call, made = world.reviewed([12_000, 12_000], [judged(5, 5), judged(1, 1)])
    world.desk.allocate(world.panel, call.id)
    world.desk.publish(world.steward, call.id)
    loser, winner = (world.people.actor(made[n].person) for n in (1, 0))
    appeal = world.desk.appeal_refusal(loser, made[1].id, Ground.CONFLICT_OF_INTEREST, "One of them knows me.")
    reviewer = world.reviewers[0]
    with world.db.read() as tx:
        took = queries.took_part(tx, appeal, [])
    assert Part.DECIDED in took.of(world.steward.id)
    assert Part.DECIDED in took.of(world.panel.id), "whoever fixed the allocation"
    assert took.of(reviewer.id) == {Part.REVIEWED}
    assert took.of(winner.id) == {Part.APPLIES}
    assert took.of(loser.id) == {Part.APPEALS}
    near = world.person("colleague@place1.example", "Place 1", Role.PANEL)
    for by in (world.steward, world.panel, near):
        assert world.desk.appeals(by) == []
        acts: list[Callable[[], object]] = [
            partial(world.desk.appeal, by, appeal.id),
            partial(world.desk.admit_appeal, by, appeal.id),
            partial(world.desk.dismiss_appeal, by, appeal.id, Bar.NO_GROUND, "No."),
            partial(world.desk.speak, by, appeal.id, DOWN, "No."),
            partial(world.desk.conclude_appeal, by, appeal.id, "No."),
        ]
        for act in acts:
            with pytest.raises(Refused) as caught:
                act()
            assert code(caught) == "admissions/appeal-not-yours"
    (other,) = hearers(world, 1)
    assert [each.id for each in world.desk.appeals(other)] == [appeal.id]


def test_a_voice_that_turns_out_to_be_of_somebody_who_took_part_concludes_nothing(lite: World) -> None:
    _, who, made = refused(lite)
    appeal = lite.desk.appeal_refusal(who, made.id, Ground.PROCEDURE, "A step was left out.")
    panel = hearers(lite, 3)
    hear(lite, appeal.id, panel[:2], UP)
    with lite.db.write() as tx:  # as a merge of two identities would
        tx.execute(tables.decision.update().values(decided_by=panel[0].id))
    for by in panel[:2]:
        with pytest.raises(Refused) as caught:
            lite.desk.conclude_appeal(by, appeal.id, "So.")
        assert code(caught) in {"admissions/panel-not-fit", "admissions/appeal-not-yours"}
    after = lite.desk.speak(panel[2], appeal.id, UP, "Likewise.")
    assert {each.person for each in after.voices} == {panel[1].id, panel[2].id}, "the other is struck"
    assert lite.desk.conclude_appeal(panel[2], appeal.id, "So.").state is UP


def test_a_late_appeal_is_kept_told_and_heard_only_by_a_persons_word(lite: World) -> None:
    _, who, made = refused(lite, appeals={"days": 3})
    lite.clock.advance(days=4)
    late = lite.desk.appeal_refusal(who, made.id, Ground.PROCEDURE, "I was in hospital.")
    assert (late.state, late.late) == (AppealState.LODGED, True)
    panel = hearers(lite)
    with pytest.raises(Refused) as caught:
        lite.desk.admit_appeal(panel[0], late.id)
    assert code(caught) == "admissions/note-missing"
    assert lite.desk.admit_appeal(panel[0], late.id, "The delay is explained.").state is AppealState.ADMITTED


def test_an_appeal_in_time_cannot_be_dismissed_as_late(lite: World) -> None:
    _, who, made = refused(lite, appeals={"days": 3})
    lite.clock.advance(days=3)
    appeal = lite.desk.appeal_refusal(who, made.id, Ground.PROCEDURE, "A step was left out.")
    (by,) = hearers(lite, 1)
    lite.clock.advance(days=300)
    with pytest.raises(Refused) as caught:
        lite.desk.dismiss_appeal(by, appeal.id, Bar.LATE, "Late.")
    assert code(caught) == "admissions/reason-not-fitting"
    done = lite.desk.dismiss_appeal(by, appeal.id, Bar.NEW_FACTS, "These are new facts.")
    assert (done.state, done.bar) == (AppealState.INADMISSIBLE, Bar.NEW_FACTS)


def test_only_a_full_panel_that_agrees_concludes(lite: World) -> None:
    _, who, made = refused(lite, appeals={"panel": 2, "grounds": ["procedure"]})
    with pytest.raises(Refused) as caught:
        lite.desk.appeal_refusal(who, made.id, Ground.FACTUAL_ERROR, "It is wrong.")
    assert code(caught) == "admissions/no-such-ground"
    appeal = lite.desk.appeal_refusal(who, made.id, Ground.PROCEDURE, "A step was left out.")
    panel = hearers(lite, 3)
    lite.desk.admit_appeal(panel[0], appeal.id)
    assert lite.desk.speak(panel[0], appeal.id, UP, "Yes.").state is AppealState.ADMITTED
    with pytest.raises(Refused) as caught:
        lite.desk.conclude_appeal(panel[0], appeal.id, "Yes.")
    assert code(caught) == "admissions/wrong-state"
    assert lite.desk.appeal(panel[1], appeal.id).voices == (), "nobody speaks after another"
    assert lite.desk.speak(panel[1], appeal.id, DOWN, "No.").state is AppealState.HEARD
    with pytest.raises(Refused) as caught:
        lite.desk.conclude_appeal(panel[0], appeal.id, "Yes.")
    assert code(caught) == "admissions/panel-divided"
    with pytest.raises(Refused) as caught:
        lite.desk.conclude_appeal(panel[2], appeal.id, "Yes.")
    assert code(caught) == "admissions/not-on-the-panel"
    lite.desk.speak(panel[2], appeal.id, PART, "In part.")
    with pytest.raises(Refused) as caught:
        lite.desk.conclude_appeal(panel[2], appeal.id, "In part.", 1_999)
    assert code(caught) == "admissions/amount-out-of-bounds"
    done = lite.desk.conclude_appeal(panel[2], appeal.id, "In part.", 2_500)
    assert (done.state, done.passes) == (PART, 2_500)
    shown = lite.desk.appeal(who, appeal.id)
    assert {each.person for each in shown.voices} == {""}, "the appellant reads what, not who"


def test_an_upheld_appeal_of_a_sanction_is_said_so_that_it_is_lifted(lite: World) -> None:
    heard: list[Entry] = []
    lite.ledger.on("admissions.appeal.concluded", lambda _tx, entry: heard.append(entry))
    who = lite.person("edith@abbey.example", "Abbey")
    now = lite.clock.now()
    fact = SanctionFact("sanction_1", who.id, "grant_1", "suspend", "terms-breach", (lite.panel.id,), now)
    with pytest.raises(Refused):
        lite.desk.appeal_sanction(lite.person("other@x.example"), fact, "", Ground.PROCEDURE, "Not mine.")
    appeal = lite.desk.appeal_sanction(who, fact, "", Ground.FACTUAL_ERROR, "It was another key.")
    with pytest.raises(Refused) as caught:
        lite.desk.admit_appeal(lite.panel, appeal.id)
    assert code(caught) == "admissions/appeal-not-yours"
    hear(lite, appeal.id, [lite.steward, *hearers(lite, 1)], UP)
    lite.desk.conclude_appeal(lite.steward, appeal.id, "It was.")
    (said,) = heard
    assert (said.data["kind"], said.data["subject"], said.data["outcome"]) == ("sanction", "sanction_1", "upheld")


def test_the_reserve_is_freed_once_nothing_can_need_it(lite: World) -> None:
    call, who, made = refused(lite)
    lite.desk.close_call(lite.steward, call.id)
    appeal = lite.desk.appeal_refusal(who, made.id, Ground.PROCEDURE, "A step was left out.")
    for days in (0, 15):
        lite.clock.advance(days=days)
        with pytest.raises(Refused) as caught:
            lite.desk.free_reserve(lite.steward, call.id)
        assert code(caught) == "admissions/reserve-needed"
    lite.desk.withdraw_appeal(who, appeal.id)
    assert lite.desk.free_reserve(lite.steward, call.id).passes == 4_000
    assert lite.desk.budget(call.id)["passes"].reserve == 0


VOICES = st.lists(st.sampled_from([UP, PART, DOWN]), max_size=9)


@given(VOICES)
def test_the_panel_finds_what_more_than_half_say(said: list[AppealState]) -> None:
    now = FixedClock().now()
    voices = [Voice(str(n), each, "", now) for n, each in enumerate(said)]
    found = rules.majority(voices)
    up, part, down = (said.count(each) for each in (UP, PART, DOWN))
    assert (found is UP) == (2 * up > len(said))
    assert (found in {UP, PART}) == (2 * (up + part) > len(said))
    assert (found is DOWN) == (2 * down > len(said))


FILE = call_file.parse(call_text())


@given(st.integers(1, 60_000), st.integers(0, 40_000), st.sampled_from(IfShort), st.none() | st.integers(1, 60_000))
def test_an_appeal_gives_from_the_reserve_at_least_what_is_useful_or_a_place(
    asked: int, reserve: int, short: IfShort, part: int | None
) -> None:
    file = replace(FILE, after=replace(FILE.after, appeals=Appeals(if_short=short)))
    full = rules.deserved(file, asked, "", [])
    assert file.limits.minimum <= full <= file.limits.maximum
    part = None if part is None or rules.check_part(file, full, "", part) else part
    gives = rules.effect(file, full, "", {"passes": reserve}, part)
    assert gives.place == (gives.amounts is None)
    if gives.amounts:
        assert file.limits.minimum <= gives.amounts.passes <= min(reserve, full if part is None else part)
        whole = gives.amounts.passes == (full if part is None else part)
        assert whole or short is IfShort.WHAT_IS_LEFT


@given(st.integers(2_000, 60_000), st.integers(2_000, 60_000), st.integers(2_000, 15_000))
def test_an_appellant_gets_the_fraction_that_the_best_ranked_got(asked: int, theirs: int, given: int) -> None:
    cap = min(theirs, FILE.limits.maximum)
    given = min(given, cap)
    best = Sheet("application_x", theirs, FILE.reviewing.floor, 1, FILE.amounts(given), Reason.SCALED, "", "")  # type: ignore[union-attr]
    mine = min(asked, FILE.limits.maximum)
    assert rules.deserved(FILE, asked, "", [best]) == max(2_000, mine * given // cap)


def test_an_appeal_is_due_so_many_days_after_the_decision() -> None:
    now = FixedClock().now()
    assert rules.due(Appeals(days=10), now) - now == timedelta(days=10)
