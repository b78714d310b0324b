"""Promise 1 over every order of events: reserve, settle, refund, crash, recover."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from gateway.counting import Counter
from readingroom.core.clock import FixedClock
from readingroom.core.refusal import Refused
from readingroom.gateway.meter import settle
from readingroom.gateway.model import UNITS, Amount, Hold, Limits, Wish
from readingroom.gateway.tables import worker as worker_table
from readingroom.store.db import Database

GRANT = "grant_a"
LIMITS = Limits(passes=40, tokens=120, calls=9)
amounts = st.builds(Amount, st.integers(0, 60), st.integers(0, 200), st.integers(0, 1))
maxima = st.none() | st.integers(1, 45)
wishes = st.builds(Wish, prompt=st.integers(0, 40), choices=st.integers(1, 3), maximum=maxima)


class MeterStates(RuleBasedStateMachine):
    """The real meter on a real database beside a model that is a few integers."""

    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FixedClock()
        self.db = Database(f"sqlite:///{Path(self.folder.name) / 'test.db'}")
        self.db.create()
        self.one = Counter(self.db, self.clock)
        self.doomed = Counter(self.db, self.clock)
        self.one.open(GRANT, LIMITS)
        self.used = Amount()
        self.open: dict[str, tuple[Hold, Counter]] = {}

    def teardown(self) -> None:
        for hold, _ in list(self.open.values()):
            self.one.refund(hold)
        assert self.one.reading(GRANT).reserved == Amount()
        self.db.close()
        self.folder.cleanup()

    @rule(target=holds, wish=wishes, doomed=st.booleans())
    def reserve(self, wish: Wish, doomed: bool) -> Hold | None:  # noqa: FBT001 - drawn by Hypothesis
        counter = self.doomed if doomed else self.one
        try:
            hold = counter.reserve(GRANT, wish)
        except Refused:
            return None
        self.open[hold.id] = hold, counter
        return hold

    @rule(hold=consumes(holds), used=amounts)
    def settle(self, hold: Hold | None, used: Amount) -> None:
        if hold is None:
            return
        with self.db.write() as tx:
            charged = settle(tx, hold.id, used)
        if hold.id not in self.open:  # its worker had died: charged already
            assert charged is None
            return
        assert charged == used.at_most(hold.amount)
        self.used += charged
        del self.open[hold.id]

    @rule(hold=holds)
    def refund(self, hold: Hold | None) -> None:
        if hold is not None:
            self.one.refund(hold)
            self.open.pop(hold.id, None)

    @rule()
    def crash_and_recover(self) -> None:
        with self.db.write() as tx:  # its process is one that no longer runs
            dead = worker_table.update().where(worker_table.c.id == self.doomed.workers.id)
            tx.execute(dead.values(began=1))
        lost = [hold for hold, owner in self.open.values() if owner is self.doomed]
        assert self.one.workers.recover() == len(lost)
        for hold in lost:
            self.used += hold.amount
            del self.open[hold.id]
        self.doomed = Counter(self.db, self.clock)

    @invariant()
    def the_meter_shows_what_happened_and_is_never_over_its_limit(self) -> None:
        reading = self.one.reading(GRANT)
        held = Amount()
        for hold, _ in self.open.values():
            held += hold.amount
        assert reading.used == self.used
        assert reading.reserved == held
        for unit in UNITS:
            left = reading.left(unit)
            assert left is not None
            assert left >= 0


MeterStates.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestMeterStates = MeterStates.TestCase
