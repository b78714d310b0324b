"""Identities: signing in through a provider, adding a way in to an account, taking one off, and sessions.

A provider's word for somebody who is not known here makes no account: it is kept for an hour as a *proof* in the
browser that brought it, until whoever sits there has signed in (by a letter, say) and adds it to that account. So no
provider can claim somebody else's address, and nobody can slip an identity of theirs into another's account.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.errors import BadInput
from readingroom.core.ids import url_secret
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people import queries
from readingroom.people.address import address_problem, fold
from readingroom.people.model import MAIL, Actor, How, Identity, Membership, Person, Proven, Session
from readingroom.people.rules import check_removing, check_taking
from readingroom.people.service.base import Base, hashed, known, spent
from readingroom.people.tables import fact, identity, link, person, proof, session

PROOF_LIFE = timedelta(hours=1)
LETTERS_PER_PERSON = 5  # a day, to addresses that somebody wants to add


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came of a sign-in through a provider: a session, or a proof that is still to be added to an account."""

    session: str = ""
    proof: str = ""


class Identities(Base):
    """Use cases around the ways to know a person."""

    def arrive(self, proved: Proven, present: Actor | None = None) -> Arrival:
        """Sign in whom a provider has vouched for; or keep its word, where it is nobody's yet.

        Args:
            proved: whom it vouched for.
            present: who is signed in in this browser already. Then nobody else is signed in in their place.

        Raises:
            Refused: it is another account's than the one that is signed in.
        """
        with self._db.decide() as tx:
            owned = queries.identity(tx, proved.issuer, proved.subject)
            if present is not None:
                require(check_taking(owned, present.id))
            if owned is not None and owned.live:
                self._learn_from_provider(tx, owned.person_id, proved)
                return Arrival(self._open_session(tx, owned.person_id, (proved.issuer, proved.subject)))
            if owned is None and present is None and proved.email:  # an address that is as good as proved by a letter
                address = queries.identity(tx, MAIL, fold(proved.email))
                if address is None or address.live:
                    found = self.ensure_within(tx, "", proved.email, proved.name, proved.institution)
                    self._add_identity(tx, Actor(found.id), proved.issuer, proved.subject)
                    self._learn_from_provider(tx, found.id, proved)
                    return Arrival(self._open_session(tx, found.id, (proved.issuer, proved.subject)))
            return Arrival(proof=self._keep_proof(tx, proved))

    def proof(self, secret: str) -> Proven | None:
        """Return what a browser has proved and nobody has added yet."""
        with self._db.read() as tx:
            return self._proof(tx, secret)

    def add_proven(self, by: Actor, secret: str) -> Identity:
        """Add to one's account what this browser has proved; from now on it signs in, too.

        Raises:
            Refused: there is no such proof, it is too old, or it is another account's.
        """
        with self._db.decide() as tx:
            proved = self._proof(tx, secret)
            if proved is None:
                reason = "What you had proved is too old, or was added already. Sign in there again."
                raise Refused(Refusal("people/link-spent", reason))
            tx.execute(proof.delete().where(proof.c.hash == hashed(secret)))
            owner = known(queries.by_id(tx, by.id), by.id)
            made = self._add_identity(tx, Actor(owner.id), proved.issuer, proved.subject)
            self._learn_from_provider(tx, owner.id, proved)
            return made

    def ask_address(self, by: Actor, email: str) -> str:
        """Make the secret of a letter to an address that somebody wants to add; empty past the bounds of a day."""
        if problem := address_problem(email):
            raise BadInput([problem])
        now = self._clock.now()
        asked = sa.select(sa.func.count()).where(
            link.c.person_id == by.id, link.c.email != "", link.c.made_at > now - timedelta(days=1)
        )
        with self._db.write() as tx:
            owner = known(queries.by_id(tx, by.id), by.id)
            if tx.execute(asked).scalar_one() >= LETTERS_PER_PERSON:
                return ""
            return self._make_link(tx, person_id=owner.id, email=fold(email))

    def add_address(self, by: Actor, secret: str) -> Identity:
        """Add the address that received this letter to the account that asked for it, which must be signed in here.

        Raises:
            Refused: the link was used or is too old, another account asked for it, or the address is another's.
        """
        now = self._clock.now()
        mine = (link.c.person_id == by.id) & (link.c.email != "")
        unused = link.c.used_at.is_(None) & (link.c.expires_at > now)
        with self._db.decide() as tx:
            redeem = link.update().where(link.c.hash == hashed(secret), mine, unused).values(used_at=now)
            used = tx.execute(redeem.returning(link)).first()
            if used is None:
                raise spent()
            owner = known(queries.by_id(tx, by.id), by.id)
            made = self._add_identity(tx, by, MAIL, used.email)
            self._learn_from_letter(tx, owner, used.email)
            return made

    def choose_address(self, by: Actor, email: str) -> Person:
        """Let letters go to another of one's addresses."""
        with self._db.decide() as tx:
            found = queries.identity(tx, MAIL, fold(email))
            if found is None or found.person_id != by.id or not found.live:
                raise Refused(Refusal("people/identity-unknown", "Your account has no such address; add it first."))
            tx.execute(person.update().where(person.c.id == by.id).values(email=found.subject))
            self._say(tx, by, "people.address.chosen", {"person": by.id})
            return known(queries.by_id(tx, by.id), by.id)

    def remove_identity(self, by: Actor, issuer: str, subject: str) -> None:
        """Take a way in off one's account. It stays known as one's own, so that nobody begins anew with it."""
        with self._db.decide() as tx:
            found = queries.identity(tx, issuer, subject)
            owner = known(queries.by_id(tx, by.id), by.id)
            require(check_removing(found, owner))
            if found is not None:
                self._end_identity(tx, found)
                self._forget_source(tx, by, issuer)
                self._say(tx, by, "people.identity.removed", {"person": by.id, "kind": _kind(issuer)})

    def my_identities(self, by: Actor) -> list[Identity]:
        """Return the ways in to one's account."""
        with self._db.read() as tx:
            return [each for each in queries.identities(tx, by.id) if each.live]

    def my_sessions(self, by: Actor) -> list[Session]:
        """Return where one is signed in, the newest first."""
        live = (session.c.person_id == by.id) & (session.c.expires_at > self._clock.now())
        with self._db.read() as tx:
            rows = tx.execute(sa.select(session).where(live).order_by(session.c.created_at.desc(), session.c.hash))
            return [Session(row.person_id, row.created_at, row.expires_at, row.issuer) for row in rows]

    def sign_out_everywhere(self, by: Actor) -> int:
        """End all of one's sessions, in every browser and terminal, and spend every link; return how many ended."""
        with self._db.decide() as tx:
            ended = tx.execute(session.delete().where(session.c.person_id == by.id)).rowcount
            tx.execute(link.delete().where(link.c.person_id == by.id, link.c.used_at.is_(None)))
            self._say(tx, by, "people.sessions.ended", {"person": by.id, "count": ended})
            return ended

    def _add_identity(self, tx: Connection, by: Actor, issuer: str, subject: str) -> Identity:
        found = queries.identity(tx, issuer, subject)
        require(check_taking(found, by.id))
        if found is None:
            self._insert_identity(tx, by.id, issuer, subject)
        else:
            here = (identity.c.issuer == issuer) & (identity.c.subject == subject)
            tx.execute(identity.update().where(here).values(ended_at=None))
        if found is None or not found.live:
            self._say(tx, by, "people.identity.added", {"person": by.id, "kind": _kind(issuer)})
        return queries.identity(tx, issuer, subject) or Identity(issuer, subject, by.id, self._clock.now())

    def _learn_from_provider(self, tx: Connection, person_id: str, proved: Proven) -> None:
        """Renew what a provider says of somebody's institution; end what it says no longer."""
        if proved.institution:
            self._learn(tx, person_id, Membership(proved.institution, How.PROVIDER, proved.issuer, proved.days))
        else:
            self._forget_source(tx, Actor(person_id), proved.issuer)

    def _forget_source(self, tx: Connection, by: Actor, source: str) -> None:
        """End what was learned of a person from a source."""
        here = (fact.c.person_id == by.id) & (fact.c.source == source) & fact.c.ended_at.is_(None)
        for each in tx.execute(sa.select(fact.c.id).where(here, fact.c.how == How.PROVIDER.value)).scalars().all():
            tx.execute(fact.update().where(fact.c.id == each).values(ended_at=self._clock.now()))
            self._say(tx, by, "people.fact.ended", {"person": by.id, "fact": each})

    def _keep_proof(self, tx: Connection, proved: Proven) -> str:
        secret, now = url_secret(), self._clock.now()
        tx.execute(proof.delete().where(proof.c.expires_at <= now))
        values = {"issuer": proved.issuer, "subject": proved.subject, "institution": proved.institution}
        tx.execute(proof.insert().values(hash=hashed(secret), expires_at=now + PROOF_LIFE, **values))
        return secret

    def _proof(self, tx: Connection, secret: str) -> Proven | None:
        live = (proof.c.hash == hashed(secret)) & (proof.c.expires_at > self._clock.now())
        row = tx.execute(sa.select(proof).where(live)).first()
        if row is None:
            return None
        return Proven(row.issuer, row.subject, institution=row.institution, days=self._sign_in.days)


def _kind(issuer: str) -> str:
    """Say in the ledger what kind of identity it is; not whose, nor by whom."""
    return "address" if issuer == MAIL else "provider"
