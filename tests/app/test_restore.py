"""A restored house: what was revoked after the backup stays refused, damage is named, nothing is overwritten."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from readingroom.app.backup import Manifest
from readingroom.app.house import House
from readingroom.core.canonical import canonical, digest
from readingroom.core.refusal import Refused
from readingroom.core.settings import load
from readingroom.people.model import Role
from readingroom.store.copy import read_rows, rows_out, tables
from readingroom.store.db import Database
from served import Served, found, run, served

REFUSED = (403, "access/grant-suspended")


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Back up a house with a reader in it, once for all tests that only look at the backup."""
    folder = tmp_path_factory.mktemp("backed-up")
    home = found(folder / "home")
    run(home, "grant", "issue", "--to", "r@b.example", "--accept-terms", "--reason", "test", "--passes", "100")
    run(home, "backup", str(folder / "backup"))
    return folder / "backup"


def asked(house: Served, key: str) -> tuple[int, str]:
    answer = house.chat(key, {"max_tokens": 10})  # so that little is leased, and charged on restoring
    return answer.status_code, answer.json()["error"]["code"] if answer.status_code != 200 else ""


def comes_to(house: Served, key: str, answer: tuple[int, str]) -> bool:
    """Ask until every worker has heard of what was decided: they have a quarter of a second, and machines are slow."""
    for _ in range(300):
        if asked(house, key) == answer:
            return True
        time.sleep(0.1)
    return False


def session(house: Served, email: str, role: str) -> dict[str, str]:
    """Sign a person of that role in; return the header of their session."""
    house.run("person", "add", email, "--role", role)
    link = house.run("person", "link", email)["link"].split("link=")[1].split("&")[0]
    made = house.http.post("/api/sign-in", json={"link": link}).json()["session"]
    return {"authorization": f"Bearer {made}"}


def post(house: Served, who: dict[str, str], path: str, **body: str) -> tuple[int, str]:
    answer = house.http.post(f"/api/restoration/{path}", json=body, headers=who)
    return answer.status_code, answer.json()["error"]["code"] if answer.status_code != 200 else ""


@pytest.mark.deep
def test_what_was_revoked_after_the_backup_does_not_come_back_to_life(tmp_path: Path) -> None:
    folder, new = tmp_path / "backup", tmp_path / "new"
    with served(found(tmp_path / "old")) as old:
        ended, kept = old.grant(passes=100), old.grant(passes=100)
        assert asked(old, ended["key"]) == asked(old, kept["key"]) == (200, "")
        old.run("backup", str(folder))
        old.run("grant", "revoke", ended["id"], "--reason", "security")
        assert comes_to(old, ended["key"], (403, "access/grant-revoked"))
        newest = old.run("ledger", "checkpoint")["checkpoint"]
    run(new, "restore", str(folder))
    with served(new) as house:
        assert house.http.get("/healthz").json() == {"ok": True, "restored": True}
        assert "restored from a backup" in house.http.get("/").text
        assert [each["name"] for each in house.run("doctor", code=1)["checks"] if not each["ok"]] == ["restored"]
        for grant in (ended, kept):
            assert asked(house, grant["key"]) == REFUSED
            assert house.run("grant", "why", grant["id"])["code"] == "access/grant-suspended"
            assert house.meter(grant["id"])["state"] == "suspended"
        # No wrong attempt lifts it.
        ann, bob = session(house, "ann@x.example", "steward"), session(house, "bob@x.example", "safety")
        dot = session(house, "dot@x.example", "auditor")
        own = (folder / "home/ledger.checkpoint").read_text()
        assert post(house, dot, "confirm", reason="let me")[0] == 403
        assert post(house, {}, "confirm", reason="let me")[0] == 401
        assert post(house, ann, "confirm", reason="")[0] == 400
        assert post(house, ann, "match", checkpoint="none", reason="x")[0] == 400
        assert post(house, ann, "match", checkpoint=newest, reason="the page") == (409, "access/history-lost")
        assert post(house, ann, "match", checkpoint=own, reason="the backup") == (409, "access/history-lost")
        assert post(house, ann, "confirm", reason="the disk died") == (200, "")
        assert post(house, ann, "confirm", reason="it did") == (409, "access/already-confirmed")
        assert asked(house, ended["key"]) == asked(house, kept["key"]) == REFUSED
        # Whoever looks sees what came back and how much is lost, and ends again what had been ended.
        shown = house.http.get("/api/restoration", headers=bob).json()
        assert {each["id"]: each["state"] for each in shown["grants"]} == {ended["id"]: "active", kept["id"]: "active"}
        assert shown["newer"] > shown["size"]
        revoke = house.http.post(f"/api/grants/{ended['id']}/revoke", json={"reason": "security"}, headers=bob)
        assert revoke.status_code == 200
        assert post(house, bob, "confirm", reason="I know of it") == (200, "")
        assert house.http.get("/healthz").json() == {"ok": True}
        assert comes_to(house, ended["key"], (403, "access/grant-revoked"))
        assert comes_to(house, kept["key"], (200, ""))
        assert house.meter(kept["id"])["state"] == "active"
        assert "restored from a backup" not in house.http.get("/").text
    assert run(new, "ledger", "verify")["ok"]
    assert not run(new, "ledger", "verify", "--since", str(_written(tmp_path, newest)), code=1)["ok"]


