"""Reads of the sift, and of applicants who review one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.admissions import tables
from readingroom.admissions.call import Call
from readingroom.admissions.model import ApplicationState, ReviewState
from readingroom.admissions.queries.calls import call as queries_call
from readingroom.admissions.sifting import Sifted

T = tables


def sifts(tx: Connection, call_id: str) -> list[Sifted]:
    """Return every look of a call's sift, given or still to come."""
    return _sifts(tx, T.sift.c.call_id == call_id)


def sifts_left(tx: Connection, reviewer: str) -> list[Sifted]:
    """Return what a person is still asked to sift, of what is submitted."""
    submitted = T.application.c.state == ApplicationState.SUBMITTED.value
    about = sa.select(T.application.c.id).where(submitted & (T.application.c.id == T.sift.c.application_id))
    return _sifts(tx, (T.sift.c.reviewer_id == reviewer) & T.sift.c.score.is_(None) & about.exists())


def sift(tx: Connection, sift_id: str) -> Sifted | None:
    """Return one look."""
    return next(iter(_sifts(tx, T.sift.c.id == sift_id)), None)


def sift_kept(tx: Connection, call_id: str) -> frozenset[str]:
    """Return the applications under the line that a person has let go on all the same."""
    joined = T.sift_ruling.join(T.application, T.application.c.id == T.sift_ruling.c.application_id)
    chosen = sa.select(T.sift_ruling.c.application_id).select_from(joined)
    return frozenset(tx.execute(chosen.where(T.application.c.call_id == call_id)).scalars())


def is_peer(tx: Connection, person: str, call: Call) -> bool:
    """Tell whether somebody reviews here as an applicant of the other half."""
    others = sa.select(T.call.c.id).where((T.call.c.series == call.series) & (T.call.c.id != call.id))
    where = T.application.c.call_id.in_(others) & (T.application.c.person_id == person)
    found = tx.execute(sa.select(T.application.c.id).where(where).limit(1)).first()
    return bool(call.series) and call.file.distributed and found is not None


def applies_to_a_half(tx: Connection, person: str) -> bool:
    """Tell whether somebody has applied to a call whose applicants review one another."""
    chosen = sa.select(T.call.c.id).join(T.application, T.application.c.call_id == T.call.c.id)
    calls = set(tx.execute(chosen.where(T.application.c.person_id == person)).scalars())
    found = [queries_call(tx, each) for each in sorted(calls)]
    return any(each is not None and each.file.distributed for each in found)


def peer_debts(tx: Connection, call: Call, others: Sequence[str]) -> dict[str, int]:
    """Return who of a half's applicants still owes reviews in the other: application to how many.

    Args:
        tx: a transaction.
        call: the half in which they apply.
        others: ids of the calls in which they review.
    """
    owed = (T.review.c.call_id.in_(others)) & (T.review.c.state == ReviewState.ASSIGNED.value)
    gone = (ApplicationState.WITHDRAWN.value, ApplicationState.REFUSED.value, ApplicationState.DRAFT.value)
    joined = T.application.join(T.review, T.review.c.reviewer_id == T.application.c.person_id)
    where = owed & (T.application.c.call_id == call.id) & T.application.c.state.not_in(gone)
    chosen = sa.select(T.application.c.id, sa.func.count()).select_from(joined).where(where)
    rows = tx.execute(chosen.group_by(T.application.c.id).order_by(T.application.c.id))
    return {row[0]: row[1] for row in rows}


def _sifts(tx: Connection, where: sa.ColumnElement[bool]) -> list[Sifted]:
    rows: Sequence[Row[Any]] = tx.execute(sa.select(T.sift).where(where).order_by(T.sift.c.id)).all()
    return [
        Sifted(row.id, row.call_id, row.application_id, row.reviewer_id, row.score, row.comment, row.submitted_at)
        for row in rows
    ]
