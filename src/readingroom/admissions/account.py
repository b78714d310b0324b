"""The account of a call's budget: every unit that moves leaves one place and enters another (promise 6).

Budget in = rest + reserve + offered + granted, always, in each unit. A posting moves a positive amount; the
account `budget` is where everything comes from, so all balances together are zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from readingroom.admissions.model import Amounts


class Place(StrEnum):
    """Where an amount can be."""

    BUDGET = "budget"  # the source; its balance is minus all that was ever put in
    REST = "rest"  # may still be awarded
    RESERVE = "reserve"  # kept for appeals
    OFFERED = "offered"  # awarded, and not yet accepted
    GRANTED = "granted"  # accepted


class Cause(StrEnum):
    """Why an amount moved, with the way it moves."""

    OPENED = "opened"
    RESERVED = "reserved"
    AWARDED = "awarded"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"
    RETURNED = "returned"

    @property
    def way(self) -> tuple[Place, Place]:
        """Return from where to where."""
        return _WAYS[self]


_WAYS = {
    Cause.OPENED: (Place.BUDGET, Place.REST),
    Cause.RESERVED: (Place.REST, Place.RESERVE),
    Cause.AWARDED: (Place.REST, Place.OFFERED),
    Cause.ACCEPTED: (Place.OFFERED, Place.GRANTED),
    Cause.DECLINED: (Place.OFFERED, Place.REST),
    Cause.LAPSED: (Place.OFFERED, Place.REST),
    Cause.RETURNED: (Place.GRANTED, Place.REST),
}


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement of a positive amount of one unit; `award` where it concerns one."""

    unit: str
    amount: int
    cause: Cause
    award: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """Where one unit of a call's budget is now. `budget == rest + reserve + offered + granted`, always."""

    budget: int
    rest: int
    reserve: int
    offered: int
    granted: int

    @property
    def conserved(self) -> bool:
        """Tell whether it adds up and nothing is overdrawn."""
        parts = (self.rest, self.reserve, self.offered, self.granted)
        return self.budget == sum(parts) and min(parts) >= 0


def postings(amounts: Amounts, cause: Cause, award: str = "") -> list[Posting]:
    """Move an amount in every metered unit; a unit of which it holds nothing does not move."""
    return [Posting(unit, amount, cause, award) for unit, amount in amounts.units().items() if amount]


def balances(entries: Iterable[Posting]) -> Mapping[str, Balance]:
    """Add postings up, by unit."""
    held: dict[str, dict[Place, int]] = defaultdict(lambda: dict.fromkeys(Place, 0))
    for each in entries:
        source, target = each.cause.way
        held[each.unit][source] -= each.amount
        held[each.unit][target] += each.amount
    return {unit: _balance(places) for unit, places in sorted(held.items())}


def _balance(places: Mapping[Place, int]) -> Balance:
    return Balance(
        budget=-places[Place.BUDGET],
        rest=places[Place.REST],
        reserve=places[Place.RESERVE],
        offered=places[Place.OFFERED],
        granted=places[Place.GRANTED],
    )


def covers(held: Mapping[str, Balance], amounts: Amounts) -> bool:
    """Tell whether the rest of a call covers an award in every metered unit."""
    return all(unit in held and held[unit].rest >= amount for unit, amount in amounts.units().items())


def granted(entries: Iterable[Posting], award: str) -> dict[str, int]:
    """Return what is granted now under one award, by unit: accepted, less what was returned."""
    held: dict[str, int] = defaultdict(int)
    for each in entries:
        source, target = each.cause.way
        if each.award == award and Place.GRANTED in {source, target}:
            held[each.unit] += each.amount if target is Place.GRANTED else -each.amount
    return dict(held)
