"""Reads of calls and of their budgets' accounts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.admissions import call_file, tables
from readingroom.admissions.account import Balance, Cause, Posting, balances
from readingroom.admissions.call import Call
from readingroom.admissions.model import (
    CallState,
)

T = tables


def calls(tx: Connection) -> list[Call]:
    """Return all calls, the newest first."""
    rows = tx.execute(sa.select(T.call).order_by(T.call.c.opened_at.desc(), T.call.c.id))
    return [_call(row) for row in rows]


def calls_page(tx: Connection, limit: int, offset: int = 0) -> tuple[list[Call], int]:
    """Return some calls, the newest first and their parts in order, and how many there are."""
    order = (T.call.c.opened_at.desc(), T.call.c.series, T.call.c.part, T.call.c.id)
    rows = tx.execute(sa.select(T.call).order_by(*order).limit(limit).offset(offset))
    total = tx.execute(sa.select(sa.func.count()).select_from(T.call)).scalar_one()
    return [_call(row) for row in rows], int(total)


def series(tx: Connection, call: Call) -> list[Call]:
    """Return the calls that were opened from one file together, this one too, in order."""
    if not call.series:
        return [call]
    rows = tx.execute(sa.select(T.call).where(T.call.c.series == call.series).order_by(T.call.c.part))
    return [_call(row) for row in rows]


def seed(tx: Connection, call_id: str) -> bytes:
    """Return a call's seed: secret until it is allocated."""
    found: bytes = tx.execute(sa.select(T.call.c.seed).where(T.call.c.id == call_id)).scalar_one()
    return found


def call(tx: Connection, call_id: str) -> Call | None:
    """Return one call."""
    row = tx.execute(sa.select(T.call).where(T.call.c.id == call_id)).first()
    return _call(row) if row else None


def call_text(tx: Connection, call_id: str) -> str:
    """Return the file of a call as it was opened."""
    return str(tx.execute(sa.select(T.call.c.file).where(T.call.c.id == call_id)).scalar_one())


def postings(tx: Connection, call_id: str) -> list[Posting]:
    """Return the movements of a call's budget, in order."""
    where = T.posting.c.call_id == call_id
    rows = tx.execute(sa.select(T.posting).where(where).order_by(T.posting.c.number))
    return [Posting(row.unit, row.amount, Cause(row.cause), row.award_id) for row in rows]


def budget(tx: Connection, call_id: str) -> dict[str, Balance]:
    """Return where each unit of a call's budget is now."""
    return dict(balances(postings(tx, call_id)))


def _call(row: Row[Any]) -> Call:
    return Call(
        id=row.id,
        state=CallState(row.state),
        file=call_file.parse_stored(row.file, row.part),
        digest=row.digest,
        seed_commitment=row.seed_commitment,
        opened_at=row.opened_at,
        opened_by=row.opened_by,
        closed_at=row.closed_at,
        series=row.series,
        part=row.part,
        terms_digest=row.terms_digest,
    )
