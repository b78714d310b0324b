"""What the admissions room speaks of: applications, reviews, decisions and awards, as frozen types.

The call itself is in `call.py`, its budget's account in `account.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from readingroom.core.canonical import Json

Answer = (
    str | int | tuple[str, ...]
)  # a text, day, yes, no or chosen option; a number; chosen options, or files' digests


class CallState(StrEnum):
    """Where a call stands. Time moves none of these: a window that ends only ends submission."""

    OPEN = "open"
    CLOSED = "closed"  # no new submissions; reviews are written and may be amended
    ALLOCATED = "allocated"  # computed and fixed, but binding on nobody until a person publishes it
    PUBLISHED = "published"


class ApplicationState(StrEnum):
    """Where an application stands. `returned` is a request for correction and no refusal."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    LATE = "late"  # half-finished, or submitted, when the window had closed: kept, and decided by nobody
    UNDER_REVIEW = "under-review"
    WITHDRAWN = "withdrawn"
    AWARDED = "awarded"
    REFUSED = "refused"


class ReviewState(StrEnum):
    """Where a review stands."""

    ASSIGNED = "assigned"
    SUBMITTED = "submitted"
    RECUSED = "recused"  # the reviewer declared a conflict; what was written no longer counts
    RELEASED = "released"  # the desk let a silent reviewer go, so that another can be asked


class AwardState(StrEnum):
    """Where an award stands."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"  # a person took back an offer that was not accepted in time


class Risk(StrEnum):
    """A reviewer's opinion on misuse, apart from merit."""

    OK = "ok"
    CONCERN = "concern"
    VETO = "veto"


class Outcome(StrEnum):
    """What was decided on an application."""

    AWARDED = "awarded"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why: the closed list of codes that a decision carries."""

    # by the published rule of a competitive call
    IN_FULL = "in-full"
    REST_AT_LINE = "rest-at-line"
    SCALED = "scaled"
    CHOSEN = "chosen"  # of the set that serves the call's objective best
    DRAWN = "drawn"
    TIER = "tier"
    NOT_CHOSEN = "not-chosen"
    NOT_DRAWN = "not-drawn"
    BELOW_LINE = "below-line"
    VETOED = "vetoed"
    BELOW_FLOOR = "below-floor"
    ASK_TOO_SMALL = "ask-too-small"
    # by the desk, on the form alone
    NO_AFFILIATION = "no-affiliation"
    NO_CREDENTIAL = "no-credential"
    INCOMPLETE = "incomplete"
    DUPLICATE = "duplicate"
    # confirmed by a person
    SIFTED_OUT = "sifted-out"
    NO_REVIEWS_GIVEN = "no-reviews-given"  # in a call whose applicants review one another
    # by a person
    SUITABLE = "suitable"
    OUT_OF_SCOPE = "out-of-scope"
    UNCLEAR = "unclear"
    MISUSE_RISK = "misuse-risk"
    BUDGET_SPENT = "budget-spent"
    NOT_VOUCHED = "not-vouched"
    OTHER = "other"


BY_PERSON = frozenset(
    {
        Reason.SUITABLE, Reason.OUT_OF_SCOPE, Reason.UNCLEAR, Reason.MISUSE_RISK, Reason.BUDGET_SPENT,
        Reason.NOT_VOUCHED, Reason.OTHER,
    }
)  # fmt: skip


FORMAL = frozenset(
    {Reason.NO_AFFILIATION, Reason.NO_CREDENTIAL, Reason.INCOMPLETE, Reason.DUPLICATE, Reason.OUT_OF_SCOPE}
)  # why the desk finds an application not eligible


class ConflictKind(StrEnum):
    """Why somebody may not review an application."""

    OWN = "own"
    TEAM = "team"
    COMPETITOR = "competitor"  # applies in the same call, and so for the same budget
    CO_APPLICANT = "co-applicant"  # stands together with somebody of this application in another of the same call
    COAUTHOR = "co-author"
    SUPERVISOR = "supervisor"
    DOMAIN = "domain"
    AFFILIATION = "affiliation"
    STAFF = "staff"  # both work at the lab, beyond reviewing
    NAMED = "named"  # the applicant asks, with a reason, that this person does not review it
    DECLARED = "declared"  # the reviewer stepped back


class Severity(StrEnum):
    """How much a conflict weighs. Every one stands until it is waived; what is real nobody can waive."""

    REAL = "real"
    APPARENT = "apparent"
    POTENTIAL = "potential"


class Disposition(StrEnum):
    """What became of a conflict."""

    STANDS = "stands"
    WAIVED = "waived"  # by a person, with a reason
    RECUSED = "recused"  # the reviewer stepped back, or was taken off


@dataclass(frozen=True, slots=True)
class Amounts:
    """Integer amounts in each metered unit; None is unmetered."""

    passes: int
    tokens: int | None = None
    calls: int | None = None

    def units(self) -> dict[str, int]:
        """Return the metered units only, by name."""
        all_units = {"passes": self.passes, "tokens": self.tokens, "calls": self.calls}
        return {unit: amount for unit, amount in all_units.items() if amount is not None}

    def to_json(self) -> dict[str, int | None]:
        """Return all three units, null where unmetered."""
        return {"passes": self.passes, "tokens": self.tokens, "calls": self.calls}


@dataclass(frozen=True, slots=True)
class Draft:
    """What an applicant fills in. All of it is personal data: it stays in this room's tables.

    Attributes:
        answers: question name to what was answered; attached files by the digests of their bytes.
        passes: how many are wanted.
        tier: which of the call's tiers is wanted.
        team: e-mail addresses of who works with the applicant, as the applicant names them: none of them reviews this.
            Keys are given to who accepted an invitation.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)
    passes: int = 0
    tier: str = ""
    team: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """Return the draft as JSON: what is frozen and committed to at submission."""
        answers = {name: list(each) if isinstance(each, tuple) else each for name, each in self.answers.items()}
        return {"answers": answers, "passes": self.passes, "tier": self.tier, "team": list(self.team)}

    @classmethod
    def read(cls, raw: Json) -> Draft:
        """Read what `to_json` spelled."""
        answers = {name: tuple(each) if isinstance(each, list) else each for name, each in raw["answers"].items()}
        return cls(answers, raw["passes"], raw["tier"], tuple(raw["team"]))


