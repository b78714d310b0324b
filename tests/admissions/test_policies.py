"""The policies one by one, against brute force over every set, every start of a draw, every order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admissions.test_allocation import ALL, SEED, STUDENTS, TEMPLATE, applicants, better_than, by_id, files, passes
from admissions.world import call_text, judged
from readingroom.admissions import call_file
from readingroom.admissions.allocation import Candidate, allocate
from readingroom.admissions.allocation.scoring import biases, scores
from readingroom.admissions.call import CallFile, Limits
from readingroom.admissions.dividing import Scoring
from readingroom.admissions.model import Amounts, Reason
from readingroom.admissions.policies.base import SCORING, Claim, Policy, Pot, Share
from readingroom.admissions.policies.knapsack import Knapsack, best_set
from readingroom.admissions.policies.lottery import PartialLottery, covered, probabilities, start, systematic
from readingroom.admissions.policies.proportional import Proportional
from readingroom.admissions.policies.rank_and_cut import RankAndCut
from readingroom.admissions.policies.registry import POLICIES
from readingroom.admissions.policies.tiers import Size, Tiers
from readingroom.core.canonical import Json
from readingroom.core.document import Node

items = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 60)), max_size=12)
points = st.integers(10, 50).map(lambda tenths: Fraction(tenths, 10))


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    half = draw(st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1)]))
    ask = st.tuples(st.integers(5, 60), st.sampled_from([0, 0, 8, 20]))
    width = st.sampled_from([half, half / 2])
    one = st.builds(lambda ask, at, wide: Claim(max(ask), at, wide, ask[1]), ask, points, width)
    return sorted(draw(st.lists(one, max_size=12)), key=lambda each: -each.score)


# Knapsack


def test_the_best_set_is_found_where_it_is_better_by_one() -> None:
    """First in worth for weight comes one that leaves no room for the two that are worth one more together."""
    assert best_set([7, 4, 4], [5, 3, 3], 6) == {1, 2}


def best_by_brute_force(values: Sequence[int], weights: Sequence[int], room: int) -> int:
    return max(
        sum(v for v, taken in zip(values, chosen, strict=True) if taken)
        for chosen in product((False, True), repeat=len(values))
        if sum(w for w, taken in zip(weights, chosen, strict=True) if taken) <= room
    )


@settings(max_examples=100)
@given(items, st.integers(20, 160))
def test_the_best_set_is_as_good_as_the_best_of_all_sets(given_items: list[tuple[int, int]], room: int) -> None:
    values, weights = [v for v, _ in given_items], [w for _, w in given_items]
    chosen = best_set(values, weights, room)
    assert sum(weights[i] for i in chosen) <= room
    assert sum(values[i] for i in chosen) == best_by_brute_force(values, weights, room)
    assert chosen == best_set(values, weights, room)


@settings(max_examples=40)
@given(claims(), st.integers(5, 300))
def test_a_refused_application_is_told_the_score_above_which_it_is_in_every_best_set(
    who: list[Claim], room: int
) -> None:
    shares = Knapsack().share(Pot(room, 5), who, SEED)
    for index, share in enumerate(shares):
        if share.needed_score is not None:
            for change, funded in ((Fraction(1, 10), True), (Fraction(-1, 10), False)):
                tried = [*who[:index], replace(who[index], score=share.needed_score + change), *who[index + 1 :]]
                order = sorted(range(len(tried)), key=lambda i: -tried[i].score)
                again = Knapsack().share(Pot(room, 5), [tried[i] for i in order], SEED)
                assert bool(again[order.index(index)].passes) is funded


@settings(max_examples=40)
@given(files([Knapsack()]), applicants(), st.data())
def test_a_knapsack_never_takes_an_award_away_for_a_better_score(
    file: CallFile, who: list[Candidate], data: st.DataObject
) -> None:
    file = replace(file, scoring=replace(file.scoring, additive=False))  # see `test_promises.py`
    before = by_id(allocate(file, who, SEED))
    funded = [i for i, each in enumerate(who) if passes(before[each.application])]
    if funded:
        mine = data.draw(st.sampled_from(funded))
        better = tuple(data.draw(better_than(each)) for each in who[mine].judgements)
        changed = [*who[:mine], replace(who[mine], judgements=better), *who[mine + 1 :]]
        after = by_id(allocate(file, changed, SEED))
        assert passes(after[who[mine].application]) == passes(before[who[mine].application])


def test_a_large_ask_can_lose_to_two_smaller_ones_that_scored_less() -> None:
    who = [Claim(10, Fraction(5)), Claim(5, Fraction(3)), Claim(5, Fraction(3))]
    shares = Knapsack().share(Pot(10, 5), who, SEED)
    assert [each.passes for each in shares] == [0, 5, 5]
    assert shares[0].needed_score == 6, "more than the scale has: it says so truthfully"
    assert [each.passes for each in RankAndCut().share(Pot(10, 5), who, SEED)] == [10, 0, 0]


# The lottery


@settings(max_examples=60)
@given(claims(), st.data())
def test_the_chances_sum_to_who_is_drawn_and_grow_with_the_score_by_at_most_its_share(
    zone: list[Claim], data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, len(zone)))
    chances = probabilities(zone, count)
    assert sum(chances) == (count if zone else 0)
    width = 2 * max((each.half for each in zone), default=Fraction(0))
    for better, worse in zip(range(len(zone)), range(1, len(zone)), strict=False):
        assert 0 <= chances[worse] <= chances[better] <= 1
        if width:
            assert chances[better] - chances[worse] <= (zone[better].score - zone[worse].score) / width


@settings(max_examples=60)
@given(st.lists(st.integers(0, 12).map(lambda n: Fraction(n, 12)), max_size=12))
def test_over_every_start_each_is_drawn_with_exactly_its_chance_and_as_many_as_they_sum_to(
    chances: list[Fraction],
) -> None:
    """Enumerate: what is drawn changes only at multiples of 1/12, so twelve starts between them are all there are."""
    starts = [Fraction(2 * n + 1, 24) for n in range(12)]
    drawn = [systematic(chances, begin) for begin in starts]
    for index, chance in enumerate(chances):
        assert Fraction(sum(each[index] for each in drawn), 12) == chance
    for each in drawn:
        assert abs(sum(each) - sum(chances, Fraction(0))) < 1


@settings(max_examples=60)
@given(claims(), st.integers(5, 300), st.binary(min_size=32, max_size=32))
def test_a_lottery_funds_the_clear_cases_draws_the_rest_and_keeps_the_budget(
    who: list[Claim], room: int, lot: bytes
) -> None:
    shares = PartialLottery().share(Pot(room, 5), who, lot)
    assert sum(each.passes for each in shares) <= room
    if sum(each.cap for each in who) <= room:
        assert all(each.reason is Reason.IN_FULL for each in shares)
        return
    line = who[covered(who, room) - 1].score
    for claim, share in zip(who, shares, strict=True):
        assert share.chance is not None
        assert share.passes == 0 or max(5, claim.minimum) <= share.passes <= claim.cap
        if claim.low > line:
            assert (share.passes, share.chance) == (claim.cap, Fraction(1))
        elif claim.high < line:
            assert (share.passes, share.chance, share.needed_score) == (0, Fraction(0), line - claim.half)
        else:
            assert (share.reason is Reason.DRAWN) == bool(share.passes)
            assert share.chance > 0 or not share.passes


def test_who_ties_at_the_line_has_equal_chances_where_nothing_tells_them_apart() -> None:
    who = [Claim(10, Fraction(4)), *[Claim(10, Fraction(3))] * 3]
    shares = PartialLottery().share(Pot(20, 5), who, SEED)
    assert [each.chance for each in shares] == [1, Fraction(1, 3), Fraction(1, 3), Fraction(1, 3)]
    assert sum(each.passes for each in shares) == 20
    winners = {
        next(i for i in (1, 2, 3) if PartialLottery().share(Pot(20, 5), who, bytes([n] * 32))[i].passes)
        for n in range(40)
    }
    assert winners == {1, 2, 3}
    assert 0 <= start(SEED) < 1


# Tiers


def test_tiers_give_the_largest_size_asked_for_deserved_and_left_and_split_it() -> None:
    policy = Tiers((Size(5), Size(20, Fraction(3)), Size(50, Fraction(4))), 60)
    who = [Claim(60, Fraction(5)), Claim(60, Fraction(7, 2)), Claim(19, Fraction(3)), Claim(60, Fraction(2))]
    shares = policy.share(Pot(78, 5), who, SEED)
    assert [each.passes for each in shares] == [50, 20, 5, 0]


def test_a_claim_of_a_tier_is_given_no_size_under_its_own_minimum() -> None:
    policy = Tiers((Size(5), Size(20), Size(50, Fraction(4))))
    who = [Claim(60, Fraction(5), minimum=20), Claim(60, Fraction(3), minimum=20), Claim(60, Fraction(2))]
    shares = policy.share(Pot(65, 5), who, SEED)
    assert [each.passes for each in shares] == [50, 0, 5]
    assert shares[1].needed_rank == 1


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(5, 60), st.integers(0, 30)), max_size=9), st.integers(5, 200))
def test_of_tiers_with_minima_as_many_are_scaled_as_each_gets_its_own(asks: list[tuple[int, int]], room: int) -> None:
    who = [Claim(max(cap, least), minimum=least) for cap, least in asks]

    def useful(k: int) -> bool:
        total = sum(each.cap for each in who[:k])
        return all(min(each.cap, each.cap * room // total) >= max(5, each.minimum) for each in who[:k])

    funded = max((k for k in range(1, len(who) + 1) if useful(k)), default=0)
    shares = Proportional().share(Pot(room, 5), who, SEED)
    assert [bool(each.passes) for each in shares] == [True] * funded + [False] * (len(who) - funded)


# Quotas, scores


@settings(max_examples=60)
@given(files(), applicants())
def test_a_quota_is_kept_as_far_as_its_applications_can_use_it_and_costs_them_nothing(
    file: CallFile, who: list[Candidate]
) -> None:
    result = allocate(file, who, SEED)
    bare = by_id(allocate(replace(file, quotas=()), who, SEED))
    for quota in result.quotas:
        members = [s for s in result.sheets if s.quota == quota.name]
        assert sum(map(passes, members)) == (quota.given if quota.bound else 0)
        assert not quota.bound or quota.given <= quota.passes
        assert quota.bound or not members
    if not any(each.bound for each in result.quotas):
        assert {s.application: passes(s) for s in result.sheets} == {k: passes(s) for k, s in bare.items()}


def test_a_quota_that_binds_is_named_and_what_it_leaves_goes_to_the_others() -> None:
    file = replace(
        TEMPLATE, budget=Amounts(100), reserve=0, limits=Limits(5, 60, 90, 14), quotas=(STUDENTS,), policy=RankAndCut()
    )
    best = (judged(5, 5), judged(5, 5))
    fair = (judged(3, 3), judged(3, 3))
    who = [
        Candidate("one", 60, best, answers={"level": "staff"}),
        Candidate("two", 40, best, answers={"level": "staff"}),
        Candidate("three", 30, fair, answers={"level": "student"}),
    ]
    result = allocate(file, who, SEED)
    sheets = by_id(result)
    assert [each.to_json() for each in result.quotas] == [
        {"name": "students", "passes": 40, "given": 30, "bound": True}
    ]
    assert passes(sheets["three"]) == 30
    assert sheets["three"].text.endswith("within the part of the budget that is kept for students.")
    assert passes(sheets["one"]) + passes(sheets["two"]) == 70


def test_a_quota_whose_applications_are_all_funded_in_full_does_not_bind() -> None:
    file = replace(
        TEMPLATE, budget=Amounts(100), reserve=0, limits=Limits(5, 60, 90, 14), quotas=(STUDENTS,), policy=RankAndCut()
    )
    two = (judged(5, 5), judged(5, 5))
    (quota,) = allocate(file, [Candidate("one", 10, two, answers={"level": "student"})], SEED).quotas
    assert (quota.passes, quota.given, quota.bound) == (40, 10, False)


@settings(max_examples=60)
@given(files([each for each in ALL if each.name != "partial-lottery"]), applicants())
def test_the_score_that_a_refused_applicant_is_told_would_have_sufficed_and_less_would_not(
    file: CallFile, who: list[Candidate]
) -> None:
    """All else equal: one's own two reviews are changed so that the mean is a tenth above, or below, what was told."""
    file = replace(file, scoring=Scoring(), quotas=())
    assert file.reviewing is not None
    for index, each in enumerate(who):
        sheet = by_id(allocate(file, who, SEED))[each.application]
        if sheet.needed_score is None or sheet.rank is None:
            continue
        for tenth in (-1, 1):
            mean = sheet.needed_score + Fraction(tenth, 10)
            if mean >= file.reviewing.floor and int(mean * 10) in REVIEWS:
                changed = replace(each, judgements=REVIEWS[int(mean * 10)])
                again = by_id(allocate(file, [*who[:index], changed, *who[index + 1 :]], SEED))
                assert bool(passes(again[each.application])) is (tenth > 0)


