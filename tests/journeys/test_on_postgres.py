"""A house on Postgres, founded and served by the program, from a grant to a whole log."""

from __future__ import annotations

from pathlib import Path

import pytest

from readingroom.store.db import Database
from served import run, served


@pytest.mark.deep
def test_a_house_on_postgres_lends_counts_and_records_as_one_on_a_file(postgres_db: Database, tmp_path: Path) -> None:
    home = tmp_path / "home"
    run(home, "init", "--dev", "--engine", "echo", "--database", postgres_db.url)
    assert not (home / "readingroom.db").exists()
    with served(home, workers=2) as house:
        issued = house.grant(passes=100, tokens=1000, calls=10)
        made = house.client(issued["key"]).chat.completions.create(
            model="echo", messages=[{"role": "user", "content": "one two three four five"}]
        )
        assert made.choices[0].message.content == "one two three four five"
        shown = house.settled(issued["id"])
        assert shown["used"] == {"passes": 5, "tokens": 10, "calls": 1}
        assert shown["reserved"] == {"passes": 0, "tokens": 0, "calls": 0}
        house.run("grant", "revoke", issued["id"], "--reason", "security")
    told = run(home, "ledger", "verify")
    assert (told["ok"], told["problems"]) == (True, [])
    assert told["size"] > 0
