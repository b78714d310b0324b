"""What the use cases share: the database, the ledger, the clock, and how a thing is found."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from readingroom.access import queries
from readingroom.access.model import Grant, Key, Sanction
from readingroom.access.tables import key as key_table
from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.core.refusal import Refusal, Refused
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor
from readingroom.store.db import Database


class Base:
    """The tools of a use case."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock, *, dev: bool = False) -> None:
        """Take the database, the ledger, the clock, and whether the house is one for trials."""
        self._db = db
        self._ledger = ledger
        self._clock = clock
        self._dev = dev

    def _say(self, tx: Connection, by: Actor, event: str, data: dict[str, Json]) -> None:
        """Put a decision on record, and have every worker look at its streams again."""
        self._ledger.append(tx, event, data, by=by.id)
        queries.bump(tx)

    def _end_key(self, tx: Connection, by: Actor, key_id: str, ends: datetime, event: str) -> Key:
        # An end that was set is only ever brought forward.
        sooner = key_table.c.ends_at.is_(None) | (key_table.c.ends_at > ends)
        tx.execute(key_table.update().where(key_table.c.id == key_id, sooner).values(ends_at=ends))
        key = found_key(tx, key_id)
        self._say(tx, by, event, {"grant": key.grant_id, "key": key_id, "person": key.person})
        return key


def found_grant(tx: Connection, grant_id: str) -> Grant:
    """Return a grant, or refuse."""
    if (grant := queries.grant(tx, grant_id)) is None:
        raise Refused(Refusal("access/no-such-grant", f"No grant {grant_id!r}; `readingroom grant list` shows them."))
    return grant


def found_key(tx: Connection, key_id: str) -> Key:
    """Return a key, or refuse."""
    if (key := queries.key(tx, key_id)) is None:
        raise Refused(
            Refusal("access/no-such-key", f"No key {key_id!r}; keys are named by id (key_...), not by secret.")
        )
    return key


def found_sanction(tx: Connection, sanction_id: str) -> Sanction:
    """Return a sanction, or refuse."""
    if (sanction := queries.sanction(tx, sanction_id)) is None:
        reason = f"No sanction {sanction_id[:80]!r}; `readingroom sanction list` shows them."
        raise Refused(Refusal("access/no-such-sanction", reason))
    return sanction
