from __future__ import annotations

import pytest

from admissions.world import World, judged
from readingroom.admissions import queries
from readingroom.admissions.call import Call
from readingroom.admissions.model import Application, ConflictKind, ReviewState, Risk
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.ledger.model import Entry
from readingroom.people import queries as people
from readingroom.people.model import Role


def in_review(world: World) -> tuple[Call, Application]:
    call = world.open()
    made = world.apply(world.applicants(1)[0], call)
    world.desk.close_call(world.steward, call.id)
    world.desk.assign_reviewers(world.steward, call.id)
    return call, made


def test_each_reviewer_reviews_once_and_may_amend_until_the_call_is_allocated(world: World) -> None:
    call, made = in_review(world)
    one, two = world.reviewers
    world.review(one, made.id, judged(1, 1))
    world.review(one, made.id, judged(5, 5))
    world.review(two, made.id, judged(5, 5))
    found = world.desk.reviews(world.steward, call.id)
    assert [each.judgement and each.judgement.scores["merit"] for each in found] == [5, 5]
    world.desk.allocate(world.steward, call.id)
    with pytest.raises(Refused, match="admissions/not-in-review"):
        world.review(one, made.id, judged(1, 1))
    assert world.desk.reviews_to_do(one) == []


def test_reviews_begin_only_when_applicants_can_no_longer_amend(world: World) -> None:
    call = world.open()
    world.apply(world.applicants(1)[0], call)
    with pytest.raises(Refused, match="admissions/not-in-review"):
        world.desk.assign_reviewers(world.steward, call.id)


def test_who_was_not_asked_gets_the_same_answer_for_every_application(world: World) -> None:
    _, made = in_review(world)
    stranger = world.person("late@far.example", "Far", Role.REVIEWER)
    applicant = world.people.actor(made.person)
    answers = set()
    for by, target in (
        (stranger, made.id),
        (stranger, "application_x"),
        (applicant, made.id),
        (world.steward, made.id),
    ):
        with pytest.raises(Refused) as reviewing:
            world.review(by, target, judged())
        with pytest.raises(Refused) as declaring:
            world.recuse(by, target, "x")
        answers |= {(each.value.refusal.code, each.value.refusal.reason) for each in (reviewing, declaring)}
    assert {code for code, _ in answers} == {"admissions/not-a-reviewer"}
    assert len(answers) == 1


def test_a_reviewer_who_lost_the_role_reviews_no_more(world: World) -> None:
    _, made = in_review(world)
    world.people.change_role(world.people.operator(), "one@north.example", Role.REVIEWER, add=False)
    with pytest.raises(Refused, match="admissions/not-a-reviewer"):
        world.review(world.people.actor(world.reviewers[0].id), made.id, judged())


def test_nobody_reviews_the_own_application_a_colleagues_or_a_competitors(world: World) -> None:
    call = world.open()
    (plain,) = world.applicants(1)
    own, rival = world.apply(world.reviewers[0], call), world.apply(plain, call)
    colleague = world.apply(world.person("c@two.south.example", "Elsewhere"), call)
    world.desk.close_call(world.steward, call.id)
    seen = world.desk.conflicts(world.steward, call.id, world.reviewers[0].id)
    assert {each.kind for each in seen[own.id]} >= {ConflictKind.OWN}
    assert {each.kind for each in seen[rival.id]} == {ConflictKind.COMPETITOR}
    with pytest.raises(Refused, match="admissions/reviewers-missing") as caught:
        world.desk.assign_reviewers(world.steward, call.id)
    assert caught.value.refusal.facts["lacking"] == dict(sorted({own.id: 1, rival.id: 1, colleague.id: 2}.items()))
    assert world.desk.reviews(world.steward, call.id) == [], "nothing is half assigned"
    for i in range(2):
        world.person(f"r@new{i}.example", f"New {i}", Role.REVIEWER)
    world.desk.assign_reviewers(world.steward, call.id)
    pairs = {(each.application, each.reviewer) for each in world.desk.reviews(world.steward, call.id)}
    assert len(pairs) == 6
    assert not any(reviewer == world.reviewers[0].id for _, reviewer in pairs)
    assert (colleague.id, world.reviewers[1].id) not in pairs


def test_only_persons_with_the_role_can_be_assigned(world: World) -> None:
    call = world.open()
    world.apply(world.applicants(1)[0], call)
    world.desk.close_call(world.steward, call.id)
    with pytest.raises(Refused, match="admissions/reviewer-unknown"):
        world.desk.assign_reviewers(world.steward, call.id, [world.panel.id])


def test_a_declared_conflict_takes_the_review_out_of_the_count_and_another_is_assigned(world: World) -> None:
    call, made = in_review(world)
    one, two = world.reviewers
    world.review(one, made.id, judged(5, 5))
    world.review(two, made.id, judged(4, 4))
    with pytest.raises(BadInput, match="reason"):
        world.recuse(one, made.id, " ")
    world.recuse(one, made.id, "We wrote a paper together.")
    assert world.desk.reviews_to_do(one) == []
    with pytest.raises(Refused, match="admissions/not-a-reviewer"):
        world.review(one, made.id, judged())
    with pytest.raises(Refused, match="admissions/reviews-missing"):
        world.desk.allocate(world.steward, call.id)
    with pytest.raises(Refused, match="admissions/reviewers-missing"):
        world.desk.assign_reviewers(world.steward, call.id)
    third = world.person("three@far.example", "Far", Role.REVIEWER)
    world.desk.assign_reviewers(world.steward, call.id)
    states = {each.reviewer: each.state for each in world.desk.reviews(world.steward, call.id)}
    assert states == {one.id: ReviewState.RECUSED, two.id: ReviewState.SUBMITTED, third.id: ReviewState.ASSIGNED}


