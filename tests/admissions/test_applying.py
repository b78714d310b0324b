from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from admissions.world import ANSWERS, World
from readingroom.admissions.model import ApplicationState, Draft, Judgement, Outcome, Reason, Risk, Ruling
from readingroom.core.canonical import canonical, commitment
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.ledger.model import Entry
from readingroom.people.model import Role


def test_what_counts_is_what_was_submitted_and_its_commitment_is_in_the_ledger(world: World) -> None:
    heard: list[Entry] = []
    world.ledger.on("admissions.application.submitted", lambda _tx, entry: heard.append(entry))
    call = world.open()
    (who,) = world.applicants(1)
    made = world.apply(who, call)
    world.desk.save(who, made.id, Draft({**ANSWERS, "purpose": "Changed"}, 9_000))
    kept = world.desk.application(who, made.id)
    assert kept.draft.answers["purpose"] == "Changed"
    assert kept.submitted is not None
    assert kept.submitted.draft.answers["purpose"] == ANSWERS["purpose"]
    world.desk.submit(who, made.id)
    one, two = world.desk.versions(who, made.id)
    assert (one.number, two.number, two.draft.passes) == (1, 2, 9_000)
    for version, entry in zip((one, two), heard, strict=True):
        sealed = commitment(version.salt, canonical(version.draft.to_json()))
        assert entry.data["commitment"] == version.commitment == sealed


def test_a_submission_with_gaps_is_refused_field_by_field_and_the_draft_is_kept(world: World) -> None:
    call = world.open()
    (who,) = world.applicants(1)
    made = world.desk.start(who, call.id, Draft({"purpose": "Half-finished"}))
    with pytest.raises(BadInput) as caught:
        world.desk.submit(who, made.id)
    assert {each.where for each in caught.value.problems} == {
        *(f"answers.{name}" for name in ANSWERS if name != "purpose"),
        "passes",
    }
    kept = world.desk.application(who, made.id)
    assert (kept.state, kept.draft.answers) == (ApplicationState.DRAFT, {"purpose": "Half-finished"})
    with pytest.raises(BadInput, match="is no question of this call"):
        world.desk.save(who, made.id, Draft({"state": "awarded"}))


def test_one_person_has_one_living_application_in_a_call(world: World) -> None:
    call = world.open()
    (who,) = world.applicants(1)
    made = world.apply(who, call)
    with pytest.raises(Refused, match="admissions/already-applied"):
        world.desk.start(who, call.id)
    assert world.desk.withdraw(who, made.id).state is ApplicationState.WITHDRAWN
    world.apply(who, call)


def test_anothers_application_looks_like_none_at_all(world: World) -> None:
    call = world.open()
    who, thief = world.applicants(2)
    made = world.apply(who, call)
    answers = []
    for target in (made.id, "application_x"):
        for act in (
            lambda it: world.desk.application(thief, it),
            lambda it: world.desk.save(thief, it, Draft()),
            lambda it: world.desk.submit(thief, it),
            lambda it: world.desk.withdraw(thief, it),
            lambda it: world.desk.versions(thief, it),
            lambda it: world.desk.decision(thief, it),
        ):
            with pytest.raises(Refused) as caught:
                act(target)
            answers.append(caught.value.refusal)
    assert len({(each.code, each.reason, str(each.facts)) for each in answers}) == 1
    with pytest.raises(Refused, match="people/not-allowed"):
        world.desk.applications(thief, call.id)


def test_the_operator_applies_for_nobody(world: World) -> None:
    call = world.open()
    with pytest.raises(Refused, match="people/not-signed-in"):
        world.desk.start(world.people.operator(), call.id)


def test_the_desk_sees_what_was_submitted_and_no_drafts(world: World) -> None:
    call = world.open()
    one, two = world.applicants(2)
    made = world.apply(one, call)
    world.desk.save(one, made.id, Draft({"purpose": "A private thought"}))
    unsubmitted = world.desk.start(two, call.id, Draft({"purpose": "Another"}))
    (seen,) = world.desk.applications(world.panel, call.id)
    assert seen.draft.answers["purpose"] == ANSWERS["purpose"]
    assert world.desk.application(world.panel, made.id).draft.answers["purpose"] == ANSWERS["purpose"]
    with pytest.raises(Refused, match="admissions/application-unknown"):
        world.desk.application(world.panel, unsubmitted.id)


