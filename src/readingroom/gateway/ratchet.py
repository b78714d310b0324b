"""The house's half of the keys of kept texts: one file in HOME/keys, turned forward every hour.

Every worker and every command looks after it, under a lock: whoever comes first in an hour turns it. Hosts that share
a database have copies of the same file and turn them each for itself, with the same outcome. The file is in no backup
that `readingroom backup` makes: a backup brings no text back.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from readingroom.core.clock import Clock
from readingroom.core.errors import Broken, Problem
from readingroom.core.files import write_new, write_over
from readingroom.core.ids import random_bytes
from readingroom.gateway.sealing import ID_BYTES, SECRET_BYTES, House, begins, hour_of

FILE = "retention.key"


class Ratchet:
    """The file; it is made when a plan that keeps texts is adopted, or else for the first text."""

    def __init__(self, keys: Path, clock: Clock) -> None:
        """Take the folder of the house's keys and the clock; nothing is read yet."""
        self._path = keys / FILE
        self._clock = clock

    def turn(self) -> House | None:
        """Turn the secret to this hour, and return it; None where no text was ever kept.

        Raises:
            Broken: the file cannot be read or written.
        """
        return self._now(make=False) if self._path.exists() else None

    def made(self) -> House:
        """Return the secret of this hour; make it if there is none.

        Raises:
            Broken: the file cannot be read or written.
        """
        found = self._now(make=True)
        assert found is not None  # noqa: S101 - it was made
        return found

    def _now(self, *, make: bool) -> House | None:
        hour = hour_of(self._clock.now())
        try:
            with self._alone():
                if not self._path.exists():
                    if not make:
                        return None
                    house = House(random_bytes(ID_BYTES), hour, random_bytes(SECRET_BYTES))
                    write_new(self._path, _spell(house))
                    return house
                house = _read(self._path)
                if house.hour < hour:
                    house = house.turned(hour)
                    write_over(self._path, _spell(house))
                return house
        except OSError as fault:
            raise Broken(
                Problem(str(self._path), f"cannot be used ({fault.strerror})", "Mend its rights or the disk")
            ) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def trouble(self) -> str:
        """Say what is wrong with the file, and the cure; empty where nothing is, or where there is none."""
        try:
            house = self.turn()
        except Broken as fault:
            return str(fault)
        if house is None or house.hour <= hour_of(self._clock.now()):
            return ""
        return (
            f"{FILE} stands at {begins(house.hour):%Y-%m-%d %H:%M} UTC, later than the clock: mend the clock, or "
            "delete the file, and with it all that is kept"
        )


def _spell(house: House) -> bytes:
    return json.dumps({"id": house.id.hex(), "hour": house.hour, "secret": house.secret.hex()}).encode() + b"\n"


def _read(path: Path) -> House:
    try:
        said = json.loads(path.read_bytes())
        house = House(bytes.fromhex(said["id"]), int(said["hour"]), bytes.fromhex(said["secret"]))
        if len(house.id) == ID_BYTES and len(house.secret) == SECRET_BYTES:
            return house
    except (ValueError, KeyError, TypeError):
        pass
    cure = "Put the file back as it was; or delete it, and with it all that is kept: a new one is made"
    raise Broken(Problem(str(path), "is damaged", cure))
