"""What an allocation policy is given and what it returns.

A policy is a frozen dataclass of its parameters. It sees ranked claims, a pot of passes and 32 bytes for drawing lots,
and nothing else: no names, no ids that it could favour. It must keep these promises, each a property test over every
entry of the registry: it never gives more than the pot, never less than `pot.least` to anyone it gives to, never more
than a claim's cap, and the same to the same bytes. What it promises to a better score, it says in `promise`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from readingroom.admissions.model import Reason
from readingroom.core.canonical import Json

SCORING = ("adjust", "interval")  # keys of `allocation` that every policy shares; `call_file.dividing` reads them


@dataclass(frozen=True, slots=True)
class Pot:
    """What may be given: `passes` in all, to each at least `minimum`; to some claims only more (`least`)."""

    passes: int
    minimum: int

    def least(self, claim: Claim) -> int:
        """Return the fewest passes that are of use to a claim."""
        return max(self.minimum, claim.minimum)


@dataclass(frozen=True, slots=True)
class Claim:
    """One ranked application, as a policy sees it.

    Attributes:
        cap: the least of its ask and the maximum of its tier; at least the minimum.
        score: its mean, exact.
        half: half the width of the interval around the score.
        minimum: of its tier, where that is above the pot's: fewer passes are of no use to it.
    """

    cap: int
    score: Fraction = Fraction(0)
    half: Fraction = Fraction(0)
    minimum: int = 0

    @property
    def low(self) -> Fraction:
        """The interval's lower end."""
        return self.score - self.half

    @property
    def high(self) -> Fraction:
        """The interval's upper end."""
        return self.score + self.half


@dataclass(frozen=True, slots=True)
class Share:
    """What one claim is given.

    Attributes:
        passes: 0 where nothing is given.
        reason: the rule that decided.
        needed_rank: the lowest rank (1 is the best) at which this claim would have been given something, all
            else equal; None where it was given something, or where no rank would have helped.
        needed_score: the least score with which it would have been given something (of a lottery: a chance), where
            that does not follow from a rank.
        would_fit: the largest cap that would have been given at this rank; None likewise.
        chance: the probability with which it was to be given something, where lots were drawn.
    """

    passes: int
    reason: Reason
    needed_rank: int | None = None
    needed_score: Fraction | None = None
    would_fit: int | None = None
    chance: Fraction | None = None


class Policy(Protocol):
    """A way of dividing a pot among ranked claims."""

    @property
    def name(self) -> str:
        """The policy's name, as written in a call file."""

    @property
    def objective(self) -> str:
        """What it serves, as a noun phrase: a call says so."""

    @property
    def promise(self) -> str:
        """What a better score of one's own can and cannot do, in a sentence."""

    def canonical(self) -> Json:
        """Return the name and parameters as JSON."""

    def describe(self) -> str:
        """Say in one or two sentences how it divides, for applicants."""

    def share(self, pot: Pot, claims: Sequence[Claim], lot: bytes) -> list[Share]:
        """Divide the pot.

        Args:
            pot: passes to give, and the minimum.
            claims: the best rank first.
            lot: 32 bytes that nobody could choose; only for drawing lots.

        Returns:
            One share for each claim, in the same order.
        """
