"""Reads of what happened to an application, and of what was attached to it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.admissions import tables
from readingroom.admissions.attachments import Attachment
from readingroom.admissions.form import FileKind
from readingroom.admissions.history import Told

T = tables
_ABOUT = [each for each in T.attachment.c if each.name != "content"]  # megabytes that a list has no need of


def told(tx: Connection, application_id: str) -> list[Told]:
    """Return the ledger's entries about one application, the oldest first; none of them is a reviewer's."""
    where = T.step.c.application_id == application_id
    rows = tx.execute(sa.select(T.step).where(where).order_by(T.step.c.number))
    return [Told(row.at, row.event, row.by_id, row.data) for row in rows]


def attachments(tx: Connection, application_id: str) -> list[Attachment]:
    """Return every file of an application, without its bytes; those that were taken out too."""
    where = T.attachment.c.application_id == application_id
    rows = tx.execute(sa.select(*_ABOUT).where(where).order_by(T.attachment.c.added_at, T.attachment.c.digest))
    return [
        Attachment(
            application=row.application_id,
            digest=row.digest,
            question=row.question,
            name=row.name,
            kind=FileKind(row.kind),
            size=row.size,
            added_at=row.added_at,
            removed_at=row.removed_at,
        )
        for row in rows
    ]


def content(tx: Connection, application_id: str, digest: str) -> bytes:
    """Return the bytes of one file."""
    where = (T.attachment.c.application_id == application_id) & (T.attachment.c.digest == digest)
    found: bytes = tx.execute(sa.select(T.attachment.c.content).where(where)).scalar_one()
    return found
