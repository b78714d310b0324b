"""Reads of what follows an award: the family of calls that share a budget, and what holders ask for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.admissions import tables
from readingroom.admissions.model import Award
from readingroom.admissions.queries.decisions import awards_of
from readingroom.admissions.requests import Request, RequestKind, RequestState
from readingroom.core.canonical import Json

T = tables


def parent(tx: Connection, call_id: str) -> str:
    """Return the call that funds another; empty for one with a budget of its own."""
    where = T.child.c.call_id == call_id
    return str(tx.execute(sa.select(T.child.c.parent_id).where(where)).scalar() or "")


def children(tx: Connection, call_id: str) -> list[str]:
    """Return the calls that a call funds."""
    where = T.child.c.parent_id == call_id
    return list(tx.execute(sa.select(T.child.c.call_id).where(where).order_by(T.child.c.call_id)).scalars())


def root(tx: Connection, call_id: str) -> str:
    """Return the call from whose budget a call lives: its parent, or itself."""
    return parent(tx, call_id) or call_id


def family_awards(tx: Connection, call_id: str, person: str) -> list[Award]:
    """Return a person's awards from all calls that live from the same budget."""
    of = root(tx, call_id)
    family = {of, *children(tx, of)}
    return [each for each in awards_of(tx, person) if each.call in family]


def request(tx: Connection, request_id: str) -> Request | None:
    """Return one request."""
    return next(iter(_requests(tx, T.request.c.id == request_id)), None)


def requests(tx: Connection, call_id: str) -> list[Request]:
    """Return all requests of a call's holders, oldest first."""
    return _requests(tx, T.request.c.call_id == call_id)


def requests_of_award(tx: Connection, award_id: str) -> list[Request]:
    """Return all requests under one award, oldest first."""
    return _requests(tx, T.request.c.award_id == award_id)


def requests_waiting(tx: Connection) -> list[Request]:
    """Return every request that waits for its answer, oldest first."""
    return _requests(tx, T.request.c.state == RequestState.FILED.value)


def observed(tx: Connection, application_id: str) -> Json:
    """Return what the house saw used by who applies for a renewal, as it was submitted; None where nothing was."""
    where = T.observed.c.application_id == application_id
    return tx.execute(sa.select(T.observed.c.usage).where(where)).scalar()


def observed_of(tx: Connection, applications: Collection[str]) -> dict[str, Json]:
    """Return likewise of several applications, those of which something was seen."""
    chosen = sa.select(T.observed.c.application_id, T.observed.c.usage)
    found = tx.execute(chosen.where(T.observed.c.application_id.in_(applications)))
    return {row.application_id: row.usage for row in found if row.usage is not None}


def _requests(tx: Connection, where: sa.ColumnElement[bool]) -> list[Request]:
    rows = tx.execute(sa.select(T.request).where(where).order_by(T.request.c.filed_at, T.request.c.id)).all()
    return [_request(row) for row in rows]


def _request(row: Row[Any]) -> Request:
    return Request(
        id=row.id,
        kind=RequestKind(row.kind),
        call=row.call_id,
        award=row.award_id,
        person=row.person_id,
        state=RequestState(row.state),
        answers=row.answers,
        passes=row.passes,
        filed_at=row.filed_at,
        given=row.given,
        note=row.note,
        observed=row.observed,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
    )
