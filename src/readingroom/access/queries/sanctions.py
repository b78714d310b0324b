"""Sanctions and bars."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.access.model import Kind, Reason, Sanction, Subject
from readingroom.access.tables import sanction as table

_NEWEST = sa.select(table).order_by(table.c.decided_at.desc(), table.c.id.desc())
STANDS = table.c.lifted_at.is_(None)


def sanction(tx: Connection, sanction_id: str) -> Sanction | None:
    """Return one sanction."""
    row = tx.execute(sa.select(table).where(table.c.id == sanction_id)).first()
    return None if row is None else sanction_of(row)


def sanctions(tx: Connection, grant_id: str | None = None, *, batch: str = "") -> list[Sanction]:
    """Return sanctions, newest first: all, those of a grant and its members, or those of one act on many."""
    query = _NEWEST if grant_id is None else _NEWEST.where(table.c.grant_id == grant_id)
    query = query.where(table.c.batch == batch) if batch else query
    return [sanction_of(row) for row in tx.execute(query)]


def sanctions_about(tx: Connection, person: str, grants: list[str]) -> list[Sanction]:
    """Return what a person is to be told of, newest first: of themselves, or of a whole project that they are of."""
    whole = table.c.grant_id.in_(grants) & table.c.person.is_(None)
    return [sanction_of(row) for row in tx.execute(_NEWEST.where((table.c.person == person) | whole))]


def standing(tx: Connection, grants: list[str], persons: list[str]) -> list[Sanction]:
    """Return what stands (was not lifted) of some grants and persons, oldest first."""
    about = table.c.grant_id.in_(grants) | (table.c.grant_id.is_(None) & table.c.person.in_(persons))
    query = sa.select(table).where(STANDS, about).order_by(table.c.decided_at, table.c.id)
    return [sanction_of(row) for row in tx.execute(query)]


def barred_until(tx: Connection, person: str) -> datetime | None:
    """Return until when a person is barred, or was last; None if nothing ever barred them."""
    found: datetime | None = tx.execute(bars_of(sa.literal(person))).scalar()
    return found


def bars_of(person: sa.ColumnElement[str]) -> sa.Select[Any]:
    """Select until when somebody is barred."""
    return sa.select(sa.func.max(table.c.until)).where(table.c.kind == Kind.BAR.value, table.c.person == person, STANDS)


def sanction_of(row: Row[Any]) -> Sanction:
    """Read a sanction from a row of its table."""
    return Sanction(
        id=row.id,
        kind=Kind(row.kind),
        reason=Reason(row.reason),
        subject=Subject(row.subject),
        grant_id=row.grant_id,
        person=row.person,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        begins_at=row.begins_at,
        until=row.until,
        cure_by=row.cure_by,
        per_minute=row.per_minute,
        evidence=row.evidence,
        note=row.note,
        notice=row.notice,
        collective=row.collective,
        acknowledged_at=row.acknowledged_at,
        reply=row.reply,
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
        lifted_reason=row.lifted_reason,
        batch=row.batch,
    )
