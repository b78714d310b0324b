"""Reads of the access room, open to the rooms on its left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.access.model import Acceptance, Amounts, Facts, Grant, GrantState, Key, Restoration, Terms, Word
from readingroom.access.tables import acceptance as acceptance_table
from readingroom.access.tables import bar as bar_table
from readingroom.access.tables import grant as grant_table
from readingroom.access.tables import key as key_table
from readingroom.access.tables import restoration as restoration_table
from readingroom.access.tables import restoration_word as word_table
from readingroom.access.tables import terms as terms_table
from readingroom.access.tables import version as version_table
from readingroom.store.db import announce

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
    bar_table.c.until.label("barred_until"),
    sa.select(sa.func.min(restoration_table.c.restored_at))
    .where(restoration_table.c.lifted_at.is_(None))
    .scalar_subquery()
    .label("restored_at"),
]
_GRANTS = sa.select(grant_table).order_by(grant_table.c.issued_at, grant_table.c.id)


def facts_for_key(tx: Connection, key_hash: str) -> Facts | None:
    """Return the facts behind a key; None if no key has this hash."""
    return facts_for_keys(tx, [key_hash]).get(key_hash)


def facts_for_keys(tx: Connection, hashes: Sequence[str]) -> dict[str, Facts]:
    """Return the facts behind keys, by their hashes, in one round trip; of one that is none, nothing."""
    person = key_table.c.person
    key_columns = [column.label(f"key_{column.name}") for column in key_table.c]
    query = (
        sa.select(grant_table, *key_columns, *_FACTS)
        .select_from(_with_facts(key_table.join(grant_table, grant_table.c.id == key_table.c.grant_id), person))
        .where(key_table.c.hash.in_(hashes))
        .order_by(sa.nulls_first(acceptance_table.c.position))  # the newest acceptance comes last, and stays
    )
    return {row.key_hash: _facts(row, row.key_person, _key_of(row), key_asked=True) for row in tx.execute(query)}


def facts_for_grant(tx: Connection, grant_id: str) -> Facts | None:
    """Return the facts of a grant as such, as its holder has them; None if there is no such grant."""
    query = (
        sa.select(grant_table, *_FACTS)
        .select_from(_with_facts(grant_table, grant_table.c.holder))
        .where(grant_table.c.id == grant_id)
        .order_by(sa.nulls_last(acceptance_table.c.position.desc()))
        .limit(1)
    )
    row = tx.execute(query).first()
    return None if row is None else _facts(row, row.holder, None, key_asked=False)


def grant(tx: Connection, grant_id: str) -> Grant | None:
    """Return one grant."""
    row = tx.execute(sa.select(grant_table).where(grant_table.c.id == grant_id)).first()
    return None if row is None else grant_of(row)


def grants(tx: Connection) -> list[Grant]:
    """Return all grants, oldest first."""
    return [grant_of(row) for row in tx.execute(_GRANTS)]


def grants_of(tx: Connection, person: str) -> list[Grant]:
    """Return the grants that a person holds, oldest first."""
    rows = tx.execute(_GRANTS.where(grant_table.c.holder == person))
    return [grant_of(row) for row in rows]


def grant_of_award(tx: Connection, award_id: str) -> Grant | None:
    """Return the grant that an award became."""
    row = tx.execute(sa.select(grant_table).where(grant_table.c.award_id == award_id)).first()
    return None if row is None else grant_of(row)


def keys(tx: Connection, grant_id: str) -> list[Key]:
    """Return the keys of a grant, oldest first."""
    query = sa.select(key_table).where(key_table.c.grant_id == grant_id).order_by(key_table.c.issued_at, key_table.c.id)
    return [Key(r.id, r.grant_id, r.person, r.hint, r.issued_at, r.ends_at) for r in tx.execute(query)]


def key(tx: Connection, key_id: str) -> Key | None:
    """Return one key by its id."""
    row = tx.execute(sa.select(key_table).where(key_table.c.id == key_id)).first()
    return None if row is None else Key(row.id, row.grant_id, row.person, row.hint, row.issued_at, row.ends_at)


def terms_versions(tx: Connection) -> list[Terms]:
    """Return every version of the terms, oldest first; the last is in force."""
    rows = tx.execute(sa.select(terms_table).order_by(terms_table.c.position))
    return [Terms(row.hash, row.text, row.material, row.reason, row.published_at) for row in rows]


def acceptances(tx: Connection, person: str) -> list[Acceptance]:
    """Return what a person has accepted, oldest first."""
    joined = acceptance_table.join(terms_table, terms_table.c.position == acceptance_table.c.position)
    columns = (
        acceptance_table.c.person,
        terms_table.c.hash,
        acceptance_table.c.accepted_at,
        acceptance_table.c.on_behalf,
    )
    query = sa.select(*columns).select_from(joined).where(acceptance_table.c.person == person)
    return [Acceptance(*row) for row in tx.execute(query.order_by(acceptance_table.c.position))]


def barred_until(tx: Connection, person: str) -> datetime | None:
    """Return until when a person is barred, or None."""
    return tx.execute(sa.select(bar_table.c.until).where(bar_table.c.person == person)).scalar()


def restoration(tx: Connection) -> Restoration | None:
    """Return the restoring that is not lifted yet; None where there is none.

    Where a house was restored again before that, it is one: what came back is what came back the first time, and only
    words given after the last time count.
    """
    open_ = restoration_table.c.lifted_at.is_(None)
    rows = tx.execute(sa.select(restoration_table).where(open_).order_by(restoration_table.c.restored_at)).all()
    if not rows:
        return None
    first, last = min(rows, key=lambda row: row.size), rows[-1]
    given = sa.select(word_table.c.person, word_table.c.at).where(word_table.c.restoration_id == last.id)
    words = tuple(Word(*row) for row in tx.execute(given.order_by(word_table.c.at, word_table.c.person)))
    newer = max((row.newer for row in rows if row.newer is not None), default=None)
    return Restoration(last.id, rows[0].restored_at, first.backup_at, first.size, first.root, newer, words)


def version(tx: Connection) -> int:
    """Return a counter that rises with everything that can change an entitlement; cheap enough to poll."""
    return int(tx.execute(sa.select(version_table.c.value)).scalar() or 0)


def bump(tx: Connection) -> None:
    """Raise the counter, in the transaction of whatever changed, and tell the workers once it is committed."""
    raised = version_table.update().values(value=version_table.c.value + 1)
    if tx.execute(raised).rowcount == 0:
        tx.execute(version_table.insert().values(id=1, value=1))
    announce(tx)


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
    )


def _with_facts(base: sa.FromClause, person: sa.ColumnElement[str]) -> sa.FromClause:
    """Join what an entitlement needs beside the grant: the terms needed, whether accepted, a bar."""
    accepted = (acceptance_table.c.person == person) & (acceptance_table.c.position >= _needed.c.position)
    return (
        base.outerjoin(_needed, sa.true())
        .outerjoin(acceptance_table, accepted)
        .outerjoin(bar_table, bar_table.c.person == person)
    )


def _facts(row: Row[Any], person: str, found: Key | None, *, key_asked: bool) -> Facts:
    return Facts(
        grant=grant_of(row),
        person=person,
        key=found,
        key_asked=key_asked,
        terms_needed=row.terms_needed,
        terms_accepted=row.accepted is not None,
        barred_until=row.barred_until,
        restored_at=row.restored_at,
    )


def _key_of(row: Row[Any]) -> Key:
    return Key(row.key_id, row.key_grant_id, row.key_person, row.key_hint, row.key_issued_at, row.key_ends_at)