@dataclass(frozen=True, slots=True)
class Version:
    """A draft as it was submitted; never changed afterwards. The ledger holds the salted commitment."""

    number: int
    draft: Draft
    salt: bytes
    commitment: str
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Application:
    """An application: the working draft, and the version that counts.

    Attributes:
        submitted: the last submitted version; what is saved later does not count until submitted again.
        note: what to correct, where it was returned.
        correct_until: until when a returned application may be submitted again, if after the window's end.
        revision: counts every change, so that of two open windows none overwrites the other unseen.
        arrived_at: when it was first submitted to this call; None until then.
    """

    id: str
    call: str
    person: str
    state: ApplicationState
    draft: Draft
    submitted: Version | None = None
    note: str = ""
    correct_until: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    revision: int = 0
    arrived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a reviewer says of an application; `comments` are by criterion, beside the one on the whole."""

    scores: Mapping[str, int]
    comment: str
    risk: Risk = Risk.OK
    risk_reason: str = ""
    comments: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> Json:
        """Return it as JSON: what is committed to."""
        return {
            "scores": dict(self.scores),
            "comments": dict(self.comments),
            "comment": self.comment,
            "risk": self.risk.value,
            "risk_reason": self.risk_reason,
        }


@dataclass(frozen=True, slots=True)
class Review:
    """An assigned review, and the judgement once there is one."""

    id: str
    call: str
    application: str
    reviewer: str
    state: ReviewState
    judgement: Judgement | None = None
    submitted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a person may not review an application; `evidence` says on what fact it rests."""

    kind: ConflictKind
    evidence: str
    severity: Severity = Severity.REAL


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a person decides on one application, where no competition does.

    Attributes:
        note: why, in words; the applicant is told. Required for a refusal.
        passes: how many; None gives what was asked for, up to the call's maximum.
    """

    outcome: Outcome
    reason: Reason
    note: str = ""
    passes: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided on an application, as its applicant is told.

    Attributes:
        text: why, in words.
        differ: what would have had to be different.
        reapply_from: from when the person may apply again.
        appeal: how to appeal, and what is not possible yet.
        sheet: the reason sheet, where a competition decided.
    """

    application: str
    outcome: Outcome
    reason: Reason
    text: str
    differ: str
    reapply_from: datetime
    appeal: str
    decided_at: datetime
    decided_by: str
    sheet: Json = None


@dataclass(frozen=True, slots=True)
class Award:
    """The decision's result: who may have how much, for how long, once accepted."""

    id: str
    call: str
    application: str
    person: str
    state: AwardState
    stage: str
    tier: str
    amounts: Amounts
    days: int
    terms: str
    accept_by: datetime
    made_at: datetime
    settled_at: datetime | None = None
