"""A meter's limits move while workers hold leases on it: never under what is used or in use, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from hypothesis import given
from hypothesis import strategies as st

from gateway.counting import Counter
from readingroom.access.adjusting import UNITS, adjusted
from readingroom.access.model import Amounts
from readingroom.core.refusal import Refusal, Refused
from readingroom.gateway import meter
from readingroom.gateway.model import Amount, Limits, Wish

GRANT = "grant_a"


def move(counter: Counter, change: Mapping[str, int]) -> Refusal | None:
    with counter.db.decide() as tx:
        return meter.move_limits(tx, GRANT, change)


def free(counter: Counter) -> dict[str, int]:
    with counter.db.read() as tx:
        return meter.free(tx, GRANT)


async def test_what_is_released_can_be_reserved_at_once(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10, tokens=100))
    hold = await counter.reserve(GRANT, Wish(prompt=1, maximum=10))
    assert move(counter, {"passes": 7}) is None
    more = await counter.reserve(GRANT, Wish(prompt=1, maximum=7))
    assert (hold.amount.passes, more.amount.passes) == (10, 7)
    assert (await counter.reading(GRANT)).limits == Limits(passes=17, tokens=100)


async def test_what_is_used_or_held_cannot_be_taken_back(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=20))
    used = await counter.reserve(GRANT, Wish(prompt=1, maximum=6))
    counter.charge(used, Amount(6, 7, 1))
    held = await counter.reserve(GRANT, Wish(prompt=1, maximum=9))
    await counter.purse.post()
    assert free(counter) == {"passes": 5}
    refused = move(counter, {"passes": -6})
    assert refused is not None
    assert (refused.code, refused.facts) == ("access/in-use", {"free": {"passes": 5}, "asked": {"passes": 6}})
    assert move(counter, {"passes": -5}) is None
    counter.charge(held, Amount(9, 10, 1))
    reading = await counter.reading(GRANT)
    assert (reading.used.passes, reading.limits.passes) == (15, 15)


async def test_all_units_move_or_none_does(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=20, tokens=20, calls=None))
    await counter.reserve(GRANT, Wish(prompt=15, maximum=2))
    assert move(counter, {"passes": -10, "tokens": -10}) is not None
    assert move(counter, {"passes": -10, "tokens": -3, "calls": -5}) is None
    assert (await counter.reading(GRANT)).limits == Limits(passes=10, tokens=17, calls=None)


async def test_a_grant_without_a_meter_can_be_lent_no_more(counter: Counter) -> None:
    assert move(counter, {"passes": 5}) is not None


async def test_while_many_read_and_limits_rise_and_fall_no_more_is_used_than_was_released(
    another: Callable[[], Counter],
) -> None:
    workers = [another(), another()]
    workers[0].open(GRANT, Limits(passes=60))
    released = 60

    async def read(counter: Counter) -> int:
        try:
            hold = await counter.reserve(GRANT, Wish(prompt=1, maximum=5))
        except Refused:
            return 0
        await asyncio.sleep(0)
        charged = counter.charge(hold, Amount(4, 5, 1))
        return charged.passes if charged else 0

    async def moves() -> int:
        total = released
        for change in (25, -15, -40, 30, -5, -60, 10):
            if await asyncio.to_thread(move, workers[0], {"passes": change}) is None:
                total += change
        return total

    *used, limit = await asyncio.gather(*(read(each) for each in workers * 12), moves())
    for each in workers:
        await each.purse.post()
    reading = await workers[0].reading(GRANT)
    assert reading.limits.passes == limit
    assert reading.used.passes == sum(used), "what was charged is what the meter shows"
    assert 0 < reading.used.passes <= limit


AMOUNTS = st.builds(Amounts, *(st.none() | st.integers(0, 10**6) for _ in UNITS))
CHANGES = st.builds(Amounts, *(st.none() | st.integers(-(10**6), 10**6) for _ in UNITS))


@given(AMOUNTS, CHANGES)
def test_an_allocation_changes_by_what_was_decided_and_never_falls_below_nothing(
    held: Amounts, change: Amounts
) -> None:
    after = adjusted(held, change)
    sums = {unit: (getattr(held, unit), getattr(change, unit) or 0) for unit in UNITS}
    short = any(before is not None and before + by < 0 for before, by in sums.values())
    assert isinstance(after, Refusal) == short
    if isinstance(after, Amounts):
        for unit, (before, by) in sums.items():
            assert getattr(after, unit) == (None if before is None else before + by)
