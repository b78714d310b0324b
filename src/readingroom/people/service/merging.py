"""Two accounts that are one person's become one, for good.

What referred to the younger account refers to the older from then on, in every room (`store.moving`), so that whatever
compares persons needs no second idea: the same person signs, reviews and counts once, and a bar on either is a bar on
both. The younger pseudonym, which the ledger keeps, leads to the older (`queries.canonical`).

Whoever has signed in to both merges their own. A steward may, with a reason, merge what is another's: then the younger
account's ways in sign nobody in any more, until the person adds them again. Else whoever may merge could sign in as
somebody else, by giving an account of their own to them.
"""

from __future__ import annotations

from sqlalchemy.engine import Connection

from readingroom.core.canonical import canonical, commitment
from readingroom.core.errors import BadInput
from readingroom.core.ids import random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import needed_problem
from readingroom.people import queries
from readingroom.people.model import Actor, Person
from readingroom.people.rules import Permission, check, check_merge, elder
from readingroom.people.service.base import Base, known
from readingroom.people.tables import link, merge, person, session
from readingroom.store.moving import move

PROVED = "proved"  # whoever merged has signed in to both
DECIDED = "decided"  # a steward decided it


class Merging(Base):
    """Use cases around one person's several accounts."""

    def merge_own(self, one: str, other: str) -> tuple[Person, str]:
        """Merge one's own two accounts: whoever has a live session of each has proved both.

        Args:
            one: a session's secret.
            other: another's.

        Returns:
            The person, and a new session; every other session of both has ended.
        """
        with self._db.decide() as tx:
            first, second = (self._signed_in(tx, each) for each in (one, other))
            stays, goes = self._merge(tx, Actor(first.id), (first, second), PROVED, "")
            tx.execute(session.delete().where(session.c.person_id == stays.id))
            return known(queries.by_id(tx, goes.id), goes.id), self._open_session(tx, stays.id)

    def merge(self, by: Actor, one: str, other: str, reason: str) -> Person:
        """Merge two accounts that are one person's, by ids or addresses, on a steward's word. It cannot be undone.

        Raises:
            BadInput: no reason is given.
            Refused: they are one already, or one of them is one's own.
        """
        with self._db.decide() as tx:
            require(check(queries.actor_now(tx, by), Permission.PERSON_MANAGE))
            if problem := needed_problem("reason", reason, "Say how you know that they are one person"):
                raise BadInput([problem])
            first, second = (self._person(tx, each) for each in (one, other))
            stays, _ = self._merge(tx, by, (first, second), DECIDED, reason.strip())
            return known(queries.by_id(tx, stays.id), stays.id)

    def session_person(self, secret: str) -> Person | None:
        """Return the person whose session this is, for the page that asks before a merge."""
        with self._db.read() as tx:
            found = self._session_of(tx, secret) if secret else None
            return queries.by_id(tx, found) if found else None

    def _merge(
        self, tx: Connection, by: Actor, both: tuple[Person, Person], how: str, reason: str
    ) -> tuple[Person, Person]:
        require(check_merge(*both, by, proved=how == PROVED))
        stays, goes = elder(*both)
        ended = queries.identities(tx, goes.id) if how == DECIDED else []
        tx.execute(session.delete().where(session.c.person_id == goes.id))
        tx.execute(link.delete().where(link.c.person_id == goes.id, link.c.used_at.is_(None)))
        move(tx, "person", goes.id, stays.id)
        for each in ended:
            if each.live:
                self._end_identity(tx, each)
        # Its address and name are the person's, where they are looked up by now; the old row only leads there.
        tx.execute(person.update().where(person.c.id == goes.id).values(email=goes.id, name="", affiliation=""))
        salt = random_bytes(32)
        values = {"person_id": goes.id, "into_id": stays.id, "how": how, "reason": reason, "salt": salt}
        merged_by = queries.canonical(tx, by.id) if by.id != goes.id else stays.id
        tx.execute(merge.insert().values(**values, merged_by=merged_by, merged_at=self._clock.now()))
        data = {
            "person": goes.id,
            "into": stays.id,
            "how": how,
            "roles": sorted(role.value for role in goes.roles - stays.roles),  # that the person has by it, too
            "commitment": commitment(salt, canonical({"person": goes.id, "into": stays.id, "reason": reason})),
        }
        self._say(tx, Actor(merged_by), "people.person.merged", data)
        return stays, goes

    def _signed_in(self, tx: Connection, secret: str) -> Person:
        found = self._session_of(tx, secret)
        if found is None:
            reason = "To merge two accounts, be signed in to both: one of the two sessions is over. Begin again."
            raise Refused(Refusal("people/not-signed-in", reason))
        return known(queries.by_id(tx, found), found)

    def _person(self, tx: Connection, whose: str) -> Person:
        return known(queries.by_id(tx, whose) or queries.by_email(tx, whose), whose)
