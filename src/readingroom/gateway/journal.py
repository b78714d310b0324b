r"""A worker's journal: what it holds and what it has charged, appended before anything depends on it.

A line is written before a request reaches the engine (`begin`) and before an answer's end is sent (`end`). Once
`write` has returned, the line survives the process, however it dies; `fdatasync` follows within ten milliseconds, for
many lines at once, so that a power cut loses no more than that. The database is fed from memory; the journal is read
only after a death: what ended is charged as it ended, what was open in full, and the rest of the lease returns. After
a power cut, or where the journal is gone, whole leases are charged instead: never lost, never spent twice.

    9f3a01c2 {"begin": {...}}\n         CRC-32 of the JSON, then the JSON
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from readingroom.core.clock import parse_rfc3339, rfc3339
from readingroom.gateway.model import Amount, Call, Hold, Usage

SYNC_SECONDS = 0.01
SEGMENT_BYTES = 8_000_000  # after which a new file is begun, and the old one deleted once the database has it all

log = logging.getLogger("readingroom.gateway")
_encode = msgspec.json.Encoder().encode


@dataclass
class Written:
    """What a dead worker's journal holds.

    Attributes:
        open: what was begun and never ended.
        done: what ended with a charge.
        whole: whether nothing is missing of it, but what a power cut may have taken.
    """

    open: dict[str, tuple[Call, Amount]] = field(default_factory=dict)
    done: dict[str, Usage] = field(default_factory=dict)
    whole: bool = False


class Journal:
    """The writing end, of one worker."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of all journals of this house; `open` makes the first file."""
        self._folder, self._worker = folder, ""
        self._number = 0
        self._file = -1
        self._size = 0
        self._old: list[Path] = []
        self._dirty = False
        self._syncing = False
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="journal")

    def open(self, worker: str) -> None:
        """Begin a worker's first file."""
        self._worker, self._number, self._size = worker, 0, 0
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = self._make()

    def begin(self, hold: Hold) -> None:
        """Put a hold on record, before its request reaches the engine. Raises `OSError`; then nothing is on record."""
        call, amount = hold.call, hold.amount
        said: dict[str, object] = {
            "id": call.id,
            "grant": call.grant,
            "amount": (amount.passes, amount.tokens, amount.calls),
            "record": call.record,
            "salt": call.salt,
        }
        if sealed := call.sealed():
            said["sealed"] = sealed
        if call.key:
            said["key"] = call.key
        self._append({"begin": said})

    def end(self, hold: str, made: Usage | None) -> None:
        """Put a charge, or a refund, on record, before the answer's end is sent. Raises `OSError`."""
        said: dict[str, object] = {"id": hold}
        if made is not None:
            charged = made.charged
            said |= {
                "grant": made.grant,
                "charged": (charged.passes, charged.tokens, charged.calls),
                "leaf": made.leaf,
                "salt": made.salt,
                "at": rfc3339(made.at),
            }
            if made.sealed:
                said["sealed"] = made.sealed
            if made.key:
                said["key"] = made.key
        self._append({"end": said})

    def turn(self, open_holds: Iterable[Hold]) -> None:
        """Begin a new file if this one is large; what is open is carried over, so that the old one may go."""
        if self._size < SEGMENT_BYTES:
            return
        old, path = self._file, self._path(self._number)
        self._number += 1
        try:
            self._file, self._size = self._make(), 0
            for each in open_holds:
                self.begin(each)
        except OSError:  # a full disk: go on in the old file, which has all of it
            with contextlib.suppress(OSError):
                os.close(self._file)
                self._path(self._number).unlink()
            self._file, self._number, self._size = old, self._number - 1, 0
            return
        os.close(old)
        self._old.append(path)

    def posted(self) -> None:
        """Delete the files of which the database has everything."""
        while self._old:
            self._old.pop().unlink(missing_ok=True)

    @property
    def bytes(self) -> int:
        """How much stands in this worker's files."""
        return self._size + SEGMENT_BYTES * len(self._old)

    def close(self) -> None:
        """Delete all files: this worker leaves, and everything is in the database."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._old.clear()
        forget(self._folder, self._worker)

    def _append(self, said: dict[str, object]) -> None:
        line = _encode(said)
        line = b"%08x %b\n" % (zlib.crc32(line), line)
        written = os.write(self._file, line)
        if written < len(line):  # the disk is full: half a line is none
            os.ftruncate(self._file, os.lseek(self._file, 0, os.SEEK_CUR) - written)
            os.lseek(self._file, 0, os.SEEK_END)
            raise OSError("the journal cannot be written: the disk is full")
        self._size += written
        if not self._dirty:
            self._dirty = True
            if not self._syncing:
                with contextlib.suppress(RuntimeError):  # no loop: whoever writes from outside one syncs by itself
                    asyncio.get_running_loop().call_later(SYNC_SECONDS, self._sync)

    def _sync(self) -> None:
        if self._file < 0 or not self._dirty:
            return
        self._dirty, self._syncing = False, True
        copy = os.dup(self._file)  # the file may be another by the time that it is synced
        asyncio.get_running_loop().run_in_executor(self._threads, _sync_and_close, copy).add_done_callback(self._synced)

    def _synced(self, _done: object) -> None:
        self._syncing = False
        if self._dirty:
            asyncio.get_running_loop().call_later(SYNC_SECONDS, self._sync)

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._worker}.{number}"

    def _make(self) -> int:
        return os.open(self._path(self._number), os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)


def _sync_and_close(file: int) -> None:
    try:
        os.fdatasync(file)
    except OSError as fault:
        log.warning("the journal cannot be synced: %s", fault)
    finally:
        os.close(file)


def owners(folder: Path) -> set[str]:
    """Return whose journals stand in a folder."""
    return {path.name.rpartition(".")[0] for path in folder.glob("*.[0-9]*")} if folder.is_dir() else set()


def forget(folder: Path, worker: str) -> None:
    """Delete a worker's journal."""
    for path in _files(folder, worker):
        path.unlink(missing_ok=True)


