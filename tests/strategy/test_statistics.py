from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.strategy.statistics import (
    binomial_lower,
    binomial_upper,
    poisson_lower,
    poisson_upper,
    samples_needed,
)

confidences = st.floats(0.5, 0.9999)


@pytest.mark.parametrize(
    ("hits", "samples", "percent"), [(0, 24, 11.7), (0, 100, 3.0), (0, 40, 7.2), (38, 40, 99.1), (5, 5, 100.0)]
)
def test_the_exact_bound_says_what_zero_hits_do_not_rule_out(hits: int, samples: int, percent: float) -> None:
    assert round(100 * binomial_upper(hits, samples, 0.95), 1) == percent


@pytest.mark.parametrize(
    ("at_most", "needed"),
    [
        (0.1, (29, 46, 76)),
        (0.05, (59, 93, 153)),
        (0.02, (149, 236, 386)),
        (0.01, (299, 473, 773)),
        (0.001, (2995, 4742, 7752)),
    ],
)
def test_the_cases_needed_are_the_published_ones(at_most: float, needed: tuple[int, int, int]) -> None:
    assert tuple(samples_needed(at_most, 0.95, hits) for hits in (0, 1, 3)) == needed


@pytest.mark.parametrize(("events", "bound"), [(0, 2.9957), (1, 4.7439), (10, 16.9622)])
def test_the_poisson_bound_is_the_tabled_one(events: int, bound: float) -> None:
    assert poisson_upper(events, 0.95) == pytest.approx(bound, abs=1e-4)


@given(st.integers(1, 400), st.data(), confidences)
def test_the_binomial_tail_at_the_bound_is_the_error_allowed(n: int, data: st.DataObject, level: float) -> None:
    hits = data.draw(st.integers(0, n - 1))
    rate = binomial_upper(hits, n, level)
    tail = math.fsum(math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(hits + 1))
    assert tail == pytest.approx(1 - level, rel=1e-6)


@given(st.integers(0, 60), confidences)
def test_the_poisson_tail_at_the_bound_is_the_error_allowed(events: int, level: float) -> None:
    upper, lower = poisson_upper(events, level), poisson_lower(events, level)
    assert _poisson_cdf(events, upper) == pytest.approx(1 - level, rel=1e-6)
    assert lower <= events <= upper
    if events:
        assert 1 - _poisson_cdf(events - 1, lower) == pytest.approx(1 - level, rel=1e-6)


@given(st.integers(1, 3000), st.data(), confidences)
def test_bounds_enclose_what_was_seen_and_widen_with_confidence(n: int, data: st.DataObject, level: float) -> None:
    hits = data.draw(st.integers(0, n))
    lower, upper = binomial_lower(hits, n, level), binomial_upper(hits, n, level)
    assert 0 <= lower <= hits / n <= upper <= 1
    assert upper <= binomial_upper(hits, n, (1 + level) / 2)
    assert upper >= binomial_upper(hits, n + 1, level)


@given(st.floats(1e-4, 0.9), confidences, st.integers(0, 5))
def test_the_cases_needed_are_enough_and_one_fewer_is_not(at_most: float, level: float, hits: int) -> None:
    needed = samples_needed(at_most, level, hits)
    assert binomial_upper(hits, needed, level) <= at_most
    assert needed == hits + 1 or binomial_upper(hits, needed - 1, level) > at_most


def test_a_large_observation_is_bounded_without_counting_for_ever() -> None:
    assert binomial_upper(10**8, 10**9, 0.95) == pytest.approx(0.1, abs=1e-4)
    assert poisson_upper(10**9, 0.95) == pytest.approx(10**9, rel=1e-3)


@pytest.mark.parametrize(
    "figures", [(-1, 10, 0.95), (11, 10, 0.95), (0, 0, 0.95), (1, 10, 1.0), (1, 10, 0.4), (1, 10, math.nan)]
)
def test_what_is_no_observation_is_refused(figures: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError, match=r"no observation|a confidence"):
        binomial_upper(*figures)


@pytest.mark.parametrize("at_most", [0, 1, -0.1, math.nan])
def test_no_number_of_cases_shows_exactly_nothing(at_most: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        samples_needed(at_most, 0.95)


def _poisson_cdf(events: int, mean: float) -> float:
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(events + 1))
