"""A founding that was cut off, anywhere, can be run again to its end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from readingroom.app.founding import default_plan, found
from readingroom.core.errors import BadInput, Broken
from readingroom.core.settings import FILE, Settings
from readingroom.publication.oms import load_private, public_from_option


def begin(home: Path) -> None:
    settings = Settings(home=home, engine="echo")
    found(settings, default_plan(settings)).close()


@pytest.mark.parametrize("name", ["ledger.key", "release.key"])
def test_an_empty_key_is_told_and_no_house_stands_on_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / name).touch()
    with pytest.raises(Broken, match=name):
        begin(tmp_path)
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("nth", [1, 4, 5, 6, 8])
def test_a_disk_that_is_full_at_any_file_leaves_no_empty_one_and_the_next_run_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    fsync, left = os.fsync, nth

    def full(handle: int) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError(28, "No space left on device")
        return fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises((OSError, Broken), match=r"No space|cannot be"):
        begin(tmp_path)
    monkeypatch.undo()
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size == 0] == []
    begin(tmp_path)
    private = load_private(tmp_path / "keys" / "release.key")
    public = public_from_option(str(tmp_path / "keys" / "release.pub"))
    assert private.public_key().public_numbers() == public.public_numbers()


def test_a_public_key_that_was_not_written_is_made_again_of_the_private_one(tmp_path: Path) -> None:
    begin(tmp_path)
    (tmp_path / FILE).unlink()
    (tmp_path / "keys" / "release.pub").write_text("")
    begin(tmp_path)
    assert public_from_option(str(tmp_path / "keys" / "release.pub"))


def test_everything_private_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    before = os.umask(0o000)
    try:
        begin(home)
    finally:
        os.umask(before)
    for path in home.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("odd", ["a?b", "a%20b", "a#b", "a b&mode=ro", "ä"])
def test_a_home_with_an_odd_name_holds_its_own_database(tmp_path: Path, odd: str) -> None:
    begin(tmp_path / odd)
    assert (tmp_path / odd / "readingroom.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [odd]


def test_a_founding_that_was_cut_off_is_not_gone_on_with_for_another_engine(tmp_path: Path) -> None:
    (tmp_path / "release.yaml").write_text(default_plan(Settings(home=tmp_path, engine="embedded", dev=True)))
    other = Settings(home=tmp_path, engine="echo", dev=True)
    with pytest.raises(BadInput, match="another engine"):
        found(other, default_plan(other))
    assert [path.name for path in tmp_path.iterdir()] == ["release.yaml"]
