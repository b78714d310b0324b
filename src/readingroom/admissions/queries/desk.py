"""Lists for the desk, a page at a time: ordered, filtered and counted by the database, whatever their length."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.admissions import tables
from readingroom.admissions.desk import Listed
from readingroom.admissions.model import ApplicationState, ReviewState

T = tables
_WAITS = (ApplicationState.SUBMITTED.value, ApplicationState.UNDER_REVIEW.value)


def listed(
    tx: Connection, call_id: str, *, states: Collection[ApplicationState] = (), limit: int = 50, offset: int = 0
) -> list[Listed]:
    """Return a page of what was submitted to a call, in the order in which it came."""
    where = (T.application.c.call_id == call_id) & T.application.c.arrived_at.is_not(None)
    if states:
        where &= T.application.c.state.in_([each.value for each in states])
    order = (T.application.c.arrived_at, T.application.c.id)
    rows = tx.execute(sa.select(T.application).where(where).order_by(*order).limit(limit).offset(offset)).all()
    return _with_what_counts(tx, rows)


def counts(tx: Connection, call_id: str) -> dict[ApplicationState, int]:
    """Return how many applications a call has in each state; half-finished ones in `draft` and `late`."""
    chosen = sa.select(T.application.c.state, sa.func.count()).where(T.application.c.call_id == call_id)
    rows = tx.execute(chosen.group_by(T.application.c.state))
    return {ApplicationState(state): count for state, count in rows}


def counts_by_call(tx: Connection, calls: Collection[str]) -> dict[str, int]:
    """Return how many applications were submitted to each of some calls."""
    gone = (ApplicationState.DRAFT.value, ApplicationState.WITHDRAWN.value, ApplicationState.LATE.value)
    where = T.application.c.call_id.in_(calls) & T.application.c.state.not_in(gone)
    chosen = sa.select(T.application.c.call_id, sa.func.count()).where(where)
    return {row[0]: row[1] for row in tx.execute(chosen.group_by(T.application.c.call_id))}


def listed_count(tx: Connection, call_id: str, states: Collection[ApplicationState]) -> int:
    """Return how many applications `listed` has in these states, over all pages."""
    where = (T.application.c.call_id == call_id) & T.application.c.arrived_at.is_not(None)
    where &= T.application.c.state.in_([each.value for each in states])
    return int(tx.execute(sa.select(sa.func.count()).select_from(T.application).where(where)).scalar_one())


def checked_among(tx: Connection, applications: Collection[str]) -> frozenset[str]:
    """Return which of some applications the desk has found in order."""
    where = T.desk_check.c.application_id.in_(applications)
    return frozenset(tx.execute(sa.select(T.desk_check.c.application_id).where(where)).scalars())


def waiting(tx: Connection, call_id: str, before: datetime | None = None, limit: int = 1000) -> list[Listed]:
    """Return what waits for a decision, the first come first; with `before`, only what came before that moment."""
    where = (T.application.c.call_id == call_id) & T.application.c.state.in_(_WAITS)
    if before is not None:
        where &= T.application.c.arrived_at < before
    chosen = sa.select(T.application).where(where).order_by(T.application.c.arrived_at, T.application.c.id)
    return _with_what_counts(tx, tx.execute(chosen.limit(limit)).all())


def unchecked(tx: Connection, call_id: str) -> int:
    """Return how many submitted applications the desk has not looked at."""
    checked = sa.select(T.desk_check.c.application_id).where(T.desk_check.c.call_id == call_id)
    where = (T.application.c.call_id == call_id) & (T.application.c.state == ApplicationState.SUBMITTED.value)
    chosen = sa.select(sa.func.count()).where(where & T.application.c.id.not_in(checked))
    return int(tx.execute(chosen).scalar_one())


def review_states(tx: Connection, call_id: str) -> dict[ReviewState, int]:
    """Return how many reviews of a call are in each state."""
    chosen = sa.select(T.review.c.state, sa.func.count()).where(T.review.c.call_id == call_id)
    return {ReviewState(state): count for state, count in tx.execute(chosen.group_by(T.review.c.state))}


def fewest_reviews(tx: Connection, call_id: str) -> int:
    """Return how many reviews the application in play that has the fewest has; 0 where none is in play."""
    given = sa.select(T.review.c.application_id, sa.func.count().label("count"))
    given = given.where((T.review.c.call_id == call_id) & (T.review.c.state == ReviewState.SUBMITTED.value))
    per = given.group_by(T.review.c.application_id).subquery()
    joined = T.application.outerjoin(per, per.c.application_id == T.application.c.id)
    where = (T.application.c.call_id == call_id) & T.application.c.state.in_(_WAITS)
    chosen = sa.select(sa.func.min(sa.func.coalesce(per.c.count, 0))).select_from(joined).where(where)
    return int(tx.execute(chosen).scalar() or 0)


def _with_what_counts(tx: Connection, rows: Collection[Row[Any]]) -> list[Listed]:
    """Add what the last version asks for, and how many reviews there are: two queries for a whole page."""
    ids = [row.id for row in rows]
    asked: dict[str, Mapping[str, Any]] = {}
    versions = sa.select(T.version.c.application_id, T.version.c.draft).where(T.version.c.application_id.in_(ids))
    for row in tx.execute(versions.order_by(T.version.c.number)):
        asked[row.application_id] = row.draft
    where = T.review.c.application_id.in_(ids) & (T.review.c.state == ReviewState.SUBMITTED.value)
    given = sa.select(T.review.c.application_id, sa.func.count()).where(where)
    reviews = {row[0]: row[1] for row in tx.execute(given.group_by(T.review.c.application_id))}
    checked = checked_among(tx, ids)
    return [
        Listed(
            row.id, row.person_id, ApplicationState(row.state), asked[row.id]["passes"], asked[row.id]["tier"],
            row.arrived_at, reviews.get(row.id, 0), row.id in checked, row.correct_until,
            str(next(iter(asked[row.id]["answers"].values()), "")),
        )
        for row in rows
    ]  # fmt: skip
