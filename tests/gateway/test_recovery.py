"""A killed process loses no hold and spends none twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from gateway.counting import Counter
from readingroom.core.clock import FixedClock
from readingroom.gateway.meter import settle
from readingroom.gateway.model import Amount, Limits, Wish
from readingroom.gateway.tables import hold as hold_table
from readingroom.gateway.tables import usage as usage_table
from readingroom.gateway.tables import worker as worker_table
from readingroom.store.db import Database

GRANT = "grant_a"
CHILD = """
import sys
sys.path.insert(0, {tests!r})
from gateway.counting import Counter
from readingroom.core.clock import FixedClock
from readingroom.gateway.model import Amount, Wish
from readingroom.gateway.meter import settle
from readingroom.store.db import Database
counter = Counter(Database({url!r}), FixedClock())
print("ready", flush=True)
while True:
    hold = counter.reserve("grant_a", Wish(prompt=1, maximum=2))
    print(hold.id, flush=True)
    with counter.db.write() as tx:
        settle(tx, hold.id, Amount(1, 2, 1))
"""


def kill_a_child_at_work(db: Database, after: int) -> None:
    """Start a process that reserves and settles for ever, and kill it once it has begun `after` times."""
    code = CHILD.format(tests=str(__file__).rsplit("/", 2)[0], url=db.url)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(after + 1):
            assert child.stdout.readline()
        child.send_signal(signal.SIGKILL)


def test_after_kill_9_nothing_stays_held_and_all_of_it_is_charged(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=100_000))
    kill_a_child_at_work(counter.db, 5)
    before = counter.reading(GRANT)
    recovered = counter.workers.recover()
    after = counter.reading(GRANT)
    assert after.reserved == Amount()
    assert after.used == before.used + before.reserved
    assert recovered == before.reserved.calls
    assert counter.workers.recover() == 0


@pytest.mark.deep
@pytest.mark.parametrize("after", range(0, 40, 3))
def test_kill_9_at_many_points(counter: Counter, after: int) -> None:
    counter.open(GRANT, Limits(passes=100_000))
    kill_a_child_at_work(counter.db, after)
    before = counter.reading(GRANT)
    counter.workers.recover()
    assert counter.reading(GRANT).used == before.used + before.reserved


def test_a_charge_without_an_answer_still_has_its_record(counter: Counter, another: Callable[[], Counter]) -> None:
    counter.open(GRANT, Limits(passes=10))
    dead = another()
    hold = dead.reserve(GRANT, Wish(prompt=1, maximum=4))
    forget_process(counter.db, dead)
    assert counter.workers.recover() == 1
    with counter.db.read() as tx:
        row = tx.execute(sa.select(usage_table)).one()
    record = json.loads(row.leaf)
    assert (row.id, row.grant_id) == (hold.id, GRANT)
    assert (record["passes"], record["ended"]) == (4, "lost")


def test_one_that_was_taken_for_dead_charges_nothing_twice(counter: Counter, another: Callable[[], Counter]) -> None:
    counter.open(GRANT, Limits(passes=10))
    slow = another()
    hold = slow.reserve(GRANT, Wish(prompt=1, maximum=4))
    forget_process(counter.db, slow)
    counter.workers.recover()
    with counter.db.write() as tx:
        assert settle(tx, hold.id, Amount(1, 2, 1)) is None
    slow.workers.beat()  # it lives, and is known again
    slow.reserve(GRANT, Wish(prompt=1, maximum=4))
    assert counter.workers.recover() == 0
    assert counter.reading(GRANT).used.passes == 4


def test_a_worker_of_another_machine_is_dead_only_once_it_has_been_silent(
    counter: Counter, another: Callable[[], Counter], clock: FixedClock
) -> None:
    counter.open(GRANT, Limits(passes=10))
    far = another()
    far.reserve(GRANT, Wish(prompt=1, maximum=4))
    with counter.db.write() as tx:
        tx.execute(worker_table.update().where(worker_table.c.id == far.workers.id).values(host="elsewhere"))
    assert counter.workers.recover() == 0
    clock.advance(seconds=29)
    assert counter.workers.recover() == 0
    far.workers.beat()
    clock.advance(seconds=29)
    assert counter.workers.recover() == 0
    clock.advance(seconds=2)
    assert counter.workers.recover() == 1


def test_holds_of_an_owner_that_nobody_knows_are_charged(counter: Counter, another: Callable[[], Counter]) -> None:
    counter.open(GRANT, Limits(passes=10))
    gone = another()
    gone.reserve(GRANT, Wish(prompt=1, maximum=4))
    with counter.db.write() as tx:
        tx.execute(worker_table.delete().where(worker_table.c.id == gone.workers.id))
    assert counter.workers.recover() == 1
    assert counter.reading(GRANT).used.passes == 4


def test_one_that_leaves_properly_leaves_nothing_behind(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10))
    counter.reserve(GRANT, Wish(prompt=1, maximum=4))
    counter.workers.leave()
    with counter.db.read() as tx:
        assert tx.execute(sa.select(hold_table)).all() == []
        assert tx.execute(sa.select(worker_table)).all() == []


def forget_process(db: Database, counter: Counter) -> None:
    """Make the register say that this worker was another process, one that no longer runs."""
    with db.write() as tx:
        tx.execute(worker_table.update().where(worker_table.c.id == counter.workers.id).values(began=1))
