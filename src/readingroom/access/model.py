"""Grants, terms, keys, and the facts from which an entitlement is computed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from readingroom.core.canonical import Json
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
        holder: the pseudonym of the person who answers for it, and to whom alone it gives keys.
        award_id: the award it was made from; None for one issued at the lab's discretion.
        purpose: what it is for; personal text, in this table only.
        retention: the digest of what its holder agreed may be kept of prompts and answers; empty: nothing.
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
    """Who accepted which text, and when; `on_behalf` marks a service account's."""

    person: str
    terms_hash: str
    accepted_at: datetime
    on_behalf: bool


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
class Word:
    """A person's word that the gap after a restoration is known and answered for."""

    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Restoration:
    """A restoring from a backup after which no grant is in force yet.

    Attributes:
        restored_at: when the house was restored; the first time, if it was more than once before it was lifted.
        backup_at: when the backup was made.
        size: entries of the log that came back; what was decided after them is lost.
        root: the log's root at that size, as checkpoints spell it.
        newer: the size of the newest later checkpoint that was shown, which proves that entries are lost; or None.
        words: of those who have confirmed the gap.
    """

    id: str
    restored_at: datetime
    backup_at: datetime
    size: int
    root: str
    newer: int | None
    words: tuple[Word, ...] = ()


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
