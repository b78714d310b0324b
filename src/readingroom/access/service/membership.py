"""The members of a grant's project: its holder invites, each says yes or no, and who leaves takes no key along."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.access import queries
from readingroom.access.members import check_invitation, check_removal
from readingroom.access.model import Grant, Member
from readingroom.access.sanctions import check_not_barred
from readingroom.access.service.base import Base, found_grant
from readingroom.access.tables import key as key_table
from readingroom.access.tables import member as member_table
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may


class Membership(Base):
    """Who is of a project."""

    def invite_within(self, tx: Connection, by: Actor, grant_id: str, person: str) -> Member:
        """Invite a person, as the grant's holder or as who may issue grants. They are of it once they say yes."""
        grant = self._own(tx, by, grant_id)
        members = queries.members(tx, grant_id)
        require(check_invitation(grant, members, person))
        require(check_not_barred(queries.barred_until(tx, person), self._clock.now()))
        values = {"invited_by": by.id, "invited_at": self._clock.now(), "joined_at": None, "left_at": None}
        if any(each.person == person for each in members):  # who left is invited anew
            tx.execute(member_table.update().where(_which(grant_id, person)).values(**values, retention=None))
        else:
            tx.execute(member_table.insert().values(grant_id=grant_id, person=person, **values))
        self._say(tx, by, "access.member.invited", {"grant": grant_id, "person": person})
        return _found(tx, grant_id, person)

    def may_invite(self, tx: Connection, by: Actor) -> None:
        """Refuse whoever does not hold the grant and may not issue any."""
        require(check(people.actor_now(tx, by), Permission.GRANT_ISSUE))

    def join(self, by: Actor, grant_id: str) -> Member:
        """Say yes to an invitation."""
        return self._answer(by, grant_id, yes=True)

    def decline(self, by: Actor, grant_id: str) -> Member:
        """Say no to an invitation."""
        return self._answer(by, grant_id, yes=False)

    def remove(self, by: Actor, grant_id: str, person: str) -> Member:
        """Remove a member, or leave oneself. Their keys end in the same transaction, and every worker hears of it."""
        with self._db.decide() as tx:
            grant = found_grant(tx, grant_id)
            if by.id not in {person, grant.holder} and not may(by, Permission.GRANT_SANCTION):
                self._own(tx, by, grant_id)
            found = queries.member(tx, grant_id, person)
            require(check_removal(grant, found, person))
            self._leave(tx, grant_id, person, self._clock.now())
            data = {"grant": grant_id, "person": person, "left": by.id == person}
            self._say(tx, by, "access.member.removed", data)
            return _found(tx, grant_id, person)

    def members(self, by: Actor, grant_id: str) -> list[Member]:
        """Return who is of a project or invited to it, to its members and to who may read grants."""
        with self._db.read() as tx:
            grant = found_grant(tx, grant_id)
            if by.id not in queries.persons_of(tx, grant):
                require(check(by, Permission.GRANT_READ))
            return [each for each in queries.members(tx, grant_id) if each.left_at is None]

    def left(self, by: Actor) -> list[tuple[Grant, Member]]:
        """Return the projects that one was of, and left or was removed from, the latest first."""
        with self._db.read() as tx:
            return queries.left(tx, by.id)

    def invitations(self, by: Actor) -> list[tuple[Member, Grant]]:
        """Return the invitations that wait for the actor's answer, each with its grant."""
        with self._db.read() as tx:
            return [(each, found_grant(tx, each.grant_id)) for each in queries.invitations(tx, by.id)]

    def _answer(self, by: Actor, grant_id: str, *, yes: bool) -> Member:
        with self._db.decide() as tx:
            found = queries.member(tx, grant_id, by.id)
            if found is None or not found.is_asked:
                raise Refused(Refusal("access/no-such-invitation", "No invitation to this project waits for you."))
            now = self._clock.now()
            if yes:
                require(check_not_barred(queries.barred_until(tx, by.id), now))
            values = {"joined_at": now} if yes else {"left_at": now}
            tx.execute(member_table.update().where(_which(grant_id, by.id)).values(values))
            event = "access.member.joined" if yes else "access.member.declined"
            self._say(tx, by, event, {"grant": grant_id, "person": by.id})
            return _found(tx, grant_id, by.id)

    def _own(self, tx: Connection, by: Actor, grant_id: str) -> Grant:
        """Find a grant for its holder or for who may issue grants; to all others it is not there."""
        grant = queries.grant(tx, grant_id)
        if grant is None or by.id != grant.holder:
            require(check(people.actor_now(tx, by), Permission.GRANT_ISSUE))
        return found_grant(tx, grant_id)

    @staticmethod
    def _leave(tx: Connection, grant_id: str, person: str, now: datetime) -> None:
        tx.execute(member_table.update().where(_which(grant_id, person)).values(left_at=now))
        theirs = (key_table.c.grant_id == grant_id) & (key_table.c.person == person)
        still = key_table.c.ends_at.is_(None) | (key_table.c.ends_at > now)
        tx.execute(key_table.update().where(theirs, still).values(ends_at=now))


def _which(grant_id: str, person: str) -> sa.ColumnElement[bool]:
    return (member_table.c.grant_id == grant_id) & (member_table.c.person == person)


def _found(tx: Connection, grant_id: str, person: str) -> Member:
    if (found := queries.member(tx, grant_id, person)) is None:
        raise Refused(Refusal("access/no-such-member", "That person is not a member of this grant's project."))
    return found
