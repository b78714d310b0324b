"""Tiers: awards come in a few sizes; down the ranking, each gets the largest it asked for, deserves and that is left.

With `first_tranche` a part of each award is released at once, and the rest after a report.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from readingroom.admissions.model import Reason
from readingroom.admissions.policies.base import SCORING, Claim, Policy, Pot, Share
from readingroom.core.canonical import Json
from readingroom.core.document import Node

WHOLE = 100  # per cent


@dataclass(frozen=True, slots=True)
class Size:
    """One size of award: so many passes, for a mean score of at least so much (the smallest asks for none)."""

    passes: int
    score: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Tiers:
    """Awards of fixed sizes, the smallest first; `first` per cent of each are released at once."""

    sizes: tuple[Size, ...]
    first: int = WHOLE
    name = "tiers"
    objective = "the best ranked, each with one of a few fixed amounts"
    promise = "A better score never gives less."

    def canonical(self) -> Json:
        """Return the name and parameters as JSON."""
        sizes = [{"passes": each.passes, "score": str(each.score)} for each in self.sizes]
        return {"policy": self.name, "sizes": sizes, "first_tranche": self.first}

    def describe(self) -> str:
        """Say how it divides."""
        amounts = ", ".join(str(each.passes) for each in self.sizes)
        later = "" if self.first == WHOLE else f" {self.first} % of it at once, the rest after a report."
        return (
            f"Awards are of {amounts} passes. In the order of their rank, applications are given the largest of these "
            f"that they ask for, that their score allows and that the budget still covers.{later}"
        )

    def share(self, pot: Pot, claims: Sequence[Claim], lot: bytes) -> list[Share]:  # noqa: ARG002 - nothing is drawn
        """Divide the pot; see `Policy.share`."""
        shares: list[Share] = []
        left = [pot.passes]  # left[r]: what is left before rank r + 1; it never rises
        for claim in claims:
            given = self._given(claim, left[-1])
            left.append(left[-1] - given)
            if given:
                reason = Reason.IN_FULL if given == claim.cap else Reason.TIER
                shares.append(Share(given, reason, at_once=tranches(given, self.first)[0]))
            else:
                least = self.sizes[0].passes
                better = bisect_left(left, 1, key=lambda amount, least=least: int(amount < least))  # type: ignore[misc]
                shares.append(Share(0, Reason.BELOW_LINE, needed_rank=better or None))
        return shares

    def _given(self, claim: Claim, left: int) -> int:
        most = min(claim.cap, left)
        return max((each.passes for each in self.sizes if each.passes <= most and claim.score >= each.score), default=0)


def tranches(passes: int, first: int) -> tuple[int, int]:
    """Split an award into what is released at once (`first` per cent, rounded down, at least one pass) and the rest."""
    at_once = max(1, passes * first // WHOLE)
    return at_once, passes - at_once


def parse(node: Node) -> Policy:
    """Read the policy's parameters from a call file's `allocation`."""
    fields = node.fields(["policy", "sizes"], ["first_tranche", *SCORING])
    sizes = tuple(_size(each) for each in fields["sizes"].items()) if "sizes" in fields else ()
    if "sizes" in fields:
        steps = list(pairwise(sizes))
        if not sizes:
            fields["sizes"].problem("there are no sizes", "Add '- {passes: 2000}'")
        if any(low.passes >= high.passes or low.score > high.score for low, high in steps):
            fields["sizes"].problem("sizes go from the smallest to the largest", "Order them; scores must not fall")
        if sizes and sizes[0].score:
            fields["sizes"].problem("the smallest size has a score of its own", "Take it out; review.floor is that")
    first = fields["first_tranche"].integer(1, WHOLE) if "first_tranche" in fields else WHOLE
    return Tiers(sizes or (Size(1),), first)


def _size(node: Node) -> Size:
    fields = node.fields(["passes"], ["score"])
    passes = fields["passes"].integer(1) if "passes" in fields else 1
    score = Fraction(str(fields["score"].number(0, 999))) if "score" in fields else Fraction(0)
    return Size(passes, score)
