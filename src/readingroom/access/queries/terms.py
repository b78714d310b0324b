"""Terms and their acceptances."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.access.model import Acceptance, Terms
from readingroom.access.tables import acceptance as acceptance_table
from readingroom.access.tables import terms as terms_table


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
        sa.func.coalesce(acceptance_table.c.name, ""),
    )
    query = sa.select(*columns).select_from(joined).where(acceptance_table.c.person == person)
    return [Acceptance(*row) for row in tx.execute(query.order_by(acceptance_table.c.position))]


def reading_under(tx: Connection, terms_hash: str) -> list[str]:
    """Return the persons who accepted this version of the terms, and no later one."""
    newest = sa.select(acceptance_table.c.person, sa.func.max(acceptance_table.c.position).label("position"))
    found = newest.group_by(acceptance_table.c.person).subquery("newest")
    joined = found.join(terms_table, terms_table.c.position == found.c.position)
    query = sa.select(found.c.person).select_from(joined).where(terms_table.c.hash == terms_hash)
    return sorted(tx.execute(query).scalars())
