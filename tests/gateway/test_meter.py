"""Promise 1: what is used under a grant never exceeds its allocation, and each hold ends exactly once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from gateway.counting import Counter
from readingroom.core.refusal import Refused
from readingroom.gateway.meter import settle
from readingroom.gateway.model import Amount, Limits, Wish
from readingroom.gateway.tables import meter as meter_table

GRANT = "grant_a"


def refusal_of(caught: pytest.ExceptionInfo[Refused]) -> tuple[str, dict[str, object]]:
    return caught.value.refusal.code, dict(caught.value.refusal.facts)


def charge(counter: Counter, hold_id: str, used: Amount) -> Amount | None:
    with counter.db.write() as tx:
        return settle(tx, hold_id, used)


def test_the_worst_case_is_reserved_and_the_rest_returns(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=100, tokens=1_000, calls=3))
    hold = counter.reserve(GRANT, Wish(prompt=20, choices=2, maximum=30))
    assert hold.amount == Amount(passes=60, tokens=80, calls=1)
    assert counter.reading(GRANT).reserved == hold.amount
    assert charge(counter, hold.id, Amount(passes=7, tokens=27, calls=1)) == Amount(7, 27, 1)
    reading = counter.reading(GRANT)
    assert (reading.used, reading.reserved) == (Amount(7, 27, 1), Amount())


def test_a_stated_maximum_that_does_not_fit_is_refused_with_what_is_left(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10))
    with pytest.raises(Refused) as caught:
        counter.reserve(GRANT, Wish(prompt=5, maximum=11))
    code, facts = refusal_of(caught)
    assert code == "access/allocation-exhausted"
    assert facts["left"] == {"passes": 10}
    assert facts["waiting_helps"] is False
    assert counter.reading(GRANT).reserved == Amount()


def test_where_no_maximum_is_stated_it_is_cut_to_what_is_left(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10, tokens=100))
    assert counter.reserve(GRANT, Wish(prompt=96)).maximum == 4
    with pytest.raises(Refused) as caught:
        counter.reserve(GRANT, Wish(prompt=1))
    assert refusal_of(caught)[1]["waiting_helps"] is True


def test_an_unstated_maximum_is_at_most_the_default_and_the_room_of_the_engine(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10_000))
    assert counter.reserve(GRANT, Wish(prompt=1)).maximum == 1024
    assert counter.reserve(GRANT, Wish(prompt=1, room=50)).maximum == 50
    assert counter.reserve(GRANT, Wish(prompt=1, choices=3, default=7)).amount.passes == 21


def test_waiting_cannot_help_where_even_all_that_is_held_would_not_do(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10))
    counter.reserve(GRANT, Wish(prompt=1, maximum=5))
    with pytest.raises(Refused) as caught:
        counter.reserve(GRANT, Wish(prompt=1, maximum=11))
    assert refusal_of(caught)[1]["waiting_helps"] is False


def test_a_hold_is_settled_once_however_often_it_is_tried(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10))
    hold = counter.reserve(GRANT, Wish(prompt=1, maximum=5))
    assert charge(counter, hold.id, Amount(3, 4, 1)) == Amount(3, 4, 1)
    assert charge(counter, hold.id, Amount(3, 4, 1)) is None
    counter.refund(hold)
    assert counter.reading(GRANT).used.passes == 3


def test_never_more_is_charged_than_was_held(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10, tokens=10))
    hold = counter.reserve(GRANT, Wish(prompt=2, maximum=5))
    assert charge(counter, hold.id, Amount(500, 500, 1)) == Amount(5, 7, 1)


def test_a_refund_charges_nothing_in_any_unit(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10, tokens=10, calls=1))
    counter.refund(counter.reserve(GRANT, Wish(prompt=2, maximum=5)))
    reading = counter.reading(GRANT)
    assert (reading.used, reading.reserved) == (Amount(), Amount())
    counter.reserve(GRANT, Wish(prompt=2, maximum=5))


def test_an_unmetered_unit_is_counted_and_never_refused(counter: Counter) -> None:
    counter.open(GRANT, Limits())
    hold = counter.reserve(GRANT, Wish(prompt=2, maximum=10**9))
    charge(counter, hold.id, Amount(5, 7, 1))
    assert counter.reading(GRANT).used == Amount(5, 7, 1)


def test_a_grant_without_a_meter_gets_nothing(counter: Counter) -> None:
    with pytest.raises(Refused):
        counter.reserve("grant_nobody", Wish(prompt=1, maximum=1))


def test_the_database_itself_refuses_a_meter_over_its_limit(counter: Counter) -> None:
    counter.open(GRANT, Limits(passes=10))
    with pytest.raises(sa.exc.IntegrityError), counter.db.write() as tx:
        tx.execute(meter_table.update().values(used_passes=11))


def test_64_threads_on_one_grant_sell_every_pass_and_not_one_more(
    another: Callable[[], Counter],
) -> None:
    counters = [another() for _ in range(4)]
    counters[0].open(GRANT, Limits(passes=200))
    sold: list[int] = []
    refused = threading.Event()

    def read_on(counter: Counter) -> None:
        while True:
            try:
                hold = counter.reserve(GRANT, Wish(prompt=3, maximum=2))
            except Refused as no:
                if not no.refusal.facts["waiting_helps"]:
                    refused.set()
                    return
                continue
            used = 1 + hold.amount.calls * (hash(hold.id) % 2)  # one or two of the two that were held
            charged = charge(counter, hold.id, Amount(used, used + 3, 1))
            assert charged is not None
            sold.append(charged.passes)

    threads = [threading.Thread(target=read_on, args=(counters[i % 4],)) for i in range(64)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    # The last single pass cannot serve a request that states two; one that states none takes it.
    while True:
        try:
            last = counters[0].reserve(GRANT, Wish(prompt=3))
        except Refused:
            break
        charge(counters[0], last.id, last.amount)
        sold.append(last.amount.passes)
    reading = counters[0].reading(GRANT)
    assert refused.is_set()
    assert sum(sold) == reading.used.passes == 200
    assert reading.reserved == Amount()
