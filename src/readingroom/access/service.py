"""Use cases of the access room: issue, sanction, keys. Terms are in `agreements.py`."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.access import keys as key_form
from readingroom.access import queries
from readingroom.access.keys import Secret
from readingroom.access.model import Award, Grant, GrantState, Key, Reason
from readingroom.access.rules import (
    MAX_GRACE_HOURS,
    change_grant,
    check_agreement,
    check_award,
    check_bar,
    check_key_change,
    check_newest,
    check_reason,
)
from readingroom.access.tables import bar as bar_table
from readingroom.access.tables import grant as grant_table
from readingroom.access.tables import key as key_table
from readingroom.core.clock import Clock, rfc3339
from readingroom.core.errors import BadInput
from readingroom.core.ids import new_id
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import prose_problem
from readingroom.ledger.service import Ledger
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may
from readingroom.store.db import Database
from readingroom.strategy.model import StageFact

_ENTRIES = {
    "suspend": "access.grant.suspended",
    "reinstate": "access.grant.reinstated",
    "revoke": "access.grant.revoked",
}


class Access:
    """Grants and keys."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock, *, dev: bool = False) -> None:
        """Take the database, the ledger, the clock, and whether the house is one for trials."""
        self._db = db
        self._ledger = ledger
        self._clock = clock
        self._dev = dev

    def issue(self, by: Actor, award: Award, stage: StageFact | None) -> Grant:
        """Issue a grant at the lab's discretion, on record as such."""
        with self._db.decide() as tx:
            return self.issue_within(tx, by, award, stage)

    def issue_within(self, tx: Connection, by: Actor, award: Award, stage: StageFact | None) -> Grant:
        """Issue a grant in a transaction that is open; from an award, whoever accepted it is the actor."""
        if award.award_id is None:
            require(check(people.actor_now(tx, by), Permission.GRANT_ISSUE))
        now = self._clock.now()
        require(check_award(award, stage, queries.barred_until(tx, award.holder), now))
        grant_id = new_id("grant")
        values = {
            "id": grant_id,
            "holder": award.holder,
            "stage": award.stage,
            "tier": award.tier,
            "state": GrantState.ACTIVE.value,
            **award.allocation.to_json(),
            "issued_at": now,
            "expires_at": award.expires_at,
            "issued_by": award.decided_by or by.id,
            "award_id": award.award_id,
            "purpose": award.purpose,
            "changed_at": now,
            "dev": self._dev,
        }
        tx.execute(grant_table.insert().values(values))
        data = {
            "grant": grant_id,
            "stage": award.stage,
            "tier": award.tier,
            "allocation": award.allocation.to_json(),
            "award": award.award_id,
            "discretionary": award.award_id is None,
            "dev": self._dev,
        }
        self._ledger.append(tx, "access.grant.issued", data, by=by.id)
        queries.bump(tx)
        return _found(queries.grant(tx, grant_id), grant_id)

    def agree_within(self, tx: Connection, by: Actor, grant_id: str, stage: StageFact | None, shown: str = "") -> Grant:
        """Agree, as a grant's holder, to what its stage keeps of prompts and answers, by the digest that was shown.

        Without `shown`, on a service account's behalf, by who may issue grants; recorded as such.
        """
        grant = _found(queries.grant(tx, grant_id), grant_id)
        if not shown:
            require(check(people.actor_now(tx, by), Permission.GRANT_ISSUE))
        elif by.id != grant.holder:
            raise Refused(Refusal("access/no-such-grant", f"You hold no grant {grant_id!r}."))
        asked = stage.retention if stage else None
        if asked is None or shown:
            require(check_agreement(stage, shown))
        if asked is not None and grant.retention != asked.digest:
            tx.execute(grant_table.update().where(grant_table.c.id == grant_id).values(retention=asked.digest))
            data = {"grant": grant_id, "retention": asked.digest, "days": asked.days, "on_behalf": not shown}
            self._ledger.append(tx, "access.retention.agreed", data, by=by.id)
            queries.bump(tx)
        return _found(queries.grant(tx, grant_id), grant_id)

    def suspend(self, by: Actor, grant_id: str, reason: Reason, note: str = "") -> Grant:
        """Stop a grant for now. Returns once the decision is committed; `changed_at` says when."""
        return self._change(by, grant_id, "suspend", reason, note)

    def reinstate(self, by: Actor, grant_id: str, reason: Reason, note: str = "") -> Grant:
        """Put a suspended grant back in force."""
        return self._change(by, grant_id, "reinstate", reason, note)

    def revoke(self, by: Actor, grant_id: str, reason: Reason, note: str = "") -> Grant:
        """End a grant for good. Returns once the decision is committed; `changed_at` says when."""
        return self._change(by, grant_id, "revoke", reason, note)

    def _change(self, by: Actor, grant_id: str, act: str, reason: Reason, note: str) -> Grant:
        require(check(by, Permission.GRANT_SANCTION))
        _check_why(reason, note)
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.GRANT_SANCTION))
            grant = _found(queries.grant(tx, grant_id), grant_id)
            after = change_grant(grant.state, act)
            if isinstance(after, Refusal):
                raise Refused(after)
            values = {
                "state": after.value,
                "changed_at": self._clock.now(),
                "changed_reason": reason.value,
                "note": note,
            }
            tx.execute(grant_table.update().where(grant_table.c.id == grant_id).values(values))
            self._ledger.append(tx, _ENTRIES[act], {"grant": grant_id, "reason": reason.value}, by=by.id)
            queries.bump(tx)
            return _found(queries.grant(tx, grant_id), grant_id)

    def issue_key(self, by: Actor, grant_id: str, *, newest: str | None = None) -> tuple[Key, Secret]:
        """Make a key for a grant's holder, by the holder or by who may issue grants. Shown once.

        Args:
            by: who makes it.
            grant_id: the grant.
            newest: the id of the newest key that `by` was shown, empty for none: where another has been made since,
                no second one is. None asks for one in any case.
        """
        with self._db.decide() as tx:
            return self.issue_key_within(tx, by, grant_id, newest=newest)

    def issue_key_within(
        self, tx: Connection, by: Actor, grant_id: str, *, newest: str | None = None
    ) -> tuple[Key, Secret]:
        """Make a key in a transaction that is open."""
        grant = _found(queries.grant(tx, grant_id), grant_id)
        if by.id != grant.holder:
            require(check(by, Permission.GRANT_ISSUE))
        if grant.state is GrantState.REVOKED:
            raise Refused(Refusal("access/grant-revoked", "This grant was revoked; it gets no more keys."))
        if newest is not None:
            require(check_newest(queries.keys(tx, grant_id), newest))
        secret = key_form.make()
        key_id = new_id("key")
        plain = secret.reveal()
        values = {
            "id": key_id,
            "hash": key_form.key_hash(plain),
            "grant_id": grant_id,
            "person": grant.holder,
            "hint": plain[: key_form.HINT],
            "issued_at": self._clock.now(),
        }
        tx.execute(key_table.insert().values(values))
        self._ledger.append(tx, "access.key.issued", {"grant": grant_id, "key": key_id}, by=by.id)
        queries.bump(tx)
        return _found_key(queries.key(tx, key_id), key_id), secret

    def revoke_key(self, by: Actor, key_id: str) -> Key:
        """End a key at once."""
        with self._db.decide() as tx:
            self._may_end(tx, by, key_id, "revoke")
            return self._end(tx, by, key_id, self._clock.now(), "access.key.revoked")

    def rotate_key(self, by: Actor, key_id: str, *, grace_hours: int = 0) -> tuple[Key, Secret]:
        """Make a new key in place of one, which ends at once or after some hours of grace (at most 72)."""
        if not 0 <= grace_hours <= MAX_GRACE_HOURS:
            raise Refused(
                Refusal("access/bad-grace", f"The grace may be 0 to {MAX_GRACE_HOURS} hours, not {grace_hours}.")
            )
        with self._db.decide() as tx:
            old = self._may_end(tx, by, key_id, "rotate")
            ends = self._clock.now() + timedelta(hours=grace_hours)
            self._end(tx, by, key_id, ends, "access.key.rotated")
            return self.issue_key_within(tx, by, old.grant_id)

    def _end(self, tx: Connection, by: Actor, key_id: str, ends: datetime, event: str) -> Key:
        # An end that was set is only ever brought forward.
        sooner = key_table.c.ends_at.is_(None) | (key_table.c.ends_at > ends)
        tx.execute(key_table.update().where(key_table.c.id == key_id, sooner).values(ends_at=ends))
        key = _found_key(queries.key(tx, key_id), key_id)
        self._ledger.append(tx, event, {"grant": key.grant_id, "key": key_id}, by=by.id)
        queries.bump(tx)
        return key

    def _may_end(self, tx: Connection, by: Actor, key_id: str, act: str) -> Key:
        key = _found_key(queries.key(tx, key_id), key_id)
        grant = _found(queries.grant(tx, key.grant_id), key.grant_id)
        if by.id != grant.holder and not may(by, Permission.GRANT_SANCTION):
            require(check(by, Permission.GRANT_ISSUE))
        require(check_key_change(key, act, self._clock.now()))
        return key

    def grant(self, by: Actor, grant_id: str) -> Grant:
        """Return a grant to its holder, or to who may read grants."""
        with self._db.read() as tx:
            grant = _found(queries.grant(tx, grant_id), grant_id)
        if by.id != grant.holder:
            require(check(by, Permission.GRANT_READ))
        return grant

    def grants(self, by: Actor) -> list[Grant]:
        """Return all grants."""
        require(check(by, Permission.GRANT_READ))
        with self._db.read() as tx:
            return queries.grants(tx)

    def my_grants(self, by: Actor) -> list[Grant]:
        """Return the grants that the actor holds."""
        with self._db.read() as tx:
            return queries.grants_of(tx, by.id)

    def keys(self, by: Actor, grant_id: str) -> list[Key]:
        """Return the keys of a grant, without their secrets."""
        self.grant(by, grant_id)
        with self._db.read() as tx:
            return queries.keys(tx, grant_id)

    def bar(self, by: Actor, person: str, until: datetime, reason: Reason, note: str = "") -> None:
        """Bar a person from all access until a date; `error-corrected` puts right a bar that stands."""
        _check_why(reason, note)
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.GRANT_SANCTION))
            require(check_bar(queries.barred_until(tx, person), until, reason, self._clock.now()))
            tx.execute(sa.delete(bar_table).where(bar_table.c.person == person))
            tx.execute(bar_table.insert().values(person=person, until=until, reason=reason.value, note=note))
            data = {"person": person, "until": rfc3339(until), "reason": reason.value}
            self._ledger.append(tx, "access.person.barred", data, by=by.id)
            queries.bump(tx)


def _found(grant: Grant | None, grant_id: str) -> Grant:
    if grant is None:
        raise Refused(Refusal("access/no-such-grant", f"No grant {grant_id!r}; `readingroom grant list` shows them."))
    return grant


def _found_key(key: Key | None, key_id: str) -> Key:
    if key is None:
        raise Refused(
            Refusal("access/no-such-key", f"No key {key_id!r}; keys are named by id (key_...), not by secret.")
        )
    return key


def _check_why(reason: Reason, note: str) -> None:
    require(check_reason(reason, note))
    if problem := prose_problem("note", note):
        raise BadInput([problem])
