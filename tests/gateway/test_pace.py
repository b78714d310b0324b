"""How fast a grant may read, rule by rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.core.refusal import Refusal
from readingroom.gateway.pace import (
    MINUTE,
    Books,
    Load,
    Share,
    load_of,
    minute_of,
    resets_in,
    standing,
    too_fast,
    too_large,
    visit,
)
from readingroom.strategy.model import Pace

GRANT = "grant_a"
PACE = Pace(requests_per_minute=4, tokens_per_minute=40, parallel=3)


def asked(share: Share, books: Books, *wants: Load, pace: Pace = PACE, now: float = 0.0) -> tuple[str | None, ...]:
    trip = share.depart(wants, now)
    return share.land(trip, visit(pace, books, trip), trip.minute)


@given(st.floats(0, 4e9), st.sampled_from(["grant_a", "grant_b", "grant_zz"]))
def test_when_retry_after_is_over_another_minute_has_begun_and_not_much_before(now: float, grant: str) -> None:
    minute = minute_of(grant, now)
    after = resets_in(grant, minute, now)
    assert 1 <= after <= MINUTE
    assert minute_of(grant, now + after) == minute + 1
    assert after == 1 or minute_of(grant, now + after - 1) == minute


def test_grants_begin_their_minutes_at_seconds_of_their_own() -> None:
    assert len({resets_in(f"grant_{n}", minute_of(f"grant_{n}", 1e9), 1e9) for n in range(200)}) > 40


def test_only_what_is_limited_is_counted() -> None:
    assert load_of(Pace(), 9) == Load()
    assert load_of(Pace(tokens_per_minute=50), 9) == Load(tokens=9)
    assert load_of(PACE, 9) == Load(1, 9, 1)


def test_each_who_waits_is_let_in_as_far_as_the_limits_go_and_told_what_is_short() -> None:
    share = Share(GRANT, 7)
    answers = asked(share, Books(), Load(1, 30, 1), Load(1, 20, 1), Load(1, 10, 1), Load(1, 0, 1), Load(1, 0, 1))
    assert answers == ("", "tokens", "", "", "places")
    assert (share.free, share.open) == (Load(), 3)
    assert asked(Share(GRANT, 7), Books(requests=4), Load(1, 1, 1)) == ("requests",)
    assert asked(Share(GRANT, 7), Books(others=3), Load(1, 1, 1)) == ("places",)


def test_a_small_limit_is_drawn_one_by_one_and_of_a_large_one_a_part_is_drawn_ahead_once_requests_come_fast() -> None:
    for limit, most in ((60, 0), (6000, 6000 // 8)):
        share, pace, taken = Share(GRANT, 7), Pace(requests_per_minute=limit), 0
        for turn in range(30):
            trip = share.depart([Load(1)], turn / 100)
            outcome = visit(pace, Books(taken), trip)
            assert outcome.books.requests - taken <= 1 + (limit - taken) // 8
            taken = outcome.books.requests
            assert share.land(trip, outcome, 7) == ("",)
            assert share.free.requests <= most
            assert limit == 60 or turn == 0 or share.free.requests > 0
            share.free = Load()
        assert taken <= limit


def test_who_asks_now_and_then_holds_nothing_back() -> None:
    share = Share(GRANT, 7)
    for turn in range(5):
        assert asked(share, Books(), Load(1), pace=Pace(requests_per_minute=6000), now=turn * 2.0) == ("",)
        assert share.free == Load()


def test_what_was_not_used_is_free_again_in_its_own_minute_only() -> None:
    share = Share(GRANT, 7, Load(2, 30, 2))
    assert share.take(Load(1, 20, 1))
    share.end(Load(1, 20, 1), 7, Load(1, 5))
    assert share.free == Load(1, 25, 2)
    assert share.take(Load(1, 20, 1))
    share.turn_to(8)
    share.end(Load(1, 20, 1), 7, Load(1, 5))
    assert share.free == Load(places=2)


def test_what_never_began_gives_its_request_back() -> None:
    share = Share(GRANT, 7, Load(1, 30, 1))
    assert share.take(Load(1, 20, 1))
    share.end(Load(1, 20, 1), 7, Load())
    assert share.free == Load(1, 30, 1)


def test_a_minute_that_ends_on_the_way_lets_nobody_in_and_keeps_the_place() -> None:
    share = Share(GRANT, 7, Load(2, 20, 0))
    trip = share.depart([Load(1, 20, 1), Load(1, 99, 1)], 0.0)
    answers = share.land(trip, visit(PACE, Books(), trip), 8)
    assert answers == (None, None), "they ask anew"
    assert (share.minute, share.free, share.open) == (8, Load(places=1), 0)


def test_after_a_trip_without_an_answer_nobody_has_more_than_the_books_may_say() -> None:
    share = Share(GRANT, 7, Load(2, 20, 1))
    share.stranded(share.depart([Load(1, 30, 1)], 0.0), 7)
    assert share.free == Load(2, 20, 1), "what it may have drawn lapses"
    share.stranded(share.depart((), 0.0, returns=True), 7)
    assert share.free == Load(), "what it may have given back is not used"
    assert share.rests(10.0), "and it goes again, to put the books right"
    share.land(trip := share.depart((), 0.0, returns=True), visit(PACE, Books(), trip), 7)
    assert share.empty


def test_after_a_trip_without_an_answer_and_a_new_minute_places_alone_are_left() -> None:
    share = Share(GRANT, 7, Load(2, 20, 1))
    share.stranded(share.depart([Load(1, 30, 1)], 0.0), 8)
    assert share.free == Load(places=1)


def test_what_is_free_returns() -> None:
    share = Share(GRANT, 7, Load(2, 20, 1), open=2)
    outcome = visit(PACE, Books(3, 30, 0), share.depart((), 0.0, returns=True))
    assert (outcome.books, outcome.places, outcome.free) == (Books(1, 10, 0), 2, Load())


def test_a_refusal_of_the_books_stands_for_what_is_as_large() -> None:
    share = Share(GRANT, 7, Load(1, 5, 1), short={"tokens": (10.0, 20)})
    assert share.is_short(Load(1, 25, 1), 9.9) == "tokens"
    assert share.is_short(Load(1, 24, 1), 9.9) == "", "less may be there"
    assert share.is_short(Load(1, 25, 1), 10.0) == ""
    share.turn_to(8)
    assert share.is_short(Load(1, 25, 1), 9.9) == "", "a new minute has its own"


def test_what_is_left_is_told_with_what_this_worker_has_free() -> None:
    share = Share(GRANT, minute_of(GRANT, 1e9), Load(1, 10, 0), taken=Load(3, 30, 1))
    stands = standing(PACE, share, 1e9)
    assert (stands.requests, stands.tokens) == (2, 20)
    assert 1 <= stands.resets <= MINUTE


@pytest.mark.parametrize(("unit", "words"), [("requests", "4 requests a minute"), ("tokens", "40 tokens a minute")])
def test_a_refusal_says_which_limit_and_when_to_come_back(unit: str, words: str) -> None:
    refusal = too_fast(PACE, unit, standing(PACE, Share(GRANT, minute_of(GRANT, 1e9)), 1e9))
    assert refusal.code == "access/rate-limited"
    assert words in refusal.reason
    assert refusal.facts["retry_after"] == resets_in(GRANT, minute_of(GRANT, 1e9), 1e9)


def test_a_request_that_is_larger_than_a_minute_is_not_told_to_wait() -> None:
    assert too_large(PACE, 40) is None
    refusal = too_large(PACE, 41)
    assert isinstance(refusal, Refusal)
    assert refusal.facts["waiting_helps"] is False
