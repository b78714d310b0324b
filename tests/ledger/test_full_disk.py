"""A full or failing disk: a decision that cannot be recorded is not taken, and the log stays whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from readingroom.core.errors import Broken
from readingroom.ledger.note import Signer
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database


@pytest.fixture
def house(sqlite_db: Database) -> Database:
    """Give a database with a table of decisions beside the log."""
    with sqlite_db.write() as tx:
        tx.execute(sa.text("create table decided (what text)"))
    return sqlite_db


def decide(db: Database, ledger: Ledger) -> None:
    with db.decide() as tx:
        tx.execute(sa.text("insert into decided (what) values (:what)"), {"what": "x" * 500})
        ledger.append(tx, "test.thing.happened", {"text": "x" * 500}, by="test")


def decided(db: Database) -> int:
    with db.read() as tx:
        return int(tx.execute(sa.text("select count(*) from decided")).scalar_one())


def test_on_a_full_database_neither_state_nor_entry_is_left_and_it_goes_on_once_there_is_room(
    house: Database, ledger: Ledger
) -> None:
    decide(house, ledger)
    with house.engine.connect() as tx:
        pages = tx.exec_driver_sql("pragma page_count").scalar_one()
        tx.exec_driver_sql(f"pragma max_page_count = {pages + 4}")
    with pytest.raises(Broken, match=r"cannot be written: .*full"):  # noqa: PT012 - some still fit
        while True:
            decide(house, ledger)
    size = LedgerReader(house).size()
    assert 1 <= size == decided(house)
    with pytest.raises(Broken, match=r"cannot be written: .*full"):
        decide(house, ledger)
    assert LedgerReader(house).audit(ledger.verifier).problems == ()
    with house.engine.connect() as tx:
        tx.exec_driver_sql("pragma max_page_count = 1000000")
    decide(house, ledger)
    assert LedgerReader(house).size() == decided(house) == size + 1
    assert LedgerReader(house).audit(ledger.verifier).problems == ()


@pytest.mark.parametrize("room", [0, 1_000, 30_000, 200_000])
def test_where_the_disk_takes_no_more_bytes_the_log_stays_whole(house: Database, tmp_path: Path, room: int) -> None:
    signer = Signer.create(tmp_path / "ledger.pem", "test.example/log")
    house.close()
    path = tmp_path / "test.db"
    program = [sys.executable, str(Path(__file__).parent / "full_disk.py")]
    limit = str(path.stat().st_size + room)
    program += [str(path), str(tmp_path / "ledger.pem"), limit]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 3
    assert all(line.startswith("cannot be written: ") for line in done.stdout.splitlines())
    report = LedgerReader(house).audit(signer.verifier)
    assert report.problems == ()
    assert report.size == decided(house)


def test_a_database_that_may_not_be_written_says_so(house: Database, ledger: Ledger) -> None:
    with house.engine.connect() as tx:
        tx.exec_driver_sql("pragma query_only = 1")
    with pytest.raises(Broken, match=r"cannot be written: .*readonly"):
        decide(house, ledger)
    assert LedgerReader(house).size() == decided(house) == 0
