"""Promise 1 under load: 64 readers over HTTP and 4 workers sell one grant, every pass and not one more.

Also while workers are killed, and while the database is stopped and started, or held by somebody else. Nothing here
depends on how fast the machine is: what is done to the house is done once so many words have arrived.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

import postgres
from gateway.load import EXHAUSTED, UNCONFIRMED, Readers, books, leasing, quiet, until
from readingroom.core.settings import load
from readingroom.store.db import Database
from served import Served, found, run, served

pytestmark = pytest.mark.deep

WORKERS = 4
PACE = "100"  # words a second of each answer: it takes so long that there is always something open
STEP = 500  # words between two blows


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[postgres.Server]:
    """Run a server for this module alone: it is stopped and started."""
    with postgres.running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """Serve a house with four workers, on each database."""
    home = tmp_path / "home"
    if request.param == "postgres":
        _on_postgres(home, request.getfixturevalue("own_postgres"))
    else:
        found(home, words_per_second=PACE)
    with served(home, workers=WORKERS) as running:
        yield running


@pytest.fixture
def house_on_postgres(own_postgres: postgres.Server, tmp_path: Path) -> Iterator[Served]:
    _on_postgres(tmp_path / "home", own_postgres)
    with served(tmp_path / "home", workers=WORKERS) as running:
        yield running


@pytest.fixture
def house_on_a_file(tmp_path: Path) -> Iterator[Served]:
    with served(found(tmp_path / "home", words_per_second=PACE), workers=WORKERS) as running:
        yield running


def _on_postgres(home: Path, server: postgres.Server) -> None:
    admin = server.admin()
    postgres.make_database(admin, "load")
    url = admin.url.set(database="load").render_as_string(hide_password=False)
    admin.dispose()
    run(home, "init", "--dev", "--engine", "echo", "--database", url)
    settings = home / "readingroom.toml"
    settings.write_text(settings.read_text() + f"\n[engine_options]\nwords_per_second = {PACE}\n")


@contextlib.contextmanager
def opened(house: Served) -> Iterator[Database]:
    """Look into a house's database."""
    settings = load(house.home)
    db = Database(settings.database_url)
    yield db
    db.close()


async def check_all_was_sold(house: Served, db: Database, grant: str, readers: Readers) -> None:
    """Compare what the readers received, what the meter charged, and what the ledger commits to."""
    await until(lambda: quiet(db), "nothing reserved, nothing leased, everything in the ledger")
    kept = books(db, grant)
    # Every pass and not one more: a request that states no maximum takes the last one, however few are left, and
    # whatever was open in a worker that died is charged in full, so no pass is lost either.
    assert kept.passes == kept.used["passes"] == kept.limit
    assert sum(int(each["tokens"]) for each in kept.records.values()) == kept.used["tokens"]
    assert len(kept.records) == kept.used["calls"]
    # Of each answer that came, whole or cut: it has one record, and brought no more than it cost.
    answered = [each for each in readers.received if each.receipt is not None and each.words]
    assert len({each.receipt for each in answered}) == len(answered)
    assert {each.receipt for each in answered} <= kept.records.keys()
    for each in answered:
        record = kept.records[str(each.receipt)]
        assert each.words <= record["passes"], (each, record)
        if each.told is not None:
            assert each.words == each.told == record["passes"], (each, record)
            assert record["ended"] == "complete"
    # What cost more than it brought was paid in vain, which happens to requests that broke or were stopped alone.
    brought = {str(each.receipt): each.words for each in answered}
    in_vain = [name for name, record in kept.records.items() if record["passes"] > brought.get(name, 0)]
    troubled = [each for each in readers.received if each.code not in {None, EXHAUSTED}]
    assert len(in_vain) <= len(troubled)
    assert readers.words <= kept.used["passes"]
    assert readers.codes[EXHAUSTED] >= len(readers.tasks)
    shown = await asyncio.to_thread(house.meter, grant)
    assert set(shown["reserved"].values()) == {0}
    assert (await asyncio.to_thread(house.run, "ledger", "verify"))["ok"] is True


async def after_the_stop(house: Served, db: Database, grant: str) -> None:
    """Stop the server: that charges nothing and leaves nothing."""
    before = books(db, grant)
    house.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(house.process.wait, 60) == 0
    assert (books(db, grant), quiet(db)) == (before, True)
    assert run(house.home, "ledger", "verify")["ok"] is True


