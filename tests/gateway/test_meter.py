"""Promise 1: what is used under a grant never exceeds its allocation, and each hold ends exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from gateway.counting import Counter
from readingroom.core.refusal import Refused
from readingroom.gateway import lease, purse
from readingroom.gateway.lease import REST_SECONDS
from readingroom.gateway.model import Amount, Limits, Wish
from readingroom.gateway.tables import lease as lease_table
from readingroom.gateway.tables import meter as meter_table
from readingroom.gateway.tables import usage as usage_table

GRANT = "grant_a"


def refusal_of(caught: pytest.ExceptionInfo[Refused]) -> tuple[str, dict[str, object]]:
    return caught.value.refusal.code, dict(caught.value.refusal.facts)


async def until_quiet(counter: Counter) -> None:
    """Wait until nothing is leased any more."""
    for _ in range(1500):
        with counter.db.read() as tx:
            if not tx.execute(sa.select(lease_table)).all():
                return
        await asyncio.sleep(0.02)
    raise AssertionError("something stays leased")


async def test_the_worst_case_is_reserved_and_the_rest_returns(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=100, tokens=1_000, calls=3))
    hold = await counter.reserve(GRANT, Wish(prompt=20, choices=2, maximum=30))
    assert hold.amount == Amount(passes=60, tokens=80, calls=1)
    assert (await counter.reading(GRANT)).reserved == hold.amount
    assert counter.charge(hold, Amount(passes=7, tokens=27, calls=1)) == Amount(7, 27, 1)
    reading = await counter.reading(GRANT)
    assert (reading.used, reading.reserved) == (Amount(7, 27, 1), Amount())


async def test_a_stated_maximum_that_does_not_fit_is_refused_with_what_is_left(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10))
    with pytest.raises(Refused) as caught:
        await counter.reserve(GRANT, Wish(prompt=5, maximum=11))
    code, facts = refusal_of(caught)
    assert code == "access/allocation-exhausted"
    assert facts["left"] == {"passes": 10}
    assert facts["waiting_helps"] is False
    assert (await counter.reading(GRANT)).reserved == Amount()


async def test_where_no_maximum_is_stated_it_is_cut_to_what_is_left(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10, tokens=100))
    assert (await counter.reserve(GRANT, Wish(prompt=96))).maximum == 4
    with pytest.raises(Refused) as caught:
        await counter.reserve(GRANT, Wish(prompt=1))
    assert refusal_of(caught)[1]["waiting_helps"] is True


async def test_an_unstated_maximum_is_at_most_the_default_and_the_room_of_the_engine(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10_000))
    assert (await counter.reserve(GRANT, Wish(prompt=1))).maximum == 1024
    assert (await counter.reserve(GRANT, Wish(prompt=1, room=50))).maximum == 50
    assert (await counter.reserve(GRANT, Wish(prompt=1, choices=3, default=7))).amount.passes == 21


async def test_waiting_cannot_help_where_even_all_that_is_held_would_not_do(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10))
    await counter.reserve(GRANT, Wish(prompt=1, maximum=5))
    with pytest.raises(Refused) as caught:
        await counter.reserve(GRANT, Wish(prompt=1, maximum=11))
    assert refusal_of(caught)[1]["waiting_helps"] is False


async def test_a_hold_is_settled_once_however_often_it_is_tried(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10))
    hold = await counter.reserve(GRANT, Wish(prompt=1, maximum=5))
    assert counter.charge(hold, Amount(3, 4, 1)) == Amount(3, 4, 1)
    assert counter.charge(hold, Amount(3, 4, 1)) is None
    counter.refund(hold)
    assert (await counter.reading(GRANT)).used.passes == 3


async def test_never_more_is_charged_than_was_held(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10, tokens=10))
    hold = await counter.reserve(GRANT, Wish(prompt=2, maximum=5))
    assert counter.charge(hold, Amount(500, 500, 1)) == Amount(5, 7, 1)


async def test_a_refund_charges_nothing_in_any_unit(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10, tokens=10, calls=1))
    counter.refund(await counter.reserve(GRANT, Wish(prompt=2, maximum=5)))
    reading = await counter.reading(GRANT)
    assert (reading.used, reading.reserved) == (Amount(), Amount())
    await counter.reserve(GRANT, Wish(prompt=2, maximum=5))


async def test_an_unmetered_unit_is_counted_and_never_refused(counter: Counter) -> None:
    counter.open(GRANT, Limits())
    hold = await counter.reserve(GRANT, Wish(prompt=2, maximum=10**9))
    counter.charge(hold, Amount(5, 7, 1))
    assert (await counter.reading(GRANT)).used == Amount(5, 7, 1)


async def test_a_grant_without_a_meter_gets_nothing(counter: Counter) -> None:
    with pytest.raises(Refused):
        await counter.reserve("grant_nobody", Wish(prompt=1, maximum=1))


async def test_the_database_itself_refuses_a_meter_over_its_limit(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10))
    with pytest.raises(sa.exc.IntegrityError), counter.db.write() as tx:
        tx.execute(meter_table.update().values(used_passes=11))


async def test_who_asks_often_asks_the_database_seldom_and_what_is_unused_returns(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "BUSY_SECONDS", 3600)  # however long a trip takes here, this is often
    counter.open(GRANT, Limits(passes=1_000_000))
    trips = 0
    go = counter.purse._go

    def counted(packed: object) -> object:
        nonlocal trips
        trips += 1
        return go(packed)  # type: ignore[arg-type]

    counter.purse._go = counted  # type: ignore[assignment]
    for _ in range(300):
        counter.charge(await counter.reserve(GRANT, Wish(prompt=1, maximum=10)), Amount(10, 11, 1))
    assert trips < 60
    await until_quiet(counter)
    reading = await counter.reading(GRANT)
    assert (reading.used.passes, reading.reserved) == (3000, Amount())


async def test_what_one_worker_leased_and_does_not_use_another_can_draw(
    another: Callable[[], Counter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it, also while the first keeps a request open; a wall clock's second is not waited for."""
    monkeypatch.setattr(lease, "BUSY_SECONDS", 3600)
    monkeypatch.setattr(purse, "PATIENCE_SECONDS", 60)
    one, two = another(), another()
    one.open(GRANT, Limits(passes=1000))
    kept = await one.reserve(GRANT, Wish(prompt=1, maximum=10))
    leased = one.purse._leases[GRANT]
    for _ in range(12):  # a busy reader: leases ahead
        one.charge(await one.reserve(GRANT, Wish(prompt=1, maximum=10)), Amount(1, 2, 1))
    assert leased.free.passes > 0
    one.purse._soon = lambda seconds: None  # type: ignore[method-assign] # noqa: ARG005 # it would return by itself; here it is asked
    watching = asyncio.create_task(_hears(one))
    left = 1000 - 12 - 10
    hold = await two.reserve(GRANT, Wish(prompt=1, maximum=left))
    assert hold.amount.passes == left
    watching.cancel()
    one.charge(kept, Amount(10, 11, 1))


