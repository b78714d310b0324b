"""Partial lottery: clear cases by rank, and lots where the funding line runs through an application's interval.

The probabilities are linear in the score, exact, and published.

1. Down the ranking, as many as the pot covers in full (K) are above the line; the line is the K-th score.
2. Whose whole interval is above the line is funded, whose whole interval is below it is not; the others are the zone.
3. Of the zone as many are drawn (k) as were left to fund. The probability is `1/2 + (score - c) / width`, kept between
   0 and 1, with c such that the probabilities sum to k: a small difference in score is a small difference in chance
   (a linear lottery), and equal scores have equal chances.
4. The draw is systematic (Madow, 1949): the probabilities are laid end to end, and whoever covers one of the points
   u, u + 1, u + 2 ... is drawn, with one u from the seed. So exactly k are drawn, each with exactly its probability.
5. Who is drawn gets the ask; where those drawn ask together for more than is left, all of them the same fraction. k is
   made smaller beforehand where that could leave anyone under the useful minimum.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from math import lcm

from readingroom.admissions.model import Reason
from readingroom.admissions.policies.base import SCORING, Claim, Policy, Pot, Share
from readingroom.admissions.policies.proportional import scale, useful_up_to
from readingroom.core.canonical import Json
from readingroom.core.document import Node


@dataclass(frozen=True, slots=True)
class PartialLottery:
    """Clear cases by rank, the others by lot."""

    name = "partial-lottery"
    objective = "the best where the scores can tell, and equal chances where they cannot"
    promise = (
        "In one draw, of two with intervals of the same width (as many reviews), the better score never has a smaller "
        "chance; a wide interval can hold the line where a better score's narrow one is clear of it. Raising one's own "
        "score can move the line for all, and with it the chances: that it never lowers one's own is not promised."
    )

    def canonical(self) -> Json:
        """Return the name and parameters as JSON."""
        return {"policy": self.name}

    def describe(self) -> str:
        """Say how it divides."""
        return (
            "Applications whose whole interval is above the funding line are funded; among those whose interval holds "
            "the line, lots are drawn, with chances that grow with the score and are published."
        )

    def share(self, pot: Pot, claims: Sequence[Claim], lot: bytes) -> list[Share]:
        """Divide the pot; see `Policy.share`."""
        if sum(each.cap for each in claims) <= pot.passes:
            return [Share(each.cap, Reason.IN_FULL) for each in claims]
        above = covered(claims, pot.passes)
        line = claims[above - 1].score
        sure = [i for i, each in enumerate(claims) if each.low > line]
        zone = [i for i, each in enumerate(claims) if each.low <= line <= each.high]
        left = pot.passes - sum(claims[i].cap for i in sure)
        count = _affordable([claims[i] for i in zone], above - len(sure), Pot(left, pot.minimum))
        chances = probabilities([claims[i] for i in zone], count)
        hit = systematic(chances, start(lot))
        drawn = [i for i, chosen in zip(zone, hit, strict=True) if chosen]
        total = sum(claims[i].cap for i in drawn)
        given = dict(zip(drawn, scale(left, [claims[i].cap for i in drawn], total), strict=True))
        chance = dict(zip(zone, chances, strict=True))
        return [
            self._share(each, line, given.get(i, 0), chance.get(i), sure=each.low > line)
            for i, each in enumerate(claims)
        ]

    def _share(self, claim: Claim, line: Fraction, given: int, chance: Fraction | None, *, sure: bool) -> Share:
        if sure:
            return Share(claim.cap, Reason.IN_FULL, chance=Fraction(1))
        if chance is None:
            return Share(0, Reason.BELOW_LINE, needed_score=line - claim.half, chance=Fraction(0))
        return Share(given, Reason.DRAWN if given else Reason.NOT_DRAWN, chance=chance)


def covered(claims: Sequence[Claim], passes: int) -> int:
    """Return how many of the best ranked the pot covers in full; one at least, whose award is then smaller."""
    sums = accumulate(each.cap for each in claims)
    return max(sum(1 for total in sums if total <= passes), min(1, len(claims)))


def _affordable(zone: Sequence[Claim], count: int, pot: Pot) -> int:
    """Return the most that can be drawn, up to `count`, so that whoever they are each gets a useful award."""
    falling = sorted(zone, key=lambda each: -each.cap)
    sums = list(accumulate((each.cap for each in falling), initial=0))
    bounds = [useful_up_to(pot, each) for each in falling]
    beside = [bound - each.cap for bound, each in zip(bounds, falling, strict=True)]
    first = list(accumulate(bounds, min))  # first[i]: the least bound of the i + 1 largest asks
    later = list(accumulate(reversed(beside), min))[::-1]  # later[i]: the least room beside one of the others
    while count > 0:
        # Each is worst off beside the largest of the others: one of the largest beside its like, else beside them.
        largest = count == 1 or sums[count] <= first[count - 2]
        if largest and sums[count - 1] <= later[count - 1]:
            break
        count -= 1
    return count


def probabilities(zone: Sequence[Claim], count: int) -> list[Fraction]:
    """Return each claim's chance: linear in its score between 0 and 1, with the sum `count`; the field's is exact.

    Args:
        zone: claims in the order of their scores, the best first.
        count: how many will be drawn, from 0 to their number.
    """
    if not zone:
        return []
    width = 2 * max(each.half for each in zone)
    if width == 0:  # only who ties at the line is in the zone
        return [Fraction(count, len(zone))] * len(zone)
    # In whole numbers: scores and width over one denominator.
    unit = lcm(width.denominator, *(each.score.denominator for each in zone))
    scores, wide = [int(each.score * unit) for each in zone], int(width * unit)
    shift = _shift(scores, wide, count)
    return [min(Fraction(1), max(Fraction(0), (score + shift) / wide)) for score in scores]


def _shift(scores: Sequence[int], wide: int, count: int) -> Fraction:
    """Return s with sum(clip((score + s) / wide)) == count; the sum grows with s, and is linear between corners."""
    sums = list(accumulate(scores, initial=0))  # scores fall from left to right
    corners = sorted({corner for score in scores for corner in (-score, wide - score)})

    def total(shift: int) -> int:  # times `wide`
        full = _first(scores, lambda score: score + shift < wide)
        some = _first(scores, lambda score: score + shift <= 0)
        return full * wide + sums[some] - sums[full] + (some - full) * shift

    low, high = 0, len(corners) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if total(corners[middle]) >= count * wide else (middle + 1, high)
    upper = corners[low]
    lower = corners[low - 1] if low else upper
    rise = total(upper) - total(lower)
    return upper - Fraction((total(upper) - count * wide) * (upper - lower), rise) if rise else Fraction(upper)


def _first(scores: Sequence[int], holds: Callable[[int], bool]) -> int:
    """Return the index of the first score for which it holds; it holds for all after it."""
    low, high = 0, len(scores)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(scores[middle]) else (middle + 1, high)
    return low


def start(lot: bytes) -> Fraction:
    """Return the draw's one random number, from 0 to below 1: SHA-256 over the lot, as 256 binary places."""
    return Fraction(int.from_bytes(hashlib.sha256(b"systematic" + lot).digest()), 2**256)


def systematic(chances: Sequence[Fraction], begin: Fraction) -> list[bool]:
    """Draw: laid end to end, whoever covers one of the points begin, begin + 1, begin + 2 ... is drawn."""
    ends = accumulate(chances, initial=Fraction(0))
    points = [-((begin - end) // 1) for end in ends]  # how many points lie below each end
    return [after > before for before, after in pairwise(points)]


def parse(node: Node) -> Policy:
    """Read the policy's parameters (it has none of its own) from a call file's `allocation`."""
    node.fields(["policy"], SCORING)
    return PartialLottery()
