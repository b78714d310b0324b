"""A call's account, its grants and their meters say the same, whatever follows the award (promises 1 and 6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admissions.world import ANSWERS, call_text
from readingroom.access.model import Grant
from readingroom.access.model import Reason as Why
from readingroom.admissions import queries
from readingroom.admissions.account import granted
from readingroom.admissions.after import Ground
from readingroom.admissions.appeals.model import AppealState
from readingroom.admissions.call import Call
from readingroom.admissions.model import Draft, Outcome, Reason, Ruling
from readingroom.admissions.requests import Answer
from readingroom.app import sharing
from readingroom.app.appealing import appeal_sanction
from readingroom.app.desk import open_call
from readingroom.app.holding import account_json
from readingroom.app.house import House
from readingroom.app.lending import why
from readingroom.app.projects import invite
from readingroom.core.canonical import Json
from readingroom.core.clock import FixedClock
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.core.settings import load
from readingroom.gateway import meter
from readingroom.gateway.meter import Draw, Stand
from readingroom.gateway.model import Amount, Wish
from readingroom.people.model import Actor, Role
from readingroom.post.tables import letter
from served import found
from strays import strays

REPORT = {"text": "Half of it is done.", "found": "Negation is hard.", "used": "600 prompts."}
MORE = {"purpose": "Another corpus.", "why": "It is twice as long."}
BUDGET = {"passes": 60_000, "tokens": 600_001}


@dataclass
class Place:
    """A house with a steward, and calls in it."""

    house: House
    steward: Actor
    people: int = 0
    calls: list[Call] = field(default_factory=list)

    def person(self, *roles: Role) -> Actor:
        self.people += 1
        operator = self.house.people.operator()
        made = self.house.people.add(operator, f"p@p{self.people}.example", affiliation=f"P{self.people}", roles=roles)
        return self.house.people.actor(made.id)

    def call(self, **changes: Json) -> Call:
        given = {"budget": BUDGET, "allocation": {"policy": "by-person"}, "review": None} | changes
        self.calls.append(open_call(self.house, self.steward, call_text(**given), "call.yaml"))
        return self.calls[-1]

    def reader(self, call: Call, passes: int = 10_000, who: Actor | None = None) -> tuple[Actor, Grant]:
        """Let somebody apply, be awarded and accept."""
        who, desk = who or self.person(), self.house.admissions
        made = desk.submit(who, desk.start(who, call.id, Draft(ANSWERS, passes)).id)
        desk.decide(self.steward, made.id, Ruling(Outcome.AWARDED, Reason.SUITABLE))
        award = next(each for each in desk.my_awards(who) if each.application == made.id)
        desk.accept_award(who, award.id)
        return who, next(each for each in self.house.access.my_grants(who) if each.award_id == award.id)

    def use(self, grant: Grant, passes: int, *, leased: int = 0) -> None:
        """Use passes as a worker does, and keep some more leased."""
        with self.house.db.write() as tx:
            wish = Wish(prompt=0, maximum=passes + leased)
            outcome = meter.trip(
                tx, "w", [Stand(grant.id, Amount(), Amount(), Amount(), 0, (Draw(wish, 0, True),))], {}
            )
            assert isinstance(outcome[grant.id].answers[0], tuple)
            held = Amount(leased, leased, 0)
            meter.trip(tx, "w", [Stand(grant.id, held, Amount(), Amount(), 0)], {grant.id: Amount(passes, passes, 1)})

    def check(self) -> None:
        """Each account adds up, with what it lent, and is what the grants and their meters allow."""
        held = {each.id: self.house.admissions.budget(each.id)["passes"] for each in self.calls}
        for call in self.calls:
            assert account_json(self.house, call.id)["conserved"]
            children = [each.id for each in self.calls if each.file.after.of == call.id]
            assert held[call.id].lent == sum(held[each].budget for each in children)
            assert call.file.after.of or held[call.id].budget == call.file.budget.passes
        with self.house.db.read() as tx:
            for call in self.calls:
                entries = queries.postings(tx, call.id)
                for award in queries.awards(tx, call.id):
                    grants = self.house.access.my_grants(Actor(award.person))
                    for grant in [each for each in grants if each.award_id == award.id]:
                        reading = meter.read(tx, grant.id)
                        assert reading is not None
                        its = granted(entries, award.id)
                        assert grant.allocation.passes == reading.limits.passes == its["passes"]
                        assert grant.allocation.tokens == reading.limits.tokens == its["tokens"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    house = House(load(found(tmp_path / "home")), FixedClock())
    operator = house.people.operator()
    steward = house.people.add(operator, "steward@lab.example", affiliation="Lab", roles=[Role.STEWARD])
    yield Place(house, house.people.actor(steward.id))
    with house.db.read() as tx:
        assert strays(tx) == {}
    house.close()


def refused(caught: pytest.ExceptionInfo[Refused]) -> str:
    return caught.value.refusal.code


def test_a_grant_has_the_calls_title_and_the_applicants_own_purpose_which_no_entry_holds(place: Place) -> None:
    call = place.call()
    _, grant = place.reader(call)
    assert (grant.title, grant.purpose) == (call.file.title, ANSWERS["purpose"])
    entries = place.house.log.entries(0, place.house.log.size())
    assert not [each.event for each in entries if ANSWERS["purpose"] in str(each.data)]


def test_whoever_is_barred_accepts_no_award_until_the_bar_is_over(place: Place) -> None:
    call, who, desk = place.call(), place.person(), place.house.admissions
    made = desk.submit(who, desk.start(who, call.id, Draft(ANSWERS, 10_000)).id)
    desk.decide(place.steward, made.id, Ruling(Outcome.AWARDED, Reason.SUITABLE))
    (award,) = desk.my_awards(who)
    clock = place.house.clock
    assert isinstance(clock, FixedClock)
    place.house.access.bar(place.steward, who.id, clock.now() + timedelta(days=3), Why.TERMS_BREACH)
    with pytest.raises(Refused) as caught:
        desk.accept_award(who, award.id)
    assert refused(caught) == "admissions/person-barred"
    assert not place.house.access.my_grants(who)
    clock.advance(days=4)
    desk.accept_award(who, award.id)
    assert place.house.access.my_grants(who)


def test_the_first_tranche_is_lent_at_acceptance_and_the_rest_after_a_report(place: Place) -> None:
    call = place.call(tranches={"first": "50%", "after": "report"})
    who, grant = place.reader(call)
    assert grant.allocation.passes == 5_000
    place.use(grant, 1_234)
    filed = place.house.admissions.file_report(who, grant.award_id or "", REPORT)
    assert place.house.admissions.request(who, filed.id).observed["used"]["passes"] == 1_234
    place.house.admissions.decide_request(place.steward, filed.id, Answer(4_000, "A little less."))
    assert place.house.access.grant(who, grant.id).allocation.passes == 9_000
    assert place.house.admissions.budget(call.id)["passes"].rest == 60_000 - 4_000 - 9_000
    place.check()


def test_a_supplement_comes_out_of_the_rest_as_often_as_the_call_says(place: Place) -> None:
    call = place.call(supplements={"at_most": "50%"})
    who, grant = place.reader(call)
    desk, award = place.house.admissions, grant.award_id or ""
    with pytest.raises(Refused) as caught:
        desk.ask_supplement(who, award, MORE, 5_001)
    assert refused(caught) == "admissions/supplement-too-large"
    asked = desk.ask_supplement(who, award, MORE, 5_000)
    with pytest.raises(Refused) as caught:
        desk.ask_supplement(who, award, MORE, 1)
    assert refused(caught) == "admissions/request-waits"
    desk.decide_request(place.steward, asked.id, Answer(5_000, ""))
    assert place.house.access.grant(who, grant.id).allocation.passes == 15_000
    with pytest.raises(Refused) as caught:
        desk.ask_supplement(who, award, MORE, 1)
    assert refused(caught) == "admissions/supplement-too-large", "once"
    place.check()


def test_a_holder_gives_back_what_is_free_and_no_more(place: Place) -> None:
    call = place.call(second_chance=True)
    who, grant = place.reader(call)
    place.use(grant, 3_000, leased=500)
    with pytest.raises(Refused) as caught:
        sharing.give_up(place.house, who, grant.id, 6_501)
    assert refused(caught) == "access/in-use"
    assert place.house.admissions.budget(call.id)["passes"].pool == 0, "refused as a whole"
    assert sharing.give_up(place.house, who, grant.id, 500).allocation.passes == 9_500
    assert sharing.give_up(place.house, who, grant.id, None).allocation.passes == 3_500
    assert place.house.admissions.budget(call.id)["passes"].pool == 6_500
    place.check()


def test_what_a_grant_has_left_is_its_holders_until_it_is_over(place: Place) -> None:
    call = place.call(tranches={"first": "50%", "after": "report"})
    _, grant = place.reader(call)
    with pytest.raises(Refused) as caught:
        sharing.give_up(place.house, place.steward, grant.id, None)
    assert refused(caught) == "admissions/grant-in-force"
    place.house.access.revoke(place.steward, grant.id, Why.PROJECT_ENDED)
    assert sharing.give_up(place.house, place.steward, grant.id, None).allocation.passes == 0
    held = place.house.admissions.budget(call.id)["passes"]
    assert (held.granted, held.held, held.rest) == (0, 0, 56_000)
    place.check()


def test_nothing_is_added_to_a_grant_that_is_over(place: Place) -> None:
    call = place.call(supplements={"at_most": "50%"})
    who, grant = place.reader(call)
    asked = place.house.admissions.ask_supplement(who, grant.award_id or "", MORE, 100)
    place.house.access.revoke(place.steward, grant.id, Why.SECURITY)
    with pytest.raises(Refused) as caught:
        place.house.admissions.decide_request(place.steward, asked.id, Answer(100, ""))
    assert refused(caught) == "access/grant-revoked"
    place.house.admissions.decide_request(place.steward, asked.id, Answer(0, "It was revoked."))
    place.check()


def test_a_renewal_is_for_holders_begins_with_the_old_answers_and_shows_what_was_used(place: Place) -> None:
    parent = place.call()
    who, grant = place.reader(parent)
    place.use(grant, 777)
    renewal = place.call(of=parent.id, kind="renewal", budget={"passes": 20_000, "tokens": 200_000}, appeal_reserve=0)
    desk = place.house.admissions
    with pytest.raises(Refused) as caught:
        desk.start(place.person(), renewal.id)
    assert refused(caught) == "admissions/not-a-holder"
    begun = desk.start(who, renewal.id)
    assert begun.draft.answers == ANSWERS
    sent = desk.submit(who, begun.id)
    (used,) = desk.observed(place.steward, sent.id)
    assert (used["grant"], used["used"]["passes"]) == (grant.id, 777)
    place.house.clock.advance(days=10)  # type: ignore[attr-defined]
    desk.decide(place.steward, sent.id, Ruling(Outcome.AWARDED, Reason.SUITABLE))
    desk.accept_award(who, next(each.id for each in desk.my_awards(who) if each.call == renewal.id))
    old, new = place.house.access.my_grants(who)
    assert old.id == grant.id
    assert old.expires_at == grant.expires_at, "the old grant ends when it always did"
    assert new.expires_at - old.expires_at == timedelta(days=10)
    place.check()


def test_passes_move_between_own_grants_of_one_budget_and_of_no_other(place: Place) -> None:
    parent = place.call()
    who, old = place.reader(parent, 8_000)
    renewal = place.call(of=parent.id, kind="renewal", budget={"passes": 20_000, "tokens": 200_000}, appeal_reserve=0)
    _, new = place.reader(renewal, 4_000, who)
    place.use(old, 1_000)
    assert sharing.transfer(place.house, who, old.id, new.id, 5_000).allocation.passes == 9_000
    place.check()
    assert sharing.transfer(place.house, who, new.id, old.id, 2_000).allocation.passes == 5_000
    place.check()
    with pytest.raises(Refused) as caught:
        sharing.transfer(place.house, who, old.id, new.id, 4_001)
    assert refused(caught) == "access/in-use"
    with pytest.raises(Refused) as caught:
        sharing.transfer(place.house, who, old.id, new.id, 15_000 - 7_000 + 1)
    assert refused(caught) == "admissions/amount-out-of-bounds", "its call gives nobody more"
    _, foreign = place.reader(place.call(), 5_000, who)
    with pytest.raises(Refused) as caught:
        sharing.transfer(place.house, who, old.id, foreign.id, 1)
    assert refused(caught) == "admissions/no-transfer"
    stranger, theirs = place.reader(parent)
    for by in (who, stranger):
        with pytest.raises(Refused):
            sharing.transfer(place.house, by, old.id, theirs.id, 1)
    place.check()


ACTS = st.tuples(
    st.sampled_from(["use", "lease", "return", "end", "report", "supplement", "answer", "less", "over"]),
    st.integers(0, 2),
    st.integers(1, 3_000),
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, min_size=6, max_size=25), second_chance=st.booleans())
def test_account_grant_and_meter_say_the_same_whatever_happens(
    place: Place, acts: list[tuple[str, int, int]], *, second_chance: bool
) -> None:
    place.calls.clear()
    half = {"first": "50%", "after": "report"}
    call = place.call(tranches=half, supplements={"at_most": "100%", "times": 9}, second_chance=second_chance)
    readers = [place.reader(call, 4_000 + 1_111 * n) for n in range(3)]
    for act, which, size in acts:
        who, grant = readers[which]
        with suppress(Refused):  # and then nothing moved, anywhere
            play(place, act, who, grant, size)
        place.check()


def play(place: Place, act: str, who: Actor, grant: Grant, size: int) -> None:
    desk, award = place.house.admissions, grant.award_id or ""
    match act:
        case "use" | "lease":
            with suppress(AssertionError):  # there was not so much left
                place.use(grant, size, leased=size % 50 if act == "lease" else 0)
        case "return":
            sharing.give_up(place.house, who, grant.id, size)
        case "end":
            sharing.give_up(place.house, who, grant.id, None)
        case "report":
            desk.file_report(who, award, REPORT)
        case "supplement":
            desk.ask_supplement(who, award, MORE, size)
        case "answer" | "less":
            for each in desk.requests(place.steward):
                desk.decide_request(place.steward, each.id, Answer(each.passes // (1 + (act == "less")), "So much."))
        case "over" if size % 5 == 0:
            place.house.access.revoke(place.steward, grant.id, Why.PROJECT_ENDED)
            sharing.give_up(place.house, place.steward, grant.id, None)


def test_an_upheld_appeal_lifts_the_sanction_in_the_same_moment(place: Place) -> None:
    _, grant = place.reader(place.call())
    who = Actor(grant.holder)
    place.house.access.suspend(place.steward, grant.id, Why.TERMS_BREACH)
    (sanction,) = place.house.access.my_sanctions(who)
    appeal = appeal_sanction(place.house, who, sanction.id, Ground.FACTUAL_ERROR, "It was another key.")
    desk, panel = place.house.admissions, [place.person(Role.PANEL) for _ in range(2)]
    with pytest.raises(Refused) as caught:
        desk.admit_appeal(place.steward, appeal.id)
    assert refused(caught) == "admissions/appeal-not-yours", "who imposed it"
    desk.admit_appeal(panel[0], appeal.id)
    for each in panel:
        desk.speak(each, appeal.id, AppealState.UPHELD, "It was.")
    assert not why(place.house, who, grant.id).ok
    desk.conclude_appeal(panel[0], appeal.id, "It was another key.")
    in_force = next(each for each in why(place.house, who, grant.id).facts if each.name == "grant-in-force")
    assert in_force.holds
    assert place.house.access.my_sanctions(who)[0].lifted_reason == "appeal-upheld"


def test_each_of_a_project_has_an_appeal_of_their_own(place: Place) -> None:
    _, grant = place.reader(place.call())
    who, access, desk = Actor(grant.holder), place.house.access, place.house.admissions
    member = place.person()
    invite(place.house, who, grant.id, f"p@p{place.people}.example")
    access.join(member, grant.id)
    access.suspend(place.steward, grant.id, Why.SECURITY)
    panel = [place.person(Role.PANEL) for _ in range(2)]
    (sanction,) = access.my_sanctions(who)
    appeals = [
        appeal_sanction(place.house, by, sanction.id, Ground.FACTUAL_ERROR, "It was not.") for by in (member, who)
    ]
    with pytest.raises(Refused, match="admissions/already-appealed"):
        appeal_sanction(place.house, who, sanction.id, Ground.FACTUAL_ERROR, "It really was not.")
    for appeal in appeals:  # the second is concluded of what the first has lifted
        desk.admit_appeal(panel[0], appeal.id)
        for each in panel:
            desk.speak(each, appeal.id, AppealState.UPHELD, "It was not.")
        desk.conclude_appeal(panel[0], appeal.id, "It was not.")
    assert access.grant(place.steward, grant.id).state == "active"


@pytest.mark.parametrize(("reason", "told"), [(Why.TERMS_BREACH, "keys work as before"), (Why.KEY_LEAKED, "new one")])
def test_who_comes_back_is_told_whether_their_keys_do(place: Place, reason: Why, told: str) -> None:
    _, grant = place.reader(place.call())
    who, access, panel = Actor(grant.holder), place.house.access, place.person(Role.PANEL)
    access.issue_key(who, grant.id)
    access.revoke(place.steward, grant.id, reason)
    (sanction,) = access.my_sanctions(who)
    with place.house.db.decide() as tx:
        access.lift_within(tx, panel, sanction.id)
    with place.house.db.read() as tx:
        found = sa.select(letter.c.text).where(letter.c.event == "access.grant.reinstated", letter.c.person == who.id)
        assert told in " ".join(tx.execute(found).scalar_one().split())


@pytest.mark.parametrize("suspended", [False, True])
def test_an_upheld_appeal_undoes_a_revocation_which_nothing_else_can(place: Place, *, suspended: bool) -> None:
    _, grant = place.reader(place.call())
    who, access, desk = Actor(grant.holder), place.house.access, place.house.admissions
    if suspended:
        access.suspend(place.steward, grant.id, Why.SECURITY)
    access.revoke(place.steward, grant.id, Why.TERMS_BREACH)
    sanction = next(each for each in access.my_sanctions(who) if each.kind == "revoke")
    with pytest.raises(Refused, match="unless an appeal is upheld"):
        access.lift(place.steward, sanction.id, "error-corrected")
    appeal = appeal_sanction(place.house, who, sanction.id, Ground.FACTUAL_ERROR, "It was another project.")
    panel = [place.person(Role.PANEL) for _ in range(2)]
    desk.admit_appeal(panel[0], appeal.id)
    with pytest.raises(BadInput, match="partly"):
        desk.speak(panel[0], appeal.id, AppealState.PARTLY, "A sanction has no part.")
    for each in panel:
        desk.speak(each, appeal.id, AppealState.UPHELD, "It was.")
    desk.conclude_appeal(panel[0], appeal.id, "It was another project.")
    facts = {each.name: each for each in why(place.house, who, grant.id).facts}
    assert facts["grant-in-force"].holds is not suspended, "a suspension that stood before stands again"
    assert access.grant(place.steward, grant.id).state == ("suspended" if suspended else "active")
    assert next(each for each in access.my_sanctions(who) if each.id == sanction.id).lifted_reason == "appeal-upheld"
    if suspended:
        access.reinstate(place.steward, grant.id, Why.ERROR_CORRECTED)
        assert access.grant(place.steward, grant.id).state == "active"
