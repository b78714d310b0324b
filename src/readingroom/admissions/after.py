"""What a call promises for the time after an award: tranches, supplements, second chances, appeals. Pure types.

All of it is read from the call file (`call_file.after`), and so in the ledger before anyone applies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class CallKind(StrEnum):
    """What a call is to the one that funds it; `call` stands alone, with a budget of its own."""

    CALL = "call"
    ROUND = "round"  # the next round of the same programme
    SUPPLEMENT = "supplement"  # only holders of its family's grants apply
    RENEWAL = "renewal"  # likewise; prefilled from the old application, with what was used
    SECOND_CHANCE = "second-chance"  # from what came back, for those who were refused

    @property
    def for_holders(self) -> bool:
        """Tell whether only holders of grants of the family may apply."""
        return self in {CallKind.SUPPLEMENT, CallKind.RENEWAL}


class Ground(StrEnum):
    """What an appeal can rest on: a closed list. New facts are none; they make a new application."""

    PROCEDURE = "procedure"
    FACTUAL_ERROR = "factual-error"
    CONFLICT_OF_INTEREST = "conflict-of-interest"

    @property
    def says(self) -> str:
        """Say it in words."""
        return _GROUNDS[self]


_GROUNDS = {
    Ground.PROCEDURE: "a step of the procedure was left out or done wrongly",
    Ground.FACTUAL_ERROR: "the decision rests on a fact that was wrong when it was made",
    Ground.CONFLICT_OF_INTEREST: "somebody took part in it who should not have",
}


class IfShort(StrEnum):
    """What an upheld appeal gets where the reserve does not suffice."""

    WHAT_IS_LEFT = "what-is-left"  # if that is a minimum award at least; else a place in the next call
    NEXT_CALL = "next-call"  # may apply to the next call at once


@dataclass(frozen=True, slots=True)
class Appeals:
    """How decisions of this call are appealed.

    Attributes:
        days: after the decision, within which an appeal is in time; a late one is kept, and a person may admit it.
        grounds: of the closed list.
        panel: how many must hear it, of whom none took part in the decision.
    """

    days: int = 14
    grounds: tuple[Ground, ...] = tuple(Ground)
    panel: int = 2
    if_short: IfShort = IfShort.WHAT_IS_LEFT


@dataclass(frozen=True, slots=True)
class Tranches:
    """An award is released in two parts: `first` percent at acceptance, the rest after a report."""

    first: int


@dataclass(frozen=True, slots=True)
class Supplements:
    """A holder may ask for more, `times` at most, together at most so many percent of the award."""

    at_most: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class After:
    """What follows the award in one call.

    Attributes:
        of: the call that funds this one from its rest; empty where it has a budget of its own.
        second_chance: what comes back goes to a pool for those who were refused, and not to the rest.
    """

    of: str = ""
    kind: CallKind = CallKind.CALL
    tranches: Tranches | None = None
    supplements: Supplements | None = None
    second_chance: bool = False
    appeals: Appeals = field(default_factory=Appeals)
