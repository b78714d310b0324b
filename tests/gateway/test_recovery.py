"""A killed process loses nothing that it held or charged, and none of it is charged twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.counting import Counter
from readingroom.core.clock import FixedClock
from readingroom.gateway import journal
from readingroom.gateway.journal import Journal
from readingroom.gateway.model import Amount, Limits, Wish
from readingroom.gateway.tables import lease as lease_table
from readingroom.gateway.tables import usage as usage_table
from readingroom.gateway.tables import worker as worker_table

GRANT = "grant_a"
CHILD = """
import asyncio, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from gateway.counting import Counter
from readingroom.core.clock import FixedClock
from readingroom.gateway.model import Amount, Wish
from readingroom.store.db import Database

async def work():
    counter = Counter(Database({url!r}), FixedClock(), Path({journals!r})).start()
    print("ready", flush=True)
    while True:
        hold = await counter.reserve("grant_a", Wish(prompt=1, maximum=2))
        print("b", hold.id, flush=True)
        counter.charge(hold, Amount(1, 2, 1))
        print("e", hold.id, flush=True)

asyncio.run(work())
"""


def kill_a_child_at_work(counter: Counter, after: int) -> tuple[int, int]:
    """Start a process that reserves and settles for ever, and kill it once it has said `after` lines.

    Returns:
        How many calls it said it had begun, and how many it said had ended.
    """
    tests = str(Path(__file__).parents[1])
    code = CHILD.format(tests=tests, url=counter.db.url, journals=str(counter.journals))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = []
        for _ in range(after + 1):
            lines.append(child.stdout.readline())
            assert lines[-1]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.read().splitlines()
    return sum(line.startswith("b ") for line in lines), sum(line.startswith("e ") for line in lines)


def check(counter: Counter, begun: int, ended: int) -> None:
    """All that was begun is charged: what ended as it ended (one pass), what was open in full (two)."""
    with counter.db.read() as tx:
        rows = tx.execute(sa.select(usage_table)).all()
        assert not tx.execute(sa.select(lease_table)).all()
        used = tx.execute(sa.text("select used_passes, reserved_passes, used_calls from gateway_meter")).one()
    # What it did after its last word is on record as well, so there may be one more than it said.
    assert begun <= len(rows) <= begun + 1
    passes = [row.passes for row in rows]
    assert passes.count(1) >= ended
    assert passes.count(2) <= 1
    assert tuple(used) == (sum(passes), 0, len(rows))


async def test_after_kill_9_all_is_charged_as_it_ended_and_the_rest_returns(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=100_000))
    begun, ended = kill_a_child_at_work(counter, 101)
    assert counter.workers.recover() in {0, 1}
    check(counter, begun, ended)
    assert journal.owners(counter.journals) == {counter.workers.id}
    assert counter.workers.recover() == 0


@pytest.mark.deep
@pytest.mark.parametrize("after", range(1, 80, 5))
async def test_kill_9_at_many_points(counter: Counter, after: int) -> None:
    counter.open(GRANT, Limits(passes=100_000))
    begun, ended = kill_a_child_at_work(counter, after)
    counter.workers.recover()
    check(counter, begun, ended)


async def test_a_lost_call_has_its_record(counter: Counter, another: Callable[[], Counter]) -> None:
    counter.open(GRANT, Limits(passes=10))
    dead = another()
    hold = await dead.reserve(GRANT, Wish(prompt=1, maximum=4))
    await dead.die()
    assert counter.workers.recover() == 1
    with counter.db.read() as tx:
        row = tx.execute(sa.select(usage_table)).one()
    record = json.loads(row.leaf)
    assert (row.id, row.grant_id) == (hold.id, GRANT)
    assert (record["passes"], record["ended"]) == (4, "lost")


async def test_what_ended_but_was_not_in_the_database_yet_is_charged_as_it_ended(
    counter: Counter, another: Callable[[], Counter]
) -> None:
    counter.open(GRANT, Limits(passes=10))
    dead = another()
    hold = await dead.reserve(GRANT, Wish(prompt=1, maximum=4))
    dead.purse._soon = lambda seconds: None  # type: ignore[method-assign] # noqa: ARG005 # it dies before its next trip
    dead.charge(hold, Amount(3, 4, 1))
    await dead.die()
    assert counter.workers.recover() == 0
    reading = await counter.reading(GRANT)
    assert (reading.used.passes, reading.reserved) == (3, Amount())


async def test_where_the_journal_is_lost_or_from_before_a_power_cut_the_lease_is_charged(
    counter: Counter, another: Callable[[], Counter], clock: FixedClock
) -> None:
    counter.open(GRANT, Limits(passes=100))
    for loss in ("gone", "damaged", "another boot"):
        dead = another()
        hold = await dead.reserve(GRANT, Wish(prompt=1, maximum=10))
        dead.purse._soon = lambda seconds: None  # type: ignore[method-assign] # noqa: ARG005
        dead.charge(hold, Amount(3, 4, 1))
        before = (await counter.reading(GRANT)).used.passes
        await dead.die()
        (path,) = dead.journals.glob(f"{dead.workers.id}.*")
        if loss == "gone":
            path.unlink()
        elif loss == "damaged":
            path.write_bytes(path.read_bytes().replace(b'"end"', b'"eND"'))
        else:
            with counter.db.write() as tx:
                update = worker_table.update().where(worker_table.c.id == dead.workers.id)
                tx.execute(update.values(host="node/another-boot/pid"))
            clock.advance(seconds=40)
            await counter.purse.post(beat=True)
        counter.workers.recover()
        assert (await counter.reading(GRANT)).used.passes == before + 10, loss
        with counter.db.read() as tx:
            assert tx.execute(sa.text("select sum(passes) from gateway_usage")).scalar_one() == before + 10


async def test_one_that_was_taken_for_dead_charges_nothing_twice_and_serves_on(
    counter: Counter, another: Callable[[], Counter], clock: FixedClock
) -> None:
    counter.open(GRANT, Limits(passes=10))
    slow = another()
    hold = await slow.reserve(GRANT, Wish(prompt=1, maximum=4))
    with counter.db.write() as tx:
        tx.execute(worker_table.update().where(worker_table.c.id == slow.workers.id).values(host="elsewhere"))
    clock.advance(seconds=31)
    await counter.purse.post(beat=True)
    assert counter.workers.recover() == 1
    name = slow.workers.id
    await slow.purse.post(beat=True)  # it lives, and is known again by another name
    assert slow.workers.id != name
    assert slow.charge(hold, Amount(1, 2, 1)) is None
    slow.charge(await slow.reserve(GRANT, Wish(prompt=1, maximum=4)), Amount(2, 3, 1))
    await slow.purse.post()
    assert counter.workers.recover() == 0
    reading = await counter.reading(GRANT)
    assert (reading.used.passes, reading.reserved) == (6, Amount())


async def test_a_worker_of_another_machine_is_dead_only_once_it_has_been_silent(
    counter: Counter, another: Callable[[], Counter], clock: FixedClock
) -> None:
    counter.open(GRANT, Limits(passes=10))
    far = another()
    await far.reserve(GRANT, Wish(prompt=1, maximum=4))
    with counter.db.write() as tx:
        tx.execute(worker_table.update().where(worker_table.c.id == far.workers.id).values(host="elsewhere"))
    assert counter.workers.recover() == 0
    clock.advance(seconds=29)
    assert counter.workers.recover() == 0
    await far.purse.post(beat=True)
    clock.advance(seconds=29)
    assert counter.workers.recover() == 0
    clock.advance(seconds=2)
    assert counter.workers.recover() == 1


async def test_before_a_server_starts_whoever_left_a_journal_in_its_house_is_dead(
    counter: Counter, another: Callable[[], Counter]
) -> None:
    """A container that is started again has other process ids: its old worker seems to live elsewhere."""
    counter.open(GRANT, Limits(passes=10))
    old = another()
    hold = await old.reserve(GRANT, Wish(prompt=1, maximum=4))
    boot = "/".join(_host(counter).split("/")[:2])
    with counter.db.write() as tx:
        tx.execute(worker_table.update().where(worker_table.c.id == old.workers.id).values(host=f"{boot}/pid:[1]"))
    assert counter.workers.recover() == 0
    old.purse._soon = lambda seconds: None  # type: ignore[method-assign] # noqa: ARG005
    old.charge(hold, Amount(3, 4, 1))
    assert counter.workers.recover(alone=True) == 0
    assert (await counter.reading(GRANT)).used.passes == 3
    old.purse._done.clear()


def _host(counter: Counter) -> str:
    with counter.db.read() as tx:
        mine = sa.select(worker_table.c.host).where(worker_table.c.id == counter.workers.id)
        return str(tx.execute(mine).scalar_one())


async def test_leases_of_an_owner_that_nobody_knows_are_charged(
    counter: Counter, another: Callable[[], Counter]
) -> None:
    counter.open(GRANT, Limits(passes=10))
    gone = another()
    await gone.reserve(GRANT, Wish(prompt=1, maximum=4))
    with counter.db.write() as tx:
        tx.execute(worker_table.delete().where(worker_table.c.id == gone.workers.id))
    assert counter.workers.recover() == 1
    assert (await counter.reading(GRANT)).used.passes == 4


async def test_one_that_leaves_properly_leaves_nothing_behind(another: Callable[[], Counter]) -> None:
    one = another()
    one.open(GRANT, Limits(passes=10))
    one.charge(await one.reserve(GRANT, Wish(prompt=1, maximum=4)), Amount(1, 2, 1))
    await one.reserve(GRANT, Wish(prompt=1, maximum=4))  # open to the end: charged as lost
    await one.stop()
    with one.db.read() as tx:
        assert tx.execute(sa.select(lease_table)).all() == []
        assert tx.execute(sa.select(worker_table)).all() == []
        used = tx.execute(sa.text("select used_passes, reserved_passes from gateway_meter")).one()
    assert tuple(used) == (5, 0)
    assert not list(one.journals.iterdir())


async def test_a_long_journal_is_cut_and_what_is_open_is_carried_over(
    counter: Counter, another: Callable[[], Counter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 2_000)
    counter.open(GRANT, Limits(passes=10_000))
    busy = another()
    long = await busy.reserve(GRANT, Wish(prompt=1, maximum=7))
    for _ in range(100):
        busy.charge(await busy.reserve(GRANT, Wish(prompt=1, maximum=4)), Amount(1, 2, 1))
        await asyncio.sleep(0)
    await busy.purse.post()
    (path,) = busy.journals.glob(f"{busy.workers.id}.*")
    assert int(path.suffix[1:]) > 0
    assert long.id in journal.read(busy.journals, busy.workers.id).open
    await busy.die()
    assert counter.workers.recover() == 1
    assert (await counter.reading(GRANT)).used.passes == 107


async def test_half_a_line_on_a_full_disk_is_none_and_nothing_was_begun(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.open(GRANT, Limits(passes=10))

    write = os.write

    def full(file: int, data: bytes) -> int:
        return write(file, data[: len(data) // 2])

    good = await counter.reserve(GRANT, Wish(prompt=1, maximum=4))
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Exception, match="the disk is full"):
        await counter.reserve(GRANT, Wish(prompt=1, maximum=4))
    with pytest.raises(OSError, match="the disk is full"):
        counter.charge(good, Amount(1, 2, 1))
    monkeypatch.undo()
    assert counter.charge(good, Amount(1, 2, 1)) == Amount(1, 2, 1)  # what could not be written down can be now
    found = journal.read(counter.journals, counter.workers.id)
    assert (found.whole, len(found.done), found.open) == (True, 1, {})


def test_a_journal_is_for_its_owner_alone(tmp_path: Path) -> None:
    made = Journal(tmp_path / "journal")
    made.open("worker_a")
    (path,) = (tmp_path / "journal").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    made.close()
