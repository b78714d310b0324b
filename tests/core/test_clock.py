from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.core.clock import FixedClock, parse_rfc3339, rfc3339
from readingroom.core.ids import new_id

moments = st.datetimes(datetime(1970, 1, 2), datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments, moments)
def test_moments_sort_as_text_as_they_do_in_time(one: datetime, other: datetime) -> None:
    assert (rfc3339(one) < rfc3339(other)) == (one < other)
    assert parse_rfc3339(rfc3339(one)) == one


def test_an_offset_is_understood_and_its_lack_refused() -> None:
    east = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(east) == "2026-01-01T10:00:00.000000Z"
    with pytest.raises(ValueError, match="no time zone"):
        parse_rfc3339("2026-01-01T10:00:00")
    with pytest.raises(ValueError, match="time zone"):
        rfc3339(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_fixed_clock_moves_only_when_told() -> None:
    clock = FixedClock()
    before = clock.now()
    clock.advance(hours=1)
    assert clock.now() - before == timedelta(hours=1)


def test_ids_name_their_kind_and_do_not_repeat() -> None:
    made = {new_id("grant") for _ in range(1000)}
    assert len(made) == 1000
    assert all(each.startswith("grant_") and len(each) == 22 for each in made)
