"""The allocation as promises over every policy in the registry, and rank-and-cut against brute force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from admissions.world import CALL, judged
from readingroom.admissions import call_file
from readingroom.admissions.allocation import Allocation, Candidate, Sheet, allocate, decimal
from readingroom.admissions.call import Bounds, CallFile, Limits
from readingroom.admissions.dividing import Quota, Scoring
from readingroom.admissions.model import Amounts, Judgement, Reason, Risk
from readingroom.admissions.policies.base import Claim, Policy, Pot
from readingroom.admissions.policies.knapsack import Knapsack
from readingroom.admissions.policies.lottery import PartialLottery
from readingroom.admissions.policies.proportional import Proportional
from readingroom.admissions.policies.rank_and_cut import AtLine, RankAndCut
from readingroom.admissions.policies.registry import POLICIES
from readingroom.admissions.policies.tiers import Size, Tiers
from readingroom.core.canonical import canonical

TEMPLATE = call_file.parse(CALL)
SIZES = (Size(5), Size(20), Size(40, Fraction(3)), Size(60, Fraction(4)))
TIERS = ("base", "large", "small")  # "base" has the call's own bounds
ALL: list[Policy] = [
    *(RankAndCut(each) for each in AtLine), Proportional(), Tiers(SIZES, 60), Knapsack(), PartialLottery(),
]  # fmt: skip
BY_RANK = [each for each in ALL if each.name in {"rank-and-cut", "proportional", "tiers"}]
STUDENTS = Quota("students", "level", "student", 40)
NORTH = Quota("the north", "region", "north", 25)
SEED = bytes(range(32))
scores = st.integers(1, 5)
judgements = st.builds(judged, scores, scores, st.sampled_from([Risk.OK, Risk.OK, Risk.CONCERN, Risk.VETO]))


@st.composite
def files(draw: st.DrawFn, policies: Sequence[Policy] = ALL) -> CallFile:
    passes = draw(st.integers(10, 400))
    minimum = draw(st.integers(1, 40))
    reserve = draw(st.integers(0, max(0, passes - minimum)))
    unit = st.none() | st.integers(0, 10**6)
    policy = draw(st.sampled_from(policies))
    if isinstance(policy, Tiers):
        minimum = SIZES[0].passes
    maximum = draw(st.integers(minimum, 200))
    return replace(
        TEMPLATE,
        budget=Amounts(passes, draw(unit), draw(unit)),
        reserve=reserve,
        limits=Limits(minimum, maximum, 90, 14, draw(tiers_within(minimum, maximum, policy))),
        policy=policy,
        quotas=draw(st.sampled_from([(), (STUDENTS,), (STUDENTS, NORTH)])),
        scoring=Scoring(draw(st.booleans()), draw(st.sampled_from([50, 95]))),
    )


@st.composite
def tiers_within(draw: st.DrawFn, minimum: int, maximum: int, policy: Policy) -> dict[str, Bounds]:
    """Give some tiers bounds of their own: closer than the call's, and sizes of it where awards come in sizes."""
    made = {}
    for name in draw(st.sets(st.sampled_from(TIERS[1:]))):
        if isinstance(policy, Tiers):
            low = draw(st.sampled_from([each.passes for each in SIZES if not each.score and each.passes <= maximum]))
        else:
            low = draw(st.integers(minimum, maximum))
        made[name] = Bounds(low, draw(st.integers(low, maximum)))
    return made


@st.composite
def applicants(draw: st.DrawFn) -> list[Candidate]:
    asks = draw(st.lists(st.integers(1, 250), max_size=9))
    two = st.tuples(judgements, judgements)
    answers = st.fixed_dictionaries(
        {"level": st.sampled_from(["student", "staff"]), "region": st.sampled_from(["north", "south"])}
    )
    by = st.permutations(["ann", "bo", "cy"]).map(lambda three: tuple(three[:2]))
    tier = st.sampled_from(TIERS)
    return [
        Candidate(f"application_{i}", ask, draw(two), draw(by), answers=draw(answers), tier=draw(tier))
        for i, ask in enumerate(asks)
    ]


