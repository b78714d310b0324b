"""Promise 6: the budget of a call is conserved to the unit, whatever happens in whatever order."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admissions.world import World
from readingroom.admissions.account import Cause, Posting, balances, granted, postings
from readingroom.admissions.model import Amounts, AwardState, Outcome, Reason, Ruling
from readingroom.core.refusal import Refused
from readingroom.people.model import Actor

ACTS = st.tuples(
    st.sampled_from(["award", "refuse", "accept", "decline", "lapse", "return", "withdraw"]), st.integers(0, 4)
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(ACTS, max_size=25),
    asks=st.lists(st.integers(2_000, 20_000), min_size=5, max_size=5),
    tokens=st.integers(20, 10**9),
    reserve=st.integers(0, 30_000),
)
def test_budget_is_rest_and_reserve_and_offered_and_granted_after_every_act(
    lite: World, acts: list[tuple[str, int]], asks: list[int], tokens: int, reserve: int
) -> None:
    call = lite.open_by_person(budget={"passes": 40_000, "tokens": tokens}, appeal_reserve=reserve)
    applicants = lite.applicants(5)
    made = [lite.apply(who, call, ask).id for who, ask in zip(applicants, asks, strict=True)]
    lite.clock.advance(seconds=1)
    for act, which in acts:
        with suppress(Refused):  # a refused act must move nothing, which is what is looked at
            play(lite, applicants[which], made[which], act)
        held = lite.desk.budget(call.id)
        awards = lite.desk.awards(lite.steward, call.id)
        assert all(each.conserved for each in held.values()), held
        assert held["passes"].budget == 40_000
        assert held["passes"].reserve == reserve
        assert held["tokens"].budget == tokens
        offered = sum(each.amounts.passes for each in awards if each.state is AwardState.OFFERED)
        assert held["passes"].offered == offered


def play(world: World, who: Actor, application: str, act: str) -> None:
    mine = [each for each in world.desk.my_awards(who) if each.application == application]
    match act:
        case "award":
            world.desk.decide(world.steward, application, Ruling(Outcome.AWARDED, Reason.SUITABLE))
        case "refuse":
            world.desk.decide(world.steward, application, Ruling(Outcome.REFUSED, Reason.UNCLEAR, "Unclear."))
        case "withdraw":
            world.desk.withdraw(who, application)
        case "accept" if mine:
            world.desk.accept_award(who, mine[0].id)
        case "decline" if mine:
            world.desk.decline_award(who, mine[0].id)
        case "lapse" if mine:
            world.clock.advance(days=30)
            world.desk.lapse_award(world.steward, mine[0].id)
        case "return" if mine:
            with world.db.decide() as tx:
                world.desk.return_within(tx, who, mine[0].id, Amounts(mine[0].amounts.passes // 2, 1))


@given(st.lists(st.builds(Posting, st.sampled_from(["passes", "calls"]), st.integers(1, 9), st.sampled_from(Cause))))
def test_no_posting_makes_or_loses_a_unit(entries: list[Posting]) -> None:
    for held in balances(entries).values():
        assert held.budget == sum(amount for _, amount in held.parts())


def test_an_account_that_is_overdrawn_says_so() -> None:
    entries = [*postings(Amounts(5), Cause.OPENED), *postings(Amounts(6), Cause.AWARDED, "award_x")]
    assert not balances(entries)["passes"].conserved


def test_what_is_granted_under_an_award_is_told_apart_from_other_awards() -> None:
    entries = [
        *postings(Amounts(5, 7), Cause.ACCEPTED, "one"),
        *postings(Amounts(9), Cause.ACCEPTED, "two"),
        *postings(Amounts(2), Cause.RETURNED, "one"),
    ]
    assert granted(entries, "one") == {"passes": 3, "tokens": 7}
