"""Promise 6 over a family of calls: whatever follows an award, in whatever order, no unit is made or lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admissions.test_races import at_once
from admissions.world import World, judged
from readingroom.admissions import queries
from readingroom.admissions.account import Balance, Place, granted, shares
from readingroom.admissions.after import Ground
from readingroom.admissions.appeals.model import AppealState
from readingroom.admissions.call import Call
from readingroom.admissions.model import Amounts, Award, AwardState, CallState, Outcome, Reason, Ruling
from readingroom.admissions.movements import replay, spelled
from readingroom.admissions.requests import Answer, RequestState
from readingroom.core.canonical import parse
from readingroom.core.refusal import Refused
from readingroom.ledger import queries as log
from readingroom.people.model import Actor, Role

TEXTS = {"text": "Half of it is done.", "found": "Something.", "used": "Prompts.", "purpose": "More.", "why": "More."}
OK = Ruling(Outcome.AWARDED, Reason.SUITABLE)
BUDGET = {"passes": 60_000, "tokens": 1_234_567}
ACTS = st.tuples(
    st.sampled_from(
        [
            "award", "award", "accept", "accept", "refuse", "decline", "lapse", "return", "report", "supplement",
            "answer", "child", "apply_to_child", "award_in_child", "give_back", "transfer", "appeal", "uphold",
            "second_chance_call", "end", "free_reserve",
        ]
    ),
    st.integers(0, 4),
    st.integers(1, 9_000),
)  # fmt: skip


class Family:
    """A call with five applicants, and whatever calls it funds."""

    def __init__(self, world: World, *, second_chance: bool) -> None:
        self.world = world
        self.call = world.open_by_person(
            budget=BUDGET, appeal_reserve=7_000, tranches={"first": "40%", "after": "report"},
            supplements={"at_most": "50%", "times": 2}, second_chance=second_chance,
        )  # fmt: skip
        self.children: list[Call] = []
        self.who = world.applicants(5)
        self.made = [world.apply(each, self.call, 3_001 + 997 * n).id for n, each in enumerate(self.who)]
        self.hearers = [world.person(f"h{n}@hear{n}.example", f"Hear {n}", Role.PANEL) for n in range(2)]

    @property
    def ids(self) -> list[str]:
        return [self.call.id, *(each.id for each in self.children)]

    def play(self, act: str, which: int, size: int) -> None:
        """Let somebody do something; what needs an award or a child call does nothing without."""
        awards = self.world.desk.my_awards(self.who[which])
        if act in {"decline", "lapse", "return", "end", "report", "supplement", "transfer"} and not awards:
            return
        if act in {"apply_to_child", "award_in_child", "give_back"} and not self.children:
            return
        getattr(self, f"do_{act}")(which, size, awards)

    def do_award(self, which: int, _size: int, _awards: list[Award]) -> None:
        self.world.desk.decide(self.world.steward, self.made[which], OK)

    def do_refuse(self, which: int, _size: int, _awards: list[Award]) -> None:
        unclear = Ruling(Outcome.REFUSED, Reason.UNCLEAR, "Unclear.")
        self.world.desk.decide(self.world.steward, self.made[which], unclear)

    def do_accept(self, which: int, _size: int, awards: list[Award]) -> None:
        for each in awards:
            with suppress(Refused):
                self.world.desk.accept_award(self.who[which], each.id)

    def do_decline(self, which: int, _size: int, awards: list[Award]) -> None:
        self.world.desk.decline_award(self.who[which], awards[-1].id)

    def do_lapse(self, _which: int, _size: int, awards: list[Award]) -> None:
        self.world.clock.advance(days=30)
        self.world.desk.lapse_award(self.world.steward, awards[-1].id)

    def do_return(self, which: int, size: int, awards: list[Award]) -> None:
        with self.world.db.decide() as tx:
            self.world.desk.return_within(tx, self.who[which], awards[0].id, Amounts(size, size % 100))

    def do_end(self, _which: int, _size: int, awards: list[Award]) -> None:
        with self.world.db.decide() as tx:
            self.world.desk.give_up_held_within(tx, awards[0].id)

    def do_report(self, which: int, _size: int, awards: list[Award]) -> None:
        self.world.desk.file_report(self.who[which], awards[0].id, TEXTS)

    def do_supplement(self, which: int, size: int, awards: list[Award]) -> None:
        self.world.desk.ask_supplement(self.who[which], awards[0].id, TEXTS, size % 4_000 + 1)

    def do_answer(self, _which: int, size: int, _awards: list[Award]) -> None:
        for each in self.world.desk.requests(self.world.steward)[:1]:
            given = each.passes * (size % 4) // 3
            self.world.desk.decide_request(self.world.steward, each.id, Answer(given, "As it stands."))

    def do_child(self, _which: int, size: int, _awards: list[Award], kind: str = "round") -> None:
        small = {"minimum": 100, "maximum": 15_000, "days": 9}
        budget = {"passes": size + 500, "tokens": 20 * size + 10_000}
        made = self.world.open_by_person(budget=budget, award=small, of=self.call.id, kind=kind, appeal_reserve=100)
        self.children.append(made)

    def do_second_chance_call(self, which: int, size: int, awards: list[Award]) -> None:
        self.do_child(which, size, awards, "second-chance")

    def do_apply_to_child(self, which: int, size: int, _awards: list[Award]) -> None:
        self.world.apply(self.who[which], self.children[-1], size + 100)

    def do_award_in_child(self, _which: int, _size: int, _awards: list[Award]) -> None:
        for each in self.world.desk.applications(self.world.steward, self.children[-1].id):
            self.world.desk.decide(self.world.steward, each.id, OK)

    def do_give_back(self, _which: int, _size: int, _awards: list[Award]) -> None:
        with suppress(Refused):
            self.world.desk.close_call(self.world.steward, self.children[-1].id)
        self.world.desk.give_back(self.world.steward, self.children[-1].id)

    def do_transfer(self, which: int, size: int, awards: list[Award]) -> None:
        moved = Amounts(size % 900 + 1, size % 50)
        with self.world.db.decide() as tx:
            self.world.desk.transfer_within(tx, self.who[which], awards[0].id, awards[-1].id, moved)

    def do_appeal(self, which: int, _size: int, _awards: list[Award]) -> None:
        self.world.desk.appeal_refusal(self.who[which], self.made[which], Ground.PROCEDURE, "A step was left out.")

    def do_free_reserve(self, _which: int, _size: int, _awards: list[Award]) -> None:
        self.world.clock.advance(days=15)
        with suppress(Refused):
            self.world.desk.close_call(self.world.steward, self.call.id)
        self.world.desk.free_reserve(self.world.steward, self.call.id)

    def do_uphold(self, _which: int, _size: int, _awards: list[Award]) -> None:
        desk = self.world.desk
        for each in desk.appeals(self.hearers[0]):
            if each.state is AppealState.LODGED:
                desk.admit_appeal(self.hearers[0], each.id)
                for hearer in self.hearers:
                    desk.speak(hearer, each.id, AppealState.UPHELD, "So it was.")
                desk.conclude_appeal(self.hearers[0], each.id, "It was left out.")

    def check(self) -> None:
        """Every account adds up, the family's too, and it is the awards' own sums that it holds."""
        desk = self.world.desk
        held = {each: desk.budget(each) for each in self.ids}
        for unit, whole in BUDGET.items():
            assert held[self.call.id][unit].budget == whole
            assert all(account[unit].conserved for account in held.values()), held
            assert held[self.call.id][unit].lent == sum(held[child][unit].budget for child in self.ids[1:])
            assert sum(part.amount for part in shares(held[self.call.id][unit])) == whole
        with self.world.db.read() as tx:
            for each in self.ids:
                entries = queries.postings(tx, each)
                awards = queries.awards(tx, each)
                offered = sum(a.amounts.passes for a in awards if a.state is AwardState.OFFERED)
                assert held[each]["passes"].offered == offered
                assert held[each]["passes"].granted == sum(granted(entries, a.id).get("passes", 0) for a in awards)

    def check_ledger(self) -> None:
        """An outsider who has the ledger's movements alone adds up every account to what it is now."""
        with self.world.db.read() as tx:
            for each in self.ids:
                entries = [parse(log.leaves(tx, seq, seq + 1)[0]) for seq in queries.movements(tx, each)]
                assert replay(entries, whole=True)[-1].last == len(queries.postings(tx, each))
                assert entries[-1]["data"]["after"] == spelled(queries.budget(tx, each))


