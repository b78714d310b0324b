"""The limits of a grant on real databases, over several workers."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import sqlalchemy as sa

from readingroom.core.clock import FixedClock
from readingroom.core.errors import Broken
from readingroom.core.refusal import Refused
from readingroom.gateway import rates as module
from readingroom.gateway.rates import Rates, Ticket, forget, owners
from readingroom.gateway.tables import place as place_table
from readingroom.gateway.tables import rate as rate_table
from readingroom.store.db import Database
from readingroom.strategy.model import Pace

GRANT = "grant_a"


@asynccontextmanager
async def workers(db: Database, clock: FixedClock, count: int) -> AsyncIterator[list[Rates]]:
    async with AsyncExitStack() as stack:
        made = []
        for number in range(count):
            rates = Rates(db, clock, functools.partial(str, f"worker_{number}"))
            rates.start()
            stack.push_async_callback(rates.stop)
            made.append(rates)
        yield made


async def attempt(rates: Rates, pace: Pace, tokens: int = 0) -> Ticket | str:
    try:
        return await rates.take(GRANT, pace, tokens)
    except Refused as refused:
        found = refused.refusal
    return str(found.facts["unit"]) if found.code == "access/rate-limited" else found.code


async def attempts(rates: list[Rates], pace: Pace, count: int, tokens: int = 0) -> list[Ticket | str]:
    return await asyncio.gather(*(attempt(rates[n % len(rates)], pace, tokens) for n in range(count)))


def tickets(answers: list[Ticket | str]) -> list[Ticket]:
    return [each for each in answers if isinstance(each, Ticket)]


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - another connection's doing
            await asyncio.sleep(0.02)


def places(db: Database) -> int:
    with db.read() as tx:
        return int(tx.execute(sa.select(sa.func.coalesce(sa.func.sum(place_table.c.places), 0))).scalar_one())


def drawn(db: Database) -> tuple[int, int]:
    with db.read() as tx:
        row = tx.execute(sa.select(sa.func.sum(rate_table.c.requests), sa.func.sum(rate_table.c.tokens))).one()
    return int(row[0] or 0), int(row[1] or 0)


@pytest.mark.parametrize("limit", [60, 1000])
async def test_every_request_of_a_minute_is_sold_and_not_one_more(db: Database, clock: FixedClock, limit: int) -> None:
    pace = Pace(requests_per_minute=limit)
    async with workers(db, clock, 4) as rates:
        sold = 0
        for _ in range(8):
            sold += len(tickets(await attempts(rates, pace, limit // 3)))
        assert sold <= limit
        while sold < limit:  # what a worker drew ahead and did not use comes back
            assert sum(drawn(db)) <= limit
            sold += len(tickets(await attempts(rates, pace, 8)))
            await asyncio.sleep(0.2)
        answers = await attempts(rates, pace, 40)
        assert set(answers) == {"requests"}
        clock.advance(seconds=60)
        assert tickets(await attempts(rates, pace, 4)), "a new minute has its own"


async def test_what_waits_together_goes_to_the_books_together(sqlite_db: Database, clock: FixedClock) -> None:
    trips = []
    async with workers(sqlite_db, clock, 1) as (rates,):
        sa.event.listen(sqlite_db.engine, "commit", lambda _tx: trips.append(1))
        answers = await attempts([rates], Pace(requests_per_minute=900, parallel=200), 150)
        assert len(tickets(answers)) == 150
        assert len(trips) <= 3
        for _ in range(50):
            for each in tickets(answers):
                each.end(0)
            answers = await attempts([rates], Pace(parallel=200), 150)
        assert len(trips) <= 4, "places that are used again cost no trip"


async def test_tokens_are_taken_at_their_most_and_what_was_not_used_is_for_others(
    db: Database, clock: FixedClock
) -> None:
    pace = Pace(tokens_per_minute=100)
    async with workers(db, clock, 2) as (one, other):
        first = await one.take(GRANT, pace, 80)
        assert await attempt(other, pace, 30) == "tokens"
        first.end(10)
        first.end(0)  # only the first end counts
        await eventually(lambda: drawn(db)[1] == 10)
        await eventually_taken(other, pace, 90)
        assert await attempt(one, pace, 1) == "tokens"


async def eventually_taken(rates: Rates, pace: Pace, tokens: int) -> Ticket:
    async with asyncio.timeout(20):
        while True:
            found = await attempt(rates, pace, tokens)
            if isinstance(found, Ticket):
                return found
            await asyncio.sleep(0.1)


async def test_a_request_that_never_began_is_not_counted(db: Database, clock: FixedClock) -> None:
    pace = Pace(requests_per_minute=1, tokens_per_minute=50, parallel=1)
    async with workers(db, clock, 1) as (rates,):
        (await rates.take(GRANT, pace, 50)).undo()
        assert isinstance(await attempt(rates, pace, 50), Ticket)
        assert await attempt(rates, pace, 0) == "requests"


async def test_no_more_are_open_at_once_over_all_workers_and_each_that_ends_makes_room(
    db: Database, clock: FixedClock
) -> None:
    pace = Pace(parallel=5)
    async with workers(db, clock, 3) as rates:
        answers = await attempts(rates, pace, 30)
        held = tickets(answers)
        assert len(held) == 5
        assert set(answers) - set(held) == {"parallel"}
        for _ in range(3):
            held.pop(0).end(0)
            held.append(await eventually_taken(rates[2], pace, 0))  # whichever worker's it was
            assert places(db) == 5
        for each in held:
            each.end(0)
        await eventually(lambda: places(db) == 0)


async def test_what_is_not_limited_never_sees_the_books(sqlite_db: Database, clock: FixedClock) -> None:
    async with workers(sqlite_db, clock, 1) as (rates,):
        sqlite_db.engine.dispose()
        (await rates.take(GRANT, Pace(), 10**9)).end(5)
        assert drawn(sqlite_db) == (0, 0)


async def test_the_places_of_a_worker_that_is_cleared_away_are_free_again(db: Database, clock: FixedClock) -> None:
    pace = Pace(parallel=2)
    async with workers(db, clock, 1) as (rates,):
        dead = Rates(db, clock, lambda: "worker_dead")
        assert len(tickets(await attempts([dead], pace, 2))) == 2
        assert await attempt(rates, pace) == "parallel"
        with db.write() as tx:
            assert owners(tx) == {"worker_dead"}
            forget(tx, "worker_dead")
        assert len(tickets(await attempts([rates], pace, 2))) == 2


async def test_a_reader_who_leaves_while_it_is_asked_for_him_leaves_no_place_behind(
    db: Database, clock: FixedClock
) -> None:
    pace = Pace(requests_per_minute=100, parallel=20)
    async with workers(db, clock, 1) as (rates,):
        for moment in (0.0, 0.0005, 0.002, 0.005):
            asking = [asyncio.create_task(rates.take(GRANT, pace, 0)) for _ in range(10)]
            await asyncio.sleep(moment)
            for task in asking:
                task.cancel()
            for found in await asyncio.gather(*asking, return_exceptions=True):
                if isinstance(found, Ticket):  # it had been let in before
                    found.undo()
        await eventually(lambda: places(db) == 0 and drawn(db) == (0, 0))


async def test_a_reader_who_leaves_just_as_he_is_let_in_leaves_no_place_behind(
    sqlite_db: Database, clock: FixedClock
) -> None:
    async with workers(sqlite_db, clock, 1) as (rates,):
        asking = asyncio.create_task(rates.take(GRANT, Pace(parallel=1), 0))
        while not (rates._desks and rates._desks[GRANT].share.open):  # noqa: ASYNC110 - the very step is wanted
            await asyncio.sleep(0)
        assert not asking.done(), "it was let in, and has not heard of it"
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert rates._desks[GRANT].share.open == 0


async def test_books_that_cannot_be_read_let_nobody_in_and_lose_nothing(
    db: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = Pace(requests_per_minute=9, parallel=3)
    async with workers(db, clock, 1) as (rates,):
        opened = await rates.take(GRANT, pace, 0)

        def gone(*_: object) -> None:
            raise sa.exc.OperationalError("select", {}, Exception("gone"))

        with monkeypatch.context() as patch:
            patch.setattr(module, "read_books", gone)
            with pytest.raises((sa.exc.SQLAlchemyError, Broken)):
                await rates.take(GRANT, pace, 0)
        assert len(tickets(await attempts([rates], pace, 5))) == 2
        opened.end(0)


async def test_a_look_refuses_what_is_known_to_be_short_without_the_books(db: Database, clock: FixedClock) -> None:
    pace = Pace(requests_per_minute=1)
    async with workers(db, clock, 1) as (rates,):
        assert rates.look(GRANT, pace) is None
        await rates.take(GRANT, pace, 0)
        assert rates.look(GRANT, pace) is None, "it is not known before it was asked for"
        assert await attempt(rates, pace) == "requests"
        refusal = rates.look(GRANT, pace)
        assert refusal is not None
        clock.advance(seconds=refusal.facts["retry_after"])
        assert rates.look(GRANT, pace) is None
        assert isinstance(await attempt(rates, pace), Ticket), "retry-after is true"


async def test_old_minutes_are_cleared_away(
    sqlite_db: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0)
    async with workers(sqlite_db, clock, 1) as (rates,):
        await rates.take(GRANT, Pace(requests_per_minute=5), 0)
        assert drawn(sqlite_db) == (1, 0)
        clock.advance(hours=2)
        await eventually(lambda: drawn(sqlite_db) == (0, 0))
