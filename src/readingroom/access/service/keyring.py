"""Keys: each member of a project makes, rotates and ends their own."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.engine import Connection

from readingroom.access import keys as key_form
from readingroom.access import queries
from readingroom.access.keys import Secret
from readingroom.access.model import GrantState, Key
from readingroom.access.rules import MAX_GRACE_HOURS, check_key_change, check_newest
from readingroom.access.sanctions import check_not_barred, check_not_revoked
from readingroom.access.service.base import Base, found_grant, found_key
from readingroom.access.tables import key as key_table
from readingroom.core.ids import new_id
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may


class Keyring(Base):
    """The credentials of a grant's members."""

    def issue_key(self, by: Actor, grant_id: str, *, newest: str | None = None) -> tuple[Key, Secret]:
        """Make a key: a member of the project for themselves, who may issue grants for its holder. Shown once.

        Args:
            by: who makes it.
            grant_id: the grant.
            newest: the id of the newest key that `by` was shown, empty for none: where another has been made since,
                no second one is. None asks for one in any case.
        """
        with self._db.decide() as tx:
            return self.issue_key_within(tx, by, grant_id, newest=newest)

    def issue_key_within(
        self, tx: Connection, by: Actor, grant_id: str, *, newest: str | None = None, person: str = ""
    ) -> tuple[Key, Secret]:
        """Make a key in a transaction that is open; `person`, where it is made in the place of one of theirs."""
        grant = found_grant(tx, grant_id)
        belongs = by.id in queries.persons_of(tx, grant)
        if not belongs:
            require(check(by, Permission.GRANT_ISSUE))
        person = person or (by.id if belongs else grant.holder)
        if grant.state is GrantState.REVOKED:
            raise Refused(Refusal("access/grant-revoked", "This grant was revoked; it gets no more keys."))
        now = self._clock.now()
        require(check_not_barred(queries.barred_until(tx, person), now))
        require(check_not_revoked(queries.standing(tx, [grant_id], [person]), person))
        if newest is not None:
            require(check_newest([each for each in queries.keys(tx, grant_id) if each.person == person], newest))
        secret = key_form.make()
        key_id = new_id("key")
        plain = secret.reveal()
        values = {
            "id": key_id,
            "hash": key_form.key_hash(plain),
            "grant_id": grant_id,
            "person": person,
            "hint": plain[: key_form.HINT],
            "issued_at": now,
        }
        tx.execute(key_table.insert().values(values))
        self._say(tx, by, "access.key.issued", {"grant": grant_id, "key": key_id, "person": person})
        return found_key(tx, key_id), secret

    def revoke_key(self, by: Actor, key_id: str) -> Key:
        """End a key at once."""
        with self._db.decide() as tx:
            self._may_end(tx, by, key_id, "revoke")
            return self._end_key(tx, by, key_id, self._clock.now(), "access.key.revoked")

    def rotate_key(self, by: Actor, key_id: str, *, grace_hours: int = 0) -> tuple[Key, Secret]:
        """Make a new key in place of one, which ends at once or after some hours of grace (at most 72)."""
        if not 0 <= grace_hours <= MAX_GRACE_HOURS:
            raise Refused(
                Refusal("access/bad-grace", f"The grace may be 0 to {MAX_GRACE_HOURS} hours, not {grace_hours}.")
            )
        with self._db.decide() as tx:
            old = self._may_end(tx, by, key_id, "rotate")
            ends = self._clock.now() + timedelta(hours=grace_hours)
            self._end_key(tx, by, key_id, ends, "access.key.rotated")
            return self.issue_key_within(tx, by, old.grant_id, person=old.person)

    def _may_end(self, tx: Connection, by: Actor, key_id: str, act: str) -> Key:
        key = found_key(tx, key_id)
        grant = found_grant(tx, key.grant_id)
        # The holder answers for the project and can end any key of it; a new one is made for whose it was alone.
        own = by.id == key.person or (act == "revoke" and by.id == grant.holder)
        if not own and not may(by, Permission.GRANT_SANCTION):
            require(check(by, Permission.GRANT_ISSUE))
        require(check_key_change(key, act, self._clock.now()))
        return key
