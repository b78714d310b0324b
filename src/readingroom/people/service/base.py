"""What the use cases share: the database, the ledger, the clock, and how a session, a link or an identity is made.

The secrets of links, sessions and proofs are stored only as SHA-256, so that a copy of the database signs nobody in.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.canonical import Json, sha256
from readingroom.core.clock import Clock
from readingroom.core.errors import BadInput
from readingroom.core.ids import new_id, url_secret
from readingroom.core.refusal import Refusal, Refused
from readingroom.core.text import line_problem
from readingroom.ledger.service import Ledger
from readingroom.people import queries
from readingroom.people.address import address_problem, fold
from readingroom.people.model import MAIL, OPERATOR, Actor, Fact, FactKind, How, Identity, Membership, Person
from readingroom.people.providers import SignIn
from readingroom.people.rules import domain_institution, fact_data
from readingroom.people.tables import fact, identity, link, person, session
from readingroom.store.db import Database

LINK_LIFE = timedelta(hours=24)
SESSION_LIFE = timedelta(hours=12)
_HANDED = ("", "")  # a link that was handed out: nobody vouched


class Base:
    """The tools of a use case."""

    def __init__(
        self, db: Database, ledger: Ledger, clock: Clock, *, dev: bool = False, sign_in: SignIn | None = None
    ) -> None:
        """Take the database, the ledger, the clock, whether the house is one for trials, and who else may vouch."""
        self._db = db
        self._ledger = ledger
        self._clock = clock
        self._dev = dev
        self._sign_in = sign_in or SignIn()

    def operator(self) -> Actor:
        """Return the actor for whoever stands at the terminal beside the HOME."""
        return Actor(OPERATOR, dev=self._dev)

    def ensure_within(self, tx: Connection, by: str, email: str, name: str = "", affiliation: str = "") -> Person:
        """Return the person of an address, added if need be; `by` is empty for who registers by themselves."""
        check_newcomer(email, name, affiliation)
        found = queries.by_email(tx, email)
        if found is not None:
            return found
        values = {
            "id": new_id("person"),
            "email": fold(email),
            "name": name.strip() or email.strip(),
            "affiliation": affiliation.strip(),
            "created_at": self._clock.now(),
        }
        tx.execute(person.insert().values(values))
        self._insert_identity(tx, str(values["id"]), MAIL, fold(email))
        self._ledger.append(tx, "people.person.added", {"person": values["id"]}, by=by or str(values["id"]))
        return known(queries.by_email(tx, email), email)

    def _say(self, tx: Connection, by: Actor, event: str, data: dict[str, Json]) -> None:
        self._ledger.append(tx, event, data, by=by.id)

    def _make_link(self, tx: Connection, **whose: str) -> str:
        secret, now = url_secret(), self._clock.now()
        tx.execute(link.delete().where(link.c.used_at.is_(None), link.c.expires_at <= now))
        tx.execute(link.insert().values(hash=hashed(secret), made_at=now, expires_at=now + LINK_LIFE, **whose))
        return secret

    def _open_session(self, tx: Connection, person_id: str, through: tuple[str, str] = _HANDED) -> str:
        """Begin a session under a secret that is new, whatever the browser had before (no fixation)."""
        now = self._clock.now()
        tx.execute(session.delete().where(session.c.expires_at <= now))
        secret = url_secret()
        values = {
            "hash": hashed(secret),
            "person_id": person_id,
            "created_at": now,
            "expires_at": now + SESSION_LIFE,
            "issuer": through[0],
            "subject": through[1],
        }
        tx.execute(session.insert().values(values))
        self._mark_used(tx, *through)
        return secret

    def _session_of(self, tx: Connection, secret: str) -> str | None:
        """Return the id of the person whose live session this is."""
        live = sa.select(session.c.person_id).where(
            session.c.hash == hashed(secret), session.c.expires_at > self._clock.now()
        )
        return tx.execute(live).scalar()

    def _insert_identity(self, tx: Connection, person_id: str, issuer: str, subject: str) -> None:
        values = {"issuer": issuer, "subject": subject, "person_id": person_id, "added_at": self._clock.now()}
        tx.execute(identity.insert().values(values))

    def _mark_used(self, tx: Connection, issuer: str, subject: str) -> None:
        here = (identity.c.issuer == issuer) & (identity.c.subject == subject)
        tx.execute(identity.update().where(here).values(used_at=self._clock.now()))

    def _end_identity(self, tx: Connection, found: Identity) -> None:
        """Let an identity sign nobody in any more; the sessions that began with it end, and what it showed too."""
        here = (identity.c.issuer == found.issuer) & (identity.c.subject == found.subject)
        tx.execute(identity.update().where(here).values(ended_at=self._clock.now()))
        began = (session.c.issuer == found.issuer) & (session.c.subject == found.subject)
        tx.execute(session.delete().where(began))

    def _learn_from_letter(self, tx: Connection, who: Person, email: str) -> None:
        """Take note of the institution whose address has just received a letter."""
        if (belongs := domain_institution(email, dict(self._sign_in.institutions))) is not None:
            self._learn(tx, who.id, Membership(belongs[1], How.MAIL, belongs[0], self._sign_in.days))

    def _learn(self, tx: Connection, person_id: str, shown: Membership) -> None:
        """Know for some days that a person belongs to an institution; what is known from this source is renewed."""
        now = self._clock.now()
        until = now + timedelta(days=shown.days)
        mine = (fact.c.person_id == person_id) & (fact.c.source == shown.source) & fact.c.ended_at.is_(None)
        here = mine & (fact.c.body == shown.body) & (fact.c.how == shown.how.value) & (fact.c.until > now)
        if not tx.execute(fact.update().where(here).values(until=until)).rowcount:
            named = new_id("fact"), person_id, FactKind.AFFILIATION
            self._insert_fact(tx, Actor(person_id), Fact(*named, shown.body, shown.how, shown.source, now, until))

    def _insert_fact(self, tx: Connection, by: Actor, made: Fact) -> None:
        values = {name: getattr(made, name) for name in fact.columns.keys()}  # noqa: SIM118 - names, not columns
        tx.execute(fact.insert().values(values))
        self._say(tx, by, "people.fact.added", dict(fact_data(made)))


def check_newcomer(email: str, name: str, affiliation: str) -> None:
    """Raise `BadInput` with what is wrong about how somebody wants to be known."""
    found = (address_problem(email), line_problem("name", name), line_problem("affiliation", affiliation))
    if problems := [each for each in found if each]:
        raise BadInput(problems)


def hashed(secret: str) -> str:
    """Return how a secret is stored."""
    return sha256(secret.encode())


def known(found: Person | None, who: str) -> Person:
    """Return the person, or refuse."""
    if found is None:
        reason = f"No person {who!r} is known here; add one with `readingroom person add`."
        raise Refused(Refusal("people/person-unknown", reason))
    return found


def spent() -> Refused:
    """Refuse a link that was used, is too old, or never was."""
    return Refused(Refusal("people/link-spent", "This sign-in link was used or has expired; ask for a new one."))