async def kill_one(house: Served) -> None:
    """Kill the worker that has lived longest: so each has its turn. Wait until another has its place."""
    victim = min(house.workers())
    os.kill(victim, signal.SIGKILL)
    await until(lambda: victim not in (now := house.workers()) and len(now) == WORKERS, "a new worker")


async def test_undisturbed(house: Served) -> None:
    issued = house.grant(passes=8_000)
    with opened(house) as db:
        async with Readers(house.url, issued["key"]) as readers:
            await until(lambda: leasing(db) == WORKERS, "every worker sells of the grant")
            await readers.all()
        await check_all_was_sold(house, db, issued["id"], readers)
        kept = books(db, issued["id"])
        assert readers.words == kept.limit  # nobody died: each pass that was charged is a word that arrived
        assert (readers.broken, kept.lost) == (0, 0)
        assert set(readers.codes) == {EXHAUSTED}
        await after_the_stop(house, db, issued["id"])


async def test_with_workers_killed_in_turn(house: Served) -> None:
    kills = 2 * WORKERS
    issued = house.grant(passes=60_000)
    with opened(house) as db:
        async with Readers(house.url, issued["key"]) as readers:
            for _ in range(kills):
                readers.let(2 * STEP)
                await readers.get(STEP)
                await kill_one(house)
            await readers.all()
        await check_all_was_sold(house, db, issued["id"], readers)
        kept = books(db, issued["id"])
        assert readers.broken >= kills
        assert kept.lost >= 1  # some were open when their worker was killed
        await after_the_stop(house, db, issued["id"])


async def unconfirmed(readers: Readers) -> None:
    """Wait until it was said often that nothing can be confirmed, as after two seconds without the database."""
    before = readers.codes[UNCONFIRMED]
    await until(lambda: readers.codes[UNCONFIRMED] >= before + len(readers.tasks), "the refusal of what is unsure")


@pytest.mark.parametrize("with_a_kill", [False, True])
async def test_with_the_database_stopped_and_started(
    own_postgres: postgres.Server, house_on_postgres: Served, *, with_a_kill: bool
) -> None:
    house = house_on_postgres
    issued = house.grant(passes=60_000)
    modes: list[Literal["fast", "immediate"]] = ["fast", "immediate"]
    with opened(house) as db:
        async with Readers(house.url, issued["key"]) as readers:
            for mode in modes:
                readers.let(None)  # what is leased may be sold
                await readers.get(STEP)
                await asyncio.to_thread(own_postgres.stop, mode)
                await unconfirmed(readers)
                if with_a_kill:
                    os.kill(min(house.workers()), signal.SIGKILL)
                readers.let(2 * STEP)
                await asyncio.to_thread(own_postgres.start)
                await readers.get(STEP)
            for mode in modes:  # so short a pause that hardly anybody is refused
                readers.let(2 * STEP)
                await asyncio.to_thread(own_postgres.stop, mode)
                await asyncio.to_thread(own_postgres.start)
                await readers.get(STEP)
            await until(lambda: len(house.workers()) == WORKERS, "all workers")
            await readers.all()
        db.engine.dispose()  # our own connections ended as well
        await check_all_was_sold(house, db, issued["id"], readers)
        await after_the_stop(house, db, issued["id"])


def _somebody(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)


async def test_with_the_file_held_by_somebody_else(house_on_a_file: Served) -> None:
    house = house_on_a_file
    issued = house.grant(passes=120_000)  # more than 64 answers of 100 words a second read while nobody is refused yet
    with opened(house) as db:
        async with Readers(house.url, issued["key"]) as readers:
            for long in (False, True):
                readers.let(None if long else 8 * STEP)
                await readers.get(STEP)
                with contextlib.closing(_somebody(house.home / "readingroom.db")) as holder:
                    await asyncio.to_thread(holder.execute, "begin immediate")
                    if long:  # past the patience of those who want to write
                        await unconfirmed(readers)
                    else:
                        await asyncio.sleep(3)
                    readers.let(2 * STEP)
                    holder.execute("rollback")
                await readers.get(STEP)
            await readers.all()
        await check_all_was_sold(house, db, issued["id"], readers)
        await after_the_stop(house, db, issued["id"])
