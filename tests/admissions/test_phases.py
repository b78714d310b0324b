"""Pools, phases, panels and opinions on misuse, by their use cases."""

from __future__ import annotations

import pytest
import yaml

from admissions.world import CALL, World, judged
from readingroom.admissions import queries
from readingroom.admissions.call import Call, Phase
from readingroom.admissions.model import (
    Application,
    ConflictKind,
    Disposition,
    Outcome,
    Reason,
    Risk,
    Ruling,
    Severity,
)
from readingroom.admissions.pool import Disposal, InvitationState, Scope, TieKind
from readingroom.core.canonical import Json
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.ledger.model import Entry
from readingroom.people.model import Actor, Role
from readingroom.store.db import metadata

K, D = ConflictKind, Disposition


def review(**more: Json) -> Json:
    return {**yaml.safe_load(CALL)["review"], **more}


def in_review(world: World, count: int = 1, **more: Json) -> tuple[Call, list[Application]]:
    call = world.open(review=review(**more))
    made = [world.apply(each, call) for each in world.applicants(count)]
    world.desk.close_call(world.steward, call.id)
    return call, made


def moved(world: World, person: Actor, affiliation: str) -> None:
    with world.db.read() as tx:
        address = queries.party(tx, person.id).email
    world.people.add(world.people.operator(), address, affiliation=affiliation)


# The pool


def test_who_was_invited_reviews_only_once_they_accepted_and_no_date_answers_for_them(lite: World) -> None:
    call, _ = in_review(lite, per_application=1)
    one, two = lite.reviewers
    answer_by = lite.clock.now()
    lite.desk.invite_reviewer(lite.steward, call.id, one.id, Scope(("logic",), 4), answer_by)
    with pytest.raises(Refused, match="admissions/invitation-open"):
        lite.desk.expire_invitation(lite.steward, call.id, one.id)
    lite.clock.advance(days=30)
    with pytest.raises(Refused, match="admissions/reviewers-missing"):
        lite.desk.assign_reviewers(lite.steward, call.id)
    assert [each.state for each in lite.desk.my_invitations(one)] == [InvitationState.INVITED]
    assert lite.desk.expire_invitation(lite.steward, call.id, one.id).state is InvitationState.EXPIRED
    with pytest.raises(Refused, match="admissions/wrong-state"):
        lite.desk.answer_invitation(one, call.id, None, accept=True)
    with pytest.raises(Refused, match="admissions/invitation-unknown"):
        lite.desk.answer_invitation(two, call.id, None, accept=True)
    lite.desk.invite_reviewer(lite.steward, call.id, two.id, Scope())
    assert lite.desk.answer_invitation(two, call.id, Scope(("prosody", " "), 1), accept=True).scope == Scope(
        ("prosody",), 1
    )
    assert [each.reviewer for each in lite.desk.assign_reviewers(lite.steward, call.id)] == [two.id]


def test_a_load_limit_holds_and_the_lack_is_told(lite: World) -> None:
    call, made = in_review(lite, 3, per_application=1, load=1)
    with pytest.raises(Refused, match="admissions/reviewers-missing") as caught:
        lite.desk.assign_reviewers(lite.steward, call.id)
    facts = caught.value.refusal.facts
    assert sum(facts["lacking"].values()) == sum(facts["loads"].values()) == 1
    assert facts["too_few"] == {}
    assert "Beyond the load limits" in caught.value.refusal.reason
    lite.person("new@far.example", "Far", Role.REVIEWER)
    assert len({each.reviewer for each in lite.desk.assign_reviewers(lite.steward, call.id)}) == len(made)


