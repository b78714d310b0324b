"""Reads of applications, their versions and the people behind them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.admissions import tables
from readingroom.admissions.conflicts import Party, Side
from readingroom.admissions.model import (
    Application,
    ApplicationState,
    Draft,
    Version,
)
from readingroom.admissions.queries import teams
from readingroom.people import queries as people
from readingroom.people.model import Person

T = tables
_GONE = {ApplicationState.WITHDRAWN, ApplicationState.DRAFT, ApplicationState.LATE}


def application(tx: Connection, application_id: str) -> Application | None:
    """Return one application with the version that counts."""
    return next(iter(_applications(tx, T.application.c.id == application_id)), None)


def applications(tx: Connection, call_id: str) -> list[Application]:
    """Return a call's applications, drafts too, ordered by their random ids."""
    return _applications(tx, T.application.c.call_id == call_id)


def submitted(tx: Connection, call_id: str, limit: int, offset: int = 0) -> list[Application]:
    """Return a page of what was submitted to a call, ordered by random ids; drafts are their applicants' own."""
    sent = sa.select(T.version.c.application_id)
    where = (T.application.c.call_id == call_id) & (T.application.c.state != ApplicationState.DRAFT.value)
    return _applications(tx, where & T.application.c.id.in_(sent), limit, offset)


def of_person(tx: Connection, person_id: str) -> list[Application]:
    """Return a person's applications."""
    return _applications(tx, T.application.c.person_id == person_id)


def versions(tx: Connection, application_id: str) -> list[Version]:
    """Return every submitted version of an application, the oldest first."""
    where = T.version.c.application_id == application_id
    return [_version(row) for row in tx.execute(sa.select(T.version).where(where).order_by(T.version.c.number))]


def team(tx: Connection, application_id: str) -> tuple[str, ...]:
    """Return the e-mail addresses of an application's team, as submitted."""
    found = application(tx, application_id)
    return found.submitted.draft.team if found and found.submitted else ()


def sides(tx: Connection, call_id: str) -> dict[str, Side]:
    """Return the people of each submitted, living application of a call: named by it, or asked into it."""
    found = [each for each in applications(tx, call_id) if each.submitted and each.state not in _GONE]
    known = people.persons(tx)
    asked = teams.addresses(tx, [each.id for each in found])
    return {
        each.id: Side(
            each.id,
            _party(each.person, known.get(each.person)),
            tuple(dict.fromkeys([*(each.submitted.draft.team if each.submitted else ()), *asked.get(each.id, ())])),
        )
        for each in found
    }


def side(tx: Connection, application_id: str) -> Side | None:
    """Return the people of one submitted, living application; None where it is none."""
    found = application(tx, application_id)
    if found is None or not found.submitted or found.state in _GONE:
        return None
    return Side(found.id, party(tx, found.person), found.submitted.draft.team)


def party(tx: Connection, person_id: str) -> Party:
    """Return what conflicts are judged on, as it is now."""
    return _party(person_id, people.by_id(tx, person_id))


def parties(tx: Connection, persons: Collection[str]) -> dict[str, Party]:
    """Return what conflicts are judged on, for some persons at once."""
    known = people.persons(tx)
    return {each: _party(each, known.get(each)) for each in persons}


def _party(person_id: str, found: Person | None) -> Party:
    # Somebody who is unknown now (erased, say) has no address and no affiliation to conflict by.
    return Party(person_id, found.email, found.affiliation) if found else Party(person_id, "", "")


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
    )


def _version(row: Row[Any]) -> Version:
    return Version(row.number, Draft.read(row.draft), row.salt, row.commitment, row.submitted_at)
