from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from admissions.world import ANSWERS, World, judged
from readingroom.admissions import queries
from readingroom.admissions.allocation import Candidate, allocate
from readingroom.admissions.model import ApplicationState, CallState, Draft, Outcome, Reason, Risk, Ruling
from readingroom.core.canonical import canonical, sha256
from readingroom.core.refusal import Refused
from readingroom.ledger.model import Entry

OK = Ruling(Outcome.AWARDED, Reason.SUITABLE)


def test_the_demo_story_awards_three_refuses_one_and_excludes_one(world: World) -> None:
    scores = [judged(5, 4), judged(4, 4), judged(4, 3), judged(2, 1), judged(4, 4, Risk.VETO)]
    call, made = world.reviewed([12_000, 9_000, 15_000, 30_000, 20_000], scores)
    result = world.desk.allocate(world.steward, call.id)
    assert (result.awarded.passes, result.reserve.passes, result.rest.passes) == (36_000, 4_000, 0)
    assert world.desk.my_awards(world.people.actor(made[0].person)) == [], "computed is not yet decided"
    awards = world.desk.publish(world.steward, call.id)
    assert {each.application: each.amounts.passes for each in awards} == {
        made[0].id: 12_000, made[1].id: 9_000, made[2].id: 15_000,
    }  # fmt: skip
    held = world.desk.budget(call.id)["passes"]
    assert (held.budget, held.offered, held.reserve, held.rest) == (40_000, 36_000, 4_000, 0)
    states = [world.desk.application(world.steward, each.id).state for each in made]
    assert states == [ApplicationState.AWARDED] * 3 + [ApplicationState.REFUSED] * 2
    assert world.desk.call(call.id).state is CallState.PUBLISHED


def test_a_refused_applicant_is_told_code_reason_what_would_differ_when_again_and_how_to_appeal(world: World) -> None:
    call, made = world.reviewed([12_000], [judged(1, 1)])
    world.desk.allocate(world.steward, call.id)
    world.desk.publish(world.steward, call.id)
    told = world.desk.decision(world.people.actor(made[0].person), made[0].id)
    assert told is not None
    assert (told.outcome, told.reason) == (Outcome.REFUSED, Reason.BELOW_FLOOR)
    assert told.text == "Its mean score (1.00) is under this call's floor of 3.00."
    assert "3.00 or more" in told.differ
    assert told.reapply_from == world.clock.now()
    assert "until 19 January 2026, 09:00 UTC, 14 days after this decision" in told.appeal
    assert "who took no part in this decision" in told.appeal
    assert "4,000 passes" in told.appeal
    assert told.sheet["score"] == "1"


def test_anyone_can_run_the_allocation_again_from_the_seed_that_was_committed_to(world: World) -> None:
    heard: list[Entry] = []
    world.ledger.on("admissions.call.allocated", lambda _tx, entry: heard.append(entry))
    tie = [judged(4, 4)] * 4
    call, made = world.reviewed([15_000] * 4, tie)
    rehearsal = world.desk.allocate(world.steward, call.id, dry_run=True)
    result = world.desk.allocate(world.steward, call.id)
    seed = bytes.fromhex(str(heard[0].data["seed"]))
    assert sha256(seed) == call.seed_commitment
    assert rehearsal.seed != result.seed, "a rehearsal tells nobody how ties will fall"
    with world.db.read() as tx:
        tickets = queries.tickets(tx, call.id)
    two = (judged(4, 4), judged(4, 4))
    candidates = [Candidate(each.id, 15_000, two, ticket=tickets[each.id], tier="text") for each in reversed(made)]
    again = allocate(call.file, candidates, seed)
    assert canonical(again.to_json()) == canonical(world.desk.allocation(world.steward, call.id))
    ties = sorted(made, key=lambda each: hashlib.sha256(seed + tickets[each.id].encode()).digest())
    assert [each.application for each in result.sheets] == [each.id for each in ties]


def test_a_missing_review_decides_nothing(world: World) -> None:
    call = world.open()
    made = world.apply(world.applicants(1)[0], call)
    world.desk.close_call(world.steward, call.id)
    with pytest.raises(Refused, match="admissions/reviews-missing"):
        world.desk.allocate(world.steward, call.id)
    world.desk.assign_reviewers(world.steward, call.id)
    world.review(world.reviewers[0], made.id, judged())
    with pytest.raises(Refused, match="admissions/reviews-missing") as caught:
        world.desk.allocate(world.steward, call.id)
    assert caught.value.refusal.facts == {"missing": {made.id: 1}}
    dry = world.desk.allocate(world.steward, call.id, dry_run=True)
    assert dry.awarded.passes == 10_000
    assert world.desk.call(call.id).state is CallState.CLOSED


