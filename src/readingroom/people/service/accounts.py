"""Accounts: persons, their roles, and how they sign in by a letter.

Sign-in is by a one-time link, as notebooks do it: whoever holds the link is the person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.refusal import require
from readingroom.people import queries
from readingroom.people.address import fold
from readingroom.people.model import MAIL, Actor, Person, Role
from readingroom.people.rules import Permission, check, check_signing_in
from readingroom.people.service.base import Base, check_newcomer, hashed, known, spent
from readingroom.people.tables import identity, link, person, role, session

LETTERS_PER_ADDRESS = 5  # in an hour: more fill a mailbox, and help nobody
LETTERS_IN_ALL = 200  # in an hour, to all addresses together that nobody has here
_HOUR = timedelta(hours=1)
_PEOPLES_ADDRESSES = sa.select(identity.c.subject).where(identity.c.issuer == MAIL)
# With a person *and* an address, unused, a link adds that address to that person, and signs nobody in.
_SIGNS_IN = link.c.person_id.is_(None) | (link.c.email == "")


class Accounts(Base):
    """Use cases around an account."""

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
            return known(queries.by_id(tx, found.id), email)

    def ask(self, email: str, *, name: str = "", affiliation: str = "") -> str:
        """Make a sign-in secret for whoever asks, to be sent to that address and nowhere else.

        An address that is not known becomes a person once the link is used, so that asking neither tells who is
        known nor fills the ledger. Past the bounds of an hour there is no secret: an empty text. What is asked for
        addresses that nobody has here keeps nobody out who has one: else a flood would close the house to its readers.
        """
        check_newcomer(email, name, affiliation)
        now = self._clock.now()
        recent = sa.select(sa.func.count()).where(link.c.email != "", link.c.made_at > now - _HOUR)
        with self._db.write() as tx:
            here = tx.execute(recent.where(link.c.email == fold(email))).scalar_one()
            # Both are asked in either case, so that the time that it takes tells nobody who is known.
            unknown = tx.execute(recent.where(link.c.email.not_in(_PEOPLES_ADDRESSES))).scalar_one()
            stranger = queries.identity(tx, MAIL, fold(email)) is None
            if here >= LETTERS_PER_ADDRESS or (stranger and unknown >= LETTERS_IN_ALL):
                return ""
            return self._make_link(tx, email=fold(email), name=name.strip(), affiliation=affiliation.strip())

    def change_role(self, by: Actor, email: str, changed: Role, *, add: bool) -> Person:
        """Give or take one role."""
        with self._db.decide() as tx:
            require(check(queries.actor_now(tx, by), Permission.PERSON_MANAGE))
            found = known(queries.by_email(tx, email), email)
            if add:
                self._add_role(tx, by, found.id, changed)
            elif changed in found.roles:
                tx.execute(role.delete().where(role.c.person_id == found.id, role.c.role == changed))
                data = {"person": found.id, "role": changed.value}
                self._ledger.append(tx, "people.role.removed", data, by=by.id)
            return known(queries.by_id(tx, found.id), email)

    def everyone(self, by: Actor) -> list[Person]:
        """List all persons."""
        require(check(by, Permission.PERSON_MANAGE))
        with self._db.read() as tx:
            return list(queries.persons(tx).values())

    def listed(
        self, by: Actor, text: str = "", *, acting: bool, limit: int, offset: int = 0
    ) -> tuple[list[Person], int]:
        """Return a page of those who hold a role or of those who hold none, and how many there are in all."""
        require(check(by, Permission.PERSON_MANAGE))
        with self._db.read() as tx:
            return queries.listed(tx, text.strip(), limit, offset, acting=acting)

    def names(self, by: Actor, wanted: Collection[str]) -> dict[str, str]:
        """Return what some persons are called, by id: for pages of those who may know."""
        require(check(by, Permission.PERSON_MANAGE))
        with self._db.read() as tx:
            return queries.names(tx, wanted)

    def find(self, email: str) -> Person | None:
        """Look a person up by address."""
        with self._db.read() as tx:
            return queries.by_email(tx, email)

    def named(self, email: str) -> Person:
        """Look a person up by address; refuses where there is none."""
        return known(self.find(email), email)

    def actor(self, person_id: str) -> Actor:
        """Return a person as an actor with the roles held now."""
        with self._db.read() as tx:
            found = known(queries.by_id(tx, person_id), person_id)
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
            found = known(queries.by_email(tx, email), email)
            self._ledger.append(tx, "people.link.made", {"person": found.id, "how": how}, by=by.id)
            return self._make_link(tx, person_id=found.id)

    def sign_in(self, secret: str) -> str:
        """Turn a one-time link's secret into a session's secret; a link works exactly once.

        Raises:
            Refused: the link was used or is too old; or its address was taken off the account that it belongs to.
        """
        now = self._clock.now()
        with self._db.decide() as tx:
            unused = link.c.used_at.is_(None) & (link.c.expires_at > now) & _SIGNS_IN
            redeem = link.update().where(link.c.hash == hashed(secret), unused).values(used_at=now)
            used = tx.execute(redeem.returning(link)).first()
            if used is None:
                raise spent()
            if used.person_id is not None:  # handed out to them
                return self._open_session(tx, used.person_id)
            # Whoever asked holds the letter: the address is theirs.
            if (owned := queries.identity(tx, MAIL, used.email)) is not None:
                require(check_signing_in(owned))
            found = self.ensure_within(tx, "", used.email, used.name, used.affiliation)
            tx.execute(link.update().where(link.c.hash == used.hash).values(person_id=found.id))
            self._learn_from_letter(tx, found, used.email)
            return self._open_session(tx, found.id, (MAIL, used.email))

    def whose_link(self, secret: str) -> Person | None:
        """Return whom a one-time link would sign in, without using it up; None if nobody.

        Who asked and is not known yet has no id.
        """
        unused = link.c.used_at.is_(None) & (link.c.expires_at > self._clock.now()) & _SIGNS_IN
        with self._db.read() as tx:
            found = tx.execute(sa.select(link).where(link.c.hash == hashed(secret), unused)).first()
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
            person_id = self._session_of(tx, secret)
            return queries.by_id(tx, person_id) if person_id else None

    def sign_out(self, secret: str) -> None:
        """End a session."""
        with self._db.write() as tx:
            tx.execute(session.delete().where(session.c.hash == hashed(secret)))

    def end_sessions_within(self, tx: Connection) -> None:
        """Sign everybody out, and spend every link: in a restored house they may have been ended since."""
        tx.execute(session.delete())
        tx.execute(link.delete().where(link.c.used_at.is_(None)))

    def _add_role(self, tx: Connection, by: Actor, person_id: str, added: Role) -> None:
        held = sa.select(role.c.role).where(role.c.person_id == person_id, role.c.role == added)
        if tx.execute(held).first() is None:
            tx.execute(role.insert().values(person_id=person_id, role=added.value))
            data = {"person": person_id, "role": added.value}
            self._ledger.append(tx, "people.role.added", data, by=by.id)
