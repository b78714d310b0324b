"""Facsimiles: curated outputs that everyone may see, each signed off by whoever adds it.

One that was made by a call comes with its papers, which are verified before it is shown; one without says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.canonical import digest
from readingroom.core.clock import Clock
from readingroom.core.document import Node
from readingroom.core.ids import new_id
from readingroom.core.refusal import require
from readingroom.dossier import queries as dossier
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check
from readingroom.publication.papers import NAMES, Papers, Sample, problems
from readingroom.publication.tables import sample
from readingroom.store.db import Database


@dataclass(frozen=True, slots=True)
class Offered:
    """A facsimile as its file says it, with the places at which problems are told."""

    texts: dict[str, str]
    papers: Papers
    nodes: dict[str, Node]


def parse(root: Node, folder: Path) -> list[Offered]:
    """Read a file of facsimiles. A paper stands in it whole (JSON begins with a brace), or by its path beside it.

    Raises:
        BadInput: with every problem's line and column.
    """
    found = []
    for node in root.items():
        fields = node.fields(["prompt", "output", "model"], ["note", *NAMES])
        texts = {name: each.text() for name, each in fields.items() if name not in NAMES}
        given = {name: _paper(fields[name], folder) for name in NAMES if name in fields}
        if given and len(given) < len(NAMES):
            lacking = ", ".join(sorted(set(NAMES) - set(given)))
            node.problem(f"{lacking} is missing", "Give receipt, request and answer together, or none of them")
        found.append(Offered(texts, Papers(**given), fields))
    root.document.finish()
    return found


def _paper(node: Node, folder: Path) -> str:
    text = node.text()
    if not text or text.lstrip().startswith("{"):
        return text
    try:
        return (folder / text).read_text(encoding="utf-8")
    except (OSError, ValueError):
        node.problem(f"{text!r} cannot be read", "Name a text file, from the folder of this file, or write the JSON")
        return ""


class Samples:
    """The facsimiles on show."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        """Take the database, the ledger and the clock."""
        self._db = db
        self._ledger = ledger
        self._clock = clock

    def add(self, by: Actor, root: Node, folder: Path = Path()) -> list[Sample]:
        """Sign off and show the facsimiles of a file; one that is on show already stays as it is.

        Raises:
            BadInput: by line and column; also where a receipt does not prove what would be shown.
        """
        require(check(by, Permission.SAMPLE_ADD))
        offered = parse(root, folder)
        with self._db.decide() as tx:
            for each in offered:
                self._verify(tx, each)
            root.document.finish()
            known = set(tx.execute(sa.select(sample.c.digest)).scalars())
            for each in offered:
                said = {**each.texts, **({name: getattr(each.papers, name) for name in NAMES} if each.papers else {})}
                if (made := digest(said)) not in known:
                    known.add(made)
                    self._add(tx, by, each, made)
        return self.all()

    def all(self) -> list[Sample]:
        """Return the facsimiles on show, oldest first."""
        with self._db.read() as tx:
            rows = tx.execute(sa.select(sample).order_by(sample.c.signed_at, sample.c.id)).all()
        return [
            Sample(
                id=row.id,
                prompt=row.prompt,
                output=row.output,
                model=row.model,
                note=row.note,
                papers=Papers(row.receipt, row.request, row.answer),
                signed_by=row.signed_by,
                signed_at=row.signed_at,
            )
            for row in rows
        ]

    def _verify(self, tx: Connection, each: Offered) -> None:
        if not each.papers:
            return
        model = dossier.model_by_name(tx, each.texts["model"])
        known, texts = model.digest if model else "", each.texts
        found = problems(each.papers, texts["prompt"], texts["output"], known, self._ledger.verifier)
        for name, what in found:
            each.nodes[name].problem(f"{name}: {what}", "Show what was said as it was said, or leave its papers out")

    def _add(self, tx: Connection, by: Actor, each: Offered, made: str) -> None:
        values = {
            "id": new_id("sample"),
            "prompt": each.texts["prompt"],
            "output": each.texts["output"],
            "model": each.texts["model"],
            "note": each.texts.get("note", ""),
            **{name: getattr(each.papers, name) for name in NAMES},
            "signed_by": by.id,
            "signed_at": self._clock.now(),
            "digest": made,
        }
        tx.execute(sample.insert().values(values))
        data = {"sample": values["id"], "digest": made}  # which covers the texts; none of them enters the log
        self._ledger.append(tx, "publication.sample.signed-off", data, by=by.id)
