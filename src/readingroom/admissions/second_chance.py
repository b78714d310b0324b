"""Who is next, when something has come back: the published order decides, and nobody is passed over. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from readingroom.admissions.allocation import Sheet
from readingroom.admissions.call import CallFile
from readingroom.admissions.model import Amounts
from readingroom.core.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Next:
    """Who is offered a second chance, and how much."""

    application: str
    rank: int
    amounts: Amounts


def next_in_line(
    file: CallFile, sheets: Sequence[Sheet], waiting: Collection[str], in_pool: Mapping[str, int]
) -> Next | Refusal:
    """Find the best-ranked application that was refused for want of budget, and what the pool can give it.

    As at the line itself: what was asked for, or what is there, if that is a minimum award at least. Whoever was set
    aside (vetoed, under the floor) has no rank, and no second chance.

    Args:
        file: the call.
        sheets: of the allocation as it was fixed.
        waiting: applications that are refused still.
        in_pool: what came back, by unit.
    """
    can = file.within(in_pool)
    line = sorted(
        (each for each in sheets if each.rank and each.application in waiting), key=lambda each: each.rank or 0
    )
    bounds = file.limits.of(line[0].tier if line else "")
    if can < bounds.minimum:
        reason = f"{can} passes have come back; an award here is {bounds.minimum} at least."
        return Refusal("admissions/pool-too-small", reason, {"pool": can, "minimum": bounds.minimum})
    if not line:
        return Refusal("admissions/nobody-waits", "Nobody on this call's ranked list was refused for want of budget.")
    first = line[0]
    return Next(first.application, first.rank or 0, file.amounts(min(first.asked, bounds.maximum, can)))
