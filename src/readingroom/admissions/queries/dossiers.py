"""Reads for a call's dossier: what an allocation rested on, and where its entries stand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.admissions import tables
from readingroom.admissions.allocation.drawing import ticket
from readingroom.admissions.movements import EVENT
from readingroom.admissions.queries.pool import findings
from readingroom.core.canonical import Json

T = tables


def tickets(tx: Connection, call_id: str) -> dict[str, str]:
    """Return the ticket of each application that was ever submitted to a call, by application."""
    joined = T.version.join(T.application, T.application.c.id == T.version.c.application_id)
    first = sa.select(T.version.c.application_id, T.version.c.salt).select_from(joined)
    first = first.where((T.application.c.call_id == call_id) & (T.version.c.number == 1))
    return {row.application_id: ticket(row.salt) for row in tx.execute(first) if row.salt}


def tickets_at_closing(tx: Connection, call_id: str) -> list[str]:
    """Return the tickets that the ledger was told of when the call closed; none of a call closed before 0016."""
    return tx.execute(sa.select(T.call.c.tickets).where(T.call.c.id == call_id)).scalar() or []


def fixed(tx: Connection, call_id: str) -> Row[Any] | None:
    """Return the row of a call's allocation, or None."""
    return tx.execute(sa.select(T.allocation).where(T.allocation.c.call_id == call_id)).first()


def entries(tx: Connection, call_id: str) -> list[int]:
    """Return the places of a call's own entries in the ledger, in order, without the movements of its account."""
    return _places(tx, call_id, T.entry.c.event != EVENT)


def movements(tx: Connection, call_id: str) -> list[int]:
    """Return the places of the movements of a call's account in the ledger, in order; none of before 0.2."""
    return _places(tx, call_id, T.entry.c.event == EVENT)


def _places(tx: Connection, call_id: str, kind: sa.ColumnElement[bool]) -> list[int]:
    where = (T.entry.c.call_id == call_id) & kind
    return list(tx.execute(sa.select(T.entry.c.seq).where(where).order_by(T.entry.c.seq)).scalars())


def conflict_counts(tx: Connection, call_id: str) -> list[Json]:
    """Count the conflicts that were found between applications and reviewers, by kind and by what became of them.

    Every one that stands is an absent edge of the matching.
    """
    found = Counter((each.conflict.kind.value, each.disposition.value) for each in findings(tx, call_id))
    return [{"kind": kind, "disposition": done, "count": n} for (kind, done), n in sorted(found.items())]
