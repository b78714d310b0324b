"""What an allocation policy is given and what it returns.

A policy is a frozen dataclass of its parameters. It sees ranked claims and a pot of passes and nothing else: no
names, no scores, no ids that it could favour. It must keep four promises, each a property test over every entry
of the registry: it never gives more than the pot, never less than the minimum to anyone it gives to, never more
than a claim's cap, and never less to a claim for standing higher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from readingroom.admissions.model import Reason
from readingroom.core.canonical import Json


@dataclass(frozen=True, slots=True)
class Pot:
    """What may be given: `passes` in all, to each at least `minimum`."""

    passes: int
    minimum: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one claim is given.

    Attributes:
        passes: 0 where nothing is given.
        reason: the rule that decided.
        needed_rank: the lowest rank (1 is the best) at which this claim would have been given something, all
            else equal; None where it was given something, or where no rank would have helped.
        would_fit: the largest cap that would have been given at this rank; None likewise.
    """

    passes: int
    reason: Reason
    needed_rank: int | None = None
    would_fit: int | None = None


class Policy(Protocol):
    """A way of dividing a pot among ranked claims."""

    @property
    def name(self) -> str:
        """The policy's name, as written in a call file."""

    def canonical(self) -> Json:
        """Return the name and parameters as JSON."""

    def describe(self) -> str:
        """Say in one or two sentences how it divides, for applicants."""

    def share(self, pot: Pot, caps: Sequence[int]) -> list[Share]:
        """Divide the pot.

        Args:
            pot: passes to give, and the minimum.
            caps: each claim's cap (the least of its ask and the call's maximum), best rank first; each is at
                least the minimum.

        Returns:
            One share for each claim, in the same order.
        """