def test_a_conflict_that_arose_since_stops_the_review_and_tells_nothing_of_the_applicant(world: World) -> None:
    call = world.open()
    who = world.person("mover@south.example", "North")
    made = world.apply(who, call)
    world.desk.close_call(world.steward, call.id)
    with world.db.decide() as tx:  # as if assigned before the applicant moved to the reviewer's institution
        world.desk._enter(tx, call.id, made.id, world.reviewers[0].id, b"salt")
    with pytest.raises(Refused) as caught:
        world.review(world.reviewers[0], made.id, judged())
    assert caught.value.refusal.code == "admissions/conflict"
    assert caught.value.refusal.facts == {}


def test_a_withdrawn_application_is_off_the_reviewers_desk(world: World) -> None:
    call, made = in_review(world)
    world.desk.withdraw(world.people.actor(made.person), made.id)
    assert world.desk.reviews_to_do(world.reviewers[0]) == []
    assert world.desk.allocate(world.steward, call.id).sheets == ()


def test_a_review_that_is_wrong_is_not_kept(world: World) -> None:
    call, made = in_review(world)
    with pytest.raises(BadInput, match="must be a whole number from 1 to 5"):
        world.review(world.reviewers[0], made.id, judged(9, 9, Risk.OK))
    with world.db.read() as tx:
        assert all(each.state is ReviewState.ASSIGNED for each in queries.reviews(tx, call.id))


def test_reviewers_and_applicants_run_no_desk(world: World) -> None:
    call, made = in_review(world)
    for by in (world.reviewers[0], world.people.actor(made.person)):
        with pytest.raises(Refused, match="people/not-allowed"):
            world.desk.reviews(by, call.id)
        with pytest.raises(Refused, match="people/not-allowed"):
            world.desk.assign_reviewers(by, call.id)


def test_a_reviewer_who_left_without_reviewing_blocks_no_call(world: World) -> None:
    call = world.open()
    made = world.apply(world.applicants(1)[0], call)
    world.desk.close_call(world.steward, call.id)
    world.desk.assign_reviewers(world.steward, call.id)
    gone, stays = world.reviewers
    world.review(stays, made.id, judged())
    with world.db.read() as tx:
        address = people.persons(tx)[gone.id].email
    world.people.change_role(world.people.operator(), address, Role.REVIEWER, add=False)
    new = world.person("new@far.example", "Far", Role.REVIEWER)
    world.desk.assign_reviewers(world.steward, call.id)
    world.review(new, made.id, judged())
    world.desk.allocate(world.steward, call.id)


def test_a_silent_reviewer_is_let_go_on_record_and_another_is_asked(world: World) -> None:
    heard: list[Entry] = []
    world.ledger.on("admissions.review.released", lambda _tx, entry: heard.append(entry))
    call, made = in_review(world)
    silent, stays = world.reviewers
    world.review(stays, made.id, judged())
    handle = world.handle(silent, made.id)
    for by in (silent, world.panel, world.people.actor(made.person)):
        with pytest.raises(Refused, match="people/not-allowed"):
            world.desk.release_review(by, handle)
    world.desk.release_review(world.steward, handle)
    assert [(each.data, each.by) for each in heard] == [({"call": call.id, "review": handle}, world.steward.id)]
    assert world.desk.reviews_to_do(silent) == []
    with pytest.raises(Refused, match="admissions/not-a-reviewer"):
        world.desk.review(silent, handle, judged())
    with pytest.raises(Refused, match="admissions/reviewers-missing"):
        world.desk.assign_reviewers(world.steward, call.id)  # nobody is asked twice about the same
    new = world.person("new@far.example", "Far", Role.REVIEWER)
    world.desk.assign_reviewers(world.steward, call.id)
    world.review(new, made.id, judged())
    world.desk.allocate(world.steward, call.id)


def test_what_was_said_is_not_taken_out_of_the_count_by_the_desk(world: World) -> None:
    _, made = in_review(world)
    world.review(world.reviewers[0], made.id, judged(1, 1))
    with pytest.raises(Refused, match="admissions/wrong-state"):
        world.desk.release_review(world.steward, world.handle(world.reviewers[0], made.id))
    with pytest.raises(Refused, match="admissions/review-unknown"):
        world.desk.release_review(world.steward, "review_x")


def test_a_reviewer_who_comes_back_after_another_was_asked_changes_nothing(world: World) -> None:
    call, made = in_review(world)
    gone = world.reviewers[0]
    world.people.change_role(world.people.operator(), "one@north.example", Role.REVIEWER, add=False)
    world.person("new@far.example", "Far", Role.REVIEWER)
    world.desk.assign_reviewers(world.steward, call.id)
    world.people.change_role(world.people.operator(), "one@north.example", Role.REVIEWER, add=True)
    world.desk.assign_reviewers(world.steward, call.id)
    assert len(world.desk.reviews(world.steward, call.id)) == 3
    assert len(world.desk.reviews_to_do(world.people.actor(gone.id))) == 1
    assert made.id
