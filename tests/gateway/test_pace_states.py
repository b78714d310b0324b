"""Limits over every order of events at two workers: take, settle, undo, time, trips that cross and are lost, crash."""

from __future__ import annotations

from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from readingroom.gateway import pace as module
from readingroom.gateway.pace import Books, Load, Outcome, Share, Trip, load_of, minute_of, visit
from readingroom.strategy.model import Pace

GRANT = "grant_a"
PACES = [
    Pace(requests_per_minute=3),
    Pace(tokens_per_minute=40),
    Pace(parallel=2),
    Pace(requests_per_minute=9, tokens_per_minute=60, parallel=3),
]
TOKENS = st.sampled_from([1, 10, 20])
USUALLY = st.sampled_from([True, True, True, False])
WORKERS = st.integers(0, 1)


@dataclass
class Ticket:
    worker: int
    load: Load
    minute: int  # on whose books it is
    began: int  # in which it began
    kept: Load | None = None  # what it used, once it has ended


@dataclass
class Worker:
    share: Share = field(default_factory=lambda: Share(GRANT))
    trip: Trip | None = None
    outcome: Outcome | None = None  # of the trip, once the books are written


class PaceStates(RuleBasedStateMachine):
    """The rules at two workers beside books that are a few integers."""

    @initialize(pace=st.sampled_from(PACES), few=st.sampled_from([0, 240]))
    def begin(self, pace: Pace, few: int) -> None:
        self.pace, self.now, self.loop = pace, 1e9, 0.0
        self.usual, module.FEW = module.FEW, few  # so that small limits are drawn ahead of need as well
        self.minutes: dict[int, tuple[int, int]] = {}
        self.places: dict[int, int] = {}
        self.workers = {number: Worker() for number in range(2)}
        self.tickets: list[Ticket] = []

    def teardown(self) -> None:
        if not hasattr(self, "usual"):
            return
        for number, worker in self.workers.items():
            if worker.trip is not None:
                self.lose(number)
            for ticket in [each for each in self.tickets if each.worker == number]:
                self.end(ticket, Load())
            if worker.share.rests(self.loop + 10):
                self.rest(number, answered=True)
            assert worker.share.empty
        assert self.places == {}, "no place leaks"
        module.FEW = self.usual

    @property
    def minute(self) -> int:
        return minute_of(GRANT, self.now)

    def share(self, number: int) -> Share:
        share = self.workers[number].share
        share.turn_to(self.minute)
        return share

    def set_out(self, number: int, tokens: tuple[int, ...], *, returns: bool) -> None:
        wants = [load_of(self.pace, each) for each in tokens]
        self.workers[number].trip = self.share(number).depart(wants, self.loop, returns=returns)

    @rule(number=WORKERS, tokens=st.lists(TOKENS, min_size=1, max_size=4), returns=st.booleans())
    def depart(self, number: int, tokens: list[int], returns: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        if self.workers[number].trip is None:
            self.set_out(number, () if returns else tuple(tokens), returns=returns)

    @rule(number=WORKERS, tokens=st.lists(TOKENS, min_size=1, max_size=4), answered=USUALLY)
    def ask(self, number: int, tokens: list[int], answered: bool) -> None:  # noqa: FBT001
        """Make a whole trip at once, or finish the one under way."""
        self.depart(number, tokens, returns=False)
        self.write(number)
        (self.come_home if answered else self.lose)(number)

    @rule(number=WORKERS, answered=USUALLY)
    def rest(self, number: int, answered: bool) -> None:  # noqa: FBT001
        self.depart(number, [], returns=True)
        self.write(number)
        (self.come_home if answered else self.lose)(number)

    @rule(number=WORKERS)
    def write(self, number: int) -> None:
        worker = self.workers[number]
        if worker.trip is None or worker.outcome is not None:
            return
        others = sum(places for each, places in self.places.items() if each != number)
        books = Books(*self.minutes.get(worker.trip.minute, (0, 0)), others)
        worker.outcome = outcome = visit(self.pace, books, worker.trip)
        self.minutes[worker.trip.minute] = outcome.books.requests, outcome.books.tokens
        self.places[number] = outcome.places
        if not outcome.places:
            del self.places[number]

    @rule(number=WORKERS)
    def come_home(self, number: int) -> None:
        worker = self.workers[number]
        trip, outcome = worker.trip, worker.outcome
        if trip is None or outcome is None:
            return
        worker.trip = worker.outcome = None
        answers = worker.share.land(trip, outcome, self.minute)
        for want, answer in zip(trip.wants, answers, strict=True):
            if answer == "":
                self.tickets.append(Ticket(number, want, trip.minute, self.minute))

    @rule(number=WORKERS)
    def lose(self, number: int) -> None:
        """End a trip without an answer, whether or not the books were written."""
        worker = self.workers[number]
        if worker.trip is not None:
            worker.share.stranded(worker.trip, self.minute)
            worker.trip = worker.outcome = None

    @rule(number=WORKERS, tokens=TOKENS)
    def take(self, number: int, tokens: int) -> None:
        load = load_of(self.pace, tokens)
        if self.share(number).take(load):
            self.tickets.append(Ticket(number, load, self.minute, self.minute))

    def end(self, ticket: Ticket, kept: Load) -> None:
        if ticket.kept is None:
            ticket.kept = kept.at_most(ticket.load)
            self.share(ticket.worker).end(ticket.load, ticket.minute, kept)

    @precondition(lambda self: self.tickets)
    @rule(data=st.data(), used=st.sampled_from([0, 5, 30]))
    def settle(self, data: st.DataObject, used: int) -> None:
        self.end(data.draw(st.sampled_from(self.tickets[-6:])), Load(1, used))

    @precondition(lambda self: self.tickets)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        self.end(data.draw(st.sampled_from(self.tickets[-6:])), Load())

    @rule(seconds=st.sampled_from([0.1, 20, 61]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.loop += seconds

    @rule(number=WORKERS, spared=USUALLY)
    def crash(self, number: int, spared: bool) -> None:  # noqa: FBT001
        if spared:
            return
        self.workers[number] = Worker()
        self.places.pop(number, None)
        for ticket in self.tickets:
            if ticket.worker == number and ticket.kept is None:
                ticket.kept = ticket.load  # whatever it used, it can be no more

    @invariant()
    def no_minute_begins_more_than_its_requests_and_tokens(self) -> None:
        for minute in {each.began for each in self.tickets}:
            loads = [each.load if each.kept is None else each.kept for each in self.tickets if each.began == minute]
            begun = sum(loads, Load())
            for count, limit in (
                (begun.requests, self.pace.requests_per_minute),
                (begun.tokens, self.pace.tokens_per_minute),
            ):
                assert limit is None or count <= limit

    @invariant()
    def no_more_than_so_many_are_open_at_once(self) -> None:
        count = sum(each.load.places for each in self.tickets if each.kept is None)
        assert self.pace.parallel is None or count <= self.pace.parallel

    @invariant()
    def the_books_are_never_below_what_is_open(self) -> None:
        for number, worker in self.workers.items():
            if worker.trip is None and not worker.share.doubtful:
                mine = [each for each in self.tickets if each.worker == number and each.kept is None]
                assert self.places.get(number, 0) >= sum(each.load.places for each in mine)


PaceStates.TestCase.settings = settings(max_examples=400, stateful_step_count=40, deadline=None)
TestPaceStates = PaceStates.TestCase
