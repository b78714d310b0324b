"""A call's account in the ledger: each act that moves it is an entry, so an outsider can add it up. Pure.

The entry says what moved, numbered on from the one before, and where everything is afterwards. It names no award and no
person, and its author is the house: whoever holds a dossier reads how much moved and why, and learns of nobody who had
it. Whose act it was stands in the act's own entry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readingroom.admissions.account import Balance, Cause, Place, Posting
from readingroom.core.canonical import Json
from readingroom.ledger.note import Unproven

EVENT = "admissions.call.moved"
BY = "admissions"  # the house's own, whoever acted
BETWEEN_CALLS = frozenset({Cause.OPENED, Cause.FUNDED, Cause.GIVEN_BACK, Cause.REGAINED})  # they name the other call


@dataclass(frozen=True, slots=True)
class Step:
    """One act's movements, as its entry in the ledger tells them.

    Attributes:
        moves: one for each cause and unit.
        last: the number of its last posting; the next step begins one later.
    """

    seq: int
    at: str
    moves: tuple[Posting, ...]
    last: int

    def amounts(self, *causes: Cause) -> dict[str, int]:
        """Return how much moved for some causes together, by unit; without units of which nothing did."""
        held: Counter[str] = Counter()
        for each in self.moves:
            held[each.unit] += each.amount if each.cause in causes else 0
        return {unit: amount for unit, amount in held.items() if amount}

    def told(self) -> str:
        """Say it in a line."""
        moves = ", ".join(
            f"{each.cause.value} {each.amount:,} {each.unit}" + (f" ({each.award})" if each.award else "")
            for each in self.moves
        )
        return f"entry {self.seq}, {self.at}: {moves}"


def record(moved: Sequence[Posting], first: int, held: Mapping[str, Balance]) -> dict[str, Json]:
    """Return what the ledger's entry says of an act's movements.

    Args:
        moved: in order; those of one cause and unit are told together.
        first: the number of the first of them in the call's account, from 1.
        held: the account after them.
    """
    together: dict[tuple[str, str, str], int] = {}
    for each in moved:
        key = (each.cause.value, each.unit, each.award if each.cause in BETWEEN_CALLS else "")
        together[key] = together.get(key, 0) + each.amount
    moves = [
        {"cause": cause, "unit": unit, "amount": amount} | ({"other": other} if other else {})
        for (cause, unit, other), amount in together.items()
    ]
    return {"first": first, "count": len(moved), "moves": moves, "after": spelled(held)}


def spelled(held: Mapping[str, Balance]) -> Json:
    """Spell where everything is, by unit and place; an empty place is left out."""
    return {
        unit: {"budget": each.budget} | {place.value: amount for place, amount in each.parts() if amount}
        for unit, each in sorted(held.items())
    }


def read(entry: Mapping[str, Any]) -> Step:
    """Read a movement's entry of the ledger back.

    Raises:
        Unproven: it is not made as one is.
        KeyError, TypeError, ValueError: likewise.
    """
    data = entry["data"]
    moves = tuple(Posting(m["unit"], m["amount"], Cause(m["cause"]), m.get("other", "")) for m in data["moves"])
    if (
        any(type(each.amount) is not int or each.amount <= 0 for each in moves)
        or data["count"] < len(moves)
        or not moves
    ):
        raise Unproven(f"entry {entry['seq']} moves nothing, or less")
    return Step(entry["seq"], entry["at"], moves, data["first"] + data["count"] - 1)


def replay(entries: Sequence[Mapping[str, Any]], *, whole: bool) -> list[Step]:
    """Add up an account from its entries, one by one.

    Args:
        entries: in the order in which they are claimed to stand in the ledger.
        whole: whether they must begin with the first movement; else the first tells where everything was before it, and
            everything is believed to have been so.

    Raises:
        Unproven: one is missing, out of order, or told twice; something is overdrawn; or after one of them the account
            does not add up to the unit, or is not what the entry says.
    """
    steps: list[Step] = []
    held: dict[str, Counter[Place]] = {}
    for entry in entries:
        step, data = read(entry), entry["data"]
        if not steps and not whole:
            held = _places(data["after"])
            _move(held, step, -1)
        elif data["first"] != (steps[-1].last + 1 if steps else 1):
            raise Unproven(f"a movement before entry {step.seq} is missing, or they are not in order")
        _move(held, step, 1)
        for unit, places in held.items():
            parts = [amount for place, amount in places.items() if place is not Place.BUDGET]
            if min(parts, default=0) < 0 or sum(parts) != -places[Place.BUDGET]:
                raise Unproven(f"after entry {step.seq} the account does not add up in {unit}")
        if _spelled(held) != data["after"]:
            raise Unproven(f"after entry {step.seq} the account is not what the entry says")
        steps.append(step)
    return steps


def _move(held: dict[str, Counter[Place]], step: Step, sign: int) -> None:
    for each in step.moves:
        source, target = each.cause.way
        places = held.setdefault(each.unit, Counter())
        places[source] -= sign * each.amount
        places[target] += sign * each.amount


def _places(after: Mapping[str, Mapping[str, int]]) -> dict[str, Counter[Place]]:
    """Read `spelled` back: what is in each place, the budget as what left it."""
    return {
        unit: Counter({Place(name): -amount if name == Place.BUDGET else amount for name, amount in held.items()})
        for unit, held in after.items()
    }


def _spelled(held: Mapping[str, Counter[Place]]) -> Json:
    return {
        unit: {"budget": -places[Place.BUDGET]}
        | {place.value: amount for place, amount in places.items() if amount and place is not Place.BUDGET}
        for unit, places in held.items()
    }


def each_by(steps: Collection[Step], *causes: Cause) -> Counter[tuple[tuple[str, int], ...]]:
    """Count acts by how much they moved for some causes: to be compared with awards, of which none is named."""
    found = (step.amounts(*causes) for step in steps)
    return Counter(tuple(sorted(each.items())) for each in found if each)


def all_by(steps: Collection[Step], *causes: Cause) -> dict[str, int]:
    """Return how much moved for some causes in all, by unit."""
    total: Counter[str] = Counter()
    for step in steps:
        total.update(step.amounts(*causes))
    return dict(total)
