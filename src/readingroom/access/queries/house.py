"""What holds for the whole house: the counter of decisions, and a restoring that is not lifted yet."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.access.restored import Restoration, Word
from readingroom.access.tables import restoration as restoration_table
from readingroom.access.tables import restoration_word as word_table
from readingroom.access.tables import version as version_table
from readingroom.store.db import announce


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
