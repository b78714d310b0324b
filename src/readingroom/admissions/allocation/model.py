"""What an allocation is given and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from readingroom.admissions.dividing import Scoring
from readingroom.admissions.model import Amounts, Judgement, Reason, Risk
from readingroom.core.canonical import Json, digest


@dataclass(frozen=True, slots=True)
class Candidate:
    """An application as the allocation sees it.

    Attributes:
        judgements: of the reviews that count.
        reviewers: who gave them, in the same order, as pseudonyms; may be left out where no adjustment is asked for.
        vetoes: how many misuse vetoes it has; None counts those of the reviews.
        answers: of the questions that quotas rest on.
        ticket: under which it takes part in a draw; its id where it has none.
        tier: that it asks for; its bounds are this tier's.
    """

    application: str
    asked: int
    judgements: tuple[Judgement, ...]
    reviewers: tuple[str, ...] = ()
    vetoes: int | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    ticket: str = ""
    tier: str = ""

    @property
    def draws_as(self) -> str:
        """The name that lots are drawn by."""
        return self.ticket or self.application

    @property
    def vetoed(self) -> int:
        """How many misuse vetoes count."""
        return sum(each.risk is Risk.VETO for each in self.judgements) if self.vetoes is None else self.vetoes


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an applicant is told: score, rank, what was given, by which rule, and what would have changed it.

    Attributes:
        score: the weighted mean, exact.
        adjusted: less the reviewers' habits, where the call chose so.
        half: half the width of the interval around the score that ranks it.
        rank: among those ranked, from 1; None where it was set aside before the ranking.
        amounts: what is awarded; None where nothing is.
        at_once: of it, what is released at once, in passes; None where all is.
        chance: the probability with which it was to be awarded, where lots were drawn.
        quota: the name of the quota in whose part of the budget it was decided.
        needed_score: the score that would have been awarded something, all else equal: any above it where a rank or
            the best set decided; of a lottery, the least with a chance.
        tier: that it asked for.
    """

    application: str
    asked: int
    score: Fraction
    rank: int | None
    amounts: Amounts | None
    reason: Reason
    text: str
    differ: str
    adjusted: Fraction | None = None
    half: Fraction = Fraction(0)
    at_once: int | None = None
    chance: Fraction | None = None
    quota: str = ""
    needed_score: Fraction | None = None
    tier: str = ""

    def to_json(self) -> Json:
        """Return it as JSON; scores and chances as exact fractions."""
        return {
            "application": self.application,
            "asked": self.asked,
            "score": str(self.score),
            "rank": self.rank,
            "amounts": self.amounts.to_json() if self.amounts else None,
            "reason": self.reason.value,
            "text": self.text,
            "differ": self.differ,
            "adjusted": _spelled(self.adjusted),
            "half": str(self.half),
            "at_once": self.at_once,
            "chance": _spelled(self.chance),
            "quota": self.quota,
            "needed_score": _spelled(self.needed_score),
            "tier": self.tier,
        }

    @classmethod
    def read(cls, raw: Json) -> Sheet:
        """Read back what `to_json` gave; sheets of before version 0.2 lack the later fields."""
        return cls(
            application=raw["application"],
            asked=raw["asked"],
            score=_exact(raw["score"]),
            rank=raw["rank"],
            amounts=Amounts(**raw["amounts"]) if raw["amounts"] else None,
            reason=Reason(raw["reason"]),
            text=raw["text"],
            differ=raw["differ"],
            adjusted=_fraction(raw.get("adjusted")),
            half=_exact(raw.get("half", 0)),
            at_once=raw.get("at_once"),
            chance=_fraction(raw.get("chance")),
            quota=raw.get("quota", ""),
            needed_score=_fraction(raw.get("needed_score")),
            tier=raw.get("tier", ""),
        )


def _spelled(value: Fraction | None) -> str | None:
    return None if value is None else str(value)


def _fraction(raw: str | None) -> Fraction | None:
    return None if raw is None else _exact(raw)


@lru_cache(maxsize=10_000)
def _exact(raw: str | int) -> Fraction:
    """Read a fraction; of thousands of sheets most have the same few, and spelling one out is slow."""
    return Fraction(raw)


@dataclass(frozen=True, slots=True)
class QuotaResult:
    """What became of a quota.

    Attributes:
        passes: how much it keeps, in passes.
        given: how much its applications are awarded.
        bound: whether it changed anything: its applications had a part of the budget of their own.
    """

    name: str
    passes: int
    given: int
    bound: bool

    def to_json(self) -> Json:
        """Return it as JSON."""
        return {"name": self.name, "passes": self.passes, "given": self.given, "bound": self.bound}


@dataclass(frozen=True, slots=True)
class Allocation:
    """A budget divided: `budget == awarded + reserve + rest` in every unit.

    Attributes:
        seed: in hex, as it was committed to.
        public: in hex, the public value that it was combined with; empty where there was none.
        sheets: the ranked ones by rank, then those set aside; the order says nothing about arrival.
    """

    policy: Json
    scoring: Scoring
    seed: str
    public: str
    budget: Amounts
    reserve: Amounts
    awarded: Amounts
    rest: Amounts
    quotas: tuple[QuotaResult, ...]
    sheets: tuple[Sheet, ...]

    def to_json(self) -> Json:
        """Return it as JSON: the bytes that are the same for the same inputs and draw."""
        return {
            "policy": self.policy,
            "scoring": {"adjust": "additive" if self.scoring.additive else "none", "interval": self.scoring.level},
            "seed": self.seed,
            "public_value": self.public,
            "budget": self.budget.to_json(),
            "reserve": self.reserve.to_json(),
            "awarded": self.awarded.to_json(),
            "rest": self.rest.to_json(),
            "quotas": [each.to_json() for each in self.quotas],
            "sheets": [each.to_json() for each in self.sheets],
        }

    @property
    def digest(self) -> str:
        """The digest of the canonical JSON."""
        return digest(self.to_json())


def decimal(value: Fraction) -> str:
    """Spell a fraction for people, with two decimals, rounded half up; exact where it has no more."""
    hundredths = (value.numerator * 200 + value.denominator) // (2 * value.denominator)
    return f"{'-' if hundredths < 0 else ''}{abs(hundredths) // 100}.{abs(hundredths) % 100:02}"