def by_id(result: Allocation) -> dict[str, Sheet]:
    return {each.application: each for each in result.sheets}


def passes(sheet: Sheet) -> int:
    return sheet.amounts.passes if sheet.amounts else 0


def test_every_policy_of_the_registry_is_put_to_the_promises() -> None:
    assert {each.name for each in ALL} == set(POLICIES)


@given(files(), applicants())
def test_awards_and_reserve_and_rest_are_the_budget_exactly_in_every_unit(file: CallFile, who: list[Candidate]) -> None:
    result = allocate(file, who, SEED)
    for unit, whole in file.budget.units().items():
        parts = [each.units()[unit] for each in (result.awarded, result.reserve, result.rest)]
        assert sum(parts) == whole
        assert min(parts) >= 0
        assert parts[0] == sum(each.amounts.units()[unit] for each in result.sheets if each.amounts)
    assert len(result.sheets) == len(who)


@given(files(), applicants())
def test_no_award_is_below_the_useful_minimum_or_above_ask_and_maximum(file: CallFile, who: list[Candidate]) -> None:
    for sheet in allocate(file, who, SEED).sheets:
        if sheet.amounts:
            bounds = file.limits.of(sheet.tier)
            assert bounds.minimum <= sheet.amounts.passes <= min(sheet.asked, bounds.maximum)


@given(files(), applicants())
def test_a_veto_or_a_score_under_the_floor_is_never_awarded(file: CallFile, who: list[Candidate]) -> None:
    assert file.reviewing is not None
    sheets = by_id(allocate(file, who, SEED))
    for each in who:
        vetoed = any(given.risk is Risk.VETO for given in each.judgements)
        if vetoed or sheets[each.application].score < file.reviewing.floor:
            assert sheets[each.application].amounts is None


@given(files(BY_RANK), applicants(), st.data())
def test_a_better_score_of_ones_own_never_gives_less(file: CallFile, who: list[Candidate], data: st.DataObject) -> None:
    assume(who)
    file = replace(file, scoring=replace(file.scoring, additive=False))  # see `test_promises.py`
    mine = data.draw(st.integers(0, len(who) - 1))
    better = tuple(data.draw(better_than(each)) for each in who[mine].judgements)
    before = by_id(allocate(file, who, SEED))[who[mine].application]
    changed = [*who[:mine], replace(who[mine], judgements=better), *who[mine + 1 :]]
    after = by_id(allocate(file, changed, SEED))[who[mine].application]
    assert passes(after) >= passes(before)


def better_than(given: Judgement) -> st.SearchStrategy[Judgement]:
    raised = {name: st.integers(score, 5) for name, score in given.scores.items()}
    return st.fixed_dictionaries(raised).map(lambda scores: replace(given, scores=scores))


@given(files(), applicants(), st.randoms())
def test_the_order_in_which_applications_came_does_not_matter(
    file: CallFile,
    who: list[Candidate],
    random: Any,
) -> None:
    shuffled = list(who)
    random.shuffle(shuffled)
    assert canonical(allocate(file, who, SEED).to_json()) == canonical(allocate(file, shuffled, SEED).to_json())


@given(files(), applicants())
def test_ids_do_not_matter_where_no_scores_tie(file: CallFile, who: list[Candidate]) -> None:
    before = allocate(file, who, SEED)
    assume(len({each.score for each in before.sheets}) == len(before.sheets))
    renamed = [replace(each, application=f"other_{len(who) - i}") for i, each in enumerate(who)]
    after = by_id(allocate(file, renamed, SEED))
    for old, new in zip(who, renamed, strict=True):
        assert passes(by_id(before)[old.application]) == passes(after[new.application])


@given(files(), applicants())
def test_same_inputs_and_seed_give_the_same_bytes(file: CallFile, who: list[Candidate]) -> None:
    assert allocate(file, who, SEED).digest == allocate(file, list(who), bytes(SEED)).digest


