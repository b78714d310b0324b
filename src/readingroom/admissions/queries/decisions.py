"""Reads of allocations, decisions and awards."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.admissions import tables
from readingroom.admissions.model import (
    Amounts,
    Award,
    AwardState,
    Decision,
    Outcome,
    Reason,
)
from readingroom.core.canonical import Json

T = tables


def decision(tx: Connection, application_id: str) -> Decision | None:
    """Return the decision on an application."""
    row = tx.execute(sa.select(T.decision).where(T.decision.c.application_id == application_id)).first()
    return _decision(row) if row else None


def last_refusal(tx: Connection, person_id: str) -> Decision | None:
    """Return the refusal that asks a person to wait longest."""
    joined = T.decision.join(T.application, T.application.c.id == T.decision.c.application_id)
    where = (T.application.c.person_id == person_id) & (T.decision.c.outcome == Outcome.REFUSED.value)
    chosen = sa.select(T.decision).select_from(joined).where(where).order_by(T.decision.c.reapply_from.desc())
    row = tx.execute(chosen.limit(1)).first()
    return _decision(row) if row else None


def allocation(tx: Connection, call_id: str) -> Json:
    """Return a call's allocation as it was fixed, or None."""
    return tx.execute(sa.select(T.allocation.c.result).where(T.allocation.c.call_id == call_id)).scalar()


def award(tx: Connection, award_id: str) -> Award | None:
    """Return one award."""
    return next(iter(_awards(tx, T.award.c.id == award_id)), None)


def awards(tx: Connection, call_id: str) -> list[Award]:
    """Return a call's awards."""
    return _awards(tx, T.award.c.call_id == call_id)


def awarded_in(tx: Connection, wanted: Collection[str] | None = None) -> dict[str, str]:
    """Return the call that made each award, or some."""
    chosen = sa.select(T.award.c.id, T.award.c.call_id)
    rows = tx.execute(chosen if wanted is None else chosen.where(T.award.c.id.in_(wanted))).all()
    return {row[0]: row[1] for row in rows}


def last_refused(tx: Connection, call_id: str) -> datetime | None:
    """Return when a call last refused somebody; None where it never did."""
    joined = T.decision.join(T.application, T.application.c.id == T.decision.c.application_id)
    where = (T.application.c.call_id == call_id) & (T.decision.c.outcome == Outcome.REFUSED.value)
    chosen = sa.select(T.decision.c.decided_at).select_from(joined).where(where)
    return tx.execute(chosen.order_by(T.decision.c.decided_at.desc()).limit(1)).scalar()


def awards_offered(tx: Connection) -> list[Award]:
    """Return all awards that wait for an answer, in all calls."""
    return _awards(tx, T.award.c.state == AwardState.OFFERED.value)


def awards_page(tx: Connection, call_id: str, limit: int, offset: int = 0) -> tuple[list[Award], int]:
    """Return some of a call's awards, open offers by their date first, and how many there are."""
    where = T.award.c.call_id == call_id
    total = tx.execute(sa.select(sa.func.count()).select_from(T.award).where(where)).scalar_one()
    settled = sa.case((T.award.c.state == AwardState.OFFERED.value, 0), else_=1)
    order = (settled, T.award.c.accept_by, T.award.c.id)
    ids = tx.execute(sa.select(T.award.c.id).where(where).order_by(*order).limit(limit).offset(offset)).scalars().all()
    found = {each.id: each for each in _awards(tx, T.award.c.id.in_(ids))}
    return [found[each] for each in ids], int(total)


def awards_of(tx: Connection, person_id: str) -> list[Award]:
    """Return a person's awards."""
    return _awards(tx, T.award.c.person_id == person_id)


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        application=row.application_id,
        outcome=Outcome(row.outcome),
        reason=Reason(row.reason),
        text=row.text,
        differ=row.differ,
        reapply_from=row.reapply_from,
        appeal=row.appeal,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        sheet=row.sheet,
    )


def _awards(tx: Connection, where: sa.ColumnElement[bool]) -> list[Award]:
    rows = tx.execute(sa.select(T.award).where(where).order_by(T.award.c.id)).all()
    return [
        Award(
            id=row.id,
            call=row.call_id,
            application=row.application_id,
            person=row.person_id,
            state=AwardState(row.state),
            stage=row.stage,
            tier=row.tier,
            amounts=Amounts(row.passes, row.tokens, row.calls),
            days=row.days,
            terms=row.terms,
            accept_by=row.accept_by,
            made_at=row.made_at,
            settled_at=row.settled_at,
        )
        for row in rows
    ]
