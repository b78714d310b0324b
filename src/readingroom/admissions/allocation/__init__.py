"""Dividing a call's budget: a pure function of its file, the reviews and the draw. Integers and fractions only.

1. An application with too many misuse vetoes, or a weighted mean under the floor, is set aside.
2. The rest are ranked by the mean over reviews of the weighted mean over criteria, exact as a fraction; where the call
   chose so, less each reviewer's estimated habit. Ties fall by SHA-256 over the draw and the application's ticket: not
   by order of arrival, and by no name.
3. The call's policy divides budget minus reserve; each amount is from the minimum to the least of ask and maximum. A
   quota that is not met of itself has a part of its own (`dividing`).
4. Each application gets a sheet: what decided, and what would have had to differ.

The seed was committed to in the ledger when the call opened. Where the call names a later public value, the draw is
both together, and nobody knew it before that value was published; else it is the seed alone, which the lab knows.
"""

from __future__ import annotations

from readingroom.admissions.allocation.dividing import divide
from readingroom.admissions.allocation.drawing import combine, tie_break
from readingroom.admissions.allocation.model import Allocation, Candidate, QuotaResult, Sheet, decimal
from readingroom.admissions.allocation.scoring import NO_REVIEWS, Score, score, scores
from readingroom.admissions.allocation.sheets import set_aside, write

__all__ = [
    "NO_REVIEWS",
    "Allocation",
    "Candidate",
    "QuotaResult",
    "Score",
    "Sheet",
    "allocate",
    "combine",
    "decimal",
    "score",
    "tie_break",
]

from collections.abc import Collection

from readingroom.admissions.call import CallFile
from readingroom.admissions.model import Amounts


def allocate(file: CallFile, candidates: Collection[Candidate], seed: bytes, public: bytes = b"") -> Allocation:
    """Divide a competitive call's budget; see the module's text.

    Args:
        file: the call; must have reviews and a policy.
        candidates: in any order; the order does not matter.
        seed: 32 bytes.
        public: the value of the source that the call names; empty where it names none.
    """
    if file.policy is None or file.reviewing is None:
        raise ValueError("a call without a competition has nothing to allocate")
    lots = combine(seed, public)
    known = scores(file, candidates)
    order = sorted(candidates, key=lambda c: (-known[c.application].ranked, tie_break(lots, c.draws_as)))
    aside = {each.application: set_aside(file, each, known[each.application]) for each in order}
    ranked = [each for each in order if aside[each.application] is None]
    parts, quotas = divide(file, ranked, known, lots)
    ranks = {each.application: rank for rank, each in enumerate(ranked, start=1)}
    sheets = [write(file, place, ranks, known) for part in parts for place in part.places()]
    sheets.sort(key=lambda each: each.rank or 0)
    sheets += [sheet for each in order if (sheet := aside[each.application]) is not None]
    return _sum_up(file, sheets, quotas, seed, public)


def _sum_up(
    file: CallFile, sheets: list[Sheet], quotas: tuple[QuotaResult, ...], seed: bytes, public: bytes
) -> Allocation:
    def total(unit: str) -> int:
        return sum(each.amounts.units()[unit] for each in sheets if each.amounts)

    units = file.budget.units()
    reserve = file.reserved()
    awarded = {unit: total(unit) for unit in units}
    rest = {unit: units[unit] - reserve.units()[unit] - awarded[unit] for unit in units}
    return Allocation(
        policy=file.policy.canonical() if file.policy else None,
        scoring=file.scoring,
        seed=seed.hex(),
        public=public.hex(),
        budget=file.budget,
        reserve=reserve,
        awarded=Amounts(**awarded),
        rest=Amounts(**rest),
        quotas=quotas,
        sheets=tuple(sheets),
    )
