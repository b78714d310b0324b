"""A hand in the database, and what the audit says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.engine import Connection

from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.report import Report
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database

SIZE = 9  # entries of the log that is meddled with
Meddle = Callable[[Connection], Any]


def audited(db: Database, ledger: Ledger, since: bytes | None = None) -> Report:
    return LedgerReader(db).audit(ledger.verifier, since)


def after(db: Database, ledger: Ledger, meddle: Meddle) -> tuple[str, ...]:
    """Return what the audit says after a meddling, which is undone."""
    with db.engine.connect() as tx:
        tx.begin()
        meddle(tx)
        tx.commit()
    return audited(db, ledger).problems
