"""Rounds, late applications and standing calls: what time does, and what it never does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from admissions.world import ANSWERS, World
from readingroom.admissions import queries
from readingroom.admissions.call import Call
from readingroom.admissions.eligibility import Held, Standing, lacking
from readingroom.admissions.model import ApplicationState, CallState, Draft, Outcome, Reason, Ruling
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.ledger.model import Entry
from readingroom.people.model import Claim, FactKind

ROUNDS = [
    {"name": "spring", "opens": "2026-01-01T00:00:00Z", "closes": "2026-02-01T00:00:00Z", "passes": 13_333},
    {"name": "autumn", "opens": "2026-02-01T00:00:00Z", "closes": "2026-10-01T00:00:00Z", "passes": 26_667},
]
TICKET = {"allocation": {"policy": "by-person"}, "review": None}


def rounds(world: World) -> tuple[Call, Call]:
    first = world.open(window=None, rounds=ROUNDS, budget={"passes": 40_000, "tokens": 99_999, "calls": 7_001})
    spring, autumn = world.desk.series(first.id)
    return spring, autumn


def standing(world: World, **changes: object) -> Call:
    award = {"minimum": 2_000, "maximum": 15_000, "days": 90}
    return world.open(**TICKET, award=award, window={"standing": True}, decide_within="24h", **changes)


def test_rounds_are_calls_of_their_own_whose_budgets_add_up_to_the_files_in_every_unit(lite: World) -> None:
    spring, autumn = rounds(lite)
    assert (spring.file.name, autumn.file.name) == ("Reading tickets: spring", "Reading tickets: autumn")
    assert (spring.digest, spring.series) == (autumn.digest, autumn.series)
    assert spring.seed_commitment != autumn.seed_commitment
    one, two = lite.desk.budget(spring.id), lite.desk.budget(autumn.id)
    for unit, whole in {"passes": 40_000, "tokens": 99_999, "calls": 7_001}.items():
        assert one[unit].budget + two[unit].budget == whole
        assert one[unit].conserved
        assert two[unit].conserved
    assert one["passes"].reserve + two["passes"].reserve == 4_000


def test_what_is_half_finished_when_its_window_closes_is_kept_and_told_and_goes_into_the_next_round(
    lite: World,
) -> None:
    heard: list[Entry] = []
    lite.ledger.on("admissions.application.late", lambda _tx, entry: heard.append(entry))
    spring, autumn = rounds(lite)
    one, two = lite.applicants(2)
    half, whole = lite.desk.start(one, spring.id, Draft({"purpose": "half"}, 0)), lite.apply(two, spring)
    lite.clock.moment = datetime(2026, 2, 1, tzinfo=UTC)
    assert lite.desk.my_applications(one)[0].state is ApplicationState.DRAFT  # the date alone moves nothing
    lite.desk.close_call(lite.steward, spring.id)
    kept = lite.desk.my_applications(one)[0]
    assert (kept.state, kept.draft.answers) == (ApplicationState.LATE, {"purpose": "half"})
    assert lite.desk.my_applications(two)[0].state is ApplicationState.SUBMITTED
    said = {"application": half.id, "call": spring.id, "person": one.id, "finished": False}
    assert [dict(each.data) for each in heard] == [said]
    with pytest.raises(Refused, match="admissions/application-unknown"):
        lite.desk.move_to_next_round(two, half.id)
    with pytest.raises(Refused, match="admissions/wrong-state"):
        lite.desk.move_to_next_round(two, whole.id)
    moved = lite.desk.move_to_next_round(one, half.id)
    assert (moved.call, moved.state) == (autumn.id, ApplicationState.DRAFT)
    lite.desk.save(one, half.id, Draft(ANSWERS, 3_000))
    assert lite.desk.submit(one, half.id).state is ApplicationState.SUBMITTED
    assert [each.id for each in lite.desk.applications(lite.steward, spring.id)] == [whole.id]


def test_one_finished_late_does_not_count_until_a_person_admits_it_with_a_reason(lite: World) -> None:
    spring, _ = rounds(lite)
    (one,) = lite.applicants(1)
    half = lite.desk.start(one, spring.id, Draft(ANSWERS, 3_000))
    lite.clock.moment = datetime(2026, 2, 1, 0, 5, tzinfo=UTC)
    late = lite.desk.submit(one, half.id)
    assert late.state is ApplicationState.LATE
    assert late.submitted is not None
    lite.desk.close_call(lite.steward, spring.id)
    with pytest.raises(Refused, match="people/not-allowed"):
        lite.desk.admit_late(one, half.id, "I was on a train")
    with pytest.raises(BadInput, match="note"):
        lite.desk.admit_late(lite.steward, half.id, " ")
    admitted = lite.desk.admit_late(lite.steward, half.id, "The site was down at the end of the window.")
    assert admitted.state is ApplicationState.SUBMITTED
    assert "site was down" in admitted.note


def test_what_was_never_submitted_cannot_be_admitted_and_the_last_round_has_none_after_it(lite: World) -> None:
    _, autumn = rounds(lite)
    lite.clock.moment = datetime(2026, 9, 1, tzinfo=UTC)
    (one,) = lite.applicants(1)
    half = lite.desk.start(one, autumn.id)
    lite.clock.moment = datetime(2026, 10, 2, tzinfo=UTC)
    lite.desk.close_call(lite.steward, autumn.id)
    with pytest.raises(Refused, match="admissions/not-submitted"):
        lite.desk.admit_late(lite.steward, half.id, "why not")
    with pytest.raises(Refused, match="admissions/no-next-round"):
        lite.desk.move_to_next_round(one, half.id)
    assert lite.desk.withdraw(one, half.id).state is ApplicationState.WITHDRAWN


def test_a_standing_call_has_no_end_until_a_person_closes_it(lite: World) -> None:
    call = standing(lite)
    lite.clock.moment = datetime(2090, 1, 1, tzinfo=UTC)
    (one,) = lite.applicants(1)
    assert lite.apply(one, call).state is ApplicationState.SUBMITTED
    assert lite.desk.close_call(lite.steward, call.id).state is CallState.CLOSED


def test_tickets_go_first_come_first_served_within_the_budget(lite: World) -> None:
    call = standing(lite, budget={"passes": 20_000}, appeal_reserve=0)
    one, two, three = lite.applicants(3)
    first = lite.apply(one, call, 15_000)
    lite.clock.advance(hours=1)
    second = lite.apply(two, call, 6_000)
    award = Ruling(Outcome.AWARDED, Reason.SUITABLE)
    with pytest.raises(Refused, match="admissions/not-in-turn"):
        lite.desk.decide(lite.panel, second.id, award)
    small = Ruling(Outcome.AWARDED, Reason.SUITABLE, passes=5_000)  # what leaves enough for who came before
    lite.desk.decide(lite.panel, second.id, small)
    lite.desk.decide(lite.panel, first.id, award)
    with pytest.raises(Refused, match="admissions/budget-spent"):
        lite.desk.start(three, call.id)
    held = lite.desk.budget(call.id)["passes"]
    assert (held.offered, held.rest, held.conserved) == (20_000, 0, True)


def test_what_is_overdue_is_listed_and_nothing_else_happens(lite: World) -> None:
    call = standing(lite)
    one, two = lite.applicants(2)
    late = lite.apply(one, call)
    lite.clock.advance(hours=23)
    lite.apply(two, call)
    page = lite.desk.desk_page(lite.steward, call.id)
    assert page.due[late.id] == page.rows[0].since + timedelta(hours=24)
    assert lite.desk.overdue(lite.steward, call.id) == []
    lite.clock.advance(hours=2)
    assert [each.id for each in lite.desk.overdue(lite.steward, call.id)] == [late.id]
    lite.clock.advance(days=365)
    assert len(lite.desk.overdue(lite.steward, call.id)) == 2
    assert {each.state for each in lite.desk.applications(lite.steward, call.id)} == {ApplicationState.SUBMITTED}


def test_who_may_apply_is_judged_at_submission_on_what_holds_then(lite: World) -> None:
    call = lite.open_by_person(eligibility={"affiliations": ["university"], "credentials": ["training"]})
    (one,) = lite.applicants(1)
    until = lite.clock.now() + timedelta(days=1)
    draft = lite.desk.start(one, call.id, Draft(ANSWERS, 3_000))
    with pytest.raises(Refused, match="affiliation as university and the credential training"):
        lite.desk.submit(one, draft.id)
    for kind, body, end in ((FactKind.AFFILIATION, "University", None), (FactKind.TRAINING, "An institute", until)):
        claimed = lite.people.claim_fact(one, Claim(kind, body, end))
        with pytest.raises(Refused, match="admissions/not-eligible"):
            lite.desk.submit(one, draft.id)  # a claim alone holds for nothing
        lite.people.confirm_fact(lite.steward, claimed.id, end)
    lite.clock.advance(days=1)
    with pytest.raises(Refused, match="asks for the credential training, valid now"):
        lite.desk.submit(one, draft.id)
    lite.clock.advance(minutes=-1)
    assert lite.desk.submit(one, draft.id).state is ApplicationState.SUBMITTED
    lite.clock.advance(days=3)
    assert lite.desk.lacks(lite.steward, draft.id) == ("the credential training",)


def test_one_valid_affiliation_of_those_asked_for_is_enough_and_every_credential_is_needed() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    from readingroom.admissions.call import Eligibility

    asked = Eligibility(("university", "institute"), ("a", "b"))
    assert lacking(asked, Standing((Held("institute"),), (Held("a"), Held("b"))), now) == ()
    assert lacking(asked, Standing((Held("institute", now),), (Held("a"), Held("b"))), now) != ()
    assert lacking(asked, Standing((Held("institute"),), (Held("b"),)), now) == ("the credential a",)
    assert lacking(Eligibility(), Standing(), now) == ()


def test_the_desk_finds_forms_in_order_and_an_amended_one_is_looked_at_again(lite: World) -> None:
    call = lite.open(eligibility={"desk": True})
    one, two = lite.applicants(2)
    first, second = lite.apply(one, call), lite.apply(two, call)
    assert lite.desk.check_forms(lite.steward, call.id, [first.id, second.id]) == 2
    assert lite.desk.check_forms(lite.steward, call.id, [first.id]) == 0
    lite.desk.save(one, first.id, Draft(ANSWERS, 4_000))
    lite.desk.submit(one, first.id)
    lite.desk.close_call(lite.steward, call.id)
    with pytest.raises(Refused, match="admissions/desk-pending"):
        lite.desk.assign_reviewers(lite.steward, call.id)
    with pytest.raises(Refused, match="admissions/reason-not-fitting"):
        lite.desk.find_ineligible(lite.panel, first.id, Reason.SUITABLE, "no")
    told = lite.desk.find_ineligible(lite.panel, first.id, Reason.NO_AFFILIATION, "The call is for universities.")
    assert (told.outcome, told.reason) == (Outcome.REFUSED, Reason.NO_AFFILIATION)
    assert "valid when you submit" in told.differ
    assert len(lite.desk.assign_reviewers(lite.steward, call.id)) == 2


def test_the_desks_list_comes_in_pages_in_the_order_of_arrival(lite: World) -> None:
    call = lite.open_by_person()
    made = []
    for each in lite.applicants(5):
        made.append(lite.apply(each, call).id)
        lite.clock.advance(minutes=1)
    lite.desk.start(lite.person("late@x.example"), call.id)
    seen = []
    for offset in (0, 2, 4):
        page = lite.desk.desk_page(lite.steward, call.id, limit=2, offset=offset)
        seen += [each.id for each in page.rows]
        assert page.total == 5
    assert seen == made
    assert page.counts == {ApplicationState.SUBMITTED: 5, ApplicationState.DRAFT: 1}
    with lite.db.read() as tx:
        assert queries.counts_by_call(tx, [call.id]) == {call.id: 5}
