"""Sealing: a text is opened with both halves of its key and nothing less, as what it is, until its hour has come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readingroom.gateway.sealing import (
    HOURS_A_DAY,
    NONCE_BYTES,
    House,
    Sealed,
    TextKey,
    Unopened,
    begins,
    hour_of,
    last_hour,
)

SECRET, HALF, NONCE = b"s" * 32, b"h" * 32, b"n" * NONCE_BYTES
HOUSE = House(b"house-id", 1000, SECRET)
hours = st.integers(0, 2000)


def sealed(hour: int = 1048, half: bytes = HALF) -> bytes:
    return TextKey.of(HOUSE.turned(hour), half).seal("receipt_1", "grant_1", b"what was said", NONCE)


@settings(deadline=None)
@given(early=hours, late=hours)
def test_who_turned_in_steps_has_the_secret_of_who_turned_at_once(early: int, late: int) -> None:
    first, then = sorted((1000 + early, 1000 + late))
    assert HOUSE.turned(first).turned(then) == HOUSE.turned(then)


@settings(deadline=None)
@given(hour=st.integers(1001, 3000))
def test_there_is_no_way_back(hour: int) -> None:
    turned = HOUSE.turned(hour)
    assert turned.secret != HOUSE.secret
    with pytest.raises(Unopened):
        turned.turned(hour - 1)


def test_a_text_is_opened_with_both_halves() -> None:
    whole = Sealed.parse(sealed())
    assert b"what was said" not in whole.whole
    key = TextKey.of(HOUSE.turned(whole.hour), HALF)
    assert key.open("receipt_1", "grant_1", whole) == b"what was said"


@pytest.mark.parametrize(
    "key",
    [
        TextKey.of(HOUSE.turned(1048), b"x" * 32),  # another grant's half
        TextKey.of(House(b"house-id", 1000, b"x" * 32).turned(1048), HALF),  # another house's
        TextKey.of(HOUSE.turned(1047), HALF),  # of an earlier hour, and of a later
        TextKey.of(HOUSE.turned(1049), HALF),
        TextKey.of(HOUSE, HALF),
    ],
)
def test_with_less_it_is_not(key: TextKey) -> None:
    with pytest.raises(Unopened):
        key.open("receipt_1", "grant_1", Sealed.parse(sealed()))


@pytest.mark.parametrize(("receipt", "grant"), [("receipt_2", "grant_1"), ("receipt_1", "grant_2")])
def test_it_is_not_passed_off_as_anothers(receipt: str, grant: str) -> None:
    with pytest.raises(Unopened):
        TextKey.of(HOUSE.turned(1048), HALF).open(receipt, grant, Sealed.parse(sealed()))


@settings(deadline=None)
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_of_it_can_be_altered(place: int, bit: int) -> None:
    whole = bytearray(sealed())
    whole[place % len(whole)] ^= 1 << bit
    with pytest.raises(Unopened):
        TextKey.of(HOUSE.turned(1048), HALF).open("receipt_1", "grant_1", Sealed.parse(bytes(whole)))


@settings(deadline=None)
@given(junk=st.binary(max_size=60))
def test_what_is_no_sealed_text_is_told(junk: bytes) -> None:
    try:
        found = Sealed.parse(junk)
    except Unopened:
        return
    assert found.whole == junk


@settings(deadline=None)
@given(
    now=st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    days=st.integers(1, 365),
)
def test_nothing_is_kept_longer_than_was_said(now: datetime, days: int) -> None:
    gone = begins(last_hour(now, days) + 1)
    assert now + timedelta(days=days) - timedelta(hours=1) < gone <= now + timedelta(days=days)
    assert last_hour(now, days) == hour_of(now) + days * HOURS_A_DAY - 1


def test_no_secret_is_shown_by_what_holds_it() -> None:
    for each in (HOUSE, TextKey.of(HOUSE, HALF)):
        assert SECRET.hex() not in repr(each)
        assert repr(SECRET) not in repr(each)
