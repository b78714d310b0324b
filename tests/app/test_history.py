"""What a stage has seen, as a gate is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from readingroom.access.model import Amounts, Award
from readingroom.app.founding import default_plan, found
from readingroom.app.history import History
from readingroom.app.house import House
from readingroom.app.lending import issue_discretionary
from readingroom.core.canonical import canonical
from readingroom.core.clock import rfc3339
from readingroom.core.settings import Settings
from readingroom.gateway import usage
from readingroom.gateway.model import Amount, Usage


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    settings = Settings(home=tmp_path / "home", engine="echo", dev=True)
    made = found(settings, default_plan(settings))
    yield made
    made.close()


def read(house: House, number: int, passes: int, days: int) -> str:
    """Have a new reader make a call of so many passes, so many days from now; return the grant's id."""
    at = house.clock.now() + timedelta(days=days)
    award = Award("", "", "text", Amounts(), at + timedelta(days=99), "test")
    grant, _, _ = issue_discretionary(house, house.people.operator(), f"r{number}@x.example", award, accept_terms=True)
    with house.db.write() as tx:
        leaf = canonical({"v": 1, "passes": passes, "at": rfc3339(at)})
        usage.put(tx, [Usage(f"receipt_{number}", grant.id, leaf, b"salt", Amount(passes), at)])
    return grant.id


def test_passes_are_those_of_the_open_times_and_readers_are_who_applied(house: House) -> None:
    first, *_ = (read(house, number, 100, days) for number, days in enumerate((1, 2, 9)))
    now, times = house.clock.now(), []
    for start, end in ((0, 3), (8, 8)):
        times.append((now + timedelta(days=start), now + timedelta(days=end)))
    with house.db.write() as tx:
        seen = History().use(tx, "reading-room", tuple(times))
        assert seen is not None
        assert (seen.passes, seen.readers, seen.serious_incidents) == (200, 0, None), (
            "the lab chose these readers itself"
        )
        tx.execute(sa.text("update access_grant set award_id = 'award_1' where id = :id"), {"id": first})
        seen = History().use(tx, "reading-room", tuple(times))
        assert seen is not None
        assert (seen.passes, seen.readers) == (200, 1)
        none = History().use(tx, "reading-room", ())
        assert none is not None
        assert (none.passes, none.readers) == (0, 0)