def test_a_return_for_correction_is_no_refusal_and_has_time_of_its_own(world: World) -> None:
    call = world.open()
    (who,) = world.applicants(1)
    made = world.apply(who, call)
    world.desk.close_call(world.steward, call.id)
    until = world.clock.now() + timedelta(days=3)
    with pytest.raises(BadInput, match="note"):
        world.desk.return_application(world.steward, made.id, " ", until)
    with pytest.raises(Refused, match="admissions/no-time-to-correct"):
        world.desk.return_application(world.steward, made.id, "A typo", world.clock.now())
    assert world.desk.return_application(world.steward, made.id, "A typo", until).note == "A typo"
    with pytest.raises(Refused, match="admissions/correction-pending"):
        world.desk.assign_reviewers(world.steward, call.id)
    world.desk.save(who, made.id, Draft({**ANSWERS, "purpose": "Corrected"}, 5_000))
    again = world.desk.submit(who, made.id)
    assert (again.state, again.note, again.submitted and again.submitted.number) == (ApplicationState.SUBMITTED, "", 2)
    with pytest.raises(Refused, match="admissions/window-closed"):
        world.desk.submit(who, made.id)


def test_a_correction_not_made_in_time_refuses_nobody(world: World) -> None:
    call = world.open()
    late, other = world.applicants(2)
    made, second = world.apply(late, call), world.apply(other, call)
    world.desk.close_call(world.steward, call.id)
    world.desk.return_application(world.steward, made.id, "A typo", world.clock.now() + timedelta(days=1))
    world.clock.advance(days=2)
    with pytest.raises(Refused, match="admissions/window-closed"):
        world.desk.submit(late, made.id)
    world.desk.assign_reviewers(world.steward, call.id)
    assert {each.application for each in world.desk.reviews(world.steward, call.id)} == {second.id}
    assert world.desk.application(late, made.id).state is ApplicationState.RETURNED


def test_who_was_refused_applies_again_from_the_date_in_the_refusal(world: World) -> None:
    first = world.open_by_person(reapply_after_days=30)
    (who,) = world.applicants(1)
    made = world.apply(who, first)
    world.desk.decide(world.steward, made.id, Ruling(Outcome.REFUSED, Reason.UNCLEAR, "Say how often."))
    second = world.open()
    with pytest.raises(Refused, match="admissions/too-early-to-reapply"):
        world.desk.start(who, second.id)
    world.clock.advance(days=30)
    world.desk.start(who, second.id)


def test_the_ledger_holds_no_byte_of_what_persons_wrote(world: World) -> None:
    canary = "xylophone-canary"
    who = world.person(f"{canary}@place.example", f"{canary} house")
    call = world.open()
    made = world.apply(who, call, purpose=canary, machine=canary)
    world.desk.return_application(world.steward, made.id, canary, world.clock.now() + timedelta(days=1))
    world.desk.save(who, made.id, Draft({**ANSWERS, "asks": canary}, 5_000, "", (f"{canary}@team.example",)))
    world.desk.submit(who, made.id)
    world.desk.close_call(world.steward, call.id)
    third = world.person("three@far.example", "Far", Role.REVIEWER)
    world.desk.assign_reviewers(world.steward, call.id, [each.id for each in (*world.reviewers, third)])
    asked = next(each for each in (*world.reviewers, third) if world.desk.reviews_to_do(each))
    world.recuse(asked, made.id, canary)
    world.desk.assign_reviewers(world.steward, call.id)
    for by in (*world.reviewers, third):
        for task in world.desk.reviews_to_do(by):
            scores = {each.name: 5 for each in task.criteria}
            world.desk.review(by, task.view.review, Judgement(scores, canary, Risk.CONCERN, canary))
    world.desk.allocate(world.steward, call.id)
    world.desk.publish(world.steward, call.id)
    with world.db.read() as tx:
        leaves = b"".join(tx.execute(text("select leaf from ledger_entry")).scalars())
    assert b"admissions.award.made" in leaves
    assert canary.encode() not in leaves