def _written(folder: Path, text: str) -> Path:
    path = folder / "newest.txt"
    path.write_text(text)
    return path


@pytest.mark.deep
def test_a_house_that_moves_is_opened_by_its_newest_checkpoint(tmp_path: Path) -> None:
    with served(found(tmp_path / "old")) as old:
        key = old.grant(passes=100)["key"]
        assert asked(old, key) == (200, "")
    run(tmp_path / "old", "backup", str(tmp_path / "b"))
    run(tmp_path / "new", "restore", str(tmp_path / "b"))
    kept = str(_written(tmp_path, run(tmp_path / "old", "ledger", "checkpoint")["checkpoint"]))
    run(tmp_path / "new", "restore", "--match", kept, code=2)  # without a reason
    told = run(tmp_path / "new", "restore", "--match", kept, "--reason", "it was stopped before the backup")
    assert told["restored"] is False
    with served(tmp_path / "new") as house:
        assert asked(house, key) == (200, "")


def test_the_operator_lifts_nothing_in_a_house_in_earnest(tmp_path: Path) -> None:
    run(tmp_path / "home", "init", "--engine", "echo")
    run(tmp_path / "home", "backup", str(tmp_path / "b"))
    run(tmp_path / "new", "restore", str(tmp_path / "b"))
    own = str(tmp_path / "b/home/ledger.checkpoint")
    for command in (("--confirm",), ("--match", own)):
        told = run(tmp_path / "new", "restore", *command, "--reason", "please", code=1)
        assert told["error"]["code"] == "people/not-allowed"
        run(tmp_path / "new", "restore", *command, "--reason", "please", "--as", "lab@example.org", code=2)
    assert run(tmp_path / "new", "restore")["restored"] is True


def test_in_a_house_for_trials_the_operator_is_one_of_two(backup: Path, tmp_path: Path) -> None:
    home = tmp_path / "new"
    run(home, "restore", str(backup))
    run(home, "person", "add", "s@lab.example", "--role", "steward")
    assert len(run(home, "restore", "--confirm", "--reason", "a trial")["confirmed"]) == 1
    told = run(home, "restore", "--confirm", "--reason", "a trial", code=1)
    assert told["error"]["code"] == "access/already-confirmed"
    assert run(home, "restore", "--confirm", "--reason", "a trial", "--as", "s@lab.example")["restored"] is False


def test_nobody_is_signed_in_any_more_and_no_link_that_was_open_works(tmp_path: Path) -> None:
    house = House(load(found(tmp_path / "home")))
    with closing(house):
        operator = house.people.operator()
        house.people.add(operator, "s@x.example", roles=[Role.STEWARD])
        signed_in = house.people.sign_in(house.people.make_link_for(operator, "s@x.example"))
        open_link = house.people.make_link_for(operator, "s@x.example")
        assert house.people.session(signed_in) is not None
    run(tmp_path / "home", "backup", str(tmp_path / "b"))
    run(tmp_path / "new", "restore", str(tmp_path / "b"))
    with closing(House(load(tmp_path / "new"))) as restored:
        assert restored.people.session(signed_in) is None
        with pytest.raises(Refused):
            restored.people.sign_in(open_link)
        assert not restored.people.may_see_link(operator, "s@x.example")  # a steward has come: links are for their own


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.deep
def test_every_damaged_file_is_named_and_nothing_is_made(backup: Path, tmp_path: Path) -> None:
    files = sorted(path.relative_to(backup) for path in backup.rglob("*") if path.is_file())
    assert len(files) > 40
    for damage in (flip, Path.unlink):
        for name in files:
            copy = tmp_path / "copy"
            shutil.copytree(backup, copy)
            damage(copy / name)
            told = run(tmp_path / "new", "restore", str(copy), code=2)["error"]
            assert name.name in told["message"], name
            assert not (tmp_path / "new").exists()
            shutil.rmtree(copy)
    assert list(tmp_path.iterdir()) == []


