"""Who listens hears of a decision once it is committed, on both kinds of database, and not of one that was not."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
import sqlalchemy as sa

from readingroom.store import bells
from readingroom.store.changes import Changes
from readingroom.store.db import Database, announce

LONG = 20.0  # seconds that nobody waits for who hears


async def heard(changes: Changes, seconds: float = LONG) -> bool:
    began = asyncio.get_running_loop().time()
    await changes.wait(seconds)
    return asyncio.get_running_loop().time() - began < seconds


def decide_in_vain(db: Database) -> None:
    with db.write() as tx:
        announce(tx)
        raise ZeroDivisionError


async def test_a_committed_decision_is_heard_by_all_who_listen(db: Database) -> None:
    ears = [Changes(db), Changes(db)]
    for each in ears:
        each.start()
    if not db.is_sqlite:  # once Postgres has them on its list, that makes them look
        assert all([await heard(each) for each in ears])
    with db.write() as tx:
        announce(tx)
    assert all([await heard(each) for each in ears])
    with pytest.raises(ZeroDivisionError):
        decide_in_vain(db)
    assert not any([await heard(each, 0.2) for each in ears])
    for each in ears:
        await each.stop()


async def test_a_line_to_postgres_that_was_cut_is_laid_again(postgres_db: Database) -> None:
    ear = Changes(postgres_db)
    ear.start()
    assert await heard(ear)  # once it is laid
    cut = (
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where query like 'listen%' and datname = current_database()"
    )
    with postgres_db.write() as tx:
        assert tx.execute(sa.text(cut)).scalar()
    assert await heard(ear)  # told to look, since something may have been missed
    with postgres_db.write() as tx:
        announce(tx)
    assert await heard(ear)
    await ear.stop()


async def test_a_bell_whose_listener_died_is_taken_down_and_a_full_one_hinders_nobody(sqlite_db: Database) -> None:
    path = str(sqlite_db.engine.url.database)
    dead, line = bells.hang(path, "dead")
    os.close(line)
    living, line = bells.hang(path, "living")
    for _ in range(70_000):  # more than a pipe holds
        bells._ring(living)
    bells.ring(path)
    assert not dead.exists()
    assert os.read(line, 1) == b"!"
    os.close(line)
    living.unlink()


def test_a_bell_that_is_being_hung_while_somebody_rings_stays(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, mkfifo = str(sqlite_db.engine.url.database), os.mkfifo

    def and_somebody_rings(*given: Any) -> None:
        mkfifo(*given)
        bells.ring(path)

    monkeypatch.setattr(os, "mkfifo", and_somebody_rings)
    bell, line = bells.hang(path, "new")
    bells.ring(path)
    assert os.read(line, 1) == b"!"
    os.close(line)
    bell.unlink()


def test_bells_in_a_folder_of_somebody_else_are_not_hung(sqlite_db: Database) -> None:
    path = str(sqlite_db.engine.url.database)
    where = bells.folder(path)
    assert where is not None
    where.chmod(0o777)
    assert bells.folder(path) is None
    with pytest.raises(PermissionError):
        bells.hang(path, "x")
    bells.ring(path)  # does nothing, and says nothing
    where.rmdir()
