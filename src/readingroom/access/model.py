"""Grants, terms, keys, and the facts from which an entitlement is computed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from readingroom.core.canonical import Json
from readingroom.core.clock import rfc3339
from readingroom.core.refusal import Refusal


class GrantState(StrEnum):
    """What somebody decided about a grant. Expiry is not a state: it is computed from the clock."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Reason(StrEnum):
    """Why a grant is suspended, reinstated or revoked: a closed list, so that reports can count."""

    TERMS_BREACH = "terms-breach"
    KEY_LEAKED = "key-leaked"
    PROJECT_ENDED = "project-ended"
    SECURITY = "security"
    LEGAL = "legal"
    ERROR_CORRECTED = "error-corrected"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Amounts:
    """An allocation: at most so many passes, tokens and calls, ever. None is unmetered."""

    passes: int | None = None
    tokens: int | None = None
    calls: int | None = None

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON."""
        return {"calls": self.calls, "passes": self.passes, "tokens": self.tokens}


@dataclass(frozen=True, slots=True)
class Grant:
    """The live, bounded, revocable right of a project.

    Attributes:
        holder: the pseudonym of the person who answers for it; a grant is of a project, and its members have keys too.
        award_id: the award it was made from; None for one issued at the lab's discretion.
        purpose: what it is for; personal text, in this table only.
        retention: the digest of what its holder agreed may be kept of prompts and answers; empty: nothing.
        title: of the project; personal text as `purpose` is.
        machines: that the award names; nothing enrols them yet.
    """

    id: str
    holder: str
    stage: str
    tier: str
    state: GrantState
    allocation: Amounts
    issued_at: datetime
    expires_at: datetime
    issued_by: str
    award_id: str | None
    purpose: str
    changed_at: datetime
    changed_reason: str | None
    dev: bool = False
    retention: str = ""
    title: str = ""
    machines: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it by: the project's title, else its purpose, else its stage."""
        return self.title or self.purpose or self.stage


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a grant's project beside its holder, who is a member without being listed.

    Attributes:
        joined_at: when the person said yes; None while the invitation waits.
        left_at: when the person left, was removed or said no; None until then.
        retention: the digest of what this person agreed may be kept of prompts and answers; empty: nothing.
    """

    grant_id: str
    person: str
    invited_by: str
    invited_at: datetime
    joined_at: datetime | None = None
    left_at: datetime | None = None
    retention: str = ""

    @property
    def belongs(self) -> bool:
        """Tell whether this person is of the project now."""
        return self.joined_at is not None and self.left_at is None

    @property
    def is_asked(self) -> bool:
        """Tell whether the invitation still waits for an answer."""
        return self.joined_at is None and self.left_at is None


class Kind(StrEnum):
    """The sanctions, from the mildest."""

    WARN = "warn"
    THROTTLE = "throttle"
    SUSPEND = "suspend"
    REVOKE = "revoke"
    BAR = "bar"


class Subject(StrEnum):
    """Whom a sanction is of: a whole project, one member of it, or a person wherever they read."""

    GRANT = "grant"
    MEMBER = "member"
    PERSON = "person"


class Lifting(StrEnum):
    """Why a sanction is lifted; reinstating a grant takes the codes of `Reason`, as it always did."""

    CURED = "cured"
    ERROR_CORRECTED = "error-corrected"
    APPEAL_UPHELD = "appeal-upheld"
    OTHER = "other"


class Phase(StrEnum):
    """Where a sanction stands, computed from its record and the clock."""

    CURING = "curing"  # it was decided, and begins when the time to cure is over
    IN_FORCE = "in-force"
    ENDED = "ended"  # its own end came
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Sanction:
    """One sanction: who decided what, about whom, why, on which evidence, and for how long.

    Attributes:
        grant_id: whose project; None where it is of a person everywhere.
        person: of a member or a person; None where it is of the whole project.
        evidence: SHA-256 of a file that stays elsewhere, or a ledger entry's place (`entry:12`); empty for none.
        note: the lab's own words, in this table only.
        notice: what whom it is about is told in words; in this table only.
        collective: it falls on several persons, and somebody found in words that it should.
        begins_at: from then on it is in force: at once, or when the time to cure is over.
        until: its own end; None has none.
        cure_by: until when the reader may put it right; the rule's text says that it begins then unless lifted.
        per_minute: of a throttle: requests that may begin in a minute.
        reply: what the reader said when acknowledging it.
        batch: names the one act by which many were imposed at once.
    """

    id: str
    kind: Kind
    reason: Reason
    subject: Subject
    grant_id: str | None
    person: str | None
    decided_by: str
    decided_at: datetime
    begins_at: datetime
    until: datetime | None = None
    cure_by: datetime | None = None
    per_minute: int | None = None
    evidence: str = ""
    note: str = ""
    notice: str = ""
    collective: bool = False
    acknowledged_at: datetime | None = None
    reply: str = ""
    lifted_at: datetime | None = None
    lifted_by: str = ""
    lifted_reason: str = ""
    batch: str = ""

    def phase(self, now: datetime) -> Phase:
        """Tell where it stands: its beginning and its end are dates, so that nothing has to happen for them."""
        if self.lifted_at is not None:
            return Phase.LIFTED
        if now < self.begins_at:
            return Phase.CURING
        return Phase.IN_FORCE if self.until is None or now < self.until else Phase.ENDED

    def in_force(self, now: datetime) -> bool:
        """Tell whether it is in force."""
        return self.phase(now) is Phase.IN_FORCE

    @property
    def is_state(self) -> bool:
        """Tell whether the grant's own state says it already: of the whole project, at once, with no end."""
        whole = self.subject is Subject.GRANT and self.kind in {Kind.SUSPEND, Kind.REVOKE}
        return whole and self.until is None and self.cure_by is None

    def to_json(self, now: datetime, *, inside: bool = False) -> dict[str, Json]:
        """Return it as JSON, as whom it is about sees it, or, `inside`, as the lab does."""
        moments = {
            name: rfc3339(at) if (at := getattr(self, name)) else None
            for name in ("decided_at", "begins_at", "until", "cure_by", "acknowledged_at", "lifted_at")
        }
        return {
            "id": self.id,
            "kind": self.kind.value,
            "reason": self.reason.value,
            "subject": self.subject.value,
            "grant": self.grant_id,
            "person": self.person,
            "phase": self.phase(now).value,
            "notice": self.notice or None,
            "evidence": self.evidence or None,
            "collective": self.collective,
            "per_minute": self.per_minute,
            **({"note": self.note or None, "decided_by": self.decided_by} if inside else {}),
            **moments,
            "reply": self.reply or None,
            "lifted_reason": self.lifted_reason or None,
        }


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of the terms; `hash` is of the text and names the version, `reason` says why it was published."""

    hash: str
    text: str
    material: bool
    reason: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who accepted which text, and when; `on_behalf` marks a service account's, `name` is what was typed to sign."""

    person: str
    terms_hash: str
    accepted_at: datetime
    on_behalf: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """The credential of a grant, as it may be shown: never the secret itself.

    Attributes:
        hint: the first seven characters, for telling keys apart.
        ends_at: from then on it is refused; None while it is in force.
    """

    id: str
    grant_id: str
    person: str
    hint: str
    issued_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything in this room that an entitlement rests on, read live.

    Attributes:
        grant: the grant, or None if there is no such grant.
        person: whose key it is, or the holder where no key was asked about.
        key: the key; None when a page asks about the grant as such.
        key_asked: whether this is about a key at all.
        terms_needed: hash of the newest material terms; None if none were published, which fails closed.
        terms_accepted: whether `person` accepted them or any later version.
        barred_until: until when `person` is barred, or None.
        membership: of the person in the grant's project, where the person is not its holder; None if there is none.
        sanctions: that stand, of this grant, this person, or both; lifted ones are not among them.
        restored_at: since when this house is one restored from a backup whose gap nobody has answered for, or None.
    """

    grant: Grant | None
    person: str
    key: Key | None = None
    key_asked: bool = True
    terms_needed: str | None = None
    terms_accepted: bool = False
    barred_until: datetime | None = None
    restored_at: datetime | None = None
    membership: Member | None = None
    sanctions: tuple[Sanction, ...] = ()

    @property
    def belongs(self) -> bool:
        """Tell whether the person is of the grant's project: its holder, or a member who joined and has not left."""
        if self.grant is not None and self.person == self.grant.holder:
            return True
        return self.membership is not None and self.membership.belongs

    @property
    def agreed(self) -> str:
        """The digest of what this very person agreed may be kept; empty: nothing."""
        if self.grant is None or self.person == self.grant.holder:
            return self.grant.retention if self.grant else ""
        return self.membership.retention if self.membership else ""


