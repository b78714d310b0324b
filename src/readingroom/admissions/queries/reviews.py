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
    Judgement,
    Review,
    ReviewState,
    Risk,
)
from readingroom.core.canonical import Json

T = tables


def reviews(tx: Connection, call_id: str) -> list[Review]:
    """Return a call's reviews, ordered by their random ids."""
    return _reviews(tx, T.review.c.call_id == call_id)


def review(tx: Connection, review_id: str) -> Review | None:
    """Return one review."""
    return next(iter(_reviews(tx, T.review.c.id == review_id)), None)


def reviews_by(tx: Connection, reviewer_id: str) -> list[Review]:
    """Return what a person is asked to review."""
    return _reviews(tx, T.review.c.reviewer_id == reviewer_id)


def reviews_here(tx: Connection, call_id: str, person_id: str) -> bool:
    """Tell whether a person reviews, or reviewed, in a call."""
    where = (T.review.c.call_id == call_id) & (T.review.c.reviewer_id == person_id)
    return tx.execute(sa.select(T.review.c.id).where(where).limit(1)).first() is not None


def reviews_of(tx: Connection, applications: Collection[str]) -> list[Review]:
    """Return the reviews of some applications."""
    return _reviews(tx, T.review.c.application_id.in_(applications))


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
