"""A backup is consistent while the house serves, whole or not there, and for its owner's eyes only."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from readingroom.app.backup import Manifest
from readingroom.app.restore import verify
from readingroom.store.copy import read_rows
from served import found, run, served

TESTS = Path(__file__).parents[1]
UNITS = ("passes", "tokens", "calls")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return found(tmp_path / "home")


def rows(backup: Path, table: str) -> list[dict[str, Any]]:
    with (backup / "database" / f"{table}.jsonl").open("rb") as lines:
        return list(read_rows(lines))


def is_consistent(backup: Path, *, calls: bool = True) -> int:
    """The log verifies, and what the meters show is what records and leases add up to. Returns how many records.

    A lease that was charged as a whole has one record, for however many calls; then calls are not compared.
    """
    verify(backup, Manifest.read(backup))
    used, held = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    records = rows(backup, "gateway_usage")
    for each in records:
        leaf = json.loads(each["leaf"])
        for unit, amount in (("passes", leaf["passes"]), ("tokens", leaf["tokens"]), ("calls", 1)):
            used[each["grant_id"], unit] += amount
    for each in rows(backup, "gateway_lease"):
        for unit in UNITS:
            held[each["grant_id"], unit] += each[unit]
    for each in rows(backup, "gateway_meter"):
        for unit in UNITS:
            assert each[f"used_{unit}"] == used[each["grant_id"], unit] or (unit == "calls" and not calls)
            assert each[f"reserved_{unit}"] == held[each["grant_id"], unit]
    size = json.loads((backup / "backup.json").read_bytes())["backup"]["checkpoint"].split("\n")[1]
    assert all(each["entry_seq"] is None or each["entry_seq"] < int(size) for each in records)
    return len(records)


@pytest.fixture(scope="module")
def backups_under_load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[Path]]]:
    """Serve calls of eight clients on two workers, and back the house up again and again meanwhile."""
    folder = tmp_path_factory.mktemp("load")
    taken = [folder / f"backup-{n}" for n in range(4)]
    with served(found(folder / "home", words_per_second="200"), workers=2) as house:
        keys = [house.grant(passes=1_000_000)["key"] for _ in range(3)]  # more than is read meanwhile
        stop = threading.Event()

        def read(key: str) -> None:
            body = {"model": "echo", "messages": [{"role": "user", "content": "one two three four"}]}
            headers = {"authorization": f"Bearer {key}"}
            with httpx.Client(base_url=house.url, timeout=20) as client:
                while not stop.is_set():
                    assert client.post("/v1/chat/completions", json=body, headers=headers).status_code == 200

        readers = [threading.Thread(target=read, args=(keys[n % 3],)) for n in range(8)]
        for each in readers:
            each.start()
        for directory in taken:
            house.run("backup", str(directory))
        stop.set()
        for each in readers:
            each.join()
        yield house.home, taken


@pytest.mark.deep
def test_backups_under_load_add_up_and_their_logs_verify(backups_under_load: tuple[Path, list[Path]]) -> None:
    _, taken = backups_under_load
    counts = [is_consistent(each) for each in taken]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]  # calls were served in between
    assert any(rows(each, "gateway_lease") for each in taken)  # and some were open


@pytest.mark.deep
def test_what_was_leased_is_charged_in_full_on_restoring(
    backups_under_load: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    _, taken = backups_under_load
    backup = next(each for each in taken if rows(each, "gateway_lease"))
    told = run(tmp_path / "new", "restore", str(backup))
    assert told["leases_charged"] == len(rows(backup, "gateway_lease"))
    run(tmp_path / "new", "backup", str(tmp_path / "again"))
    is_consistent(tmp_path / "again", calls=False)
    after = {each["grant_id"]: each for each in rows(tmp_path / "again", "gateway_meter")}
    for each in rows(backup, "gateway_meter"):
        for unit in UNITS:
            assert after[each["grant_id"]][f"used_{unit}"] == each[f"used_{unit}"] + each[f"reserved_{unit}"]
            assert after[each["grant_id"]][f"reserved_{unit}"] == 0
    assert rows(tmp_path / "again", "gateway_lease") == rows(tmp_path / "again", "gateway_worker") == []


def test_only_its_owner_can_read_it(home: Path, tmp_path: Path) -> None:
    (home / "rules" / "more").mkdir(mode=0o755)
    (home / "rules" / "more" / "extra.yaml").write_text("rules: []\n")
    run(home, "backup", str(tmp_path / "b"))
    everything = [tmp_path / "b", *(tmp_path / "b").rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in everything if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in everything if path.is_file()} == {0o600}
    assert (tmp_path / "b/home/rules/more/extra.yaml").exists()
    assert (tmp_path / "b/home/keys/ledger.key").exists()
    assert not (tmp_path / "b/home/run").exists()
    assert not (tmp_path / "b/home/outbox").exists()


def test_nothing_is_overwritten(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    run(home, "backup", str(tmp_path / "whole"))
    for name in ("file", "folder", "whole", "link"):
        assert "is there already" in run(home, "backup", str(tmp_path / name), code=2)["error"]["message"]
    (tmp_path / "empty").mkdir()
    run(home, "backup", str(tmp_path / "empty"))
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["mine"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file", "folder", "home", "link", "whole"]


@pytest.mark.parametrize("most", [40_000, 150_000], ids=["a table", "a paper"])
def test_a_full_disk_leaves_nothing_and_says_so(home: Path, tmp_path: Path, most: int) -> None:
    (home / "rules" / "large.yaml").write_text("# " + "x" * 200_000)
    (tmp_path / "terms.md").write_text("Be kind. " * 9_000)
    run(home, "terms", "publish", str(tmp_path / "terms.md"), "--reason", "longer")
    (tmp_path / "terms.md").unlink()
    command = [sys.executable, str(TESTS / "app/limited.py"), str(home), str(tmp_path / "b"), str(most)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)["error"]["message"]
    assert "cannot be written" in told
    assert "Free disk space" in told
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    run(home, "backup", str(tmp_path / "b"))


@pytest.mark.deep
def test_one_that_is_killed_leaves_nothing_that_looks_like_a_backup(home: Path, tmp_path: Path) -> None:
    target, ended = tmp_path / "b", []
    for touch in (*range(1, 200, 9), 200):
        command = [sys.executable, str(TESTS / "app/killed.py"), str(home), str(target), str(touch)]
        ended.append(subprocess.run(command, capture_output=True, check=False).returncode)
        if ended[-1] == 0:
            break
        assert not target.exists()
        for left in tmp_path.glob(".b-*"):  # one that only was not moved to its place is whole
            if (left / "backup.json").exists():
                is_consistent(left)
            else:
                assert "is no backup" in run(tmp_path / "new", "restore", str(left), code=2)["error"]["message"]
    assert ended[:-1] == [-9] * (len(ended) - 1)
    assert ended[-1] == 0
    assert len(ended) > 5
    is_consistent(target)


def test_a_log_that_is_not_whole_is_not_backed_up(home: Path, tmp_path: Path) -> None:
    with sqlite3.connect(home / "readingroom.db") as db:
        db.execute("update ledger_entry set leaf = x'7b7d' where seq = 2")
    db.close()
    told = run(home, "backup", str(tmp_path / "b"), code=1)["error"]["message"]
    assert "entry 2" in told
    assert not (tmp_path / "b").exists()


def test_a_backup_decides_nothing(home: Path, tmp_path: Path) -> None:
    before = run(home, "ledger", "checkpoint")["checkpoint"]
    told = run(home, "backup", str(tmp_path / "b"))
    assert run(home, "ledger", "checkpoint")["checkpoint"] == before
    assert (tmp_path / "b/home/ledger.checkpoint").read_text() == before
    assert told["size"] == int(before.split("\n")[1])
