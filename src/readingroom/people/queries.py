"""Reads of the people room, open to the rooms on its left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.people.address import fold
from readingroom.people.model import Actor, Person, Role
from readingroom.people.tables import link as link_table
from readingroom.people.tables import person as person_table
from readingroom.people.tables import role as role_table


def persons(tx: Connection) -> dict[str, Person]:
    """Return everyone, by id."""
    return {each.id: each for each in _people(tx, sa.true())}


def by_id(tx: Connection, person_id: str) -> Person | None:
    """Return one person by pseudonym."""
    return next(iter(_people(tx, person_table.c.id == person_id)), None)


def actor_now(tx: Connection, by: Actor) -> Actor:
    """Return an actor with the roles held in this transaction: who lost one a moment ago does not decide with it."""
    found = by_id(tx, by.id)
    return by if found is None else replace(by, roles=found.roles)


def by_email(tx: Connection, email: str) -> Person | None:
    """Return one person by address; case does not matter."""
    return next(iter(_people(tx, person_table.c.email == fold(email))), None)


def _people(tx: Connection, where: sa.ColumnElement[bool]) -> list[Person]:
    rows = tx.execute(sa.select(person_table).where(where).order_by(person_table.c.created_at)).all()
    wanted = [row.id for row in rows]
    roles: dict[str, set[Role]] = {}
    for held in tx.execute(sa.select(role_table).where(role_table.c.person_id.in_(wanted))):
        roles.setdefault(held.person_id, set()).add(Role(held.role))
    return [_person(row, frozenset(roles.get(row.id, ()))) for row in rows]


def _person(row: Row[Any], roles: frozenset[Role]) -> Person:
    return Person(row.id, row.email, row.name, row.affiliation, roles, row.created_at)


def has_signed_in(tx: Connection, person_id: str) -> bool:
    """Tell whether a person has ever signed in."""
    used = (
        sa.select(link_table.c.hash)
        .where(link_table.c.person_id == person_id, link_table.c.used_at.is_not(None))
        .limit(1)
    )
    return tx.execute(used).first() is not None


def has_a_steward_signed_in(tx: Connection) -> bool:
    """Tell whether anybody who is a steward now has ever signed in."""
    used = (
        sa.select(link_table.c.hash)
        .join(role_table, role_table.c.person_id == link_table.c.person_id)
        .where(role_table.c.role == Role.STEWARD.value, link_table.c.used_at.is_not(None))
        .limit(1)
    )
    return tx.execute(used).first() is not None