def test_expertise_brings_an_application_to_who_knows_its_subject(lite: World) -> None:
    call = lite.open(review=review(per_application=1))
    (who, other) = lite.applicants(2)
    about = {lite.apply(who, call, purpose="Prosody of old verse").id: lite.reviewers[1].id}
    about[lite.apply(other, call, purpose="Negation and logic").id] = lite.reviewers[0].id
    lite.desk.close_call(lite.steward, call.id)
    for reviewer, topic in zip(lite.reviewers, ("logic", "prosody"), strict=True):
        lite.desk.invite_reviewer(lite.steward, call.id, reviewer.id, Scope((topic,)))
        lite.desk.answer_invitation(reviewer, call.id, None, accept=True)
    made = lite.desk.assign_reviewers(lite.steward, call.id)
    assert {each.application: each.reviewer for each in made} == about


def test_scope_and_ties_are_told_what_is_wrong_with_them(lite: World) -> None:
    call, _ = in_review(lite)
    for scope in (Scope(tuple(f"t{i}" for i in range(21))), Scope(("a\nb",)), Scope((), 0)):
        with pytest.raises(BadInput):
            lite.desk.invite_reviewer(lite.steward, call.id, lite.reviewers[0].id, scope)
    applicant = lite.person("a@place0.example")
    for kind, who, reason in (
        (TieKind.COAUTHOR, "Rae", ""),
        (TieKind.NAMED, "Rae Moor", ""),
        (TieKind.SUPERVISOR, "", ""),
    ):
        with pytest.raises(BadInput):
            lite.desk.declare_tie(applicant, kind, who, reason)


# Conflicts


def test_a_waived_conflict_may_be_assigned_until_it_rests_on_another_fact_and_a_real_one_never(lite: World) -> None:
    heard: list[Entry] = []
    lite.ledger.on("admissions.conflict.waived", lambda _tx, entry: heard.append(entry))
    call = lite.open(review=review(per_application=2))
    made = lite.apply(lite.person("a@elsewhere.example", "North"), call)
    lite.desk.close_call(lite.steward, call.id)
    one = lite.reviewers[0]
    looked = lite.desk.conflicts(lite.steward, call.id, one.id)
    assert [(each.kind, each.severity) for each in looked[made.id]] == [(K.AFFILIATION, Severity.APPARENT)]
    assert lite.desk.conflicts_of_call(lite.steward, call.id) == ([], []), "a look keeps nothing"
    with pytest.raises(Refused, match="admissions/reviewers-missing"):
        lite.desk.assign_reviewers(lite.steward, call.id)
    with pytest.raises(BadInput, match="reason"):
        lite.desk.dispose(lite.steward, made.id, one.id, Disposal(K.AFFILIATION, D.WAIVED, " "))
    with pytest.raises(Refused, match="admissions/conflict-unknown"):
        lite.desk.dispose(lite.steward, made.id, one.id, Disposal(K.DOMAIN, D.WAIVED, "x"))
    lite.desk.dispose(lite.steward, made.id, one.id, Disposal(K.AFFILIATION, D.WAIVED, "Two towns of that name."))
    lite.desk.assign_reviewers(lite.steward, call.id)
    (kept,), arisen = lite.desk.conflicts_of_call(lite.steward, call.id)
    assert (kept.disposition, kept.reason, kept.decided_by) == (D.WAIVED, "Two towns of that name.", lite.steward.id)
    assert arisen == []
    assert set(heard[0].data) == {"call", "kind", "severity", "commitment"}
    assert len(lite.desk.reviews_to_do(one)) == 1
    lite.people.add(lite.people.operator(), "a@elsewhere.example", affiliation="South")
    with pytest.raises(Refused, match="admissions/conflict-unknown"):
        lite.desk.dispose(lite.steward, made.id, one.id, Disposal(K.AFFILIATION, D.WAIVED, "Again."))


