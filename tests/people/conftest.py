"""A database of each kind."""

from __future__ import annotations

import pytest

from readingroom.store.db import Database


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.deep)])
def db(request: pytest.FixtureRequest) -> Database:
    """Give a migrated, empty database of each kind; Postgres is tried with the deep tests."""
    found: Database = request.getfixturevalue(f"{request.param}_db")
    return found
