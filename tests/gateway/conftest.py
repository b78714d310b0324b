"""Fixtures of the gateway's tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.counting import Counter
from readingroom.core.clock import FixedClock
from readingroom.store.db import Database


@pytest.fixture
def counter(db: Database, clock: FixedClock) -> Counter:
    return Counter(db, clock)


@pytest.fixture
def another(db: Database, clock: FixedClock) -> Callable[[], Counter]:
    return lambda: Counter(db, clock)
