"""How fast a grant may read, kept over all workers of a house: this worker's shares, and its trips to the books.

What is decided, and why, stands in `gateway.pace`. A request is let in from this worker's share of its grant, without
the database; where that is too small, one trip at a time and grant takes along all who wait. On a trip the grant's
books are locked, so the limits hold over all workers and hosts; hosts' clocks tell which minute it is, and where they
differ, a host begins its minutes by as much earlier or later.

The books of a minute are a row of `gateway_rate`; a worker's places are its row of `gateway_place`, which is written as
what the worker has in all, so that a trip whose end was in doubt is put right by the next one. Both go when nobody
needs them: old minutes after an hour, places when their worker is cleared away (`forget`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.clock import Clock
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.gateway.pace import (
    MINUTE,
    REST_SECONDS,
    Books,
    Load,
    Outcome,
    Share,
    Standing,
    Trip,
    load_of,
    minute_of,
    standing,
    too_fast,
    too_large,
    visit,
)
from readingroom.gateway.tables import place as place_table
from readingroom.gateway.tables import rate as rate_table
from readingroom.store.db import FAILED, Database
from readingroom.strategy.model import Pace

SHORT_SECONDS = 1.0  # that a refusal of the books stands without asking again
PATIENCE_SECONDS = 1.0  # that a request waits for a place which another worker may have free: longer than it rests
AGAIN_SECONDS = 0.1  # between two questions
SWEEP_SECONDS = 60.0  # between two clearings of old minutes
KEPT_MINUTES = 60  # that old minutes stay on the books: as far as hosts' clocks may differ
_LOCK = 0x52617465  # "Rate": the first half of the advisory locks of grants' books

log = logging.getLogger("readingroom.gateway")


@dataclass(slots=True)
class _Waiter:
    load: Load
    answer: asyncio.Future[str | None]
    minute: int = -1  # in which it was let in


@dataclass(slots=True)
class _Desk:
    """One grant at this worker: its share, and who waits for more of it."""

    share: Share
    pace: Pace
    waiting: list[_Waiter] = field(default_factory=list)
    away: bool = False  # on a trip: one at a time, since each says what this worker has in all


@dataclass(eq=False, slots=True)
class Ticket:
    """One request that was let in; ended exactly once, however often it is asked to."""

    _desk: _Desk | None
    load: Load = field(default_factory=Load)
    minute: int = -1
    standing: Standing | None = None  # None where nothing is limited

    def end(self, tokens: int) -> None:
        """Settle it: what it was let in for and did not use of its tokens can be used by others."""
        self._leave(Load(self.load.requests, tokens))

    def undo(self) -> None:
        """Take it back: it never began."""
        self._leave(Load())

    def _leave(self, kept: Load) -> None:
        desk, self._desk = self._desk, None
        if desk is not None:
            desk.share.end(self.load, self.minute, kept)


class Rates:
    """One worker's hand on all grants' limits. Everything but the trips runs in one event loop."""

    def __init__(self, db: Database, clock: Clock, worker: Callable[[], str]) -> None:
        """Take the database, the clock, and what tells this worker's id: it has another after it was taken for dead."""
        self._db = db
        self._clock = clock
        self._worker = worker
        self._desks: dict[str, _Desk] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._resting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to return what is not used."""
        self._resting = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Return everything; what is still open stays on the books until this worker is cleared away."""
        if self._resting is not None:
            self._resting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._resting
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._return_all(list(self._desks.values()))

    def look(self, grant: str, pace: Pace) -> Refusal | None:
        """Tell without asking the books whether a request would certainly be refused now, whatever its size."""
        if grant not in self._desks or pace == Pace():
            return None
        desk = self._desk(grant, pace)
        unit = desk.share.is_short(load_of(pace, 0), _loop_time())
        patient = unit == "places" and desk.share.others > 0  # `take` would wait a moment for another worker's
        return self._refusal(desk, unit) if unit and not patient else None

    async def take(self, grant: str, pace: Pace, tokens: int) -> Ticket:
        """Let a request in.

        Args:
            grant: whose.
            pace: what its tier allows.
            tokens: the most that the request may come to.

        Raises:
            Refused: `access/rate-limited`; `retry_after` seconds later there is room, where waiting helps.
            FAILED: the books cannot be read; nothing was let in.
        """
        if pace == Pace():
            return Ticket(None)
        require(too_large(pace, tokens))
        load, patience = load_of(pace, tokens), _loop_time() + PATIENCE_SECONDS
        while True:
            desk = self._desk(grant, pace)
            desk.share.asked_at = _loop_time()
            if desk.share.take(load):
                return self._ticket(desk, load, desk.share.minute)
            unit: str | None = desk.share.is_short(load, _loop_time())
            if not unit:
                unit, minute = await self._ask(desk, load)
                if unit == "":
                    return self._ticket(desk, load, minute)
            if unit == "places" and desk.share.others and _loop_time() < patience:
                desk.share.short.pop("places", None)
                await asyncio.sleep(AGAIN_SECONDS)
            elif unit is not None:
                raise Refused(self._refusal(desk, unit))

    def _ticket(self, desk: _Desk, load: Load, minute: int) -> Ticket:
        return Ticket(desk, load, minute, standing(desk.pace, desk.share, self._now()))

    def _refusal(self, desk: _Desk, unit: str) -> Refusal:
        return too_fast(desk.pace, unit, standing(desk.pace, desk.share, self._now()))

    def _desk(self, grant: str, pace: Pace) -> _Desk:
        desk = self._desks.get(grant)
        if desk is None:
            desk = self._desks[grant] = _Desk(Share(grant), pace)
        desk.pace = pace
        desk.share.turn_to(minute_of(grant, self._now()))
        return desk

    async def _ask(self, desk: _Desk, load: Load) -> tuple[str | None, int]:
        """Ask the books, with all who wait; return the unit that is short (None: ask anew), and the minute let in."""
        waiter = _Waiter(load, asyncio.get_running_loop().create_future())
        desk.waiting.append(waiter)
        self._send(desk)
        try:
            return await waiter.answer, waiter.minute
        except asyncio.CancelledError:
            answered = waiter.answer.done() and not waiter.answer.cancelled() and not waiter.answer.exception()
            if answered and waiter.answer.result() == "":  # let in, and gone before it heard of it
                desk.share.end(load, waiter.minute, Load())
            raise

    def _send(self, desk: _Desk) -> None:
        """Send for more if anybody waits and nobody is on the way."""
        if desk.waiting and not desk.away:
            desk.away = True
            task = asyncio.create_task(self._draw(desk))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _draw(self, desk: _Desk) -> None:
        """Make trips as long as anybody waits."""
        try:
            while desk.waiting:
                going, desk.waiting = [each for each in desk.waiting if not each.answer.done()], []
                if going:
                    await self._draw_for(desk, going)
        finally:
            desk.away = False

    async def _draw_for(self, desk: _Desk, going: Sequence[_Waiter]) -> None:
        share = desk.share
        share.turn_to(self._minute(desk))
        trip = share.depart([each.load for each in going], _loop_time())
        try:
            (outcome,) = await asyncio.to_thread(self._visit, [(trip, desk.pace)])
        except FAILED as fault:
            share.stranded(trip, self._minute(desk))
            for each in going:
                if not each.answer.done():
                    each.answer.set_exception(fault)
            return
        except BaseException:
            share.stranded(trip, self._minute(desk))
            for each in going:
                each.answer.cancel()
            raise
        for each, answer in zip(going, share.land(trip, outcome, self._minute(desk)), strict=True):
            each.minute = trip.minute
            if answer:
                lacking = each.load - share.free.at_most(each.load)
                share.short[answer] = _loop_time() + SHORT_SECONDS, int(getattr(lacking, answer))
            if not each.answer.done():
                each.answer.set_result(answer)
            elif answer == "":  # cancelled on the way
                share.end(each.load, trip.minute, Load())

    def _minute(self, desk: _Desk) -> int:
        return minute_of(desk.share.grant, self._now())

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def _keep(self) -> None:
        """Return what is not used, and clear old minutes away."""
        swept = _loop_time()
        while True:
            await asyncio.sleep(REST_SECONDS / 2)
            now = _loop_time()
            resting = [desk for desk in self._desks.values() if not desk.away and desk.share.rests(now)]
            await self._return_all(resting)
            if now - swept >= SWEEP_SECONDS:
                swept = now
                with contextlib.suppress(*FAILED):
                    await asyncio.to_thread(self._sweep)

    async def _return_all(self, desks: Sequence[_Desk]) -> None:
        """Give back what is free; meanwhile no other trip for these grants sets out."""
        going = [(desk, self._set_out(desk)) for desk in desks]
        outcomes: list[Outcome] = []
        try:
            outcomes = await asyncio.to_thread(self._visit, [(trip, desk.pace) for desk, trip in going])
        except FAILED as fault:
            log.warning("shares cannot be returned: %s", type(fault).__name__)
        finally:
            for index, (desk, trip) in enumerate(going):
                desk.away = False
                if outcomes:
                    desk.share.land(trip, outcomes[index], self._minute(desk))
                else:
                    desk.share.stranded(trip, self._minute(desk))
                self._send(desk)
        now = _loop_time()
        for grant in [grant for grant, desk in self._desks.items() if _forgettable(desk, now)]:
            del self._desks[grant]

    def _set_out(self, desk: _Desk) -> Trip:
        desk.away = True
        desk.share.turn_to(self._minute(desk))
        return desk.share.depart((), _loop_time(), returns=True)

    def _visit(self, trips: Sequence[tuple[Trip, Pace]]) -> list[Outcome]:
        """Make some trips in one transaction; their grants' books are locked in one order, so no two wait in a ring."""
        if not trips:
            return []
        with self._db.write() as tx:
            for key in sorted({crc32(trip.grant.encode()) for trip, _ in trips}):
                _lock(tx, key)
            return [self._visit_one(tx, trip, pace) for trip, pace in trips]

    def _visit_one(self, tx: Connection, trip: Trip, pace: Pace) -> Outcome:
        worker = self._worker()
        books, mine = read_books(tx, trip.grant, trip.minute, worker)
        outcome = visit(pace, books, trip)
        if outcome.books != books:
            _write_books(tx, trip, outcome.books)
        if outcome.places != mine:
            _write_places(tx, worker, trip.grant, outcome.places, known=mine > 0)
        return outcome

    def _sweep(self) -> None:
        with self._db.write() as tx:
            oldest = int(self._now()) // MINUTE - KEPT_MINUTES
            tx.execute(rate_table.delete().where(rate_table.c.minute < oldest))


