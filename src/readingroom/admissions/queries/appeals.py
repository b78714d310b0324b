"""Reads of appeals, and of who took part in what they are about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.admissions import conflicts, tables
from readingroom.admissions.after import Ground
from readingroom.admissions.appeals.model import Appeal, AppealState, Bar, Part, Subject, Voice
from readingroom.admissions.appeals.rules import Took, took
from readingroom.admissions.conflicts import Side
from readingroom.admissions.model import ApplicationState
from readingroom.admissions.queries.applications import applications, party, sides
from readingroom.admissions.queries.reviews import declared

T = tables


def appeal(tx: Connection, appeal_id: str) -> Appeal | None:
    """Return one appeal."""
    return next(iter(_appeals(tx, T.appeal.c.id == appeal_id)), None)


def appeals(tx: Connection) -> list[Appeal]:
    """Return all appeals, oldest first."""
    return _appeals(tx, sa.true())


def appeals_of(tx: Connection, person: str) -> list[Appeal]:
    """Return one's own appeals, oldest first."""
    return _appeals(tx, T.appeal.c.person_id == person)


def appeals_about(tx: Connection, subject: str) -> list[Appeal]:
    """Return the appeals of one refusal or sanction."""
    return _appeals(tx, T.appeal.c.subject == subject)


def appeals_in(tx: Connection, call: str) -> list[Appeal]:
    """Return the appeals that follow a call's rules."""
    return _appeals(tx, T.appeal.c.call_id == call)


def took_part(tx: Connection, found: Appeal, asked: Iterable[str]) -> Took:
    """Return who took part in what is appealed, and which of those who are asked about stand too near.

    Args:
        tx: a transaction.
        found: the appeal.
        asked: persons who would hear it, or have.
    """
    parts = [(found.person, Part.APPEALS), *((each, Part.SANCTIONED) for each in found.involved)]
    if found.kind is Subject.REFUSAL:
        parts += _in_decision(tx, found)
    appellant = party(tx, found.person)
    side = sides(tx, found.call).get(found.subject) if found.kind is Subject.REFUSAL else None
    said = declared(tx, found.call) if found.call else frozenset()
    for each in sorted(set(asked)):
        if conflicts.conflicts(party(tx, each), side or Side(found.subject, appellant), (), said):
            parts.append((each, Part.CONFLICT))
    return took(parts)


def _in_decision(tx: Connection, found: Appeal) -> list[tuple[str, Part]]:
    """Return everybody who decided, reviewed, or competes for the same budget."""
    D, A, R = T.decision, T.allocation, T.review  # noqa: N806 - tables
    decided = list(tx.execute(sa.select(D.c.decided_by).where(D.c.application_id == found.subject)).scalars())
    decided += tx.execute(sa.select(A.c.allocated_by).where(A.c.call_id == found.call)).scalars()
    reviewed = tx.execute(sa.select(R.c.reviewer_id).where(R.c.application_id == found.subject)).scalars()
    gone = {ApplicationState.WITHDRAWN, ApplicationState.DRAFT}
    applied = {each.person for each in applications(tx, found.call) if each.state not in gone} - {found.person}
    return [
        *((each, Part.DECIDED) for each in decided),
        *((each, Part.REVIEWED) for each in reviewed),
        *((each, Part.APPLIES) for each in sorted(applied)),
    ]


def _appeals(tx: Connection, where: sa.ColumnElement[bool]) -> list[Appeal]:
    rows = tx.execute(sa.select(T.appeal).where(where).order_by(T.appeal.c.lodged_at, T.appeal.c.id)).all()
    voices = _voices(tx, [row.id for row in rows])
    return [_appeal(row, tuple(voices.get(row.id, ()))) for row in rows]


def _voices(tx: Connection, appeals: list[str]) -> dict[str, list[Voice]]:
    found: dict[str, list[Voice]] = {}
    chosen = sa.select(T.voice).where(T.voice.c.appeal_id.in_(appeals))
    for row in tx.execute(chosen.order_by(T.voice.c.at, T.voice.c.person_id)):
        made = Voice(row.person_id, AppealState(row.outcome), row.reason, row.at)
        found.setdefault(row.appeal_id, []).append(made)
    return found


def _appeal(row: Row[Any], voices: tuple[Voice, ...]) -> Appeal:
    return Appeal(
        id=row.id,
        kind=Subject(row.kind),
        subject=row.subject,
        call=row.call_id,
        person=row.person_id,
        state=AppealState(row.state),
        ground=Ground(row.ground),
        text=row.text,
        late=row.late,
        lodged_at=row.lodged_at,
        due_at=row.due_at,
        panel=row.panel,
        note=row.note,
        bar=Bar(row.bar) if row.bar else None,
        passes=row.passes,
        place=row.place,
        admitted_by=row.admitted_by,
        concluded_at=row.concluded_at,
        involved=tuple(row.involved),
        told=row.told,
        voices=voices,
    )