REVIEWS = {  # two reviews for every mean there can be, in tenths: merit weighs 3/5, need 2/5
    3 * (a + c) + 2 * (b + d): (judged(a, b), judged(c, d)) for a, b, c, d in product(range(1, 6), repeat=4)
}


def test_habits_are_taken_out_only_where_the_call_says_so() -> None:
    """One scores a point lower than all others; the two they reviewed gain, and nobody's order among equals matters."""
    assert TEMPLATE.reviewing is not None
    harsh = (judged(3, 3), judged(2, 2))
    kind = (judged(3, 3), judged(3, 3))
    who = [Candidate(f"a{i}", 10, harsh, ("kim", "mean")) for i in range(6)]
    who += [Candidate(f"b{i}", 10, kind, ("kim", "lee")) for i in range(6)]
    habit = biases(TEMPLATE.reviewing, who)
    assert habit["mean"] < -300_000 < 0 < habit["kim"] + 1
    plain = scores(replace(TEMPLATE, scoring=Scoring()), who)
    fixed = scores(replace(TEMPLATE, scoring=Scoring(additive=True)), who)
    assert plain["a0"].ranked == plain["a0"].mean == Fraction(5, 2)
    assert plain["a0"].ranked < fixed["a0"].ranked
    assert fixed == scores(replace(TEMPLATE, scoring=Scoring(additive=True)), list(reversed(who)))


