"""A house from before there were steps, files and invitations: what is known of its applications is told on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import postgres
from readingroom.admissions import queries
from readingroom.core.clock import FixedClock, rfc3339
from readingroom.store.db import Database

DRAFT = '{"answers": {"purpose": "p"}, "passes": 9, "tier": "text", "team": ["bea@east.example"]}'


@pytest.fixture(params=["sqlite", "postgres"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of the migration before."""
    if request.param == "sqlite":
        db = Database(f"sqlite:///{tmp_path / 'old.db'}")
    else:
        admin: sa.Engine = request.getfixturevalue("postgres_admin")
        postgres.make_database(admin, "before_applicants")
        db = Database(admin.url.set(database="before_applicants").render_as_string(hide_password=False))
    db.create("0015")
    yield db
    db.close()


def test_what_stood_before_is_kept_and_told(old: Database) -> None:
    at = rfc3339(FixedClock().now())
    rows = {
        "admissions_call": "'call_a', 'open', 'title: x', 'd', :seed, 's', :at, 'operator', null",
        "admissions_application": "'application_a', 'call_a', 'person_a', 'refused', :draft, '', null, :at, :at",
        "admissions_version": "'application_a', 1, :draft, :seed, 'c', :at",
        "admissions_decision": "'application_a', 'refused', 'unclear', 't', 'd', :at, 'a', :at, 'person_b', null",
    }
    with old.write() as tx:
        for table, values in rows.items():
            spelled = values if old.is_sqlite else values.replace(":draft", "cast(:draft as json)")
            tx.execute(
                sa.text(f"insert into {table} values ({spelled})"),  # noqa: S608 - our own
                {k: v for k, v in {"at": at, "draft": DRAFT, "seed": b"x"}.items() if f":{k}" in values},
            )
    old.upgrade()
    with old.read() as tx:
        told = [(each.event.rpartition(".")[2], dict(each.data)) for each in queries.told(tx, "application_a")]
        found = queries.application(tx, "application_a")
        assert queries.members(tx, "application_a") == ()
        assert queries.team(tx, "application_a") == ("bea@east.example",)
    assert told == [
        ("started", {}),
        ("submitted", {"version": 1}),
        ("decided", {"outcome": "refused", "reason": "unclear"}),
    ]
    assert found is not None
    assert (found.revision, found.draft.team) == (0, ("bea@east.example",))
