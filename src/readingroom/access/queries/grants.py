"""Grants, their keys and their members."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.access.model import Amounts, Grant, GrantState, Key, Member
from readingroom.access.tables import grant as grant_table
from readingroom.access.tables import key as key_table
from readingroom.access.tables import member as member_table

_GRANTS = sa.select(grant_table).order_by(grant_table.c.issued_at, grant_table.c.id)


def grant(tx: Connection, grant_id: str) -> Grant | None:
    """Return one grant."""
    row = tx.execute(sa.select(grant_table).where(grant_table.c.id == grant_id)).first()
    return None if row is None else grant_of(row)


def grants(tx: Connection) -> list[Grant]:
    """Return all grants, oldest first."""
    return [grant_of(row) for row in tx.execute(_GRANTS)]


class GrantLine(NamedTuple):
    """What is counted of a grant where many are."""

    id: str
    holder: str
    stage: str
    award_id: str | None
    passes: int | None
    issued_at: str  # as it is kept: text that sorts as time does, and costs nothing to read


def grant_lines(tx: Connection) -> list[GrantLine]:
    """Return of every grant what is counted of it, in the order in which they were issued."""
    c = grant_table.c
    issued_at = sa.type_coerce(c.issued_at, sa.String)
    chosen = sa.select(c.id, c.holder, c.stage, c.award_id, c.passes, issued_at).order_by(c.issued_at, c.id)
    return [GrantLine(*row) for row in tx.execute(chosen).all()]


def grants_page(tx: Connection, state: GrantState | None, limit: int, offset: int = 0) -> list[Grant]:
    """Return a page of all grants, or of those in one state, oldest first."""
    query = _GRANTS if state is None else _GRANTS.where(grant_table.c.state == state.value)
    return [grant_of(row) for row in tx.execute(query.limit(limit).offset(offset))]


def standing_counts(tx: Connection, now: datetime) -> dict[str, int]:
    """Return how many grants stand how: in each state, and of the active ones how many are `expired` by now."""
    c = grant_table.c
    expired = (c.state == GrantState.ACTIVE.value) & (c.expires_at <= now)
    stands = sa.case((expired, "expired"), else_=c.state).label("stands")
    rows = tx.execute(sa.select(stands, sa.func.count().label("many")).group_by(stands).order_by(stands))
    return {row.stands: row.many for row in rows}


def grant_counts(tx: Connection) -> dict[GrantState, int]:
    """Return how many grants there are in each state that any is in."""
    counted = sa.select(grant_table.c.state, sa.func.count().label("many")).group_by(grant_table.c.state)
    return {GrantState(row.state): row.many for row in tx.execute(counted)}


def grants_of(tx: Connection, person: str) -> list[Grant]:
    """Return the grants that a person holds, oldest first."""
    rows = tx.execute(_GRANTS.where(grant_table.c.holder == person))
    return [grant_of(row) for row in rows]


def grant_of_award(tx: Connection, award_id: str) -> Grant | None:
    """Return the grant that an award became."""
    row = tx.execute(sa.select(grant_table).where(grant_table.c.award_id == award_id)).first()
    return None if row is None else grant_of(row)


def grants_with(tx: Connection, person: str) -> list[Grant]:
    """Return the grants whose project a person is of, as holder or member, oldest first."""
    mine = sa.select(member_table.c.grant_id).where(member_table.c.person == person, _BELONGS)
    rows = tx.execute(_GRANTS.where((grant_table.c.holder == person) | grant_table.c.id.in_(mine)))
    return [grant_of(row) for row in rows]


def members(tx: Connection, grant_id: str) -> list[Member]:
    """Return all who were ever invited to a grant's project, in the order of their invitations."""
    query = sa.select(member_table).where(member_table.c.grant_id == grant_id)
    return [member_of(row) for row in tx.execute(query.order_by(member_table.c.invited_at, member_table.c.person))]


def member(tx: Connection, grant_id: str, person: str) -> Member | None:
    """Return how a person stands to a grant's project; None for who was never invited, as its holder."""
    which = (member_table.c.grant_id == grant_id) & (member_table.c.person == person)
    row = tx.execute(sa.select(member_table).where(which)).first()
    return None if row is None else member_of(row)


def invitations(tx: Connection, person: str) -> list[Member]:
    """Return the invitations that wait for a person's answer."""
    asked = member_table.c.joined_at.is_(None) & member_table.c.left_at.is_(None)
    query = sa.select(member_table).where(member_table.c.person == person, asked)
    return [member_of(row) for row in tx.execute(query.order_by(member_table.c.invited_at))]


def left(tx: Connection, person: str) -> list[tuple[Grant, Member]]:
    """Return the projects that a person was of, and left or was removed from, the latest first."""
    gone = member_table.c.joined_at.is_not(None) & member_table.c.left_at.is_not(None)
    query = sa.select(member_table).where(member_table.c.person == person, gone)
    found = [member_of(row) for row in tx.execute(query.order_by(member_table.c.left_at.desc()))]
    return [(held, each) for each in found if (held := grant(tx, each.grant_id)) is not None]


def persons_of(tx: Connection, grant: Grant) -> list[str]:
    """Return the persons of a grant's project: its holder first, then its members."""
    return [grant.holder, *(each.person for each in members(tx, grant.id) if each.belongs)]


def keys(tx: Connection, grant_id: str) -> list[Key]:
    """Return the keys of a grant, oldest first."""
    query = sa.select(key_table).where(key_table.c.grant_id == grant_id).order_by(key_table.c.issued_at, key_table.c.id)
    return [Key(r.id, r.grant_id, r.person, r.hint, r.issued_at, r.ends_at) for r in tx.execute(query)]


def key(tx: Connection, key_id: str) -> Key | None:
    """Return one key by its id."""
    row = tx.execute(sa.select(key_table).where(key_table.c.id == key_id)).first()
    return None if row is None else Key(row.id, row.grant_id, row.person, row.hint, row.issued_at, row.ends_at)


def grant_of(row: Row[Any]) -> Grant:
    """Read a grant from a row of its table."""
    return Grant(
        id=row.id,
        holder=row.holder,
        stage=row.stage,
        tier=row.tier,
        state=GrantState(row.state),
        allocation=Amounts(row.passes, row.tokens, row.calls),
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        issued_by=row.issued_by,
        award_id=row.award_id,
        purpose=row.purpose,
        changed_at=row.changed_at,
        changed_reason=row.changed_reason,
        dev=row.dev,
        retention=row.retention or "",
        title=row.title or "",
        machines=tuple(row.machines.split("\n")) if row.machines else (),
    )


def member_of(row: Row[Any]) -> Member:
    """Read a member from a row of its table."""
    times = (row.invited_at, row.joined_at, row.left_at)
    return Member(row.grant_id, row.person, row.invited_by, *times, row.retention or "")


_BELONGS = member_table.c.joined_at.is_not(None) & member_table.c.left_at.is_(None)
