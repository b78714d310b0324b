"""Two processes append in turn; each keeps its newest checkpoint after its commit, when the other may be at work."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from readingroom.core.clock import FixedClock
from readingroom.ledger import tables
from readingroom.ledger.kept import Kept
from readingroom.ledger.note import Signer
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database


def test_a_checkpoint_that_is_kept_while_another_appends_is_no_alarm(
    db: Database, signer: Signer, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept(tmp_path / "ledger.checkpoint", signer.verifier, founded=False)
    first, second = Ledger(clock, signer), Ledger(clock, signer, kept)
    with db.decide() as tx:
        second.append(tx, "test.thing.happened", {}, by="test")
    with db.decide() as tx:
        first.append(tx, "test.thing.happened", {}, by="test")  # it has committed, and is about to keep its checkpoint
    with db.read() as tx:
        newer = tx.execute(sa.select(tables.checkpoint.c.note).where(tables.checkpoint.c.size == 2)).scalar_one()
    note = Kept.note

    def note_and_then_a_newer_one(self: Kept) -> bytes | None:
        found = note(self)
        self.path.write_bytes(newer)
        return found

    monkeypatch.setattr(Kept, "note", note_and_then_a_newer_one)
    with db.decide() as tx:
        assert second.append(tx, "test.thing.happened", {}, by="test").seq == 2
