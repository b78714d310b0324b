"""A database that was lost, emptied, cut or put back in an older state: told, and never signed on."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from readingroom.app.house import House
from readingroom.core.errors import Broken
from readingroom.core.settings import load
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.people.model import Role
from served import PROGRAM, found, run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return found(tmp_path / "home")


def change(home: Path, *statements: str) -> None:
    with sqlite3.connect(home / "readingroom.db") as db:
        for each in statements:
            db.execute(each)
    db.close()


def lose(home: Path) -> None:
    for path in home.glob("readingroom.db*"):
        path.unlink()


def empty_the_log(home: Path) -> None:
    change(home, "delete from ledger_entry", "delete from ledger_checkpoint")


def cut_the_end(home: Path) -> None:
    entries = "delete from ledger_entry where seq >= (select max(size) from ledger_checkpoint) - 2"
    signed = "delete from ledger_checkpoint where size > (select max(size) from ledger_checkpoint) - 2"
    change(home, entries, signed)


def empty_everything(home: Path) -> None:
    lose(home)
    (home / "readingroom.db").touch()


def decide(home: Path) -> None:
    house = House(load(home))
    try:
        house.people.add(house.people.operator(), "new@example.org", roles=[Role.AUDITOR])
    finally:
        house.close()


LOSSES = [lose, empty_the_log, cut_the_end, empty_everything]


@pytest.mark.parametrize("losing", LOSSES)
def test_what_was_lost_is_told_and_no_second_history_is_signed(home: Path, losing: Callable[[Path], None]) -> None:
    losing(home)
    report = run(home, "ledger", "verify", code=1)
    assert "error" in report or (report["ok"] is False and report["problems"])
    with pytest.raises(Broken):
        decide(home)
    doctor = run(home, "doctor", code=1)
    assert any(each["name"] in {"database", "ledger"} and not each["ok"] for each in doctor["checks"])


@pytest.mark.parametrize("losing", [lose, empty_everything])
def test_a_server_does_not_start_on_a_database_that_is_gone_and_makes_none(
    home: Path, losing: Callable[[Path], None]
) -> None:
    losing(home)
    command = [*PROGRAM, "--home", str(home), "serve", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "gone" in done.stderr
    assert losing is not lose or not (home / "readingroom.db").exists()


def test_a_log_that_was_cut_and_grew_again_is_told(home: Path) -> None:
    cut_the_end(home)
    kept = home / "ledger.checkpoint"
    kept.rename(home / "aside")
    for _ in range(3):
        decide_again(home)
    (home / "aside").rename(kept)
    report = run(home, "ledger", "verify", code=1)
    assert any("no prefix of this log" in each for each in report["problems"])
    with pytest.raises(Broken, match="has not grown from"):
        decide_again(home)


def decide_again(home: Path) -> None:
    house = House(load(home))
    try:
        with house.db.decide() as tx:
            house.ledger.append(tx, "test.thing.happened", {}, by="test")
    finally:
        house.close()


def test_an_older_copy_of_the_database_is_told(home: Path, tmp_path: Path) -> None:
    shutil.copy(home / "readingroom.db", tmp_path / "older.db")
    decide(home)
    lose(home)
    shutil.copy(tmp_path / "older.db", home / "readingroom.db")
    assert any("older copy" in each for each in run(home, "ledger", "verify", code=1)["problems"])
    with pytest.raises(Broken, match="an older copy was put back"):
        decide_again(home)


def kept_size(house: House) -> int:
    known = (house.settings.kept_checkpoint).read_bytes()
    return Checkpoint.open_own(known, house.signer.verifier).size


def test_the_kept_checkpoint_follows_every_decision_and_never_runs_ahead(home: Path) -> None:
    house = House(load(home))
    decide_again(home)
    size = house.log.size()
    assert kept_size(house) == size

    def fail() -> None:
        with house.db.decide() as tx:
            house.ledger.append(tx, "test.thing.happened", {}, by="test")
            assert kept_size(house) == size
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert kept_size(house) == house.log.size() == size
    decide_again(home)
    assert kept_size(house) == size + 1
    house.close()


def test_a_kept_checkpoint_that_lags_behind_is_no_problem_and_catches_up(home: Path) -> None:
    kept = home / "ledger.checkpoint"
    older = kept.read_bytes()
    for _ in range(3):
        decide_again(home)
    kept.write_bytes(older)
    assert run(home, "ledger", "verify")["ok"]
    decide_again(home)
    house = House(load(home))
    assert kept_size(house) == house.log.size()
    house.close()


def test_a_kept_checkpoint_that_is_gone_is_told_until_the_next_decision(home: Path) -> None:
    (home / "ledger.checkpoint").unlink()
    assert "is gone" in str(run(home, "ledger", "verify", code=1)["problems"])
    decide_again(home)
    assert run(home, "ledger", "verify")["ok"]


def test_a_kept_checkpoint_that_cannot_be_kept_undoes_no_decision(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("readingroom.ledger.kept.write_over", full)
    house = House(load(home))
    size = house.log.size()
    decide_again(home)
    assert house.log.size() == size + 1
    house.close()


def test_a_checkpoint_of_another_log_is_not_signed_on(home: Path) -> None:
    (home / "ledger.checkpoint").write_text("not ours")
    with pytest.raises(Broken, match="is no checkpoint of this log"):
        decide_again(home)
