"""A call as its file says it: an invitation to apply, with a finite budget and the rules of its allocation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from readingroom.admissions.after import After
from readingroom.admissions.model import Amounts, CallState
from readingroom.admissions.policies.base import Policy

REQUIRED_QUESTIONS = ("purpose", "asks", "why", "egress", "risks", "machine")  # every form asks these
BY_PERSON = "by-person"  # the call that holds no competition: a person decides each application


class Kind(StrEnum):
    """What a question is answered with."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the form.

    Attributes:
        words: the limit of a text's length.
        options: what a choice chooses from.
        shown: whether reviewers see the answer; False for what tells who asks (where it will run).
    """

    name: str
    label: str
    kind: Kind
    required: bool = True
    words: int = 0
    options: tuple[str, ...] = ()
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Window:
    """When applications are taken; its end closes submission and decides nothing.

    Attributes:
        may_close_early: the steward may close before the end; as it stands in the call, applicants know.
    """

    opens: datetime
    closes: datetime
    may_close_early: bool = False


@dataclass(frozen=True, slots=True)
class Criterion:
    """What reviewers score, and how much it weighs."""

    name: str
    question: str
    weight: int


@dataclass(frozen=True, slots=True)
class Reviewing:
    """How applications are reviewed.

    Attributes:
        per_application: how many reviews each must have before anything is allocated.
        anchors: what each score means; scores are the whole numbers from the lowest to the highest anchor.
        floor: the least weighted mean that can be awarded.
        vetoes: how many misuse vetoes exclude an application.
    """

    per_application: int
    anchors: Mapping[int, str]
    criteria: tuple[Criterion, ...]
    floor: Fraction
    vetoes: int

    @property
    def low(self) -> int:
        """The lowest score."""
        return min(self.anchors)

    @property
    def high(self) -> int:
        """The highest score."""
        return max(self.anchors)


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


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one award.

    Attributes:
        minimum: fewer passes than this are useless, so nobody is given fewer.
        maximum: more than this nobody is given.
        days: how long the grant lasts from acceptance.
        accept_within_days: after that a person may take the offer back.
    """

    minimum: int
    maximum: int
    days: int
    accept_within_days: int


@dataclass(frozen=True, slots=True)
class CallFile:
    """Everything a call promises to its applicants; hashed into the ledger when it opens.

    Attributes:
        reserve: passes kept for appeals; the other units' reserve follows in proportion.
        reviewing: None where a person decides without reviews.
        policy: None where there is no competition (`policy: by-person`).
        reapply_after_days: how long a refused applicant waits before applying again.
        terms: the name of the terms that a reader of this call accepts.
        quotas: an application counts for the first whose answer it gives.
        draw: None where the seed alone breaks ties and draws lots.
        after: what it promises for the time after an award.
    """

    title: str
    purpose: str
    stage: str
    tiers: tuple[str, ...]
    budget: Amounts
    window: Window
    limits: Limits
    reserve: int
    form: tuple[Question, ...]
    reviewing: Reviewing | None
    policy: Policy | None
    terms: str
    reapply_after_days: int = 0
    scoring: Scoring = Scoring()
    quotas: tuple[Quota, ...] = ()
    draw: Draw | None = None
    after: After = field(default_factory=After)

    @property
    def competitive(self) -> bool:
        """Tell whether a published rule divides the budget."""
        return self.policy is not None

    @property
    def reviews_needed(self) -> int:
        """How many reviews an application must have before it is decided."""
        return self.reviewing.per_application if self.reviewing else 0

    def amounts(self, passes: int) -> Amounts:
        """Return an award of so many passes; other metered units follow in proportion, rounded down.

        So awards of together no more than the budget's passes never exceed the budget in any unit.
        """
        return Amounts(passes, *(self._part(whole, passes) for whole in (self.budget.tokens, self.budget.calls)))

    def within(self, units: Mapping[str, int]) -> int:
        """Return the most passes that an award can hold so that no unit of it is above these."""
        bounds = [units.get("passes", 0)]
        for unit, whole in self.budget.units().items():
            if unit != "passes":  # whole * passes // budget <= held, turned round
                bounds.append(((units.get(unit, 0) + 1) * self.budget.passes - 1) // whole)
        return max(0, min(bounds))

    def first_tranche(self, amounts: Amounts) -> Amounts:
        """Return what of an award is released at acceptance; all of it where the call has no tranches."""
        if self.after.tranches is None:
            return amounts
        share = self.after.tranches.first
        tokens, calls = (None if each is None else each * share // 100 for each in (amounts.tokens, amounts.calls))
        return Amounts(max(1, amounts.passes * share // 100), tokens, calls)

    def reserved(self) -> Amounts:
        """Return what is kept for appeals: all that awards out of the rest of the passes cannot reach."""
        open_part = self.amounts(self.budget.passes - self.reserve)
        tokens, calls = (
            None if whole is None or part is None else whole - part
            for whole, part in ((self.budget.tokens, open_part.tokens), (self.budget.calls, open_part.calls))
        )
        return Amounts(self.reserve, tokens, calls)

    def _part(self, whole: int | None, passes: int) -> int | None:
        return None if whole is None else whole * passes // self.budget.passes


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was opened.

    Attributes:
        digest: of the file as it was opened.
        seed_commitment: SHA-256 of the seed that breaks ties; the seed itself is revealed at allocation.
    """

    id: str
    state: CallState
    file: CallFile
    digest: str
    seed_commitment: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None = None
