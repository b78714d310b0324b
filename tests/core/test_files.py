from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from readingroom.core.files import write_new, write_over


def test_a_new_file_is_never_written_over_one_that_is_there(tmp_path: Path) -> None:
    write_new(tmp_path / "f", b"one")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "f", b"two")
    assert (tmp_path / "f").read_bytes() == b"one"
    write_over(tmp_path / "f", b"three")
    assert (tmp_path / "f").read_bytes() == b"three"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("write", [write_new, write_over])
def test_on_a_full_disk_no_half_a_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Any) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "f", b"data")
    assert list(tmp_path.iterdir()) == []
