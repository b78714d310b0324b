"""What a better score of one's own can do, where it is less than one would think: the promises say so, and are true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from admissions.test_allocation import ALL, SEED, TEMPLATE, by_id, passes
from admissions.test_policies import points
from admissions.world import judged
from readingroom.admissions.allocation import Candidate, allocate
from readingroom.admissions.call import Limits
from readingroom.admissions.dividing import Scoring
from readingroom.admissions.dossier import promise
from readingroom.admissions.model import Amounts
from readingroom.admissions.policies.base import Claim, Policy, Pot
from readingroom.admissions.policies.knapsack import Knapsack
from readingroom.admissions.policies.lottery import PartialLottery
from readingroom.admissions.policies.proportional import Proportional


def given_to(me: Claim, others: Sequence[Claim], policy: Policy, room: int) -> int:
    claims = sorted([me, *others], key=lambda each: -each.score)
    return policy.share(Pot(room, 5), claims, SEED)[claims.index(me)].passes


def test_with_adjusted_scores_a_better_review_can_give_less_and_the_dossier_says_so() -> None:
    """The better review tells that its reviewer is generous, or the other one harsh, and one above passes one by."""
    who = [
        Candidate("a", 145, (judged(5, 1), judged(1, 5)), ("ann", "ed")),
        Candidate("b", 225, (judged(4, 1), judged(4, 4)), ("gu", "cy")),
        Candidate("c", 178, (judged(5, 1), judged(4, 1)), ("cy", "fi")),
        Candidate("d", 152, (judged(4, 5), judged(2, 4)), ("cy", "ann")),
    ]
    better = [*who[:3], replace(who[3], judgements=(judged(4, 5), judged(2, 5)))]
    file = replace(TEMPLATE, budget=Amounts(93), reserve=0, limits=Limits(28, 200, 90, 14), policy=Proportional())
    for additive, told in ((True, "is not promised"), (False, "never gives less")):
        made = replace(file, scoring=Scoring(additive=additive))
        before, after = (passes(by_id(allocate(made, each, SEED))["d"]) for each in (who, better))
        assert (after < before) is additive
        assert told in (promise(made) or "")


def test_a_knapsack_whose_scores_are_rounded_can_take_an_award_away_by_a_hundredth_and_says_so() -> None:
    """In fifteenths it wins by one; a hundred-and-fifth more makes all round to hundredths, twenty of them up."""
    others = [*[Claim(101, Fraction(64, 15))] * 20, *[Claim(100, Fraction(62, 15))] * 19]
    room, mine = 2_100, Fraction(103, 15)
    assert given_to(Claim(200, mine), others, Knapsack(), room)
    assert not given_to(Claim(200, mine + Fraction(1, 105)), others, Knapsack(), room)
    assert given_to(Claim(200, mine + Fraction(8, 100)), others, Knapsack(), room), "a few hundredths make up for it"
    assert "to within the hundredth" in Knapsack().promise


@settings(max_examples=60)
@given(
    asks=st.lists(st.tuples(st.integers(5, 60), points), min_size=1, max_size=12),
    room=st.integers(5, 300),
    wide=st.booleans(),
)
def test_in_one_draw_a_better_score_with_as_many_reviews_never_has_a_smaller_chance(
    asks: list[tuple[int, Fraction]], room: int, *, wide: bool
) -> None:
    half = Fraction(1) if wide else Fraction(1, 3)
    claims = sorted((Claim(cap, score, half) for cap, score in asks), key=lambda each: -each.score)
    chances = [each.chance for each in PartialLottery().share(Pot(room, 5), claims, SEED)]
    assume(None not in chances)  # all are funded
    assert chances == sorted(chances, key=lambda each: -(each or 0))


def test_a_wide_interval_can_hold_the_line_where_a_better_score_is_clear_of_it() -> None:
    narrow = Fraction(1, 10)
    scored = [(Fraction(5), narrow), (Fraction(9, 2), narrow), (Fraction(17, 4), narrow), (Fraction(4), narrow)]
    claims = [*(Claim(10, score, half) for score, half in scored), Claim(10, Fraction(7, 2), Fraction(1))]
    chances = [each.chance for each in PartialLottery().share(Pot(30, 5), claims, SEED)]
    assert chances[3] == 0
    assert (chances[4] or 0) > 0
    assert "as many reviews" in PartialLottery().promise


def test_every_policy_says_what_a_better_score_can_do() -> None:
    assert all(each.promise for each in ALL)
