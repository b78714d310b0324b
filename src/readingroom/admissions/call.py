"""A call as its file says it: an invitation to apply, with a finite budget and the rules of its allocation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from readingroom.admissions.after import After
from readingroom.admissions.dividing import Draw, Quota, Scoring
from readingroom.admissions.form import Guarantor, Question
from readingroom.admissions.model import Amounts, CallState, ConflictKind, Severity
from readingroom.admissions.policies.base import Policy

BY_PERSON = "by-person"  # the call that holds no competition: a person decides each application
UNTIL_CLOSED = datetime(9999, 12, 31, tzinfo=UTC)  # the end of a standing window: when a person closes the call


@dataclass(frozen=True, slots=True)
class Window:
    """When applications are taken; its end closes submission and decides nothing.

    Attributes:
        may_close_early: the steward may close before the end; as it stands in the call, applicants know.
    """

    opens: datetime
    closes: datetime
    may_close_early: bool = False

    @property
    def standing(self) -> bool:
        """Tell whether it has no end of its own: a person closes it."""
        return self.closes == UNTIL_CLOSED


@dataclass(frozen=True, slots=True)
class Criterion:
    """What reviewers score, and how much it weighs.

    Attributes:
        anchors: what the scores mean on this criterion, where that differs from the call's scale.
    """

    name: str
    question: str
    weight: int
    anchors: Mapping[int, str] = field(default_factory=dict)


class Phase(StrEnum):
    """A part of a call's time of review. A person moves from one to the next; no date does."""

    INDEPENDENT = "independent"  # reviewers see neither names nor each other
    CONSOLIDATION = "consolidation"  # reviewers of one application read each other under aliases, and may amend
    PANEL = "panel"  # reviews are fixed; the panel reads all of them, comments and ranks


class Objective(StrEnum):
    """What the matching of reviewers makes as large as it can."""

    MAXIMIN = "maximin"  # the expertise of the application that is served worst, then the sum
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Reviewing:
    """How applications are reviewed.

    Attributes:
        per_application: how many reviews each must have before anything is allocated.
        anchors: what each score means; scores are the whole numbers from the lowest to the highest anchor.
        floor: the least weighted mean that can be awarded.
        vetoes: how many misuse vetoes exclude an application.
        load: the most applications that one reviewer is given; None has no limit but the reviewer's own.
        objective: what the matching of reviewers makes as large as it can.
        severities: how much each kind of conflict weighs, where the call says so; None of a kind does not apply it.
        phases: the parts of its time of review, in order; the first is always the independent one.
        double_blind: the panel sees no applicants, and nobody which reviewer said what, until it is allocated.
        safety_opinions: how many opinions on misuse by persons with the role safety each application needs.
    """

    per_application: int
    anchors: Mapping[int, str]
    criteria: tuple[Criterion, ...]
    floor: Fraction
    vetoes: int
    load: int | None = None
    objective: Objective = Objective.MAXIMIN
    severities: Mapping[ConflictKind, Severity | None] = field(default_factory=dict)
    phases: tuple[Phase, ...] = (Phase.INDEPENDENT,)
    double_blind: bool = False
    safety_opinions: int = 0

    @property
    def low(self) -> int:
        """The lowest score."""
        return min(self.anchors)

    @property
    def high(self) -> int:
        """The highest score."""
        return max(self.anchors)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most passes of one award."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one award.

    Attributes:
        minimum: fewer passes than this are useless, so nobody is given fewer.
        maximum: more than this nobody is given.
        days: how long the grant lasts from acceptance.
        accept_within_days: after that a person may take the offer back.
        tiers: closer bounds of single tiers, within the call's own.
    """

    minimum: int
    maximum: int
    days: int
    accept_within_days: int
    tiers: Mapping[str, Bounds] = field(default_factory=dict)

    def of(self, tier: str) -> Bounds:
        """Return the bounds of an award of this tier."""
        return self.tiers.get(tier) or Bounds(self.minimum, self.maximum)


@dataclass(frozen=True, slots=True)
class Round:
    """One of a call's rounds: a window of its own, and its share of the call's passes."""

    name: str
    window: Window
    passes: int


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Who may apply, by facts that others can confirm; see `admissions.eligibility`.

    Attributes:
        affiliations: kinds of which the applicant needs one that is valid; none asks for none.
        credentials: kinds of which the applicant needs every one, valid.
        desk: whether the desk looks at each application's form before it is reviewed.
    """

    affiliations: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    desk: bool = False