def test_ties_fall_by_the_seed_and_not_by_order_or_id() -> None:
    file = replace(TEMPLATE, budget=Amounts(10_000), reserve=0)
    who = [Candidate(f"application_{i}", 10_000, (judged(), judged())) for i in range(4)]
    winners = set()
    for byte in range(64):
        result = allocate(file, who, bytes([byte]) * 32)
        winners.add(result.sheets[0].application)
    assert winners == {each.application for each in who}


@given(applicants(), files(BY_RANK))
def test_what_the_sheet_says_would_have_sufficed_does_suffice(who: list[Candidate], file: CallFile) -> None:
    """Take every refused applicant at the sheet's word: the rank, or the smaller ask, does give something."""
    assert file.policy is not None
    bounds = [file.limits.of(each.tier) for each in who]
    all_claims = [
        Claim(min(each.asked, b.maximum), Fraction(4), minimum=b.minimum) for each, b in zip(who, bounds, strict=True)
    ]
    claims = [each for each in all_claims if each.cap >= each.minimum]
    pot = Pot(file.budget.passes - file.reserve, file.limits.minimum)
    for rank, share in enumerate(file.policy.share(pot, claims, SEED)):

        def moved_to(place: int, cap: int, rank: int = rank) -> int:
            others = [*claims[:rank], *claims[rank + 1 :]]
            changed = [*others[:place], replace(claims[rank], cap=cap), *others[place:]]
            assert file.policy is not None
            return file.policy.share(pot, changed, SEED)[place].passes

        if not share.passes:
            needed = share.needed_rank or 0
            assert all(moved_to(place, claims[rank].cap) > 0 for place in range(needed))
            assert all(moved_to(place, claims[rank].cap) == 0 for place in range(needed, rank + 1))
        if share.would_fit:
            assert moved_to(rank, share.would_fit) == share.would_fit


@given(st.lists(st.integers(5, 60), max_size=9), st.integers(5, 200))
def test_rank_and_cut_that_skips_is_the_best_set_by_rank_that_fits(caps: list[int], pot: int) -> None:
    """Of all subsets within the pot, the one that serves the best ranked first (brute force over all of them)."""
    fitting = (
        chosen
        for chosen in product((True, False), repeat=len(caps))
        if sum(cap for cap, taken in zip(caps, chosen, strict=True) if taken) <= pot
    )
    best = max(fitting)
    given_passes = amounts(RankAndCut(AtLine.SKIP), caps, pot)
    assert given_passes == [cap if taken else 0 for cap, taken in zip(caps, best, strict=True)]


@given(st.lists(st.integers(5, 60), max_size=9), st.integers(5, 200))
def test_rank_and_cut_that_stops_is_the_longest_ranking_that_fits(caps: list[int], pot: int) -> None:
    k = max(k for k in range(len(caps) + 1) if sum(caps[:k]) <= pot)
    assert amounts(RankAndCut(AtLine.STOP), caps, pot) == [*caps[:k], *[0] * (len(caps) - k)]
    rest = pot - sum(caps[:k])
    at_line = [rest if rest >= 5 else 0] if k < len(caps) else []
    below = [0] * (len(caps) - k - len(at_line))
    assert amounts(RankAndCut(AtLine.PARTIAL), caps, pot) == [*caps[:k], *at_line, *below]


@given(st.lists(st.integers(5, 60), min_size=1, max_size=9), st.integers(5, 200))
def test_proportional_funds_as_many_as_get_a_useful_share_of_one_fraction(caps: list[int], pot: int) -> None:
    def useful(k: int) -> bool:
        fraction = min(Fraction(1), Fraction(pot, sum(caps[:k])))
        return all(int(fraction * cap) >= 5 for cap in caps[:k])

    k = max((k for k in range(1, len(caps) + 1) if useful(k)), default=0)
    given_passes = amounts(Proportional(), caps, pot)
    assert [bool(each) for each in given_passes] == [True] * k + [False] * (len(caps) - k)
    if k:
        fraction = min(Fraction(1), Fraction(pot, sum(caps[:k])))
        assert sum(given_passes) == min(pot, sum(caps[:k]))
        assert all(abs(got - fraction * cap) < 1 for got, cap in zip(given_passes, caps[:k], strict=False))


