"""Exact one-sided confidence bounds on a rate, in the standard library.

Normal approximations say "0 of 24, give or take nothing"; the exact bound says "at most 11.7 %". Sources: Clopper and
Pearson, Biometrika 26 (1934) for the binomial; Garwood, Biometrika 28 (1936) for the Poisson.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable

_STEPS = 80  # halvings; past the precision of a float
_NEGLIGIBLE = 1e-18


def binomial_upper(hits: int, samples: int, confidence: float) -> float:
    """Return the smallest rate that `hits` of `samples` rule out from above at this confidence.

    Args:
        hits: from 0 to `samples`.
        samples: independent cases, at least 1.
        confidence: from 0.5, exclusive of 1.

    Raises:
        ValueError: the figures are none of that.
    """
    _check(hits, samples, confidence)
    if hits == samples:
        return 1.0
    if hits == 0:
        return -math.expm1(math.log1p(-confidence) / samples)
    # At a confidence of a half or more the bound lies beyond the observed rate, where the tail's terms only fall.
    return _rise(lambda rate: _binomial_tail(hits, samples, rate) <= 1 - confidence, hits / samples, 1.0)


def binomial_lower(hits: int, samples: int, confidence: float) -> float:
    """Return the largest rate that `hits` of `samples` rule out from below; the upper bound's mirror image."""
    _check(hits, samples, confidence)
    return 0.0 if hits == 0 else 1.0 - binomial_upper(samples - hits, samples, confidence)


def poisson_upper(events: int, confidence: float) -> float:
    """Return the exact upper bound on the expected number of events where `events` were seen."""
    _check(events, events + 1, confidence)
    if events == 0:
        return -math.log1p(-confidence)
    start, end = float(events), 2.0 * events + 50.0 * (1 - math.log10(1 - confidence))
    return _rise(lambda mean: _poisson_at_most(events, mean) <= 1 - confidence, start, end)


def poisson_lower(events: int, confidence: float) -> float:
    """Return the exact lower bound on the expected number of events where `events` were seen."""
    _check(events, events + 1, confidence)
    if events == 0:
        return 0.0
    return _rise(lambda mean: _poisson_at_least(events, mean) >= 1 - confidence, 0.0, float(events))


def samples_needed(at_most: float, confidence: float, hits: int = 0) -> int:
    """Return the fewest samples at which `hits` hits still bound the rate by `at_most`.

    Raises:
        ValueError: `at_most` is not between 0 and 1; no number of samples shows a rate of exactly nothing.
    """
    if not 0 < at_most < 1:
        raise ValueError("a bound on a rate lies between 0 and 1")
    high = hits + 1
    while binomial_upper(hits, high, confidence) > at_most:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        enough = middle > hits and binomial_upper(hits, middle, confidence) <= at_most
        low, high = (low, middle) if enough else (middle, high)
    return high


def _check(hits: int, samples: int, confidence: float) -> None:
    if not 0 <= hits <= samples or samples < 1:
        raise ValueError(f"{hits} of {samples} is no observation")
    if not 0.5 <= confidence < 1:  # noqa: PLR2004 - below one half it is no confidence
        raise ValueError("a confidence lies between 0.5 and 1")


def _rise(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Bisect for where `holds` turns true; return the side on which it does, so a bound is never understated."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _binomial_tail(hits: int, samples: int, rate: float) -> float:
    """Return P(X <= hits), for rate above hits / samples."""
    if rate >= 1:
        return 0.0
    odds = (1 - rate) / rate
    first = math.exp(
        math.lgamma(samples + 1)
        - math.lgamma(hits + 1)
        - math.lgamma(samples - hits + 1)
        + hits * math.log(rate)
        + (samples - hits) * math.log1p(-rate)
    )
    return _sum(first, (at * odds / (samples - at + 1) for at in range(hits, 0, -1)))


def _poisson_at_most(events: int, mean: float) -> float:
    """Return P(X <= events), for a mean above `events`."""
    return _sum(_poisson(events, mean), (at / mean for at in range(events, 0, -1)))


def _poisson_at_least(events: int, mean: float) -> float:
    """Return P(X >= events), for a mean below `events`."""
    return _sum(_poisson(events, mean), (mean / at for at in itertools.count(events + 1)))


def _poisson(events: int, mean: float) -> float:
    return math.exp(events * math.log(mean) - mean - math.lgamma(events + 1))


def _sum(term: float, ratios: Iterable[float]) -> float:
    """Add up falling terms, each the one before times the next ratio, until they no longer count."""
    total = term
    for ratio in ratios:
        term *= ratio
        total += term
        if term <= total * _NEGLIGIBLE:
            break
    return total
