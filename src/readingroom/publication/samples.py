"""Facsimiles: curated outputs that everyone may see, each signed off by whoever adds it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.canonical import digest
from readingroom.core.clock import Clock
from readingroom.core.document import Node
from readingroom.core.ids import new_id
from readingroom.core.refusal import require
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check
from readingroom.publication.tables import sample
from readingroom.store.db import Database


@dataclass(frozen=True, slots=True)
class Sample:
    """One facsimile; `receipt` is the id of the receipt that it came with, if it has one."""

    id: str
    prompt: str
    output: str
    model: str
    note: str
    receipt: str
    signed_by: str
    signed_at: datetime


def parse(root: Node) -> list[dict[str, str]]:
    """Read a file of samples.

    Raises:
        BadInput: with every problem's line and column.
    """
    found = []
    for node in root.items():
        fields = node.fields(["prompt", "output", "model"], ["note", "receipt"])
        found.append({name: each.text() for name, each in fields.items()})
    root.document.finish()
    return found


class Samples:
    """The facsimiles on show."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        """Take the database, the ledger and the clock."""
        self._db = db
        self._ledger = ledger
        self._clock = clock

    def add(self, by: Actor, root: Node) -> list[Sample]:
        """Sign off and show the samples of a file; one that is on show already stays as it is."""
        require(check(by, Permission.SAMPLE_ADD))
        offered = parse(root)
        with self._db.decide() as tx:
            known = set(tx.execute(sa.select(sample.c.digest)).scalars())
            for each in offered:
                if (made := digest(each)) not in known:
                    known.add(made)
                    self._add(tx, by, each, made)
        return self.all()

    def all(self) -> list[Sample]:
        """Return the samples on show, oldest first."""
        with self._db.read() as tx:
            rows = tx.execute(sa.select(sample).order_by(sample.c.signed_at, sample.c.id)).all()
        return [Sample(r.id, r.prompt, r.output, r.model, r.note, r.receipt, r.signed_by, r.signed_at) for r in rows]

    def _add(self, tx: Connection, by: Actor, each: dict[str, str], made: str) -> None:
        values = {
            "id": new_id("sample"),
            "prompt": each["prompt"],
            "output": each["output"],
            "model": each["model"],
            "note": each.get("note", ""),
            "receipt": each.get("receipt", ""),
            "signed_by": by.id,
            "signed_at": self._clock.now(),
            "digest": made,
        }
        tx.execute(sample.insert().values(values))
        data = {"sample": values["id"], "digest": made}  # which covers the texts; none of them enters the log
        self._ledger.append(tx, "publication.sample.signed-off", data, by=by.id)
