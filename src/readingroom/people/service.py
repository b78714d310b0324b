"""Use cases of the people room: persons, their roles, and how they sign in.

Sign-in is by a one-time link, as notebooks do it: whoever holds the link is the person. The link's secret and
the session's secret are stored only as SHA-256, so that a copy of the database signs nobody in.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.canonical import sha256
from readingroom.core.clock import Clock
from readingroom.core.errors import BadInput
from readingroom.core.ids import new_id, url_secret
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import line_problem
from readingroom.ledger.service import Ledger
from readingroom.people import queries
from readingroom.people.address import address_problem, fold
from readingroom.people.model import OPERATOR, Actor, Person, Role
from readingroom.people.rules import Permission, check
from readingroom.people.tables import link, person, role, session
from readingroom.store.db import Database

LINK_LIFE = timedelta(hours=24)
SESSION_LIFE = timedelta(hours=12)
LETTERS_PER_ADDRESS = 5  # in an hour: more fill a mailbox, and help nobody
LETTERS_IN_ALL = 200  # in an hour, to whoever asks without being known
_HOUR = timedelta(hours=1)


class People:
    """Persons, roles, sign-in links and sessions."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock, *, dev: bool = False) -> None:
        """Take the database, the ledger, the clock, and whether the house is one for trials."""
        self._db = db
        self._ledger = ledger
        self._clock = clock
        self._dev = dev

    def operator(self) -> Actor:
        """Return the actor for whoever stands at the terminal beside the HOME."""
        return Actor(OPERATOR, dev=self._dev)

    def add(
        self, by: Actor, email: str, *, name: str = "", affiliation: str = "", roles: Iterable[Role] = ()
    ) -> Person:
        """Add a person with roles; adding someone again adds the roles, and corrects name and affiliation."""
        with self._db.decide() as tx:
            require(check(queries.actor_now(tx, by), Permission.PERSON_MANAGE))
            found = self.ensure_within(tx, by.id, email, name, affiliation)
            given = {"name": name.strip(), "affiliation": affiliation.strip()}
            corrected = {field: value for field, value in given.items() if value}
            if corrected:
                tx.execute(person.update().where(person.c.id == found.id).values(corrected))
            for each in sorted(set(roles)):
                self._add_role(tx, by, found.id, each)
            return _known(queries.by_id(tx, found.id), email)

    def ask(self, email: str, *, name: str = "", affiliation: str = "") -> str:
        """Make a sign-in secret for whoever asks, to be sent to that address and nowhere else.

        An address that is not known becomes a person once the link is used, so that asking neither tells who is
        known nor fills the ledger. Past the bounds of an hour there is no secret: an empty text.
        """
        _check(email, name, affiliation)
        now = self._clock.now()
        recent = sa.select(sa.func.count()).where(link.c.email != "", link.c.made_at > now - _HOUR)
        with self._db.write() as tx:
            in_all = tx.execute(recent).scalar_one()
            here = tx.execute(recent.where(link.c.email == fold(email))).scalar_one()
            if in_all >= LETTERS_IN_ALL or here >= LETTERS_PER_ADDRESS:
                return ""
            return self._make_link(tx, email=fold(email), name=name.strip(), affiliation=affiliation.strip())

    def change_role(self, by: Actor, email: str, changed: Role, *, add: bool) -> Person:
        """Give or take one role."""
        with self._db.decide() as tx:
            require(check(queries.actor_now(tx, by), Permission.PERSON_MANAGE))
            found = _known(queries.by_email(tx, email), email)
            if add:
                self._add_role(tx, by, found.id, changed)
            elif changed in found.roles:
                tx.execute(role.delete().where(role.c.person_id == found.id, role.c.role == changed))
                data = {"person": found.id, "role": changed.value}
                self._ledger.append(tx, "people.role.removed", data, by=by.id)
            return _known(queries.by_id(tx, found.id), email)

    def everyone(self, by: Actor) -> list[Person]:
        """List all persons."""
        require(check(by, Permission.PERSON_MANAGE))
        with self._db.read() as tx:
            return list(queries.persons(tx).values())

    def find(self, email: str) -> Person | None:
        """Look a person up by address."""
        with self._db.read() as tx:
            return queries.by_email(tx, email)

    def named(self, email: str) -> Person:
        """Look a person up by address; refuses where there is none."""
        return _known(self.find(email), email)

    def actor(self, person_id: str) -> Actor:
        """Return a person as an actor with the roles held now."""
        with self._db.read() as tx:
            found = _known(queries.by_id(tx, person_id), person_id)
        return Actor(found.id, found.roles, dev=self._dev)

    def may_see_link(self, by: Actor, email: str) -> bool:
        """Tell whether a link for that address is shown to this actor: it is theirs, or no steward has come yet."""
        with self._db.read() as tx:
            found = queries.by_email(tx, email)
            return (found is not None and found.id == by.id) or not queries.has_a_steward_signed_in(tx)

    def make_link_for(self, by: Actor, email: str, *, how: str = "shown") -> str:
        """Make a sign-in secret for somebody else: whoever may manage persons may hand links out.

        Args:
            by: who hands it out.
            email: whose link it is.
            how: `shown` to whoever asked, or `sent` to the address; it is on record.
        """
        with self._db.decide() as tx:
            require(check(queries.actor_now(tx, by), Permission.PERSON_MANAGE))
            found = _known(queries.by_email(tx, email), email)
            self._ledger.append(tx, "people.link.made", {"person": found.id, "how": how}, by=by.id)
            return self._make_link(tx, person_id=found.id)

    def sign_in(self, secret: str) -> str:
        """Turn a one-time link's secret into a session's secret; a link works exactly once."""
        now = self._clock.now()
        with self._db.decide() as tx:
            unused = link.c.used_at.is_(None) & (link.c.expires_at > now)
            redeem = link.update().where(link.c.hash == _hash(secret), unused).values(used_at=now)
            used = tx.execute(redeem.returning(link)).first()
            if used is None:
                reason = "This sign-in link was used or has expired; ask for a new one."
                raise Refused(Refusal("people/link-spent", reason))
            person_id = used.person_id
            if person_id is None:  # whoever asked holds the letter: the address is theirs
                person_id = self.ensure_within(tx, "", used.email, used.name, used.affiliation).id
                tx.execute(link.update().where(link.c.hash == used.hash).values(person_id=person_id))
            return _open_session(tx, person_id, now)

    def whose_link(self, secret: str) -> Person | None:
        """Return whom a one-time link would sign in, without using it up; None if nobody.

        Who asked and is not known yet has no id.
        """
        unused = link.c.used_at.is_(None) & (link.c.expires_at > self._clock.now())
        with self._db.read() as tx:
            found = tx.execute(sa.select(link).where(link.c.hash == _hash(secret), unused)).first()
            if found is None:
                return None
            if found.person_id is not None:
                return queries.by_id(tx, found.person_id)
            known = queries.by_email(tx, found.email)
            name = found.name or found.email
            return known or Person("", found.email, name, found.affiliation, frozenset(), found.made_at)

    def session(self, secret: str) -> Person | None:
        """Return the person whose session this is, or None."""
        with self._db.read() as tx:
            live = sa.select(session.c.person_id).where(
                session.c.hash == _hash(secret), session.c.expires_at > self._clock.now()
            )
            person_id = tx.execute(live).scalar()
            return queries.by_id(tx, person_id) if person_id else None

    def sign_out(self, secret: str) -> None:
        """End a session."""
        with self._db.write() as tx:
            tx.execute(session.delete().where(session.c.hash == _hash(secret)))

    def end_sessions_within(self, tx: Connection) -> None:
        """Sign everybody out, and spend every link: in a restored house they may have been ended since."""
        tx.execute(session.delete())
        tx.execute(link.delete().where(link.c.used_at.is_(None)))

    def ensure_within(self, tx: Connection, by: str, email: str, name: str = "", affiliation: str = "") -> Person:
        """Return the person of an address, added if need be; `by` is empty for who registers by themselves."""
        _check(email, name, affiliation)
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
        self._ledger.append(tx, "people.person.added", {"person": values["id"]}, by=by or str(values["id"]))
        return _known(queries.by_email(tx, email), email)

    def _make_link(self, tx: Connection, **whose: str) -> str:
        secret, now = url_secret(), self._clock.now()
        tx.execute(link.delete().where(link.c.used_at.is_(None), link.c.expires_at <= now))
        tx.execute(link.insert().values(hash=_hash(secret), made_at=now, expires_at=now + LINK_LIFE, **whose))
        return secret

    def _add_role(self, tx: Connection, by: Actor, person_id: str, added: Role) -> None:
        held = sa.select(role.c.role).where(role.c.person_id == person_id, role.c.role == added)
        if tx.execute(held).first() is None:
            tx.execute(role.insert().values(person_id=person_id, role=added.value))
            data = {"person": person_id, "role": added.value}
            self._ledger.append(tx, "people.role.added", data, by=by.id)


def _check(email: str, name: str, affiliation: str) -> None:
    found = (address_problem(email), line_problem("name", name), line_problem("affiliation", affiliation))
    if problems := [each for each in found if each]:
        raise BadInput(problems)


def _open_session(tx: Connection, person_id: str, now: datetime) -> str:
    tx.execute(session.delete().where(session.c.expires_at <= now))
    secret = url_secret()
    values = {
        "hash": _hash(secret),
        "person_id": person_id,
        "created_at": now,
        "expires_at": now + SESSION_LIFE,
    }
    tx.execute(session.insert().values(values))
    return secret


def _hash(secret: str) -> str:
    return sha256(secret.encode())


def _known(found: Person | None, who: str) -> Person:
    if found is None:
        reason = f"No person {who!r} is known here; add one with `readingroom person add`."
        raise Refused(Refusal("people/person-unknown", reason))
    return found