async def test_a_reader_who_goes_from_worker_to_worker_is_not_refused_for_what_he_gave_back(
    another: Callable[[], Counter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request may use all that is left; the last was settled a moment ago, and the database does not know yet."""
    monkeypatch.setattr(purse, "PATIENCE_SECONDS", 60)
    counters = [another(), another()]
    counters[0].open(GRANT, Limits(passes=1000))
    hearing = [asyncio.create_task(_hears(each)) for each in counters]
    for n in range(40):
        counter = counters[n % 2]
        hold = await counter.reserve(GRANT, Wish(prompt=1))
        assert hold.maximum == 1000 - 3 * n
        counter.charge(hold, Amount(3, 4, 1))
    for task in hearing:
        task.cancel()


async def _hears(counter: Counter) -> None:
    """Look for recalls, as the gateway's watch does."""
    from readingroom.gateway.meter import recalled

    while True:
        with counter.db.read() as tx:
            counter.purse.recall(recalled(tx, counter.workers.id))
        await asyncio.sleep(0.01)


async def test_a_trip_whose_commit_was_in_doubt_moves_nothing_twice(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=1000))
    hold = await counter.reserve(GRANT, Wish(prompt=1, maximum=10))
    go = counter.purse._go

    def commits_and_fails(packed: object) -> object:
        go(packed)  # type: ignore[arg-type]
        counter.purse._doubt = True
        raise sa.exc.OperationalError("gone", {}, Exception("the answer to commit never came"))

    counter.purse._go = commits_and_fails  # type: ignore[assignment]
    counter.charge(hold, Amount(7, 8, 1))
    with pytest.raises(sa.exc.OperationalError):
        await counter.purse.post()
    counter.purse._go = go  # type: ignore[method-assign]
    reading = await counter.reading(GRANT)
    assert (reading.used, reading.reserved) == (Amount(7, 8, 1), Amount())
    with counter.db.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(usage_table)).scalar() == 1


