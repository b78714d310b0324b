"""Reads of who was asked to join an application or to vouch for it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.admissions import tables, teams
from readingroom.admissions.teams import Invitation, InvitationState, Part
from readingroom.people import queries as people

T = tables.invitation


def invitations(tx: Connection, application_id: str) -> list[Invitation]:
    """Return everyone who was asked, those who said no or went too, in the order in which they were asked."""
    return _found(tx, T.c.application_id == application_id)


def invitation(tx: Connection, invitation_id: str) -> Invitation | None:
    """Return one invitation."""
    return next(iter(_found(tx, T.c.id == invitation_id)), None)


def invitation_of(tx: Connection, hashed: str) -> Invitation | None:
    """Return the invitation to which the newest letter's secret has this hash."""
    return next(iter(_found(tx, T.c.hash == hashed)), None)


def members(tx: Connection, application_id: str) -> tuple[str, ...]:
    """Return the persons who accepted to work with an application's applicant: ids, without the applicant's."""
    return teams.members(invitations(tx, application_id))


def members_of(tx: Connection, applications: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return, by application, who accepted to work with its applicant."""
    found: dict[str, list[Invitation]] = {}
    for each in _found(tx, T.c.application_id.in_(applications)):
        found.setdefault(each.application, []).append(each)
    return {application: teams.members(asked) for application, asked in found.items()}


def joined(tx: Connection, person_id: str) -> list[tuple[str, Part]]:
    """Return the applications in whose team somebody is, or for which they vouch, and as what."""
    answered = (T.c.person_id == person_id) & (T.c.state == InvitationState.ACCEPTED.value)
    return [(each.application, each.part) for each in _found(tx, answered)]


def letters_since(tx: Connection, person_id: str, since: datetime) -> int:
    """Return to how many invitations a person has had a letter sent since a moment."""
    own = tables.application
    both = T.join(own, own.c.id == T.c.application_id)
    where = (own.c.person_id == person_id) & (T.c.sent_at > since)
    return int(tx.execute(sa.select(sa.func.count()).select_from(both).where(where)).scalar_one())


def addresses(tx: Connection, applications: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return, by application, every address that was ever asked, with the one that who answered has now.

    Who declined or went has still read of it from inside: they are no reviewer of it.
    """
    found: dict[str, dict[str, None]] = {}
    asked = _found(tx, T.c.application_id.in_(applications))
    known = people.some(tx, {each.person for each in asked if each.person})
    for each in asked:
        mine = found.setdefault(each.application, {})
        mine[each.email] = None
        if each.person in known:
            mine[known[each.person].email] = None
    # One that was erased is nobody's, and stands between nobody and anything.
    return {application: tuple(address for address in each if address) for application, each in found.items()}


def _found(tx: Connection, where: sa.ColumnElement[bool]) -> list[Invitation]:
    return [_invitation(row) for row in tx.execute(sa.select(T).where(where).order_by(T.c.made_at, T.c.id))]


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(
        id=row.id,
        application=row.application_id,
        part=Part(row.role),
        state=InvitationState(row.state),
        email=row.email,
        person=row.person_id,
        words=row.words,
        version=row.version,
        letters=row.letters,
        made_at=row.made_at,
        sent_at=row.sent_at,
        expires_at=row.expires_at,
        answered_at=row.answered_at,
    )
