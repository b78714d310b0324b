"""A checkpoint that somebody kept betrays whoever writes the log anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from ledger.meddling import SIZE, after, audited
from readingroom.core.clock import FixedClock
from readingroom.ledger import tables
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.merkle import EMPTY, leaf_hash
from readingroom.ledger.note import Signer
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database


def kept_at(db: Database, size: int) -> bytes:
    note = LedgerReader(db).checkpoint(size)
    assert note
    return note


@pytest.mark.parametrize("size", range(1, SIZE + 1))
def test_every_kept_checkpoint_is_a_prefix(
    sqlite_db: Database, ledger: Ledger, fill: Callable[[Database, int], None], size: int
) -> None:
    fill(sqlite_db, SIZE)
    assert audited(sqlite_db, ledger, kept_at(sqlite_db, size)).ok


def test_a_history_that_was_signed_anew_is_betrayed_by_a_kept_checkpoint(
    sqlite_db: Database, ledger: Ledger, signer: Signer, tmp_path: Path
) -> None:
    """The lab itself, with its key, writes the log again without one entry."""
    for n in range(5):
        with sqlite_db.decide() as tx:
            ledger.append(tx, "test.thing.happened", {"n": n}, by="test")
    again = Database(f"sqlite:///{tmp_path / 'again.db'}")
    again.create()
    for n in (0, 1, 3, 4, 5, 6):
        with again.decide() as tx:
            Ledger(FixedClock(), signer).append(tx, "test.thing.happened", {"n": n}, by="test")
    assert audited(again, ledger).ok
    assert audited(again, ledger, kept_at(sqlite_db, 2)).ok
    problems = audited(again, ledger, kept_at(sqlite_db, 4)).problems
    assert problems == ("the kept checkpoint of size 4 is no prefix of this log: it was rewritten",)
    again.close()


def test_a_log_cut_off_in_both_tables_is_betrayed_by_a_kept_checkpoint(log: Database, ledger: Ledger) -> None:
    kept = kept_at(log, SIZE)

    def meddle(tx: Connection) -> None:
        tx.execute(tables.entry.delete().where(tables.entry.c.seq >= 6))
        tx.execute(tables.checkpoint.delete().where(tables.checkpoint.c.size > 6))

    assert after(log, ledger, meddle) == ()  # to itself the shorter log is whole: that is what checkpoints are kept for
    (problem,) = audited(log, ledger, kept).problems
    assert problem == (
        "the kept checkpoint has 9 entries; the log has only 6: its end was removed, or an older copy was put back"
    )


def test_a_kept_checkpoint_within_a_hole_is_not_passed_over(log: Database, ledger: Ledger) -> None:
    kept = kept_at(log, 5)

    def meddle(tx: Connection) -> None:
        tx.execute(tables.entry.delete().where(tables.entry.c.seq.in_([4, 5])))
        tx.execute(tables.checkpoint.delete().where(tables.checkpoint.c.size.in_([5, 6])))

    after(log, ledger, meddle)
    assert "cannot be compared" in audited(log, ledger, kept).problems[-1]


def test_a_kept_checkpoint_must_be_of_this_log_and_signed_by_its_key(log: Database, ledger: Ledger) -> None:
    good = Checkpoint.open(kept_at(log, 4), ledger.verifier)
    other_key = good.sign(Signer.generate(good.origin))
    other_log = Checkpoint("other.example/log", 4, good.root).sign(Signer.generate("other.example/log"))
    for forged in (other_key, other_log, kept_at(log, 4)[:-4] + b"AAA\n", b"", b"\xff", b"\n\n\n"):
        (problem,) = audited(log, ledger, forged).problems
        assert problem.startswith("the kept checkpoint proves nothing: ")


def test_a_kept_checkpoint_of_the_empty_log_is_a_prefix_of_every_log(
    log: Database, ledger: Ledger, signer: Signer
) -> None:
    assert audited(log, ledger, Checkpoint(signer.name, 0, EMPTY).sign(signer)).ok
    assert not audited(log, ledger, Checkpoint(signer.name, 0, leaf_hash(b"")).sign(signer)).ok
