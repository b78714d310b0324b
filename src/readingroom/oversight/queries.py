"""Reads of what readers reported."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.oversight.observation import Kind, Observation
from readingroom.oversight.tables import observation as table


def observation(tx: Connection, observation_id: str) -> Observation | None:
    """Return one observation."""
    return next(iter(_found(tx, table.c.id == observation_id)), None)


def observations(tx: Connection) -> list[Observation]:
    """Return all, those without an answer first, then the newest first."""
    return sorted(_found(tx, sa.true()), key=lambda each: (each.answered_at is not None, -each.reported_at.timestamp()))


def observations_of(tx: Connection, person: str) -> list[Observation]:
    """Return one's own, the newest first."""
    return _found(tx, table.c.person == person)


def _found(tx: Connection, where: sa.ColumnElement[bool]) -> list[Observation]:
    order = (table.c.reported_at.desc(), table.c.id)
    return [
        Observation(
            row.id, row.person, Kind(row.kind), row.grant_id, row.text, row.reported_at, row.answer, row.answered_at,
            row.answered_by,
        )
        for row in tx.execute(sa.select(table).where(where).order_by(*order))
    ]  # fmt: skip