def test_a_call_is_allocated_and_published_once_and_in_that_order(world: World) -> None:
    call, _ = world.reviewed([5_000], [judged()])
    with pytest.raises(Refused, match="admissions/wrong-state"):
        world.desk.publish(world.steward, call.id)
    world.desk.allocate(world.steward, call.id)
    with pytest.raises(Refused, match="admissions/wrong-state"):
        world.desk.allocate(world.steward, call.id)
    world.desk.publish(world.steward, call.id)
    with pytest.raises(Refused, match="admissions/wrong-state"):
        world.desk.publish(world.steward, call.id)


def test_what_is_withdrawn_after_the_allocation_is_not_awarded_and_stays_in_the_rest(world: World) -> None:
    call, made = world.reviewed([5_000, 6_000], [judged(), judged()])
    world.desk.allocate(world.steward, call.id)
    world.desk.withdraw(world.people.actor(made[0].person), made[0].id)
    (award,) = world.desk.publish(world.steward, call.id)
    assert award.application == made[1].id
    assert world.desk.budget(call.id)["passes"].rest == 30_000


def test_only_who_may_decide_does_and_never_in_a_call_they_apply_in(world: World) -> None:
    call, made = world.reviewed([5_000], [judged()])
    for by in (world.people.operator(), world.reviewers[0], world.people.actor(made[0].person)):
        with pytest.raises(Refused, match="people/not-allowed"):
            world.desk.allocate(by, call.id)
        with pytest.raises(Refused, match="people/not-allowed"):
            world.desk.publish(by, call.id)
    own = world.open()
    world.apply(world.steward, own)
    for act in (world.desk.close_call, world.desk.assign_reviewers, world.desk.allocate, world.desk.publish):
        with pytest.raises(Refused, match=r"admissions/(own-application|not-in-review)"):
            act(world.steward, own.id)


def test_who_is_named_in_a_team_decides_all_but_that_application(world: World) -> None:
    call = world.open_by_person()
    (who,) = world.applicants(1)
    made = world.desk.start(who, call.id)
    world.desk.save(who, made.id, Draft(ANSWERS, 5_000, "text", (" STEWARD@lab.example",)))
    world.desk.submit(who, made.id)
    with pytest.raises(Refused, match="admissions/own-application"):
        world.desk.decide(world.steward, made.id, OK)
    other = world.apply(world.person("b@far.example"), call)
    world.desk.decide(world.steward, other.id, OK)
    world.desk.decide(world.panel, made.id, OK)


def test_a_call_without_competition_is_decided_one_by_one_within_its_bounds(world: World) -> None:
    call = world.open_by_person()
    one, two, three = world.applicants(3)
    first, second = world.apply(one, call, 30_000), world.apply(two, call, 5_000)
    with pytest.raises(Refused, match="admissions/no-competition"):
        world.desk.allocate(world.steward, call.id)
    with pytest.raises(Refused, match="admissions/no-reviews"):
        world.desk.assign_reviewers(world.steward, call.id)
    world.desk.decide(world.panel, first.id, OK)
    assert world.desk.my_awards(one)[0].amounts.passes == 15_000, "the call's maximum"
    for passes in (1_999, 5_001, -1):
        with pytest.raises(Refused, match="admissions/amount-out-of-bounds"):
            world.desk.decide(world.panel, second.id, Ruling(Outcome.AWARDED, Reason.SUITABLE, passes=passes))
    world.desk.decide(world.panel, second.id, Ruling(Outcome.AWARDED, Reason.SUITABLE, passes=3_000))
    with pytest.raises(Refused, match="admissions/wrong-state"):
        world.desk.decide(world.panel, second.id, OK)
    unsubmitted = world.desk.start(three, call.id)
    with pytest.raises(Refused, match="admissions/wrong-state"):
        world.desk.decide(world.panel, unsubmitted.id, OK)


