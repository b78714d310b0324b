"""The tables of kept texts: the grants' halves of the keys, and what is sealed with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.ids import random_bytes
from readingroom.gateway.model import Usage
from readingroom.gateway.sealing import SECRET_BYTES, Sealed, Unopened, half_id
from readingroom.gateway.tables import half as half_table
from readingroom.gateway.tables import text as text_table
from readingroom.store.db import scrub

# Neither half of a key, nor what it seals, goes into a backup: a restore must not bring back what was erased.
NOT_COPIED = frozenset({half_table.name, text_table.name})


@dataclass(frozen=True, slots=True)
class Kept:
    """A text that is kept, still sealed.

    Attributes:
        id: of the receipt.
        last: the last hour, since 1970, in which it can be opened.
        half: the grant's half of the key; None once it was destroyed.
    """

    id: str
    grant: str
    last: int
    sealed: bytes
    half: bytes | None


def half_of(tx: Connection, grant: str) -> bytes | None:
    """Return a grant's half; None if it has none."""
    return tx.execute(sa.select(half_table.c.half).where(half_table.c.grant_id == grant)).scalar()


def make_half(tx: Connection, grant: str) -> bytes:
    """Return a grant's half, made now if it has none; in a `decide` transaction, so that it gets one only."""
    found = half_of(tx, grant)
    if found is None:
        found = random_bytes(SECRET_BYTES)
        tx.execute(half_table.insert().values(grant_id=grant, id=half_id(found).hex(), half=found))
    return found


def put(tx: Connection, records: Sequence[Usage]) -> None:
    """Store what is kept of calls, in the transaction that stores their records."""
    rows = []
    for each in records:
        try:
            read = Sealed.parse(each.sealed)
        except Unopened:  # a journal that somebody wrote in: the record stands, its text is lost
            continue
        rows.append(
            {
                "id": each.id,
                "grant_id": each.grant,
                "half_id": read.half.hex(),
                "last_hour": read.hour,
                "sealed": each.sealed,
            }
        )
    if rows:
        tx.execute(text_table.insert(), rows)


def destroy(tx: Connection, grant: str) -> int:
    """Destroy a grant's half, and drop what nobody can open any more; return how many texts there were."""
    scrub(tx)
    tx.execute(half_table.delete().where(half_table.c.grant_id == grant))
    return tx.execute(text_table.delete().where(text_table.c.grant_id == grant)).rowcount


def drop_dead(tx: Connection, hour: int) -> int:
    """Drop texts whose hour has come, or whose half was destroyed; return how many there were."""
    orphan = text_table.c.half_id.not_in(sa.select(half_table.c.id))
    dead = (text_table.c.last_hour < hour) | orphan
    return tx.execute(text_table.delete().where(dead)).rowcount


def has_dead(tx: Connection, hour: int) -> bool:
    """Tell whether there is anything to drop."""
    orphan = text_table.c.half_id.not_in(sa.select(half_table.c.id))
    dead = sa.select(text_table.c.id).where((text_table.c.last_hour < hour) | orphan)
    return tx.execute(dead.limit(1)).first() is not None


def kept(tx: Connection, hour: int, *, grant: str = "", ids: Sequence[str] = ()) -> list[Kept]:
    """Return what is kept of a grant, or under some receipts, and can be opened still in this hour; oldest first."""
    joined = text_table.join(half_table, half_table.c.id == text_table.c.half_id)
    wanted = text_table.c.grant_id == grant if grant else text_table.c.id.in_(ids)
    columns = (text_table.c.id, text_table.c.grant_id, text_table.c.last_hour, text_table.c.sealed, half_table.c.half)
    found = sa.select(*columns).select_from(joined).where(wanted, text_table.c.last_hour >= hour)
    return [Kept(*row) for row in tx.execute(found.order_by(text_table.c.last_hour, text_table.c.id))]


def counts(tx: Connection, hour: int) -> dict[str, int]:
    """Return how many texts are kept of each grant and can be opened still."""
    joined = text_table.join(half_table, half_table.c.id == text_table.c.half_id)
    found = sa.select(text_table.c.grant_id, sa.func.count().label("texts")).select_from(joined)
    rows = tx.execute(found.where(text_table.c.last_hour >= hour).group_by(text_table.c.grant_id))
    return {row.grant_id: int(row.texts) for row in rows}
