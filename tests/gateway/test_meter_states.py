"""Promise 1 over every order of events: reserve, settle, refund, post, recall, fail, crash, recover, two workers."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from gateway.counting import Counter
from readingroom.core.clock import FixedClock
from readingroom.core.refusal import Refused
from readingroom.gateway import purse
from readingroom.gateway.meter import recalled
from readingroom.gateway.model import UNITS, Amount, Hold, Limits, Wish
from readingroom.gateway.tables import lease as lease_table
from readingroom.gateway.tables import meter as meter_table
from readingroom.gateway.tables import usage as usage_table
from readingroom.store.db import Database

GRANT = "grant_a"
LIMITS = Limits(passes=40, tokens=120, calls=9)
amounts = st.builds(Amount, st.integers(0, 60), st.integers(0, 200), st.just(1))
maxima = st.none() | st.integers(1, 45)
wishes = st.builds(Wish, prompt=st.integers(0, 40), choices=st.integers(1, 3), maximum=maxima)


async def refund(worker: Counter, hold: Hold) -> None:
    worker.refund(hold)


class MeterStates(RuleBasedStateMachine):
    """Two real workers on a real database, beside a model that is a few integers."""

    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.journals = Path(self.folder.name) / "journal"
        self.clock = FixedClock()
        self.db = Database(f"sqlite:///{Path(self.folder.name) / 'test.db'}")
        self.db.create()
        self.loop = asyncio.new_event_loop()
        self.patience, purse.PATIENCE_SECONDS = purse.PATIENCE_SECONDS, 0.05
        self.workers = [self.hire(), self.hire()]
        self.workers[0].open(GRANT, LIMITS)
        self.used = Amount()
        self.open: dict[str, tuple[Hold, Counter]] = {}

    def hire(self) -> Counter:
        made = Counter(self.db, self.clock, self.journals)

        async def start() -> None:
            made.start()

        self.wait(start())
        return made

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, 30))

    def teardown(self) -> None:
        for hold, worker in list(self.open.values()):
            self.wait(refund(worker, hold))
        for worker in self.workers:
            self.wait(worker.stop())
        with self.db.read() as tx:
            row = tx.execute(sa.select(meter_table)).one()
            assert not tx.execute(sa.select(lease_table)).all(), "something stays leased"
            recorded = tx.execute(sa.select(sa.func.coalesce(sa.func.sum(usage_table.c.passes), 0))).scalar()
        assert Amount(*(getattr(row, f"reserved_{unit}") for unit in UNITS)) == Amount()
        assert Amount(*(getattr(row, f"used_{unit}") for unit in UNITS)) == self.used
        assert recorded == self.used.passes, "what is charged and what is on record differ"
        assert not list(self.journals.iterdir())
        self.loop.close()
        self.db.close()
        self.folder.cleanup()
        purse.PATIENCE_SECONDS = self.patience

    @rule(target=holds, wish=wishes, which=st.integers(0, 1))
    def reserve(self, wish: Wish, which: int) -> Hold | None:
        worker = self.workers[which]
        try:
            hold = self.wait(worker.reserve(GRANT, wish))
        except Refused:
            return None
        assert isinstance(hold, Hold)
        self.open[hold.id] = hold, worker
        return hold

    @rule(hold=consumes(holds), used=amounts)
    def settle(self, hold: Hold | None, used: Amount) -> None:
        if hold is None or hold.id not in self.open:
            return
        worker = self.open.pop(hold.id)[1]

        async def charge() -> Amount | None:
            return worker.charge(hold, used)

        charged = self.wait(charge())
        assert charged == used.at_most(hold.amount)
        self.used += charged

    @rule(hold=holds)
    def refund(self, hold: Hold | None) -> None:
        if hold is not None and hold.id in self.open:
            self.wait(refund(self.open.pop(hold.id)[1], hold))

    @rule(which=st.integers(0, 1))
    def post(self, which: int) -> None:
        self.wait(self.workers[which].purse.post())

    @rule(which=st.integers(0, 1))
    def hear_a_recall(self, which: int) -> None:
        worker = self.workers[which]

        async def hear() -> None:
            with self.db.read() as tx:
                worker.purse.recall(recalled(tx, worker.workers.id))
            await worker.purse.post()

        self.wait(hear())

    @rule(which=st.integers(0, 1), committed=st.booleans())
    def fail_a_trip(self, which: int, committed: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        mine = self.workers[which].purse
        go = mine._go

        def fails(packed: Any) -> Any:
            if committed:
                go(packed)
            mine._doubt = True
            raise sa.exc.OperationalError("gone", {}, Exception("gone"))

        mine._go = fails  # type: ignore[method-assign]
        try:
            self.wait(mine.post())
        except sa.exc.OperationalError:
            pass
        finally:
            mine._go = go  # type: ignore[method-assign]

    @rule(which=st.integers(0, 1), how=st.sampled_from(["killed", "power cut", "journal gone"]))
    def crash_and_recover(self, which: int, how: str) -> None:
        dead = self.workers[which]
        lost = [hold for hold, owner in self.open.values() if owner is dead]
        self.wait(dead.die())
        if how == "power cut":
            with self.db.write() as tx:
                tx.execute(sa.text("update gateway_worker set host = 'node/another-boot/pid' where began = 1"))
            self.clock.advance(seconds=40)
            self.wait(self.workers[1 - which].purse.post(beat=True))
        if how == "journal gone":
            for path in self.journals.glob(f"{dead.workers.id}.*"):
                path.unlink()
        before = self.used
        for hold in lost:
            self.used += hold.amount
            del self.open[hold.id]
        self.workers[1 - which].workers.recover()
        if how != "killed":  # whole leases are charged: never less than what was used and held, never over the limit
            used = self.wait(self.used_so_far(self.workers[1 - which]))
            assert used.holds(before)
            assert used.holds(self.used)
            self.used = used
        self.workers[which] = self.hire()

    async def used_so_far(self, other: Counter) -> Amount:
        """Return what the database has and the other worker still brings; during a trip, something would be in both."""
        async with other.purse._trips:
            with self.db.read() as tx:
                row = tx.execute(sa.select(meter_table)).one()
            lease = other.purse._leases.get(GRANT)
            unposted = lease.spent + lease.posting if lease else Amount()
        return Amount(*(getattr(row, f"used_{unit}") for unit in UNITS)) + unposted

    @invariant()
    def no_meter_is_over_its_limit_and_what_is_held_is_leased(self) -> None:
        with self.db.read() as tx:
            row = tx.execute(sa.select(meter_table)).one()
            leased = [tx.execute(sa.select(sa.func.sum(lease_table.c[unit]))).scalar() or 0 for unit in UNITS]
        for unit, sum_ in zip(UNITS, leased, strict=True):
            assert getattr(row, f"reserved_{unit}") == sum_
            assert getattr(row, f"used_{unit}") + sum_ <= getattr(LIMITS, unit)
        held = Amount()
        for hold, _ in self.open.values():
            held += hold.amount
        assert Amount(*(getattr(LIMITS, unit) for unit in UNITS)).holds(self.used + held)


MeterStates.TestCase.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
TestMeterStates = MeterStates.TestCase
