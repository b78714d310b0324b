"""Fixtures of the gateway's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.counting import Counter
from readingroom.core.clock import FixedClock
from readingroom.store.db import Database


@pytest.fixture
async def another(db: Database, clock: FixedClock, tmp_path: Path) -> AsyncIterator[Callable[[], Counter]]:
    """Give a maker of workers of one house; those that have not died are stopped at the end."""
    made: list[Counter] = []

    def make() -> Counter:
        made.append(Counter(db, clock, tmp_path / "journal").start())
        return made[-1]

    yield make
    for each in made:
        if not each.purse._task or not each.purse._task.done():
            await each.stop()


@pytest.fixture
async def counter(another: Callable[[], Counter]) -> Counter:
    return another()