def test_what_does_not_divide_evenly_goes_to_the_better_ranked() -> None:
    assert amounts(Proportional(), [10, 10, 10], 20) == [7, 7, 6]
    assert amounts(Proportional(), [30, 10, 20], 31) == [16, 5, 10]


def amounts(policy: Policy, caps: Sequence[int], pot: int) -> list[int]:
    return [each.passes for each in policy.share(Pot(pot, 5), [Claim(cap) for cap in caps], SEED)]


def test_a_sheet_tells_score_rank_rule_and_what_would_have_changed_it() -> None:
    file = replace(TEMPLATE, budget=Amounts(30_000), reserve=0)
    who = [
        Candidate("best", 12_000, (judged(5, 5), judged(5, 4))),
        Candidate("large", 40_000, (judged(4, 4), judged(4, 4))),
        Candidate("line", 9_000, (judged(4, 3), judged(3, 3))),
        Candidate("below", 8_000, (judged(3, 3), judged(3, 3))),
        Candidate("poor", 8_000, (judged(1, 2), judged(2, 1))),
        Candidate("misuse", 8_000, (judged(5, 5), judged(5, 5, Risk.VETO))),
        Candidate("tiny", 10, (judged(5, 5), judged(5, 5))),
    ]
    sheets = by_id(allocate(file, who, SEED))
    assert sheets["best"].text == "Rank 1 of 4, mean score 4.80. Awarded the 12,000 passes asked for."
    assert sheets["large"].text.endswith("Awarded 15,000 passes, the most that this call gives.")
    assert (sheets["line"].reason, passes(sheets["line"])) == (Reason.REST_AT_LINE, 3_000)
    assert sheets["below"].differ == "It would have taken rank 3, that is a mean score above 3.30."
    assert sheets["poor"].text == "Its mean score (1.50) is under this call's floor of 3.00."
    assert sheets["misuse"].reason is Reason.VETOED
    assert sheets["tiny"].differ == "An ask of 2,000 passes or more."
    assert (sheets["poor"].rank, sheets["best"].rank) == (None, 1)
    assert all(Sheet.read(each.to_json()) == each for each in sheets.values())


def test_a_weighted_mean_is_exact_and_its_ties_are_true_ties() -> None:
    assert TEMPLATE.reviewing is not None
    thirds = replace(TEMPLATE.reviewing, floor=Fraction(10, 3))
    file = replace(TEMPLATE, reviewing=thirds)
    who = [Candidate("third", 5_000, (judged(3, 3), judged(3, 3), judged(4, 4)))]
    assert passes(allocate(file, who, SEED).sheets[0]) == 5_000


@pytest.mark.parametrize(("value", "shown"), [("10/3", "3.33"), ("5", "5.00"), ("19/8", "2.38"), ("1/200", "0.01")])
def test_a_score_is_shown_with_two_decimals(value: str, shown: str) -> None:
    assert decimal(Fraction(value)) == shown


def test_a_call_without_a_competition_cannot_be_allocated() -> None:
    with pytest.raises(ValueError, match="competition"):
        allocate(replace(TEMPLATE, policy=None), [], SEED)


@pytest.mark.deep
def test_ten_thousand_applications_are_allocated() -> None:
    who = [Candidate(f"application_{i}", 2_000 + i, (judged(1 + i % 5, 3), judged(3, 5))) for i in range(10_000)]
    for policy in ALL:
        result = allocate(replace(TEMPLATE, policy=policy, budget=Amounts(10**7)), who, SEED)
        assert result.awarded.passes + result.rest.passes + result.reserve.passes == 10**7
