"""Writing the log out as files, laid out as C2SP tlog-tiles serves them; `verify` reads them without this program."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.ledger.tiles import CHECKPOINT, Tile, tiles_of


class Source(Protocol):
    """What an export is read from."""

    def size(self) -> int:
        """Return how many entries there are."""

    def checkpoint(self, at: int | None = None) -> bytes | None:
        """Return the signed checkpoint of one size, or the newest."""

    def tile(self, tile: Tile) -> bytes | None:
        """Return the bytes of a tile or bundle."""


def export(source: Source, folder: Path, progress: Callable[[Tile], None] = lambda _: None) -> int:
    """Write the log at its present size into a folder, all or nothing, and return that size.

    The files are written beside the folder and moved to its place when they are whole. An earlier export there is
    replaced; any other folder that holds something is left alone.

    Args:
        source: the log's reading end.
        folder: where to write; made if it is not there.
        progress: told of each tile.

    Raises:
        BadInput: the folder holds something else, or the log is empty.
        Broken: it cannot be written.
    """
    if folder.absolute() == Path.cwd():
        cure = "Name a new folder, or stand elsewhere"
        raise BadInput([Problem(str(folder), "is where you stand; an export takes the place of its folder", cure)])
    size = source.size()
    note = source.checkpoint(size)
    if note is None:
        raise BadInput([Problem(str(folder), "the log has no entries yet", "Export it after the first decision")])
    try:
        if folder.exists() and not _is_replaceable(folder):
            cure = "Name a new folder, or one that an earlier export wrote"
            raise BadInput([Problem(str(folder), "holds something that is no export of a log", cure)])
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as fault:
        raise _unwritable(folder, fault) from None
    try:
        made = beside / "new"
        for tile in tiles_of(size):
            _write(made / tile.path(), source.tile(tile) or b"")
            progress(tile)
        _write(made / CHECKPOINT, note)
        if folder.exists():
            folder.rename(beside / "old")
        made.rename(folder)
    except OSError as fault:
        raise _unwritable(folder, fault) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return size


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _is_replaceable(folder: Path) -> bool:
    if not folder.is_dir() or folder.is_symlink():
        return False
    return {each.name for each in folder.iterdir()} in (set(), {CHECKPOINT, "tile"})


def _unwritable(folder: Path, fault: OSError) -> Broken:
    return Broken(Problem(str(folder), f"cannot be written: {fault.strerror}", "Check the path and the disk"))
