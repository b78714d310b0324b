"""Proportional scaling: everyone who is funded gets the same fraction of what was asked for.

Where that fraction would leave someone under the useful minimum, the lowest ranked are left out until it does
not. Reconciliation by one common fraction is how TeraGrid and XSEDE met requests of three times the supply.
An applicant gains by asking for more; the call's maximum is what bounds that, and the docs say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from readingroom.admissions.model import Reason
from readingroom.admissions.policies.base import SCORING, Claim, Policy, Pot, Share
from readingroom.core.canonical import Json
from readingroom.core.document import Node


@dataclass(frozen=True, slots=True)
class Proportional:
    """One fraction for as many of the best ranked as it leaves a useful amount."""

    name = "proportional"
    objective = "as many useful awards as the budget allows, each the same fraction of what was asked for"
    promise = "A better score never gives less."

    def canonical(self) -> Json:
        """Return the name and parameters as JSON."""
        return {"policy": self.name}

    def describe(self) -> str:
        """Say how it divides."""
        return (
            "All funded applications are given the same fraction of what they ask for. Where that would be less "
            "than the useful minimum for one of them, the lowest ranked are left out until it is not."
        )

    def share(self, pot: Pot, claims: Sequence[Claim], lot: bytes) -> list[Share]:  # noqa: ARG002 - nothing is drawn
        """Divide the pot; see `Policy.share`."""
        caps = [each.cap for each in claims]
        sums = list(accumulate(caps, initial=0))
        bounds = [useful_up_to(pot, each) for each in claims]
        least = list(accumulate(bounds, min))
        funded = _most(len(caps), lambda k: sums[k] <= least[k - 1])
        given = scale(pot.passes, caps[:funded], sums[funded])
        shares = [_share(passes, cap) for passes, cap in zip(given, caps, strict=False)]
        for rank in range(funded, len(caps)):
            # Moved up among the best k, this claim takes the place of the last of them.
            cap, own = caps[rank], bounds[rank]
            better = _most(rank, lambda k: sums[k - 1] + cap <= min([own, *least[k - 2 : k - 1]]))  # noqa: B023 - called at once
            shares.append(Share(0, Reason.BELOW_LINE, needed_rank=better or None))
        return shares


def useful_up_to(pot: Pot, claim: Claim) -> int:
    """Return the most that claims may ask together so that this one's share, rounded down, is still of use to it.

    Its cap is at least its minimum, so this is never less than the pot.
    """
    return claim.cap * pot.passes // pot.least(claim)


def _most(upper: int, holds: Callable[[int], bool]) -> int:
    """Return the largest k in 1..upper that holds, or 0; what fails for some k fails for every larger one."""
    low, high = 0, upper
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low


def scale(passes: int, caps: Sequence[int], total: int) -> list[int]:
    """Scale caps to `passes` in whole numbers: round down, then one more to the largest remainders, by rank."""
    if total <= passes:
        return list(caps)
    parts = [divmod(cap * passes, total) for cap in caps]
    spare = passes - sum(whole for whole, _ in parts)
    by_remainder = sorted(range(len(caps)), key=lambda i: (-parts[i][1], i))
    lucky = set(by_remainder[:spare])
    return [whole + (i in lucky) for i, (whole, _) in enumerate(parts)]


def _share(passes: int, cap: int) -> Share:
    return Share(passes, Reason.IN_FULL if passes == cap else Reason.SCALED)


def parse(node: Node) -> Policy:
    """Read the policy's parameters (it has none) from a call file's `allocation`."""
    node.fields(["policy"], SCORING)
    return Proportional()