OFTEN: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=4, **OFTEN)
@given(acts=st.lists(ACTS, min_size=8, max_size=30), second_chance=st.booleans())
def test_over_a_family_of_calls_nothing_is_made_or_lost(
    lite: World, acts: list[tuple[str, int, int]], *, second_chance: bool
) -> None:
    played(lite, acts, second_chance=second_chance)


@pytest.mark.deep
@settings(max_examples=40, **OFTEN)
@given(acts=st.lists(ACTS, min_size=20, max_size=60), second_chance=st.booleans())
def test_over_a_family_of_calls_nothing_is_made_or_lost_in_many_more(
    lite: World, acts: list[tuple[str, int, int]], *, second_chance: bool
) -> None:
    played(lite, acts, second_chance=second_chance)


def played(lite: World, acts: list[tuple[str, int, int]], *, second_chance: bool) -> None:
    family = Family(lite, second_chance=second_chance)
    for act in acts:
        with suppress(Refused):  # a refused act must move nothing, which is what is looked at
            family.play(*act)
        family.check()
    family.check_ledger()


def test_all_acts_of_all_at_once_lose_nothing(lite: World) -> None:
    family = Family(lite, second_chance=True)
    for n in range(4):
        family.play("award", n, 1)
        family.play("accept", n, 1)
    family.play("refuse", 4, 1)
    who = [lite.desk.my_awards(each)[0].id for each in family.who[:4]]

    def returns(by: Actor, award: str) -> None:
        with lite.db.decide() as tx:
            lite.desk.return_within(tx, by, award, Amounts(700, 5))

    acts: list[Callable[[], object]] = []
    for by, award in zip(family.who, who, strict=False):
        acts += [partial(returns, by, award), partial(returns, by, award)]
        acts += [partial(lite.desk.file_report, by, award, TEXTS)]
        acts += [partial(lite.desk.ask_supplement, by, award, TEXTS, 100)]
    acts += [partial(family.play, "second_chance_call", 0, 300), partial(family.play, "child", 0, 300)]
    assert at_once(acts) >= 8
    waiting = [each.id for each in lite.desk.requests(lite.steward)]
    answer = partial(lite.desk.decide_request, lite.steward, answer=Answer(100, "So much."))
    decided = at_once([partial(answer, each) for each in waiting * 2])
    assert decided == len(waiting), "each was answered once"
    family.check()
    family.check_ledger()


