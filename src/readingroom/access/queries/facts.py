"""Everything in this room that an entitlement rests on, read live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.access.model import Facts, Key, Member, Sanction
from readingroom.access.queries.grants import grant_of
from readingroom.access.queries.sanctions import STANDS, bars_of, standing
from readingroom.access.tables import acceptance as acceptance_table
from readingroom.access.tables import grant as grant_table
from readingroom.access.tables import key as key_table
from readingroom.access.tables import member as member_table
from readingroom.access.tables import restoration as restoration_table
from readingroom.access.tables import sanction as sanction_table
from readingroom.access.tables import terms as terms_table

# The terms that must have been accepted: the newest whose change was material.
_needed = (
    sa.select(terms_table.c.position, terms_table.c.hash)
    .where(terms_table.c.material)
    .order_by(terms_table.c.position.desc())
    .limit(1)
    .subquery("needed")
)
_FACTS = [
    _needed.c.hash.label("terms_needed"),
    acceptance_table.c.position.label("accepted"),
    sa.select(sa.func.min(restoration_table.c.restored_at))
    .where(restoration_table.c.lifted_at.is_(None))
    .scalar_subquery()
    .label("restored_at"),
]


def facts_for_key(tx: Connection, key_hash: str) -> Facts | None:
    """Return the facts behind a key; None if no key has this hash."""
    return facts_for_keys(tx, [key_hash]).get(key_hash)


def facts_for_keys(tx: Connection, hashes: Sequence[str]) -> dict[str, Facts]:
    """Return the facts behind keys, by their hashes, in one round trip; of one that is none, nothing.

    A second one reads the sanctions, where any stands.
    """
    person = key_table.c.person
    key_columns = [column.label(f"key_{column.name}") for column in key_table.c]
    query = (
        sa.select(grant_table, *key_columns, *_FACTS, *_about(person))
        .select_from(_with_facts(key_table.join(grant_table, grant_table.c.id == key_table.c.grant_id), person))
        .where(key_table.c.hash.in_(hashes))
        .order_by(sa.nulls_first(acceptance_table.c.position))  # the newest acceptance comes last, and stays
    )
    rows = {row.key_hash: row for row in tx.execute(query)}
    found = _sanctions(tx, {(row.id, row.key_person) for row in rows.values() if row.sanctioned})
    return {
        hashed: _facts(row, row.key_person, _key_of(row), found.get((row.id, row.key_person), ()))
        for hashed, row in rows.items()
    }


def facts_for_grant(tx: Connection, grant_id: str, person: str = "") -> Facts | None:
    """Return the facts of a grant as such, as a member or, by default, its holder has them; None if there is none."""
    whose = sa.literal(person) if person else grant_table.c.holder
    query = (
        sa.select(grant_table, *_FACTS, *_about(whose))
        .select_from(_with_facts(grant_table, whose))
        .where(grant_table.c.id == grant_id)
        .order_by(sa.nulls_last(acceptance_table.c.position.desc()))
        .limit(1)
    )
    row = tx.execute(query).first()
    if row is None:
        return None
    pair = (row.id, person or row.holder)
    return _facts(row, pair[1], None, _sanctions(tx, {pair}).get(pair, ()) if row.sanctioned else ())


def _about(person: sa.ColumnElement[str]) -> list[sa.ColumnElement[Any]]:
    """Select of whom a fact is: a bar, whether any sanction stands, the membership."""
    stands = sa.select(sanction_table.c.id).where(
        STANDS, (sanction_table.c.grant_id == grant_table.c.id) | (sanction_table.c.person == person)
    )
    return [
        bars_of(person).scalar_subquery().label("barred_until"),
        sa.exists(stands).label("sanctioned"),
        *(column.label(f"member_{column.name}") for column in member_table.c),
    ]


def _with_facts(base: sa.FromClause, person: sa.ColumnElement[str]) -> sa.FromClause:
    """Join what an entitlement needs beside the grant: the terms needed, whether accepted, the membership."""
    accepted = (acceptance_table.c.person == person) & (acceptance_table.c.position >= _needed.c.position)
    of_project = (member_table.c.grant_id == grant_table.c.id) & (member_table.c.person == person)
    return base.outerjoin(_needed, sa.true()).outerjoin(acceptance_table, accepted).outerjoin(member_table, of_project)


def _sanctions(tx: Connection, pairs: set[tuple[str, str]]) -> dict[tuple[str, str], tuple[Sanction, ...]]:
    """Return what stands about each pair of a grant and a person."""
    if not pairs:
        return {}
    found = standing(tx, sorted({grant for grant, _ in pairs}), sorted({person for _, person in pairs}))
    return {
        (grant, person): tuple(
            each for each in found if each.grant_id in {None, grant} and each.person in {None, person}
        )
        for grant, person in pairs
    }


def _facts(row: Row[Any], person: str, found: Key | None, sanctions: tuple[Sanction, ...]) -> Facts:
    return Facts(
        grant=grant_of(row),
        person=person,
        key=found,
        key_asked=found is not None,
        terms_needed=row.terms_needed,
        terms_accepted=row.accepted is not None,
        barred_until=row.barred_until,
        restored_at=row.restored_at,
        membership=_membership(row),
        sanctions=sanctions,
    )


def _membership(row: Row[Any]) -> Member | None:
    if row.member_person is None:
        return None
    times = (row.member_invited_at, row.member_joined_at, row.member_left_at)
    return Member(row.member_grant_id, row.member_person, row.member_invited_by, *times, row.member_retention or "")


def _key_of(row: Row[Any]) -> Key:
    return Key(row.key_id, row.key_grant_id, row.key_person, row.key_hint, row.key_issued_at, row.key_ends_at)
