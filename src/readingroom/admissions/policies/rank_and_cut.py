"""Rank and cut: go down the ranking, giving each what was asked for, until the pot does not reach."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from readingroom.admissions.model import Reason
from readingroom.admissions.policies.base import SCORING, Claim, Policy, Pot, Share
from readingroom.admissions.shape import Field, Holds
from readingroom.core.canonical import Json
from readingroom.core.document import Node


class AtLine(StrEnum):
    """What happens at the first claim that the pot does not cover whole."""

    STOP = "stop"  # it and all below get nothing
    PARTIAL = "partial"  # it is given the rest, if that is useful; all below get nothing
    SKIP = "skip"  # it gets nothing, and smaller claims below may still be covered


_SENTENCES = {
    AtLine.STOP: "The first that the budget does not cover whole, and all below it, are given nothing.",
    AtLine.PARTIAL: "The first that the budget does not cover whole is given the rest, if that is a useful amount.",
    AtLine.SKIP: "One that the budget does not cover whole is passed over, and smaller ones below may be covered.",
}
FIELDS = (
    Field("at_line", "At the funding line", Holds.CHOICE, usual="partial", says={
        AtLine.STOP: "stop: it and all below are given nothing", AtLine.PARTIAL: "partial: it is given the rest",
        AtLine.SKIP: "skip: it is passed over, and smaller ones below may be covered",
    }),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RankAndCut:
    """Awards in full down the ranking; `at_line` says what happens where the pot ends."""

    at_line: AtLine = AtLine.PARTIAL
    name = "rank-and-cut"
    objective = "the best ranked, each with what it asks for"
    promise = "A better score never gives less."

    def canonical(self) -> Json:
        """Return the name and parameters as JSON."""
        return {"policy": self.name, "at_line": self.at_line.value}

    def describe(self) -> str:
        """Say how it divides."""
        return f"In the order of their rank, applications are given what they ask for. {_SENTENCES[self.at_line]}"

    def share(self, pot: Pot, claims: Sequence[Claim], lot: bytes) -> list[Share]:  # noqa: ARG002 - nothing is drawn
        """Divide the pot; see `Policy.share`."""
        shares: list[Share] = []
        left = [pot.passes]  # left[r]: what is left before rank r + 1; never rises, so it can be bisected
        for cap, minimum in ((each.cap, pot.least(each)) for each in claims):
            given = self._given(left[-1], cap, minimum)
            shares.append(_full_or_rest(given, cap) if given else self._missed(left, cap, minimum))
            crossed = given < cap and self.at_line is not AtLine.SKIP
            left.append(0 if crossed else left[-1] - given)
        return shares

    def _given(self, left: int, cap: int, minimum: int) -> int:
        if cap <= left:
            return cap
        return left if self.at_line is AtLine.PARTIAL and left >= minimum else 0

    def _missed(self, left: list[int], cap: int, minimum: int) -> Share:
        """Explain a miss: standing higher, this claim would have met what was left there, unchanged by it."""
        enough = minimum if self.at_line is AtLine.PARTIAL else cap
        better = bisect_left(left, 1, key=lambda amount: int(amount < enough))
        fits = left[-1] if left[-1] >= minimum else None
        return Share(0, Reason.BELOW_LINE, needed_rank=better or None, would_fit=fits)


def _full_or_rest(given: int, cap: int) -> Share:
    return Share(given, Reason.IN_FULL if given == cap else Reason.REST_AT_LINE)


def parse(node: Node) -> Policy:
    """Read the policy's parameters from a call file's `allocation`."""
    fields = node.fields(["policy"], ["at_line", *SCORING])
    if "at_line" not in fields:
        return RankAndCut()
    return RankAndCut(AtLine(fields["at_line"].choice([each.value for each in AtLine], AtLine.PARTIAL.value)))
