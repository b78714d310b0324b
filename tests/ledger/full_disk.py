"""Decide until the file size limit is hit; a program of its own, since the limit holds for a whole process.

Usage: full_disk.py DATABASE KEYFILE LIMIT
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import sqlalchemy as sa

from readingroom.core.clock import FixedClock
from readingroom.core.errors import Broken
from readingroom.ledger.note import Signer
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database


def main(database: str, key: str, limit: str) -> None:
    db = Database(f"sqlite:///{database}")
    ledger = Ledger(FixedClock(), Signer.load(Path(key), "test.example/log"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    failed = 0
    while failed < 3:
        try:
            with db.decide() as tx:
                tx.execute(sa.text("insert into decided (what) values (:what)"), {"what": "x" * 500})
                ledger.append(tx, "test.thing.happened", {"text": "x" * 500}, by="test")
        except Broken as fault:
            failed += 1
            sys.stdout.write(f"{fault.problem.what}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
