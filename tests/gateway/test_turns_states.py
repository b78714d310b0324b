"""The line over every order of events: come, go, be cancelled at any moment, with the event loop anywhere between."""

from __future__ import annotations

import asyncio
import contextlib

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from readingroom.core.refusal import Refused
from readingroom.gateway.turns import Turn, Turns

PLACES, WAITING, SHARE = 2, 9, 5


class Counting(Turns):
    """A line that counts whom it called."""

    called = 0

    def _begin(self, turn: Turn) -> None:
        self.called += 1
        super()._begin(turn)


class TurnStates(RuleBasedStateMachine):
    """Real tasks on a real loop that runs only as far as a rule lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.turns = Counting(PLACES, WAITING, SHARE)
        self.tasks: list[asyncio.Task[None]] = []
        self.go: dict[asyncio.Task[None], asyncio.Event] = {}
        self.inside: set[Turn] = set()
        self.known: list[Turn] = []
        self.first: dict[Turn, int] = {}  # of those first of their grant: after which call their turn was to come

    def spin(self, steps: int) -> None:
        async def run() -> None:
            for _ in range(steps):
                await asyncio.sleep(0)

        self.loop.run_until_complete(run())

    async def _read(self, turn: Turn, go: asyncio.Event) -> None:
        with contextlib.suppress(Refused):
            async with turn:
                assert turn.place == 0
                self.inside.add(turn)
                try:
                    await go.wait()
                finally:
                    self.inside.discard(turn)

    @rule(grant=st.sampled_from("abc"))
    def come(self, grant: str) -> None:
        turn, go = self.turns.turn(grant), asyncio.Event()
        task = self.loop.create_task(self._read(turn, go))
        self.tasks.append(task)
        self.known.append(turn)
        self.go[task] = go

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def let_go(self, data: st.DataObject) -> None:
        self.go[data.draw(st.sampled_from(self.tasks))].set()

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.tasks)).cancel()

    @rule(steps=st.integers(1, 3))
    def time_passes(self, steps: int) -> None:
        self.spin(steps)

    @invariant()
    def never_more_than_the_places_are_at_the_engine(self) -> None:
        assert len(self.inside) <= self.turns.inside <= PLACES

    @invariant()
    def the_line_is_bounded_and_nobody_waits_beside_a_free_place(self) -> None:
        waiting = [self.turns.waits(grant) for grant in "abc"]
        assert sum(waiting) <= WAITING
        assert max(waiting) <= SHARE
        if any(waiting):
            assert self.turns.inside == PLACES

    @invariant()
    def places_in_line_are_the_order_in_which_they_are_called(self) -> None:
        places = {turn: turn.place for turn in self.known if turn.place}
        assert sorted(places.values()) == list(range(1, len(places) + 1))
        in_order = sorted(places, key=lambda turn: places[turn])
        assert list(self.turns._in_order()) == in_order

    @invariant()
    def whoever_is_first_of_its_grant_waits_for_one_turn_of_each_other_at_most(self) -> None:
        waiting = [turn for turn in self.known if turn.place]
        grants = {turn.grant for turn in waiting}
        now: dict[Turn, int] = {}
        for grant in grants:
            turn = min((each for each in waiting if each.grant == grant), key=lambda each: each.place)
            now[turn] = turn.place + self.turns.called
            assert turn.place <= len(grants)
            assert now[turn] <= self.first.get(turn, now[turn])  # whoever comes later is called later
        self.first = now

    def teardown(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.spin(10)
        assert all(task.cancelled() or task.exception() is None for task in self.tasks)
        assert self.turns.inside == 0
        assert [self.turns.waits(grant) for grant in "abc"] == [0, 0, 0]
        assert self.turns._count == 0
        self.loop.close()


TurnStates.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestTurnStates = TurnStates.TestCase
