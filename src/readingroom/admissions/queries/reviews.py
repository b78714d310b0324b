"""Reads of reviews and their versions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.admissions import tables
from readingroom.admissions.blind import ReviewVersion
from readingroom.admissions.call import Phase
from readingroom.admissions.model import (
    ApplicationState,
    Judgement,
    Review,
    ReviewState,
    Risk,
)
from readingroom.core.canonical import Json

T = tables
_BOTH = T.review.join(T.application, T.application.c.id == T.review.c.application_id)
_LIVING = (ApplicationState.SUBMITTED, ApplicationState.UNDER_REVIEW)
_ASKED = (ReviewState.ASSIGNED, ReviewState.SUBMITTED)


def reviews(tx: Connection, call_id: str) -> list[Review]:
    """Return a call's reviews, ordered by their random ids."""
    return _reviews(tx, T.review.c.call_id == call_id)


def review(tx: Connection, review_id: str) -> Review | None:
    """Return one review."""
    return next(iter(_reviews(tx, T.review.c.id == review_id)), None)


def reviews_by(tx: Connection, reviewer_id: str) -> list[Review]:
    """Return what a person is asked to review."""
    return _reviews(tx, T.review.c.reviewer_id == reviewer_id)


def reviews_asked(tx: Connection, reviewer_id: str) -> list[Review]:
    """Return what a person is still asked to review, or may amend, of applications that are under review."""
    under_review = T.application.c.state == ApplicationState.UNDER_REVIEW.value
    about = sa.select(T.application.c.id).where(under_review & (T.application.c.id == T.review.c.application_id))
    asked = T.review.c.state.in_([each.value for each in _ASKED])
    return _reviews(tx, (T.review.c.reviewer_id == reviewer_id) & asked & about.exists())


def reviews_here(tx: Connection, call_id: str, person_id: str) -> bool:
    """Tell whether a person reviews, or reviewed, in a call."""
    where = (T.review.c.call_id == call_id) & (T.review.c.reviewer_id == person_id)
    return tx.execute(sa.select(T.review.c.id).where(where).limit(1)).first() is not None


def reviews_of(tx: Connection, applications: Collection[str]) -> list[Review]:
    """Return the reviews of some applications."""
    return _reviews(tx, T.review.c.application_id.in_(applications))


def given_by(tx: Connection, call_id: str) -> dict[str, tuple[int, int]]:
    """Return how many reviews each reviewer of a call has given, and of how many, of what is in play."""
    state, where = _in_play(call_id)
    given = sa.func.sum(sa.case((state == ReviewState.SUBMITTED.value, 1), else_=0))
    chosen = sa.select(T.review.c.reviewer_id, given, sa.func.count()).select_from(_BOTH).where(where)
    rows = tx.execute(chosen.group_by(T.review.c.reviewer_id).order_by(T.review.c.reviewer_id))
    return {reviewer: (int(given), int(asked)) for reviewer, given, asked in rows}


def given_up_to(tx: Connection, call_id: str, needed: int) -> int:
    """Return how many of the needed reviews are there: of each application in play, at most as many as it needs."""
    state, where = _in_play(call_id)
    per = (
        sa.select(sa.func.count().label("there"))
        .select_from(_BOTH)
        .where(where & (state == ReviewState.SUBMITTED.value))
    )
    counted = per.group_by(T.review.c.application_id).subquery().c.there
    return int(tx.execute(sa.select(sa.func.sum(sa.case((counted > needed, needed), else_=counted)))).scalar() or 0)


def _in_play(call_id: str) -> tuple[sa.ColumnElement[str], sa.ColumnElement[bool]]:
    """Return the state of a review, and which are of applications in play and still somebody's to give or amend."""
    where = (T.review.c.call_id == call_id) & T.application.c.state.in_([each.value for each in _LIVING])
    return T.review.c.state, where & T.review.c.state.in_([each.value for each in _ASKED])


def versions_of(tx: Connection, review_ids: Collection[str]) -> dict[str, list[ReviewVersion]]:
    """Return what each review said, the first version first."""
    found: dict[str, list[ReviewVersion]] = {}
    chosen = sa.select(T.review_version).where(T.review_version.c.review_id.in_(sorted(review_ids)))
    for row in tx.execute(chosen.order_by(T.review_version.c.review_id, T.review_version.c.number)):
        said = ReviewVersion(row.number, Phase(row.phase), judgement(row.judgement), row.why, row.submitted_at)
        found.setdefault(row.review_id, []).append(said)
    return found


def _reviews(tx: Connection, where: sa.ColumnElement[bool]) -> list[Review]:
    rows: Sequence[Row[Any]] = tx.execute(sa.select(T.review).where(where).order_by(T.review.c.id)).all()
    return [
        Review(
            id=row.id,
            call=row.call_id,
            application=row.application_id,
            reviewer=row.reviewer_id,
            state=ReviewState(row.state),
            judgement=judgement(row.judgement) if row.judgement else None,
            submitted_at=row.submitted_at,
        )
        for row in rows
    ]


def judgement(raw: Json) -> Judgement:
    """Read a judgement back from its JSON."""
    return Judgement(raw["scores"], raw["comment"], Risk(raw["risk"]), raw["risk_reason"], raw.get("comments", {}))