def test_a_waiver_does_not_cover_another_fact_of_the_same_kind(lite: World) -> None:
    call = lite.open(review=review(per_application=1))
    made = lite.apply(lite.person("a@cs.north.example", "Elsewhere"), call)
    lite.desk.close_call(lite.steward, call.id)
    one = lite.reviewers[0]
    lite.desk.dispose(lite.steward, made.id, one.id, Disposal(K.DOMAIN, D.WAIVED, "A mail provider of the region."))
    lite.desk.assign_reviewers(lite.steward, call.id, [one.id])
    assert len(lite.desk.reviews_to_do(one)) == 1
    person = metadata.tables["people_person"]
    with lite.db.write() as tx:
        for who in (one.id, made.person):
            tx.execute(person.update().where(person.c.id == who).values(email=f"{who}@institute.example"))
    assert lite.desk.reviews_to_do(one) == []


def test_what_is_real_in_this_call_cannot_be_waived(lite: World) -> None:
    call = lite.open(review=review(conflicts={"affiliation": "real", "domain": "none"}))
    made = lite.apply(lite.person("a@cs.north.example", "North"), call)
    lite.desk.close_call(lite.steward, call.id)
    looked = lite.desk.conflicts(lite.steward, call.id, lite.reviewers[0].id)[made.id]
    assert [(each.kind, each.severity) for each in looked] == [(K.AFFILIATION, Severity.REAL)]
    disposal = Disposal(K.AFFILIATION, D.WAIVED, "We need somebody.")
    with pytest.raises(Refused, match="admissions/conflict-real"):
        lite.desk.dispose(lite.steward, made.id, lite.reviewers[0].id, disposal)


def test_a_conflict_that_arises_hides_the_task_stops_the_decision_and_is_settled_by_a_person(lite: World) -> None:
    call, (made,) = in_review(lite)
    lite.desk.assign_reviewers(lite.steward, call.id)
    lite.review_all({})
    one = lite.reviewers[0]
    moved(lite, one, "Place 0")
    assert lite.desk.reviews_to_do(one) == []
    found, (arisen,) = lite.desk.conflicts_of_call(lite.steward, call.id)
    assert found == []
    assert (arisen.application, arisen.person, arisen.conflict.kind) == (made.id, one.id, K.AFFILIATION)
    with pytest.raises(Refused, match="admissions/conflict-unresolved"):
        lite.desk.allocate(lite.steward, call.id)
    lite.desk.dispose(lite.steward, made.id, one.id, Disposal(K.AFFILIATION, D.RECUSED, "Moved there."))
    with pytest.raises(Refused, match="admissions/reviews-missing"):
        lite.desk.allocate(lite.steward, call.id)
    third = lite.person("three@far.example", "Far", Role.REVIEWER)
    lite.desk.assign_reviewers(lite.steward, call.id)
    lite.review(third, made.id, judged())
    lite.desk.allocate(lite.steward, call.id)


def test_a_collaborator_declared_after_assignment_and_one_whom_the_applicant_names_are_conflicts(lite: World) -> None:
    heard: list[Entry] = []
    lite.ledger.on("admissions.tie.declared", lambda _tx, entry: heard.append(entry))
    call, (made,) = in_review(lite)
    lite.desk.assign_reviewers(lite.steward, call.id)
    applicant = lite.people.actor(made.person)
    tie = lite.desk.declare_tie(applicant, TieKind.COAUTHOR, "one@NORTH.example")
    assert lite.desk.reviews_to_do(lite.reviewers[0]) == []
    lite.desk.declare_tie(applicant, TieKind.NAMED, "two@south.example", "Old quarrel.", made.id)
    assert lite.desk.reviews_to_do(lite.reviewers[1]) == []
    kinds = {each.conflict.kind for each in lite.desk.conflicts_of_call(lite.steward, call.id)[1]}
    assert kinds == {K.COAUTHOR, K.NAMED}
    assert not any(word in str(each.data) for each in heard for word in ("north", "Old quarrel"))
    with pytest.raises(Refused, match="admissions/tie-unknown"):
        lite.desk.withdraw_tie(lite.reviewers[0], tie.id)
    lite.desk.withdraw_tie(applicant, tie.id)
    assert len(lite.desk.reviews_to_do(lite.reviewers[0])) == 1


# Phases


