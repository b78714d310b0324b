"""Reads of applications, their versions and the people behind them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.admissions import tables
from readingroom.admissions.model import (
    Application,
    ApplicationState,
    Draft,
    Version,
)

T = tables
_GONE = {ApplicationState.WITHDRAWN, ApplicationState.DRAFT, ApplicationState.LATE}


def application(tx: Connection, application_id: str) -> Application | None:
    """Return one application with the version that counts."""
    return next(iter(_applications(tx, T.application.c.id == application_id)), None)


def applications(tx: Connection, call_id: str) -> list[Application]:
    """Return a call's applications, drafts too, ordered by their random ids."""
    return _applications(tx, T.application.c.call_id == call_id)


def states(tx: Connection, call_id: str) -> dict[str, ApplicationState]:
    """Return where each of a call's applications stands, without what it says."""
    chosen = sa.select(T.application.c.id, T.application.c.state).where(T.application.c.call_id == call_id)
    return {row.id: ApplicationState(row.state) for row in tx.execute(chosen.order_by(T.application.c.id))}


def submitted(tx: Connection, call_id: str, limit: int, offset: int = 0) -> list[Application]:
    """Return a page of what was submitted to a call, ordered by random ids; drafts are their applicants' own."""
    sent = sa.select(T.version.c.application_id)
    where = (T.application.c.call_id == call_id) & (T.application.c.state != ApplicationState.DRAFT.value)
    return _applications(tx, where & T.application.c.id.in_(sent), limit, offset)


def some(tx: Connection, ids: Collection[str]) -> list[Application]:
    """Return the applications of these ids that there are."""
    return _applications(tx, T.application.c.id.in_(sorted(ids))) if ids else []


def of_person(tx: Connection, person_id: str) -> list[Application]:
    """Return a person's applications."""
    return _applications(tx, T.application.c.person_id == person_id)


def purpose(tx: Connection, application_id: str) -> str:
    """Return what an applicant wants to find out, in their own words: personal text."""
    found = application(tx, application_id)
    return str(found.submitted.draft.answers.get("purpose", "")).strip() if found and found.submitted else ""


def versions(tx: Connection, application_id: str) -> list[Version]:
    """Return every submitted version of an application, the oldest first."""
    where = T.version.c.application_id == application_id
    return [_version(row) for row in tx.execute(sa.select(T.version).where(where).order_by(T.version.c.number))]


def team(tx: Connection, application_id: str) -> tuple[str, ...]:
    """Return the e-mail addresses of an application's team, as submitted."""
    found = application(tx, application_id)
    return found.submitted.draft.team if found and found.submitted else ()


def _applications(
    tx: Connection, where: sa.ColumnElement[bool], limit: int | None = None, offset: int = 0
) -> list[Application]:
    chosen = sa.select(T.application).where(where).order_by(T.application.c.id)
    rows = tx.execute(chosen if limit is None else chosen.limit(limit).offset(offset)).all()
    latest = _latest(tx, [row.id for row in rows])
    return [_application(row, latest.get(row.id)) for row in rows]


def _latest(tx: Connection, ids: Collection[str]) -> dict[str, Version]:
    found: dict[str, Version] = {}
    chosen = sa.select(T.version).where(T.version.c.application_id.in_(ids)).order_by(T.version.c.number)
    for row in tx.execute(chosen):
        found[row.application_id] = _version(row)
    return found


def _application(row: Row[Any], submitted: Version | None) -> Application:
    return Application(
        id=row.id,
        call=row.call_id,
        person=row.person_id,
        state=ApplicationState(row.state),
        draft=Draft.read(row.draft),
        submitted=submitted,
        note=row.note,
        correct_until=row.correct_until,
        created_at=row.created_at,
        updated_at=row.updated_at,
        revision=row.revision,
        arrived_at=row.arrived_at,
    )


def _version(row: Row[Any]) -> Version:
    return Version(row.number, Draft.read(row.draft), row.salt, row.commitment, row.submitted_at)
