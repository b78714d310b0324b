"""The account of a call's budget: every unit that moves leaves one place and enters another (promise 6).

Budget in = rest + reserve + offered + granted + held + pool + lent, always, in each unit. A posting moves a positive
amount; the account `budget` is where everything comes from, so all balances together are zero. What one call lends
to a child call enters the child's account as its budget: over a family of calls, too, nothing is made or lost.

Whatever comes back stops in the rest; the second-chance pool is filled from there, and emptied to there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from readingroom.admissions.model import Amounts


class Place(StrEnum):
    """Where an amount can be."""

    BUDGET = "budget"  # the source; its balance is minus all that was put in and not given back
    REST = "rest"  # may still be awarded
    RESERVE = "reserve"  # kept for appeals
    OFFERED = "offered"  # awarded, and not yet accepted
    GRANTED = "granted"  # accepted: the allocation of a grant
    HELD = "held"  # accepted, and released after a report
    POOL = "pool"  # came back, for a second chance
    LENT = "lent"  # to child calls


class Cause(StrEnum):
    """Why an amount moved, with the way it moves."""

    OPENED = "opened"
    RESERVED = "reserved"
    AWARDED = "awarded"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"
    RETURNED = "returned"
    HELD_BACK = "held-back"  # of what was accepted: later tranches
    RELEASED = "released"  # a tranche, after a report
    WITHHELD = "withheld"  # a tranche that no report earned, or that was given back
    SUPPLEMENTED = "supplemented"
    PASSED = "passed"  # to another grant of the same holder, which has it `received`
    RECEIVED = "received"
    POOLED = "pooled"
    DRAWN = "drawn"  # out of the pool, for a second chance
    UNRESERVED = "unreserved"  # for an appeal that was upheld, or as none can come any more
    FUNDED = "funded"  # a child call
    GIVEN_BACK = "given-back"  # by a child call, whose parent has it `regained`
    REGAINED = "regained"

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
    Cause.HELD_BACK: (Place.OFFERED, Place.HELD),
    Cause.RELEASED: (Place.HELD, Place.GRANTED),
    Cause.WITHHELD: (Place.HELD, Place.REST),
    Cause.SUPPLEMENTED: (Place.REST, Place.GRANTED),
    Cause.PASSED: (Place.GRANTED, Place.REST),
    Cause.RECEIVED: (Place.REST, Place.GRANTED),
    Cause.POOLED: (Place.REST, Place.POOL),
    Cause.DRAWN: (Place.POOL, Place.REST),
    Cause.UNRESERVED: (Place.RESERVE, Place.REST),
    Cause.FUNDED: (Place.REST, Place.LENT),
    Cause.GIVEN_BACK: (Place.REST, Place.BUDGET),
    Cause.REGAINED: (Place.LENT, Place.REST),
}


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement of a positive amount of one unit; `award` is the award or the other call that it concerns."""

    unit: str
    amount: int
    cause: Cause
    award: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """Where one unit of a call's budget is now; all places together are the budget, always."""

    budget: int
    rest: int
    reserve: int
    offered: int
    granted: int
    held: int = 0
    pool: int = 0
    lent: int = 0

    @property
    def conserved(self) -> bool:
        """Tell whether it adds up and nothing is overdrawn."""
        parts = [amount for _, amount in self.parts()]
        return self.budget == sum(parts) and min(parts) >= 0

    def parts(self) -> tuple[tuple[Place, int], ...]:
        """Return what is in each place, in the order in which a bar shows them."""
        return (
            (Place.GRANTED, self.granted),
            (Place.HELD, self.held),
            (Place.OFFERED, self.offered),
            (Place.LENT, self.lent),
            (Place.RESERVE, self.reserve),
            (Place.POOL, self.pool),
            (Place.REST, self.rest),
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of the bar that is a call's budget: from `begins` on, `amount` units long."""

    name: str
    amount: int
    begins: int


def shares(held: Balance, used: int = 0) -> tuple[Part, ...]:
    """Cut one unit of a budget into the pieces of a bar; they follow each other and end at the budget, exactly.

    Args:
        held: where the unit is.
        used: of what is granted, by the readers so far; its piece goes first.
    """
    spent = min(max(used, 0), held.granted)
    pieces = [("used", spent), *((place.value, amount) for place, amount in held.parts())]
    pieces[1] = ("granted", held.granted - spent)
    parts, at = [], 0
    for name, amount in pieces:
        parts.append(Part(name, amount, at))
        at += amount
    return tuple(parts)


def postings(amounts: Amounts, cause: Cause, award: str = "") -> list[Posting]:
    """Move an amount in every metered unit; a unit of which it holds nothing does not move."""
    return [Posting(unit, amount, cause, award) for unit, amount in amounts.units().items() if amount]


def freed(amounts: Amounts, cause: Cause, award: str, *, second_chance: bool) -> list[Posting]:
    """Let an amount come back: into the rest, and from there into the pool where the call gives second chances."""
    back = postings(amounts, cause, award)
    return [*back, *postings(amounts, Cause.POOLED, award)] if second_chance else back


def accepted(amounts: Amounts, first: Amounts, award: str) -> list[Posting]:
    """Grant the first tranche of an award, and hold the others back."""
    later = postings(less(amounts, first), Cause.HELD_BACK, award)
    return [*postings(first, Cause.ACCEPTED, award), *later]


def less(amounts: Amounts, part: Amounts) -> Amounts:
    """Take a part away, unit by unit; what is unmetered stays so."""
    taken = part.units()
    left = {unit: amount - taken.get(unit, 0) for unit, amount in amounts.units().items()}
    return of_units(left, amounts)


def of_units(units: Mapping[str, int], like: Amounts) -> Amounts:
    """Spell units as amounts that meter the same as others do; a unit that is not named is nothing."""
    tokens = None if like.tokens is None else units.get("tokens", 0)
    calls = None if like.calls is None else units.get("calls", 0)
    return Amounts(units.get("passes", 0), tokens, calls)


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
        held=places[Place.HELD],
        pool=places[Place.POOL],
        lent=places[Place.LENT],
    )


def covers(held: Mapping[str, Balance], amounts: Amounts, place: Place = Place.REST) -> bool:
    """Tell whether what is in a place of a call covers an amount in every metered unit."""
    return all(there(held, unit, place) >= amount for unit, amount in amounts.units().items())


def there(held: Mapping[str, Balance], unit: str, place: Place) -> int:
    """Return what is in a place, of one unit; nothing of a unit that the call does not meter."""
    return dict(held[unit].parts())[place] if unit in held else 0


def at(entries: Iterable[Posting], award: str, place: Place) -> dict[str, int]:
    """Return what is in a place now under one award, by unit."""
    held: dict[str, int] = defaultdict(int)
    for each in entries:
        source, target = each.cause.way
        if each.award == award and place in {source, target}:
            held[each.unit] += each.amount if target is place else -each.amount
    return dict(held)


def granted(entries: Iterable[Posting], award: str) -> dict[str, int]:
    """Return what is granted now under one award, by unit: accepted, released and added, less what was returned."""
    return at(entries, award, Place.GRANTED)