def test_a_bar_of_shares_follows_on_and_ends_at_the_budget() -> None:
    held = Balance(budget=100, rest=9, reserve=20, offered=11, granted=40, held=5, pool=8, lent=7)
    parts = shares(held, used=15)
    assert [(each.name, each.amount) for each in parts] == [
        ("used", 15), ("granted", 25), ("held", 5), ("offered", 11), ("lent", 7), ("reserve", 20), ("pool", 8),
        ("rest", 9),
    ]  # fmt: skip
    for before, after in pairwise(parts):
        assert after.begins == before.begins + before.amount
    assert parts[-1].begins + parts[-1].amount == held.budget
    assert shares(held, used=99)[0].amount == held.granted, "never more was used than was granted"


def test_a_child_call_is_refused_what_its_parent_does_not_have(lite: World) -> None:
    call = lite.open_by_person(budget={"passes": 40_000})

    def child(passes: int, **more: object) -> Call:
        return lite.open_by_person(budget={"passes": passes}, of=call.id, kind="round", **more)

    with pytest.raises(Refused) as caught:
        child(36_001)
    assert caught.value.refusal.code == "admissions/budget-exhausted"
    assert caught.value.refusal.facts["left"] == {"passes": 36_000}
    made = child(36_000)
    assert lite.desk.budget(call.id)["passes"].rest == 0
    with pytest.raises(Refused) as caught:
        lite.desk.give_back(lite.steward, made.id)
    assert caught.value.refusal.code == "admissions/wrong-state"
    lite.desk.close_call(lite.steward, made.id)
    assert lite.desk.give_back(lite.steward, made.id).passes == 32_000, "its own reserve stays, for its own appeals"
    assert lite.desk.budget(call.id)["passes"].rest == 32_000
    with pytest.raises(Refused) as caught:
        lite.open_by_person(budget={"passes": 9_000}, of=made.id, kind="round")
    assert caught.value.refusal.code == "admissions/cannot-fund"