def rewrite(backup: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what a backup says of itself, as somebody who knows how would."""
    said = json.loads((backup / "backup.json").read_bytes())["backup"]
    change(said)
    (backup / "backup.json").write_bytes(canonical({"backup": said, "digest": digest(said)}))


@pytest.mark.parametrize("change", [{"format": 2, "program": "9.0"}, {"schema": "9999"}])
def test_a_newer_programs_backup_is_refused(backup: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    shutil.copytree(backup, tmp_path / "b")
    rewrite(tmp_path / "b", lambda said: said.update(change))
    assert "newer program" in run(tmp_path / "new", "restore", str(tmp_path / "b"), code=2)["error"]["message"]
    assert not (tmp_path / "new").exists()


def test_a_log_that_was_altered_with_care_is_refused(backup: Path, tmp_path: Path) -> None:
    shutil.copytree(backup, tmp_path / "b")
    path = tmp_path / "b/database/ledger_entry.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    fresh = f"sha256:{sha256(path.read_bytes()).hexdigest()}"
    rewrite(tmp_path / "b", lambda said: said["files"].update({"database/ledger_entry.jsonl": fresh}))
    told = run(tmp_path / "new", "restore", str(tmp_path / "b"), code=2)["error"]["message"]
    assert "not whole" in told
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "home/../../evil", "elsewhere/evil"])  # noqa: S108 - an attack
def test_a_backup_that_names_files_outside_itself_is_refused(backup: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(backup, tmp_path / "b")
    rewrite(tmp_path / "b", lambda said: said["files"].update({name: "sha256:00"}))
    assert "does not belong" in run(tmp_path / "new", "restore", str(tmp_path / "b"), code=2)["error"]["message"]


def test_what_stands_there_is_not_touched(backup: Path, tmp_path: Path) -> None:
    home = found(tmp_path / "home")
    before = (home / "readingroom.db").read_bytes()
    assert "is there already" in run(home, "restore", str(backup), code=2)["error"]["message"]
    assert (home / "readingroom.db").read_bytes() == before
    (tmp_path / "empty").mkdir()
    run(tmp_path / "empty", "restore", str(backup))
    for wrong in ([str(backup), "--confirm"], [str(backup), "--match", str(backup / "backup.json")]):
        run(tmp_path / "other", "restore", *wrong, code=2)
    assert not (tmp_path / "other").exists()


def _rows_of(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    with path.open("rb") as lines:
        return list(read_rows(lines))


def test_a_backup_of_an_older_schema_is_brought_up_to_date(backup: Path, tmp_path: Path) -> None:
    shutil.copytree(backup, tmp_path / "b")
    folder = tmp_path / "b/database"
    with (folder / "gateway_meter.jsonl").open("rb") as lines:
        (meter,) = read_rows(lines)
    hold = {"id": "receipt_1", "grant_id": meter["grant_id"], "passes": 7, "tokens": 9, "calls": 1, "worker": "w"}
    hold |= {"created_at": "2026-01-05T09:00:00.000000Z", "record": "{}", "salt": b"\0"}
    old = Database(f"sqlite:///{tmp_path / 'old.db'}")
    old.create("0009")
    with old.write() as tx:
        for table in tables(tx):
            rows = [hold] if table.name == "gateway_hold" else _rows_of(folder / f"{table.name}.jsonl")
            kept = [{name: value for name, value in row.items() if name in table.columns} for row in rows]
            held = {"reserved_passes": 7, "reserved_tokens": 9, "reserved_calls": 1}
            kept = [row | held for row in kept] if table.name == "gateway_meter" else kept
            if kept:
                tx.execute(table.insert(), kept)

    def age(said: dict[str, Any]) -> None:
        said["schema"] = "0009"
        for path in folder.glob("*.jsonl"):
            del said["files"][f"database/{path.name}"]
            path.unlink()
        with old.read() as tx:
            for table in tables(tx):
                path = folder / f"{table.name}.jsonl"
                path.write_bytes(b"".join(rows_out(tx, table)))
                said["files"][f"database/{path.name}"] = f"sha256:{sha256(path.read_bytes()).hexdigest()}"

    rewrite(tmp_path / "b", age)
    old.close()
    run(tmp_path / "new", "restore", str(tmp_path / "b"))
    assert run(tmp_path / "new", "restore")["restored"] is True
    assert run(tmp_path / "new", "ledger", "verify")["ok"]
    shown = run(tmp_path / "new", "grant", "show", meter["grant_id"])
    assert shown["used"] == {"passes": 7, "tokens": 9, "calls": 1}  # what was open then is charged in full


@pytest.mark.deep
def test_the_same_backup_goes_into_postgres_and_back_into_a_file(
    backup: Path, postgres_db: Database, tmp_path: Path
) -> None:
    assert (
        "holds something already"
        in (run(tmp_path / "pg", "restore", str(backup), "--database", postgres_db.url, code=2)["error"]["message"])
    )
    with postgres_db.write() as tx:
        found_there = sa.MetaData()
        found_there.reflect(tx)
        found_there.drop_all(tx)
    assert not (tmp_path / "pg").exists()
    run(tmp_path / "pg", "restore", str(backup), "--database", postgres_db.url)
    assert load(tmp_path / "pg").database == postgres_db.url
    assert not (tmp_path / "pg/readingroom.db").exists()
    with served(tmp_path / "pg", workers=2) as house:
        ann, bob = session(house, "ann@x.example", "steward"), session(house, "bob@x.example", "safety")
        key = house.grant(passes=50)["key"]
        assert asked(house, key) == REFUSED
        house.run("backup", str(tmp_path / "from-pg"))
        assert post(house, ann, "confirm", reason="x") == post(house, bob, "confirm", reason="y") == (200, "")
        assert comes_to(house, key, (200, ""))
    assert run(tmp_path / "pg", "ledger", "verify")["ok"]
    told = run(tmp_path / "file", "restore", str(tmp_path / "from-pg"))
    assert told["grants_suspended"] == 2
    assert load(tmp_path / "file").database == ""
    with served(tmp_path / "file") as house:
        assert asked(house, key) == REFUSED  # both restorings are open in it
    assert run(tmp_path / "file", "ledger", "verify")["ok"]


def test_a_restoring_that_fails_midway_leaves_neither_house_nor_tables(
    backup: Path, postgres_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres_db.write() as tx:
        found_there = sa.MetaData()
        found_there.reflect(tx)
        found_there.drop_all(tx)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("readingroom.app.restore.charge_all_leases", full)
        for options in ([], ["--database", postgres_db.url]):
            told = run(tmp_path / "new", "restore", str(backup), *options, code=1)["error"]["message"]
            assert "No space left" in told
            assert list(tmp_path.iterdir()) == []
    run(tmp_path / "new", "restore", str(backup), "--database", postgres_db.url)


def test_the_kept_checkpoint_of_the_lost_house_is_told_of_in_the_restored_one(tmp_path: Path) -> None:
    """Who puts the lost house's checkpoint back beside the restored database is told, and nothing is signed on it."""
    home = found(tmp_path / "home")
    run(home, "backup", str(tmp_path / "b"))
    for n in range(3):
        run(home, "person", "add", f"p{n}@x.example", "--role", "auditor")
    run(tmp_path / "new", "restore", str(tmp_path / "b"))
    run(tmp_path / "new", "ledger", "verify")
    shutil.copy(home / "ledger.checkpoint", tmp_path / "new/ledger.checkpoint")
    run(tmp_path / "new", "ledger", "verify", code=1)
    run(tmp_path / "new", "person", "add", "q@x.example", "--role", "auditor", code=1)


def test_the_restored_database_is_the_one_that_was_backed_up(backup: Path, tmp_path: Path) -> None:
    run(tmp_path / "new", "restore", str(backup))
    run(tmp_path / "new", "backup", str(tmp_path / "again"))
    changed = {"people_session", "people_link", "ledger_entry", "ledger_checkpoint", "access_version"}
    changed |= {"access_restoration", "gateway_lease", "gateway_worker"}
    first, second = Manifest.read(backup).files, Manifest.read(tmp_path / "again").files
    assert first.keys() == second.keys()
    for name in first.keys() - {f"database/{table}.jsonl" for table in changed} - {"home/ledger.checkpoint"}:
        assert first[name] == second[name], name
    with sqlite3.connect(tmp_path / "new/readingroom.db") as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    db.close()
