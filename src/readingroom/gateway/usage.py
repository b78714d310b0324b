"""Usage records: one per call, committed with its settling; hashed in batches into the ledger.

The ledger gets one opaque entry per flush, `{root, count}`, so that it neither shows anyone's reading habits nor
grows with every call. A record's place in its batch is stored, so the root can be computed again from the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.core.canonical import Json, canonical, commitment
from readingroom.core.clock import rfc3339
from readingroom.gateway import texts
from readingroom.gateway.model import Amount, Call, Ended, Usage, made_of
from readingroom.gateway.spelling import spelled
from readingroom.gateway.tables import usage as table
from readingroom.gateway.verdicts import Verdicts

VERSION = 1


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a call when it starts.

    Attributes:
        id: of the receipt.
        grant: its id; the record holds only a salted commitment to it.
        stage: where the model is read.
        model: the model's digest.
        screening: digests of the screens at the entrance and the exit.
        request: the bytes that the reader's request is committed to by.
    """

    id: str
    grant: str
    stage: str
    model: str
    screening: str
    request: bytes


def begun(facts: Facts, salt: bytes, seen: Verdicts | None = None) -> dict[str, Json]:
    """Begin a record: commitments and digests only, and what the screens of the entrance said (`seen`)."""
    seen = seen or Verdicts()
    return {
        **({"flagged_entrance": dict(seen.flags)} if seen.flags else {}),
        "screened": {"entrance": seen.as_json()},
        "v": VERSION,
        "id": facts.id,
        "grant": commitment(salt, facts.grant.encode()),
        "stage": facts.stage,
        "model": facts.model,
        "screening": facts.screening,
        "request": commitment(salt, facts.request),
    }


def finished(
    record: Mapping[str, Json],
    charged: Amount,
    ended: Ended,
    at: datetime,
    seen: Verdicts | None = None,
) -> dict[str, Json]:
    """Complete a record with what was charged, how the answer ended, and what the screens of the exit said (`seen`)."""
    exit_ = {"exit": seen.as_json()} if seen else {}
    return {
        **record,
        **({"flagged_exit": dict(seen.flags)} if seen and seen.flags else {}),
        "screened": {**record.get("screened", {}), **exit_},
        "passes": charged.passes,
        "tokens": charged.tokens,
        "ended": ended.value,
        "at": rfc3339(at),
    }


def left(salt: bytes, texts_: Sequence[str], answer: bytes | None) -> dict[str, str]:
    """Commit to what left: the texts of the choices, and the answer as the door spelled it."""
    made = {"text": commitment(salt, spelled(texts_))}
    return made if answer is None else made | {"answer": commitment(salt, answer)}


def put(tx: Connection, records: Sequence[Usage], *, again: bool = False) -> list[Usage]:
    """Store records, in the transaction that charges them; return those that were not there before.

    Args:
        tx: the transaction.
        records: to store.
        again: whether some may be there already: they were on a trip whose commit was in doubt, or in a journal.
    """
    if again:
        known = set(tx.execute(sa.select(table.c.id).where(table.c.id.in_([each.id for each in records]))).scalars())
        records = [each for each in records if each.id not in known]
    if records:
        tx.execute(
            table.insert(),
            [
                {
                    "id": each.id,
                    "grant_id": each.grant,
                    "key_id": each.key or None,
                    "passes": each.charged.passes,
                    "leaf": each.leaf,
                    "salt": each.salt,
                    "at": each.at,
                }
                for each in records
            ],
        )
        if kept := [each for each in records if each.sealed]:
            texts.put(tx, kept)
    return list(records)


def lost(call: Call, held: Amount, at: datetime) -> Usage:
    """Return the record of a call whose process died: charged in full, for what it had sent is not known."""
    leaf = canonical(finished(call.record, held, Ended.LOST, at))
    return made_of(call, leaf, held, at)


def find(tx: Connection, receipt: str) -> Row[Any] | None:
    """Find a record by its receipt's id."""
    return tx.execute(sa.select(table).where(table.c.id == receipt)).first()


def batch(tx: Connection, entry_seq: int) -> list[bytes]:
    """Return the records of a flushed batch, in their places."""
    rows = sa.select(table.c.leaf).where(table.c.entry_seq == entry_seq).order_by(table.c.place)
    return list(tx.execute(rows).scalars())


def waiting(tx: Connection, most: int) -> list[tuple[int, bytes]]:
    """Return records that are in no batch yet, oldest row first."""
    rows = sa.select(table.c.row, table.c.leaf).where(table.c.entry_seq.is_(None)).order_by(table.c.row)
    return [(row.row, row.leaf) for row in tx.execute(rows.limit(most))]


def place(tx: Connection, entry_seq: int, rows: Sequence[int]) -> None:
    """Give records their places in a batch."""
    move = table.update().where(table.c.row == sa.bindparam("which"))
    values = [{"which": row, "seat": seat} for seat, row in enumerate(rows)]
    tx.execute(move.values(entry_seq=entry_seq, place=sa.bindparam("seat")), values)
