"""The log as files, and the verifier that needs nothing but them and a key."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from readingroom.core.errors import BadInput, Broken
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.export import export
from readingroom.ledger.merkle import EMPTY
from readingroom.ledger.note import Signer, Verifier
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.service import Ledger
from readingroom.ledger.tiles import Tile, bundle, tiles_of, unbundle
from readingroom.ledger.verify import verify_export
from readingroom.store.db import Database

Fill = Callable[[Database, int], None]
SIZE = 300


@pytest.fixture
def exported(sqlite_db: Database, fill: Fill, tmp_path: Path) -> Path:
    fill(sqlite_db, SIZE)
    export(LedgerReader(sqlite_db), tmp_path / "log")
    return tmp_path / "log"


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_an_export_holds_the_tiles_of_its_checkpoint_and_nothing_else(exported: Path) -> None:
    assert files(exported) == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    ]
    assert [path.name for path in exported.parent.glob(".log-*")] == []


def test_an_export_is_proved(exported: Path, sqlite_db: Database, ledger: Ledger) -> None:
    report = verify_export(exported, ledger.verifier)
    assert (report.problems, report.size) == ((), SIZE)
    assert report.root == LedgerReader(sqlite_db).audit(ledger.verifier).root
    for size in (1, 100, 256, SIZE):
        assert verify_export(exported, ledger.verifier, LedgerReader(sqlite_db).checkpoint(size)).ok


def test_an_export_of_every_small_size_is_proved(
    sqlite_db: Database, ledger: Ledger, fill: Fill, tmp_path: Path
) -> None:
    for size in range(1, 12):
        fill(sqlite_db, 1)
        assert export(LedgerReader(sqlite_db), tmp_path / "log") == size
        assert verify_export(tmp_path / "log", ledger.verifier).problems == ()


def test_a_changed_byte_in_any_file_is_seen_and_its_file_or_entry_named(exported: Path, ledger: Ledger) -> None:
    for name in files(exported):
        path = exported / name
        whole = path.read_bytes()
        for at in {0, 1, 2, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert not verify_export(exported, ledger.verifier).ok, (name, at)
        for cut in (whole[:-1], whole + b"\0", b""):
            path.write_bytes(cut)
            problems = verify_export(exported, ledger.verifier).problems
            assert any(name in problem for problem in problems), (name, problems)
        path.unlink()
        assert f"{name}: is missing" in verify_export(exported, ledger.verifier).problems
        path.write_bytes(whole)
    assert verify_export(exported, ledger.verifier).ok


def test_altered_and_reordered_entries_are_named(exported: Path, ledger: Ledger) -> None:
    path = exported / Tile(None, 0).path()
    whole = path.read_bytes()
    leaves = unbundle(whole)
    path.write_bytes(bundle([*leaves[:7], leaves[7].replace(b'"n":7', b'"n":8'), *leaves[8:]]))
    assert verify_export(exported, ledger.verifier).problems[0] == "entry 7: altered: its hash is another"
    path.write_bytes(bundle([*leaves[:7], leaves[8], leaves[7], *leaves[9:]]))
    assert verify_export(exported, ledger.verifier).problems[:2] == (
        "entry 7: here stands entry 8: reordered",
        "entry 8: here stands entry 7: reordered",
    )
    path.write_bytes(whole)


def test_a_file_that_the_log_does_not_have_is_named(exported: Path, ledger: Ledger) -> None:
    (exported / "tile/0/001.p/43").write_bytes(b"")
    (exported / "tile/readme").write_text("read me first")
    assert verify_export(exported, ledger.verifier).problems == (
        "tile/readme: is no file of this log",
        "tile/0/001.p/43: is no file of this log",
    )


def test_a_link_in_place_of_a_file_is_not_followed(exported: Path, ledger: Ledger) -> None:
    path = exported / "tile/0/000"
    path.rename(exported.parent / "elsewhere")
    path.symlink_to(exported.parent / "elsewhere")
    assert "tile/0/000: is missing" in verify_export(exported, ledger.verifier).problems


def test_an_export_forged_throughout_is_betrayed_by_the_key_or_a_kept_checkpoint(
    exported: Path, sqlite_db: Database, ledger: Ledger, signer: Signer
) -> None:
    forged = Checkpoint(signer.name, 5, EMPTY)
    assert "no prefix" in verify_export(exported, ledger.verifier, forged.sign(signer)).problems[0]
    longer = Checkpoint(signer.name, SIZE + 1, EMPTY).sign(signer)
    assert "the log only 300" in verify_export(exported, ledger.verifier, longer).problems[0]
    other = Signer.generate(signer.name)
    assert "not signed by" in verify_export(exported, other.verifier).problems[0]
    kept = LedgerReader(sqlite_db).checkpoint(9)
    (exported / "checkpoint").write_bytes(kept or b"")
    assert not verify_export(exported, ledger.verifier).ok


def test_an_earlier_export_is_replaced_whole(exported: Path, sqlite_db: Database, ledger: Ledger, fill: Fill) -> None:
    fill(sqlite_db, 1)
    export(LedgerReader(sqlite_db), exported)
    assert "tile/0/001.p/44" not in files(exported)
    assert verify_export(exported, ledger.verifier).size == SIZE + 1


def test_a_folder_of_something_else_is_left_alone(sqlite_db: Database, fill: Fill, tmp_path: Path) -> None:
    fill(sqlite_db, 1)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("ten years")
    (tmp_path / "file").write_text("ten years")
    for name in ("thesis", "file"):
        with pytest.raises(BadInput, match="no export of a log"):
            export(LedgerReader(sqlite_db), tmp_path / name)
    assert files(tmp_path / "thesis") == ["chapter.tex"]


def test_an_export_that_fails_midway_leaves_the_earlier_one(exported: Path, sqlite_db: Database, fill: Fill) -> None:
    fill(sqlite_db, 1)
    before = files(exported)

    def fail(tile: Tile) -> None:
        if tile.level == 0:
            raise OSError(28, "No space left on device")

    with pytest.raises(Broken, match="No space left"):
        export(LedgerReader(sqlite_db), exported, fail)
    assert files(exported) == before
    assert [path.name for path in exported.parent.glob(".log-*")] == []


def test_an_empty_log_has_no_export(sqlite_db: Database, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no entries yet"):
        export(LedgerReader(sqlite_db), tmp_path / "log")
    assert not (tmp_path / "log").exists()


def test_a_folder_that_is_no_log_is_a_problem_and_no_crash(tmp_path: Path, ledger: Ledger) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert verify_export(folder, ledger.verifier).problems == ("checkpoint: is missing",)


def test_the_tiles_of_an_export_are_those_that_are_served(exported: Path, sqlite_db: Database) -> None:
    reader = LedgerReader(sqlite_db)
    for tile in tiles_of(SIZE):
        assert (exported / tile.path()).read_bytes() == reader.tile(tile)


PURE = ("audit", "checkpoint", "export", "merkle", "model", "note", "proof", "receipt", "report", "tiles", "verify")


@pytest.mark.parametrize("module", PURE)
def test_the_verifiers_need_neither_database_nor_web(module: str) -> None:
    """An auditor reads what the verifier rests on: our core, these modules, and the signature library."""
    program = (
        f"import sys, readingroom.ledger.{module}\n"
        "print(*sorted(m for m in sys.modules if m.startswith('readingroom.')))\n"
        "print(*sorted({m.split('.')[0] for m in sys.modules}))\n"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    ours, all_of_them = (line.split() for line in shown.splitlines())
    allowed = {f"readingroom.ledger.{each}" for each in PURE}
    assert {each for each in ours if each.startswith("readingroom.ledger.")} <= allowed
    assert {each.split(".")[1] for each in ours} <= {"core", "ledger"}
    assert not {"sqlalchemy", "aiohttp", "litestar", "msgspec", "sqlite3", "alembic", "typer"} & set(all_of_them)


def test_a_key_line_is_all_that_an_outsider_needs(exported: Path, ledger: Ledger) -> None:
    assert verify_export(exported, Verifier.parse(ledger.verifier.to_line() + "\n")).ok


def test_an_export_does_not_take_the_place_of_the_folder_in_which_one_stands(
    sqlite_db: Database, fill: Fill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(sqlite_db, 1)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in (".", str(tmp_path / "here")):
        with pytest.raises(BadInput, match="is where you stand"):
            export(LedgerReader(sqlite_db), Path(name))
    assert Path.cwd().exists()