def read(folder: Path, worker: str) -> Written:
    """Read a dead worker's journal; a line that is not whole, and everything after it, was never written."""
    found = Written()
    files = _files(folder, worker)
    found.whole = bool(files)
    for path in files:
        for line in path.read_bytes().split(b"\n")[:-1]:
            said = _said(line)
            if said is None:
                found.whole = False
                log.warning("%s is damaged; what it lacks is charged in full", path)
                break
            _note(found, said)
    return found


def _files(folder: Path, worker: str) -> list[Path]:
    return sorted(folder.glob(f"{worker}.[0-9]*"), key=lambda path: int(path.suffix[1:]))


def _said(line: bytes) -> dict[str, dict[str, object]] | None:
    with contextlib.suppress(ValueError):
        if int(line[:8], 16) == zlib.crc32(line[9:]):
            return msgspec.json.decode(line[9:], type=dict[str, dict[str, object]])
    return None


class _Begin(msgspec.Struct):
    id: str
    grant: str
    amount: tuple[int, int, int]
    record: dict[str, object]
    salt: bytes
    sealed: bytes = b""
    key: str = ""


class _End(msgspec.Struct):
    id: str
    grant: str = ""
    charged: tuple[int, int, int] = (0, 0, 0)
    leaf: bytes = b""
    salt: bytes = b""
    at: str = ""
    sealed: bytes = b""
    key: str = ""


def _note(found: Written, said: dict[str, dict[str, object]]) -> None:
    if "begin" in said:
        begun = msgspec.convert(said["begin"], _Begin)
        if begun.id not in found.done:
            call = Call(begun.id, begun.grant, begun.record, begun.salt, partial(bytes, begun.sealed), begun.key)
            found.open[begun.id] = call, Amount(*begun.amount)
    if "end" in said:
        ended = msgspec.convert(said["end"], _End)
        found.open.pop(ended.id, None)
        if ended.leaf:
            charged, at = Amount(*ended.charged), parse_rfc3339(ended.at)
            known = (ended.leaf, ended.salt, charged, at, ended.sealed, ended.key)
            found.done[ended.id] = Usage(ended.id, ended.grant, *known)