class KeyState(StrEnum):
    """Where a key stands, computed from its end and the clock."""

    LIVE = "live"
    ENDING = "ending"  # rotated, in its grace
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Left:
    """What is not used yet of an allocation; None is unmetered."""

    passes: int | None = None
    tokens: int | None = None
    calls: int | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What a request needs of its tier: how many of the top log-probabilities per position."""

    top_logprobs: int = 0
    logprobs: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of an entitlement, named; `detail` says it in a few words."""

    name: str
    holds: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Entitlement:
    """The computed answer to "may this be done now?", with every fact; `refusal` is the first that fails."""

    facts: tuple[Fact, ...]
    refusal: Refusal | None = None

    @property
    def ok(self) -> bool:
        """Tell whether every fact holds."""
        return self.refusal is None

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON."""
        listed = [{"name": fact.name, "holds": fact.holds, "detail": fact.detail} for fact in self.facts]
        code = self.refusal.code if self.refusal else None
        return {"ok": self.ok, "code": code, "facts": listed}


@dataclass(frozen=True, slots=True)
class Award:
    """What a grant is issued from, as the rooms that award say it."""

    holder: str
    stage: str
    tier: str
    allocation: Amounts
    expires_at: datetime
    purpose: str
    award_id: str | None = None
    decided_by: str = ""  # whose decision it was, where another than the actor's
    title: str = ""
    members: tuple[str, ...] = ()  # persons who have said yes already; the holder is one without being listed
    machines: tuple[str, ...] = ()
