"""Call files that are being written. They decide nothing and promise nothing, so none of this is in the ledger."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from readingroom.admissions import tables
from readingroom.admissions.call import CallDraft
from readingroom.admissions.call_file.filled import MAX_TEXT
from readingroom.admissions.service.base import Base
from readingroom.core.errors import BadInput, Problem
from readingroom.core.ids import new_id
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check

MAX_DRAFTS = 200  # of a house


class Drafting(Base):
    """Use cases of whoever writes a call before it opens; whoever may open calls shares the drafts."""

    def begin_call_draft(self, by: Actor, text: str) -> CallDraft:
        """Keep a new draft.

        Raises:
            BadInput: it is too large, or there are too many.
        """
        require(check(by, Permission.CALL_OPEN))
        _fits(text)
        now = self._clock.now()
        with self._db.write() as tx:
            if (tx.scalar(sa.select(sa.func.count()).select_from(tables.call_draft)) or 0) >= MAX_DRAFTS:
                cure = "Throw away some that nobody goes on with"
                raise BadInput([Problem("drafts", f"this house keeps {MAX_DRAFTS} drafts already", cure)])
            return _new(tx, by, text, now)

    def keep_call_draft(self, by: Actor, draft: str, text: str, revision: int) -> CallDraft:
        """Keep a draft as it now is; of two who write at once neither loses a word.

        Where somebody else has changed it meanwhile, or thrown it away, this becomes a draft of its own.

        Args:
            by: who wrote it.
            draft: its id.
            text: all of it.
            revision: on what it was based.

        Raises:
            BadInput: it is too large.
        """
        require(check(by, Permission.CALL_OPEN))
        _fits(text)
        table, now = tables.call_draft, self._clock.now()
        mine = (table.c.id == draft, table.c.revision == revision)
        with self._db.write() as tx:
            same = tx.scalar(sa.select(table.c.text).where(*mine))
            if same is None:
                return _new(tx, by, text, now)
            if same != text:
                changed = {"text": text, "revision": revision + 1, "updated_at": now, "updated_by": by.id}
                tx.execute(table.update().where(*mine).values(changed))
            return _known(tx, draft)

    def call_draft(self, by: Actor, draft: str) -> CallDraft:
        """Return a draft."""
        require(check(by, Permission.CALL_OPEN))
        with self._db.read() as tx:
            return _known(tx, draft)

    def call_drafts(self, by: Actor) -> list[CallDraft]:
        """Return the drafts, the last changed first."""
        require(check(by, Permission.CALL_OPEN))
        query = sa.select(tables.call_draft).order_by(tables.call_draft.c.updated_at.desc(), tables.call_draft.c.id)
        with self._db.read() as tx:
            return [_read(row) for row in tx.execute(query).mappings()]

    def drop_call_draft(self, by: Actor, draft: str) -> None:
        """Throw a draft away: for good, or because it is open now."""
        require(check(by, Permission.CALL_OPEN))
        with self._db.write() as tx:
            _known(tx, draft)
            tx.execute(tables.call_draft.delete().where(tables.call_draft.c.id == draft))


def _new(tx: Connection, by: Actor, text: str, now: datetime) -> CallDraft:
    made = CallDraft(new_id("draft"), text, 0, now, by.id)
    values = {"id": made.id, "text": text, "revision": 0, "updated_at": now, "updated_by": by.id}
    tx.execute(tables.call_draft.insert().values(values))
    return made


def _known(tx: Connection, draft: str) -> CallDraft:
    row = tx.execute(sa.select(tables.call_draft).where(tables.call_draft.c.id == draft)).mappings().first()
    if row is None:
        raise Refused(Refusal("admissions/draft-unknown", "There is no draft of a call by this id."))
    return _read(row)


def _read(row: RowMapping) -> CallDraft:
    return CallDraft(row["id"], row["text"], row["revision"], row["updated_at"], row["updated_by"])


def _fits(text: str) -> None:
    if len(text) > MAX_TEXT:
        what = f"the call file is larger than {MAX_TEXT:,} characters"
        raise BadInput([Problem("call.yaml", what, "Open it from the command line: call open FILE")])