@dataclass(frozen=True, slots=True)
class Sift:
    """A first look at each application by few reviewers on one criterion, before it is reviewed in full.

    Attributes:
        reviews: how many look at each.
        criterion: what they score; one of the call's criteria.
        line: a mean under it is put before a person, who confirms that the application goes no further.
    """

    reviews: int
    criterion: str
    line: Fraction


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the lab reckons with; `call check` counts persons and engine days by it. It promises nobody anything.

    Attributes:
        applications: how many are expected.
        reviewers: how many the lab has; 0 where it does not say.
        reviews_each: how many reviews one reviewer is asked for at most.
        minutes_per_review: likewise `per_sift`, `at_desk` and `in_panel`, for each application.
        panel: how many persons sit on the panel.
    """

    applications: int
    reviewers: int = 0
    reviews_each: int = 12
    minutes_per_review: int = 60
    minutes_per_sift: int = 10
    minutes_at_desk: int = 10
    minutes_in_panel: int = 10
    panel: int = 3


@dataclass(frozen=True, slots=True)
class CallFile:
    """Everything a call promises to its applicants; hashed into the ledger when it opens.

    Attributes:
        reserve: passes kept for appeals; the other units' reserve follows in proportion.
        reviewing: None where a person decides without reviews.
        policy: None where there is no competition (`policy: by-person`).
        reapply_after_days: how long a refused applicant waits before applying again.
        terms: the name of the terms that a reader of this call accepts; or, as `sha256:...`, the
            digest of those that must be in force when it opens.
        quotas: an application counts for the first whose answer it gives.
        draw: None where the seed alone breaks ties and draws lots.
        after: what it promises for the time after an award.
        guarantor: whether an institution must vouch before anything is awarded.
        decide_within: by when a person means to decide, from submission; shown, and never acted upon.
        rounds: windows of their own, each a call of its own once opened; none where the call has one window.
        distributed: whether applicants review one another, in two halves that each have half the budget.
        part: which round or half of the file this is; empty for the whole.
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
    scoring: Scoring = field(default_factory=Scoring)
    quotas: tuple[Quota, ...] = ()
    draw: Draw | None = None
    after: After = field(default_factory=After)
    guarantor: Guarantor = Guarantor.NONE
    eligibility: Eligibility = field(default_factory=Eligibility)
    sift: Sift | None = None
    expects: Expectation | None = None
    decide_within: timedelta | None = None
    rounds: tuple[Round, ...] = ()
    distributed: bool = False
    part: str = ""

    @property
    def parts(self) -> tuple[CallFile, ...]:
        """Return the calls that this file opens: itself, or one for each of its rounds or halves.

        Their budgets and reserves add up to the file's, in every unit, exactly.
        """
        if self.part:
            return (self,)
        if self.rounds:
            cut = self._split([each.passes for each in self.rounds])
            named = zip(self.rounds, cut, strict=True)
            return tuple(replace(one, part=each.name, window=each.window) for each, one in named)
        if self.distributed:
            halves = (self.budget.passes - self.budget.passes // 2, self.budget.passes // 2)
            return tuple(replace(one, part=f"half {n}") for n, one in enumerate(self._split(halves), start=1))
        return (self,)

    @property
    def name(self) -> str:
        """The title, with the part that this is."""
        return f"{self.title}: {self.part}" if self.part else self.title

    def _split(self, passes: Sequence[int]) -> list[CallFile]:
        """Cut budget and reserve in proportion; each cut is a difference of rounded sums, so nothing is lost."""
        made, before = [], 0
        for share in passes:
            after = before + share
            units = {unit: self._cut(amount, before, after) for unit, amount in self.budget.units().items()}
            reserve = self._cut(self.reserve, before, after)
            made.append(
                replace(self, budget=Amounts(**units), reserve=reserve, rounds=(), distributed=self.distributed)
            )
            before = after
        return made

    def _cut(self, amount: int, before: int, after: int) -> int:
        whole = self.budget.passes
        return amount * after // whole - amount * before // whole

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
        series: the first of the calls that were opened from the same file together; its own id where it is alone.
        part: its place among them, from 0.
        terms_digest: of the terms in force when it opened; empty where the house has none.
    """

    id: str
    state: CallState
    file: CallFile
    digest: str
    seed_commitment: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None = None
    series: str = ""
    part: int = 0
    terms_digest: str = ""


@dataclass(frozen=True, slots=True)
class CallDraft:
    """A call file that is being written; it promises nobody anything until it is opened.

    Attributes:
        text: a call file, right or wrong.
        revision: counts every change, so that two who write at once do not write over each other.
    """

    id: str
    text: str
    revision: int
    updated_at: datetime
    updated_by: str
