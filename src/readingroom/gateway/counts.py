"""Counters that several processes keep and one of them shows: a sheet of numbers per process, added up when asked for.

A sheet is two files. `SEAT.series` names a series per line, in the spelling of Prometheus's text format; `SEAT.values`
holds the numbers, a float64 of the machine's per line, mapped into memory. To count is to add to a number in memory;
what was counted survives the process however it dies, for the kernel has it. A process that takes the place of a dead
one goes on with its sheet, so no sum ever goes backwards; the server's start throws all sheets away.

What says how things stand now, and not how often something was, begins anew with each process, and is left out once
its process has not been heard of for a while.
"""

from __future__ import annotations

import logging
import mmap
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

SLOTS = 8192  # series of one process; more are not counted, but how many they were is
SILENT_SECONDS = 5.0  # after which what a process said of the moment is no longer so
FOLDER = "metrics"  # in HOME/run
_LOST = "readingroom_gateway_series_without_room_total"
_BEAT = "beat"  # when the process was heard of last, in seconds since 1970; not shown

log = logging.getLogger("readingroom.gateway")


class Sheet:
    """The counters of one process. Nothing here fails a call: what cannot be kept in the files is kept in memory."""

    def __init__(self, folder: Path, seat: str) -> None:
        """Open the sheet of a seat, or go on with that of whoever sat there before.

        Args:
            folder: of all sheets.
            seat: which; no two living processes have the same.
        """
        self._slots: dict[str, int] = {}
        self._names = -1
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open(folder / f"{seat}.series", folder / f"{seat}.values")
        except OSError as fault:
            log.warning("metrics are not shared with the other workers: %s", fault)
            self._slots, self._names = {}, -1
            self._numbers = memoryview(mmap.mmap(-1, SLOTS * 8)).cast("d")
        self._lost = self.slot(_LOST)
        self._beat = self.slot(_BEAT)

    def _open(self, series: Path, values: Path) -> None:
        file = os.open(values, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            os.posix_fallocate(file, 0, SLOTS * 8)  # a hole in a file, on a full disk, would kill who writes to it
            self._numbers = memoryview(mmap.mmap(file, SLOTS * 8)).cast("d")
        finally:
            os.close(file)
        self._names = os.open(series, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        written = series.read_bytes()
        os.ftruncate(self._names, written.rfind(b"\n") + 1)
        self._slots = {name: slot for slot, name in enumerate(_names(written)[:SLOTS])}
        for slot in range(len(self._slots), SLOTS):  # of series whose names could not be written
            self._numbers[slot] = 0

    def slot(self, series: str) -> int:
        """Return where a series is counted; to be asked once and kept."""
        found = self._slots.get(series)
        if found is not None:
            return found
        if len(self._slots) >= SLOTS:
            return self._lost  # where it is counted that there is no room
        slot = len(self._slots)
        if self._names >= 0:
            line = series.encode() + b"\n"
            try:
                written = os.write(self._names, line)
            except OSError:
                written = 0
            if written < len(line):  # a full disk: from here on, new series are this process's alone
                log.warning("a new metric cannot be written down, so it is not shown")
                os.close(self._names)
                self._names = -1
        self._slots[series] = slot
        return slot

    def add(self, slot: int, amount: float = 1) -> None:
        """Count."""
        self._numbers[slot] += amount

    def put(self, slot: int, value: float) -> None:
        """Say how things stand."""
        self._numbers[slot] = value

    def beat(self, now: float) -> None:
        """Say that this process lives, at `now` seconds since 1970: what it says of the moment is so."""
        self._numbers[self._beat] = now


class Spread:
    """A histogram in a sheet: a counter per bucket, and the sum."""

    def __init__(self, sheet: Sheet, name: str, bounds: Sequence[float], labels: Mapping[str, str]) -> None:
        """Take the upper bounds of the buckets, in rising order; one without a bound is added."""
        self._sheet, self._bounds = sheet, bounds
        spelled = [f"{each:g}" for each in bounds] + ["+Inf"]
        self._slots = [sheet.slot(series(f"{name}_bucket", {**labels, "le": each})) for each in spelled]
        self._sum = sheet.slot(series(f"{name}_sum", labels))

    def see(self, value: float) -> None:
        """Put a value into its bucket."""
        self._sheet.add(self._slots[bisect_left(self._bounds, value)])
        self._sheet.add(self._sum, value)


def series(name: str, labels: Mapping[str, str]) -> str:
    """Spell a series as Prometheus does."""
    if not labels:
        return name
    spelled = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
    return f"{name}{{{spelled}}}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def read(folder: Path, of_the_moment: frozenset[str], now: float) -> dict[str, float]:
    """Add up all sheets.

    Args:
        folder: of the sheets.
        of_the_moment: names of metrics that say how things stand, which only the living can say.
        now: seconds since 1970.
    """
    total: dict[str, float] = {}
    for path in sorted(folder.glob("*.series")):
        with suppress(OSError):  # it is being made or thrown away at this moment
            sheet = dict(_pairs(path))
            alive = now - sheet.pop(_BEAT, 0.0) <= SILENT_SECONDS
            for name, value in sheet.items():
                if alive or name.partition("{")[0] not in of_the_moment:
                    total[name] = total.get(name, 0.0) + value
    return total


def clear(folder: Path) -> None:
    """Throw all sheets away: no process of this house counts now."""
    for path in [*folder.glob("*.series"), *folder.glob("*.values")]:
        path.unlink(missing_ok=True)


def _names(written: bytes) -> list[str]:
    """Return the whole lines; what was cut off by a full disk is none."""
    return [line.decode() for line in written.split(b"\n")[:-1]]


def _pairs(path: Path) -> Iterator[tuple[str, float]]:
    names = _names(path.read_bytes())
    numbers = array("d")
    numbers.frombytes(path.with_suffix(".values").read_bytes())
    return zip(names, numbers, strict=False)