def test_a_persons_refusal_needs_a_reason_that_fits_and_words(world: World) -> None:
    call = world.open_by_person()
    (who,) = world.applicants(1)
    made = world.apply(who, call)
    for ruling, code in (
        (Ruling(Outcome.REFUSED, Reason.SUITABLE, "x"), "admissions/reason-not-fitting"),
        (Ruling(Outcome.AWARDED, Reason.UNCLEAR, "x"), "admissions/reason-not-fitting"),
        (Ruling(Outcome.REFUSED, Reason.BELOW_FLOOR, "x"), "admissions/reason-not-fitting"),
        (Ruling(Outcome.REFUSED, Reason.UNCLEAR, " "), "admissions/note-missing"),
    ):
        with pytest.raises(Refused, match=code):
            world.desk.decide(world.steward, made.id, ruling)
    told = world.desk.decide(world.steward, made.id, Ruling(Outcome.REFUSED, Reason.UNCLEAR, "How often?"))
    assert (told.text, told.differ[:12]) == ("How often?", "Answers from")
    assert world.desk.decision(who, made.id) == told


def test_a_person_cannot_decide_where_the_published_rule_does(world: World) -> None:
    _, made = world.reviewed([5_000], [judged(1, 1)])
    with pytest.raises(Refused, match="admissions/competition"):
        world.desk.decide(world.steward, made[0].id, OK)


def test_a_veto_binds_the_person_who_decides_too(world: World) -> None:
    call = world.open(allocation={"policy": "by-person"})
    (who,) = world.applicants(1)
    made = world.apply(who, call)
    with pytest.raises(Refused, match="admissions/reviews-missing"):
        world.desk.decide(world.steward, made.id, OK)
    world.desk.assign_reviewers(world.steward, call.id)
    world.review_all({made.id: judged(5, 5, Risk.VETO)})
    with pytest.raises(Refused, match="admissions/vetoed"):
        world.desk.decide(world.steward, made.id, OK)
    world.desk.decide(world.steward, made.id, Ruling(Outcome.REFUSED, Reason.MISUSE_RISK, "As reviewers say."))


def test_a_refused_publication_leaves_nothing_half_done(world: World) -> None:
    """A listener that refuses the second award rolls the first one, the refusals and the state back with it."""
    call, _ = world.reviewed([5_000, 6_000], [judged(), judged()])
    world.desk.allocate(world.steward, call.id)
    count = []

    def refuse_second(_tx: object, _entry: Entry) -> None:
        count.append(1)
        if len(count) == 2:
            raise RuntimeError("the process dies here")

    world.ledger.on("admissions.award.made", refuse_second)
    with pytest.raises(RuntimeError):
        world.desk.publish(world.steward, call.id)
    assert world.desk.call(call.id).state is CallState.ALLOCATED
    assert world.desk.awards(world.steward, call.id) == []
    assert world.desk.budget(call.id)["passes"].rest == 36_000
    assert len(world.desk.publish(world.steward, call.id)) == 2


def test_what_was_returned_and_never_corrected_is_decided_by_a_person_before_a_call_is_allocated(world: World) -> None:
    call = world.open()
    late, good = [world.apply(who, call) for who in world.applicants(2)]
    world.desk.return_application(world.steward, late.id, "Say more.", world.clock.now() + timedelta(hours=1))
    no = Ruling(Outcome.REFUSED, Reason.UNCLEAR, "It was not corrected in time.")
    with pytest.raises(Refused, match="admissions/correction-pending"):
        world.desk.decide(world.steward, late.id, no)
    world.desk.close_call(world.steward, call.id)
    world.clock.advance(hours=2)
    world.desk.assign_reviewers(world.steward, call.id)
    world.review_all({})
    with pytest.raises(Refused, match="admissions/returned-undecided") as caught:
        world.desk.allocate(world.steward, call.id)
    assert caught.value.refusal.facts == {"applications": [late.id]}
    with pytest.raises(Refused, match="admissions/wrong-state"):
        world.desk.decide(world.steward, late.id, OK)
    with pytest.raises(Refused, match="admissions/competition"):
        world.desk.decide(world.steward, good.id, no)
    assert world.desk.decide(world.steward, late.id, no).outcome is Outcome.REFUSED
    world.desk.allocate(world.steward, call.id)
    world.desk.publish(world.steward, call.id)
    states = {each.id: each.state for each in world.desk.applications(world.steward, call.id)}
    assert states == {late.id: ApplicationState.REFUSED, good.id: ApplicationState.AWARDED}


def test_who_has_only_begun_to_apply_decides_nothing_in_that_call_either(world: World) -> None:
    call = world.open()
    world.desk.start(world.steward, call.id, Draft(ANSWERS, 5_000))
    with pytest.raises(Refused, match="admissions/own-application"):
        world.desk.close_call(world.steward, call.id)