def test_reviewers_read_each_other_only_after_their_own_and_the_first_version_is_kept(lite: World) -> None:
    call, (made,) = in_review(lite, phases=["independent", "consolidation", "panel"])
    lite.desk.assign_reviewers(lite.steward, call.id)
    one, two = lite.reviewers
    with pytest.raises(Refused, match="admissions/reviews-missing"):
        lite.desk.move_phase(lite.steward, call.id, Phase.CONSOLIDATION)
    lite.review(one, made.id, judged(5, 5))
    lite.review(two, made.id, judged(1, 1))
    assert lite.desk.reviews_to_do(one)[0].peers == ()
    with pytest.raises(Refused, match="admissions/phase-not-next"):
        lite.desk.move_phase(lite.steward, call.id, Phase.PANEL)
    with pytest.raises(Refused, match="admissions/phase-open"):
        lite.desk.allocate(lite.steward, call.id)
    lite.desk.move_phase(lite.steward, call.id, Phase.CONSOLIDATION)
    (peer,) = lite.desk.reviews_to_do(one)[0].peers
    assert (peer.judgement.scores["merit"], peer.first) == (1, None)
    assert peer.reviewer.startswith("Reviewer ")
    assert lite.handle(two, made.id) not in str(lite.desk.reviews_to_do(one))
    with pytest.raises(Refused, match="admissions/why-missing"):
        lite.review(two, made.id, judged(3, 3))
    lite.desk.review(two, lite.handle(two, made.id), judged(3, 3), "Persuaded.")
    (peer,) = lite.desk.reviews_to_do(one)[0].peers
    assert (peer.judgement.scores["merit"], peer.why, peer.first and peer.first.scores["merit"]) == (3, "Persuaded.", 1)
    lite.desk.move_phase(lite.steward, call.id, Phase.PANEL)
    with pytest.raises(Refused, match="admissions/reviews-fixed"):
        lite.desk.review(two, lite.handle(two, made.id), judged(4, 4), "Once more.")
    lite.desk.allocate(lite.steward, call.id)


def test_before_the_panel_phase_nobody_sees_what_is_said_by_any_sum(lite: World) -> None:
    call, (made,) = in_review(lite, phases=["independent", "panel"])
    lite.desk.assign_reviewers(lite.steward, call.id)
    lite.review_all({made.id: judged(2, 2, Risk.CONCERN)})
    for by in (lite.steward, lite.panel):
        assert [each.judgement for each in lite.desk.reviews(by, call.id)] == [None, None]
        (case,) = lite.desk.cases(by, call.id)
        assert (case.reviews, case.opinions, case.notes, case.given, case.needed) == ((), (), (), 2, 2)
        with pytest.raises(Refused, match="admissions/blind-phase"):
            lite.desk.allocate(by, call.id, dry_run=True)
    with pytest.raises(Refused, match="admissions/blind-phase"):
        lite.desk.note_case(lite.panel, case.view.review, 1, "")
    lite.desk.move_phase(lite.steward, call.id, Phase.PANEL)
    assert len(lite.desk.cases(lite.panel, call.id)[0].reviews) == 2
    lite.desk.note_case(lite.panel, case.view.review, 2, "Second.")
    lite.desk.note_case(lite.panel, case.view.review, 1, "First, after all.")
    (case,) = lite.desk.cases(lite.steward, call.id)
    assert [(each.person, each.rank, each.comment) for each in case.notes] == [(lite.panel.id, 1, "First, after all.")]