def test_an_interval_is_the_pooled_spread_over_the_root_of_the_reviews() -> None:
    who = [Candidate("a", 10, (judged(4, 4), judged(2, 2))), Candidate("b", 10, (judged(3, 3), judged(3, 3)))]
    (one, two) = scores(replace(TEMPLATE, scoring=Scoring(level=95)), who).values()
    assert one.half == two.half == Fraction(13859, 10_000), "1.96 * 1 / sqrt(2), rounded down"
    assert scores(TEMPLATE, [Candidate("c", 10, (judged(),))])["c"].half == 0


@dataclass(frozen=True, slots=True)
class EqualParts:
    """The how-to's policy: the same for as many of the best ranked as it leaves the minimum."""

    name = "equal-parts"
    objective = "the same for as many as possible"
    promise = "A better score never gives less."

    def canonical(self) -> Json:
        return {"policy": self.name}

    def describe(self) -> str:
        return "All funded applications are given the same, as far as they ask for it."

    def share(self, pot: Pot, claims: Sequence[Claim], lot: bytes) -> list[Share]:
        assert len(lot) == 32
        funded = min(len(claims), pot.passes // max((pot.least(each) for each in claims), default=pot.minimum))
        return [
            Share(min(each.cap, pot.passes // funded), Reason.SCALED)
            if rank < funded
            else Share(0, Reason.BELOW_LINE, needed_rank=funded or None)
            for rank, each in enumerate(claims)
        ]


def test_a_new_policy_is_one_class_and_one_line_in_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(node: Node) -> Policy:
        node.fields(["policy"], SCORING)
        return EqualParts()

    monkeypatch.setitem(POLICIES, "equal-parts", parse)
    file = call_file.parse(call_text(allocation={"policy": "equal-parts", "interval": 80}))
    who = [Candidate(f"a{n}", 10_000, (judged(5, n), judged(5, n))) for n in (3, 4, 5)]
    result = allocate(file, who, SEED)
    assert [passes(each) for each in result.sheets] == [10_000, 10_000, 10_000]
    assert result.to_json()["policy"] == {"policy": "equal-parts"}
