"""Persons, roles and actors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MAIL = "mailto:"  # the issuer of identities that are e-mail addresses
OPERATOR = "operator"  # whoever stands at the terminal beside a HOME, and has not signed in


class Role(StrEnum):
    """What a person may be at the lab. Applicants and readers need no role."""

    STEWARD = "steward"
    TESTER = "tester"
    REVIEWER = "reviewer"
    PANEL = "panel"
    SAFETY = "safety"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Person:
    """A human being. `id` is a pseudonym: only this table links it to a name (promise 9).

    Attributes:
        email: the address that letters go to.
        addresses: every address that was ever proved to be theirs, `email` among them.
    """

    id: str
    email: str
    name: str
    affiliation: str
    roles: frozenset[Role]
    created_at: datetime
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts now: a person, or the operator at the terminal.

    Attributes:
        id: a person's id, or `operator`.
        roles: the roles held at this moment.
        dev: the house is one for trials, in which the operator may do all.
    """

    id: str
    roles: frozenset[Role] = frozenset()
    dev: bool = False

    @property
    def is_operator(self) -> bool:
        """Tell whether nobody signed in."""
        return self.id == OPERATOR


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser or terminal; the secret itself is stored only as its hash.

    Attributes:
        issuer: who vouched for whoever signed in: an OpenID Connect issuer's URL, `MAIL`, or empty for a link that
            was handed out.
    """

    person_id: str
    created_at: datetime
    expires_at: datetime
    issuer: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A way to know a person: who vouches (`MAIL`, or an OpenID Connect issuer's URL), and the name they know.

    Attributes:
        used_at: when it last signed in.
        ended_at: since when it signs nobody in; it stays this person's, so that nobody starts anew with it.
    """

    issuer: str
    subject: str
    person_id: str
    added_at: datetime
    used_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def live(self) -> bool:
        """Tell whether it signs in."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody whom a provider has just vouched for.

    Attributes:
        issuer: its URL.
        subject: by which it knows them.
        name: as it says; may be empty.
        email: an address that is as good as proved by a letter; empty where it is not.
        institution: of which it says that they are a member; empty where it does not.
        days: for how long that is believed.
    """

    issuer: str
    subject: str
    name: str = ""
    email: str = ""
    institution: str = ""
    days: int = 0


class FactKind(StrEnum):
    """What can be known of a person, each with its own end."""

    AFFILIATION = "affiliation"
    TRAINING = "training"
    LIBRARY_CARD = "library-card"
    ETHICS_APPROVAL = "ethics-approval"
    SIGNATORY = "signatory"  # may sign for the body; the confirmed ones are the list of who signs for which


class How(StrEnum):
    """How a fact is known."""

    CLAIMED = "claimed"  # the person says so: this alone holds for nothing
    MAIL = "mail"  # an address of that body received a letter
    PROVIDER = "provider"  # the body's own sign-in said so
    STEWARD = "steward"  # somebody who may manage persons has looked


class Standing(StrEnum):
    """Whether a fact holds at a moment, and if not, why."""

    HOLDS = "holds"
    UNCONFIRMED = "unconfirmed"
    NOT_YET = "not-yet"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said of a person: a kind of fact, whose it is, and until when; None where it has no end of its own."""

    kind: FactKind
    body: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """That somebody belongs to an institution, as it shows for some days."""

    body: str
    how: How
    source: str
    days: int


@dataclass(frozen=True, slots=True)
class Fact:
    """An affiliation or a credential. Whether it holds is computed when it is asked for, never kept.

    Attributes:
        body: the institution, or whoever issued the credential.
        source: what it was learned from: an e-mail domain, or a provider's issuer.
        until: its end, exclusive; None has none of its own.
        confirmed_by: who looked, where somebody did.
        ended_at: when it was ended early.
    """

    id: str
    person_id: str
    kind: FactKind
    body: str
    how: How
    source: str
    since: datetime
    until: datetime | None
    confirmed_by: str | None = None
    ended_at: datetime | None = None


class Basis(StrEnum):
    """Why somebody is erased: a closed list, since it goes into the ledger."""

    REQUEST = "request"  # the person asked
    RETENTION_OVER = "retention-over"  # nothing needs the data any more
    ORDER = "order"  # a court or an authority says so