def test_a_double_blind_call_hides_applicants_from_the_panel_and_reviewers_from_all(lite: World) -> None:
    call, (made,) = in_review(lite, double_blind=True)
    lite.desk.assign_reviewers(lite.steward, call.id)
    lite.review_all({})
    reviewers = {each.id for each in lite.reviewers}
    (case,) = lite.desk.cases(lite.panel, call.id)
    assert (case.application, case.person) == ("", "")
    assert {each.reviewer for each in case.reviews} == {"Reviewer A", "Reviewer B"}
    with pytest.raises(Refused, match="admissions/blind-phase"):
        lite.desk.applications(lite.panel, call.id)
    assert reviewers.isdisjoint(each.reviewer for each in lite.desk.reviews(lite.steward, call.id))
    assert reviewers.isdisjoint(who for who, _, _ in lite.desk.progress(lite.steward, call.id).reviewers)
    assert [each.id for each in lite.desk.applications(lite.steward, call.id)] == [made.id]
    lite.desk.allocate(lite.panel, call.id)
    assert {each.reviewer for each in lite.desk.reviews(lite.panel, call.id)} == reviewers


def test_the_panel_does_not_see_what_it_is_in_conflict_with_and_who_reviews_sees_no_panel(lite: World) -> None:
    both = lite.person("both@west.example", "West", Role.REVIEWER, Role.PANEL)
    call, made = in_review(lite, 2, per_application=1)
    lite.desk.assign_reviewers(lite.steward, call.id, [both.id])
    for look in (lambda: lite.desk.cases(both, call.id), lambda: lite.desk.progress(both, call.id)):
        with pytest.raises(Refused, match="admissions/blind-phase"):
            look()
    assert len(lite.desk.cases(lite.panel, call.id)) == 2
    moved(lite, lite.panel, "Place 1")
    (case,) = lite.desk.cases(lite.panel, call.id)
    assert case.application == made[0].id
    with lite.db.read() as tx:
        hidden = queries.cases(tx, call.id)[made[1].id]
    answers = set()
    for name in (hidden, "case_x"):
        with pytest.raises(Refused) as caught:
            lite.desk.note_case(lite.panel, name, 1, "x")
        answers.add((caught.value.refusal.code, caught.value.refusal.reason))
    assert len(answers) == 1


# Opinions on misuse


def test_an_opinion_apart_from_merit_is_needed_and_its_veto_counts(lite: World) -> None:
    safety = lite.person("s@lab.example", "Lab", Role.SAFETY)
    call = lite.open(allocation={"policy": "by-person"}, review=review(per_application=1, safety_opinions=1))
    made = lite.apply(lite.applicants(1)[0], call)
    lite.desk.assign_reviewers(lite.steward, call.id)
    lite.review_all({})
    award = Ruling(Outcome.AWARDED, Reason.SUITABLE)
    with pytest.raises(Refused, match="admissions/opinions-missing"):
        lite.desk.decide(lite.steward, made.id, award)
    ((_, case),) = lite.desk.risks_to_judge(safety)
    assert (case.application, case.person, case.reviews, case.given) == ("", "", (), 0)
    with pytest.raises(BadInput, match="reason"):
        lite.desk.judge_risk(safety, case.view.review, Risk.VETO, " ")
    with pytest.raises(Refused, match="people/not-allowed"):
        lite.desk.judge_risk(lite.steward, case.view.review, Risk.OK, "")
    lite.desk.judge_risk(safety, case.view.review, Risk.VETO, "Built to deceive.")
    with pytest.raises(Refused, match="admissions/vetoed"):
        lite.desk.decide(lite.steward, made.id, award)
    with lite.db.read() as tx:
        assert queries.vetoes(tx, call.id) == {made.id: 1}
    lite.desk.judge_risk(safety, case.view.review, Risk.CONCERN, "Less so than I thought.")
    lite.desk.decide(lite.steward, made.id, award)


def test_who_is_in_conflict_judges_no_risk(lite: World) -> None:
    safety = lite.person("s@place0.example", "Lab", Role.SAFETY)
    call, _ = in_review(lite, per_application=1, safety_opinions=1)
    lite.desk.assign_reviewers(lite.steward, call.id)
    assert lite.desk.risks_to_judge(safety) == []
    with lite.db.read() as tx:
        (case,) = queries.cases(tx, call.id).values()
    with pytest.raises(Refused, match="admissions/case-unknown"):
        lite.desk.judge_risk(safety, case, Risk.VETO, "x")
