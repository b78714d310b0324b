"""Tiers: awards come in a few sizes; down the ranking, each gets the largest it asked for, deserves and that is left.

With `first_tranche` a part of each award is released at once, and the rest after a report: it is the call's
`tranches`, said beside the sizes (`call_file.after`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from readingroom.admissions.model import Reason
from readingroom.admissions.policies.base import SCORING, Claim, Policy, Pot, Share
from readingroom.admissions.shape import Field, Holds
from readingroom.core.canonical import Json
from readingroom.core.document import Node

WHOLE = 100  # per cent
FIELDS = (
    Field("sizes", "Sizes", Holds.LIST, "From the smallest to the largest", one="size", of=(
        Field("passes", "Passes", Holds.WHOLE),
        Field("score", "For a mean of at least", Holds.NUMBER, usual="no score"),
    )),
    Field("first_tranche", "Per cent released at acceptance", Holds.WHOLE, usual="100"),
)  # fmt: skip


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
            given = max((size for size in self._fitting(pot, claim) if size <= left[-1]), default=0)
            left.append(left[-1] - given)
            if given:
                reason = Reason.IN_FULL if given == claim.cap else Reason.TIER
                shares.append(Share(given, reason))
            else:
                least = min(self._fitting(pot, claim), default=0)
                better = bisect_left(left, 1, key=lambda amount, least=least: int(amount < least)) if least else 0  # type: ignore[misc]
                shares.append(Share(0, Reason.BELOW_LINE, needed_rank=better or None))
        return shares

    def _fitting(self, pot: Pot, claim: Claim) -> list[int]:
        """Return the sizes that a claim asks for and deserves, whatever is left."""
        bounds = range(pot.least(claim), claim.cap + 1)
        return [each.passes for each in self.sizes if each.passes in bounds and claim.score >= each.score]


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