def forget(tx: Connection, worker: str) -> None:
    """Free the places of a worker that is no more; what it drew of a minute lapses with it."""
    tx.execute(place_table.delete().where(place_table.c.worker == worker))


def owners(tx: Connection) -> set[str]:
    """Return the workers that have places."""
    return set(tx.execute(sa.select(place_table.c.worker).distinct()).scalars())


def read_books(tx: Connection, grant: str, number: int, worker: str) -> tuple[Books, int]:
    """Read a grant's books of a minute, as they are for a worker, and the places that they say it has itself."""
    row = tx.execute(
        sa.select(rate_table.c.requests, rate_table.c.tokens).where(
            rate_table.c.grant_id == grant, rate_table.c.minute == number
        )
    ).first()
    places = sa.select(place_table.c.worker, place_table.c.places).where(place_table.c.grant_id == grant)
    by_worker: dict[str, int] = {each.worker: each.places for each in tx.execute(places)}
    mine = by_worker.pop(worker, 0)
    return Books(row.requests if row else 0, row.tokens if row else 0, sum(by_worker.values())), mine


def _lock(tx: Connection, key: int) -> None:
    """Keep others from a grant's books until the transaction ends; on SQLite it is the only writer anyway."""
    if tx.dialect.name != "sqlite":
        signed = key - 2**32 if key >= 2**31 else key
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, signed)))


def _write_books(tx: Connection, trip: Trip, books: Books) -> None:
    which = (rate_table.c.grant_id == trip.grant) & (rate_table.c.minute == trip.minute)
    values = {"requests": books.requests, "tokens": books.tokens}
    if tx.execute(rate_table.update().where(which).values(values)).rowcount == 0:
        tx.execute(rate_table.insert().values(grant_id=trip.grant, minute=trip.minute, **values))


def _write_places(tx: Connection, worker: str, grant: str, places: int, *, known: bool) -> None:
    which = (place_table.c.worker == worker) & (place_table.c.grant_id == grant)
    if not places:
        tx.execute(place_table.delete().where(which))
    elif known:
        tx.execute(place_table.update().where(which).values(places=places))
    else:
        tx.execute(place_table.insert().values(worker=worker, grant_id=grant, places=places))


def _forgettable(desk: _Desk, now: float) -> bool:
    return desk.share.empty and not desk.away and not desk.waiting and now - desk.share.asked_at > MINUTE


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
