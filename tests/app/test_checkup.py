"""The check-up finds what it exists to find, and does not die of it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.guards import guard, watching
from readingroom.app.checkup import examine
from readingroom.app.house import House
from readingroom.core.errors import Broken
from readingroom.core.settings import load
from served import found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return found(tmp_path / "home")


def bad(home: Path) -> dict[str, str]:
    """Return what is not as it should be, beside what every house for trials has."""
    house = House(load(home))
    try:
        return {each.name: each.detail for each in examine(house) if not each.ok}
    finally:
        house.close()


def test_a_good_house_is_well(home: Path) -> None:
    assert bad(home) == {}


def overwrite(home: Path) -> None:
    (home / "readingroom.db").write_bytes(b"not a database, but long enough to be taken for the head of one " * 200)


def delete(home: Path) -> None:
    for path in home.glob("readingroom.db*"):
        path.unlink()


def drop_tables(home: Path) -> None:
    with sqlite3.connect(home / "readingroom.db") as db:
        db.execute("drop table ledger_entry")
    db.close()


@pytest.mark.parametrize(
    ("damage", "told"), [(overwrite, "is damaged"), (delete, "is gone"), (drop_tables, "no such table")]
)
def test_a_damaged_or_lost_database_is_a_finding(home: Path, damage: Callable[[Path], None], told: str) -> None:
    damage(home)
    found = bad(home)
    assert told in str(found)
    assert "ledger" in found


def test_a_house_that_cannot_be_written_is_a_finding(home: Path) -> None:
    house = House(load(home))
    with house.db.engine.connect() as tx:
        tx.exec_driver_sql("pragma query_only = 1")
    assert any("cannot be written" in each.detail for each in examine(house) if not each.ok)
    house.close()


def test_a_key_that_is_empty_is_a_finding(home: Path) -> None:
    (home / "keys" / "release.key").write_bytes(b"")
    assert "release.key" in bad(home)["keys"]


def test_a_check_that_breaks_is_a_finding_and_the_others_are_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_house: House) -> None:
        raise ZeroDivisionError("in the check itself")

    monkeypatch.setattr("readingroom.app.checkup._plan", fail)
    assert "ZeroDivisionError" in bad(home)["plan"]


def test_a_log_key_that_is_empty_is_told_before_anything_is_opened(home: Path) -> None:
    (home / "keys" / "ledger.key").write_bytes(b"")
    with pytest.raises(Broken, match=r"ledger\.key"):
        House(load(home))


@pytest.mark.parametrize(
    ("served_at", "well"), [("http://127.0.0.1:8000", True), ("http://[::1]:8000", True), ("http://0.0.0.0:80", False)]
)
def test_links_that_lead_nowhere_outside_are_a_finding(home: Path, served_at: str, *, well: bool) -> None:
    (home / "run" / "url").write_text(served_at)
    assert ("letters" not in bad(home)) == well


async def test_each_judge_is_asked_and_one_that_gives_no_verdict_is_a_finding(home: Path) -> None:
    rules = home / "rules" / "base.yaml"
    async with guard(watching("bad")) as judge:
        rules.write_text(judge.rule())
        assert "screening" not in await asyncio.to_thread(bad, home)
        assert judge.texts == ["hello"]
        rules.write_text(judge.rule(more="key_env: READINGROOM_SCREEN_NOT_SET"))
        assert "no verdict (no-key)" in (await asyncio.to_thread(bad, home))["screening"]
        rules.write_text(judge.rule())
    assert "guard gives no verdict (unreachable)" in (await asyncio.to_thread(bad, home))["screening"]