def test_a_competition_funds_nothing_before_it_has_published(lite: World) -> None:
    call, _ = lite.reviewed([12_000], [judged()])
    with pytest.raises(Refused) as caught:
        lite.open_by_person(budget={"passes": 9_000}, of=call.id, kind="round")
    assert caught.value.refusal.code == "admissions/cannot-fund"


def by_sizes(first: int) -> dict[str, Any]:
    sizes = [{"passes": 2_000}, {"passes": 5_000}, {"passes": 15_000, "score": 4}]
    return {"policy": "tiers", "sizes": sizes, "first_tranche": first}


@pytest.mark.parametrize("first", [33, 100])
def test_awards_in_sizes_come_in_the_tranches_that_their_sheets_tell(lite: World, first: int) -> None:
    """The policy's `first_tranche` is the call's rule of release: sheet, account and requests say the same."""
    asks, scores = [30_001, 15_000, 4_999], [judged(5, 5), judged(3, 3), judged(3, 4)]
    call, made = lite.reviewed(asks, scores, allocation=by_sizes(first), budget=BUDGET, appeal_reserve=7_000)
    sheets = {each.application: each for each in lite.desk.allocate(lite.steward, call.id).sheets}
    lite.desk.publish(lite.steward, call.id)
    for by, application in zip(lite.applicants(3)[:2], made, strict=False):
        (award,) = lite.desk.my_awards(by)
        lite.desk.accept_award(by, award.id)
        at_once = sheets[application.id].at_once
        assert at_once == (None if first == 100 else award.amounts.passes * first // 100)
        held = lite.desk.held_under(award.id).get("passes", 0)
        assert held == (award.amounts.passes - at_once if at_once else 0)
        if held:
            filed = lite.desk.file_report(by, award.id, TEXTS)
            lite.desk.decide_request(lite.steward, filed.id, Answer(held, "As it stands."))
            assert not any(lite.desk.held_under(award.id).values())
        assert all(each.conserved for each in lite.desk.budget(call.id).values())


def test_a_tranche_is_released_shrunk_and_withheld_to_the_unit(lite: World) -> None:
    family = Family(lite, second_chance=True)
    family.play("award", 4, 1)
    family.play("accept", 4, 1)
    who, (award,) = family.who[4], lite.desk.my_awards(family.who[4])
    assert lite.desk.held_under(award.id)["passes"] == award.amounts.passes - award.amounts.passes * 40 // 100
    filed = lite.desk.file_report(who, award.id, TEXTS)
    with pytest.raises(Refused) as caught:
        lite.desk.decide_request(lite.steward, filed.id, Answer(1_000, " "))
    assert caught.value.refusal.code == "admissions/note-missing", "less than is held needs its reasons"
    held = lite.desk.held_under(award.id)
    done = lite.desk.decide_request(lite.steward, filed.id, Answer(1_000, "The rest was not explained."))
    assert done.state is RequestState.GRANTED
    assert lite.desk.held_under(award.id) == {"passes": 0, "tokens": 0}
    balance = lite.desk.budget(family.call.id)
    assert balance["passes"].pool == held["passes"] - 1_000
    assert balance["tokens"].pool == held["tokens"] - held["tokens"] * 1_000 // held["passes"]
    with pytest.raises(Refused) as caught:
        lite.desk.file_report(who, award.id, TEXTS)
    assert caught.value.refusal.code == "admissions/nothing-held"
    assert lite.desk.call(family.call.id).state is CallState.OPEN
    assert Place.POOL in dict(balance["passes"].parts())
    family.check()