async def test_what_could_not_be_returned_at_once_returns_later(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=1_000_000))
    for _ in range(12):
        counter.charge(await counter.reserve(GRANT, Wish(prompt=1, maximum=10)), Amount(1, 2, 1))
    await counter.purse.post()
    go, failed = counter.purse._go, 0

    def fails_twice(packed: object) -> object:
        nonlocal failed
        failed += 1
        if failed < 3:
            raise sa.exc.OperationalError("gone", {}, Exception("gone"))
        return go(packed)  # type: ignore[arg-type]

    assert counter.purse._leases[GRANT].free != Amount()
    counter.purse._go = fails_twice  # type: ignore[assignment]
    await until_quiet(counter)
    assert failed >= 3


async def test_a_draw_whose_commit_was_in_doubt_is_refused_and_returns(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10))
    go = counter.purse._go

    def commits_and_fails(packed: object) -> object:
        go(packed)  # type: ignore[arg-type]
        counter.purse._doubt = True
        raise sa.exc.OperationalError("gone", {}, Exception("the answer to commit never came"))

    counter.purse._go = commits_and_fails  # type: ignore[assignment]
    with pytest.raises(sa.exc.OperationalError):
        await counter.reserve(GRANT, Wish(prompt=1, maximum=10))
    counter.purse._go = go  # type: ignore[method-assign]
    assert (await counter.reserve(GRANT, Wish(prompt=1, maximum=10))).amount.passes == 10


async def test_a_request_that_leaves_while_it_waits_takes_nothing_along(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10))
    for moment in range(8):
        asking = asyncio.create_task(counter.reserve(GRANT, Wish(prompt=1, maximum=10)))
        await asyncio.sleep(0.001 * moment)
        if asking.done():
            counter.refund(asking.result())
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await asyncio.sleep(0.02)
    await until_quiet(counter)
    counter.refund(await counter.reserve(GRANT, Wish(prompt=1, maximum=10)))


async def test_64_readers_over_4_workers_of_one_grant_sell_every_pass_and_not_one_more(
    another: Callable[[], Counter],
) -> None:
    counters = [another() for _ in range(4)]
    counters[0].open(GRANT, Limits(passes=2000))
    sold: list[int] = []
    hearing = [asyncio.create_task(_hears(each)) for each in counters]

    async def read_on(counter: Counter) -> None:
        while True:
            try:
                hold = await counter.reserve(GRANT, Wish(prompt=3, maximum=2))
            except Refused as no:
                if not no.refusal.facts["waiting_helps"]:
                    return
                continue
            await asyncio.sleep(0)
            used = 1 + hash(hold.id) % 2  # one or two of the two that were held
            charged = counter.charge(hold, Amount(used, used + 3, 1))
            assert charged is not None
            sold.append(charged.passes)

    await asyncio.wait_for(asyncio.gather(*(read_on(counters[i % 4]) for i in range(64))), 300)
    # The last single pass cannot serve a request that states two; one that states none takes it.
    while True:
        try:
            last = await counters[0].reserve(GRANT, Wish(prompt=3))
        except Refused as no:
            if no.refusal.facts["waiting_helps"]:  # another worker has not given it back yet
                continue
            break
        counters[0].charge(last, last.amount)
        sold.append(last.amount.passes)
    for each in counters:
        await each.purse.post()
    reading = await counters[0].reading(GRANT)
    assert sum(sold) == reading.used.passes == 2000
    assert reading.reserved == Amount()
    await asyncio.sleep(REST_SECONDS)
    await until_quiet(counters[0])
    for task in hearing:
        task.cancel()
