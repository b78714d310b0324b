"""What a call says of how its budget is divided, beside the policy: scoring, quotas, and the draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Scoring:
    """What a competition makes of the reviews' scores.

    Attributes:
        additive: whether each reviewer's habit of scoring high or low is estimated and taken out.
        level: of the interval around a mean, in per cent.
    """

    additive: bool = False
    level: int = 50


@dataclass(frozen=True, slots=True)
class Quota:
    """At least `percent` of what is divided is kept for applications that answer a question so."""

    name: str
    question: str
    answer: str
    percent: int


def counted(quotas: Iterable[Quota], answers: Mapping[str, object]) -> dict[str, str]:
    """Return the answers on which quotas rest, as they are compared; an unanswered question is an empty text."""
    return {each.question: str(answers.get(each.question, "")) for each in quotas}


class Source(StrEnum):
    """Who publishes the value that a draw is combined with."""

    DRAND_DEFAULT = "drand-default"  # the League of Entropy's chained beacon, every 30 s
    DRAND_QUICKNET = "drand-quicknet"  # its unchained one, every 3 s
    NIST = "nist-beacon"  # the pulse of a whole minute
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Draw:
    """Which later public value the seed is combined with: fixed here, so that nobody can choose among values.

    Attributes:
        named: what is published, by whom and where, in words.
        at: when it is published; after the window's end.
        round: of a numbered beacon; 0 otherwise.
        size: its length in bytes; 0 where any will do.
    """

    source: Source
    named: str
    at: datetime
    round: int = 0
    size: int = 0
