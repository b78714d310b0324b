"""The nightly look at the engine: does it answer anybody but this house, and does it still answer as it was tested?

One process of a house looks, its supervisor: when it starts, and once a day at a moment that nobody knows beforehand.
What was found bad is looked at again each minute, so that who mends it need not wait. An engine that is down is no
finding: it serves nobody, what the last look found goes on holding, and `doctor` says how old that is.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from readingroom.app.house import House
from readingroom.core.errors import BadInput, Broken
from readingroom.core.ids import random_bytes
from readingroom.engines import fingerprint as fingerprints
from readingroom.engines.doors import PORTS, Found, Knock, knock_all
from readingroom.engines.fingerprint import Agreement, Fingerprint
from readingroom.engines.identity import served_digest
from readingroom.engines.model import Engine, EngineFault
from readingroom.engines.registry import engine_address, make_engine
from readingroom.people.model import Actor
from readingroom.store.db import FAILED

log = logging.getLogger("readingroom.guard")
DAY = timedelta(days=1)
JITTER = timedelta(hours=2)  # by which a look comes earlier than a day after the last
SOON = timedelta(minutes=1)  # after one that found something, or could not be made
OLD = timedelta(days=3)  # a look that old is no longer worth much, and `doctor` says so
LOOK_SECONDS = 300.0  # that one may take
_STOP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found.

    Attributes:
        reached: whether the engine answered this house at all; else nothing else was found.
        knocks: at its doors.
        taken: its fingerprint; None where none was wanted or could be taken.
        agreement: with the one that was kept when it was tested; None if there is none to compare with.
    """

    reached: bool
    knocks: tuple[Knock, ...] = ()
    taken: Fingerprint | None = None
    agreement: Agreement | None = None

    @property
    def open(self) -> list[Knock]:
        """The doors that answered without a key."""
        return [each for each in self.knocks if each.found is Found.OPEN]

    @property
    def unclear(self) -> list[Knock]:
        """Those of which it could not be told."""
        return [each for each in self.knocks if each.found is Found.UNCLEAR]


async def look(house: House) -> Look:
    """Look at the engine: it must answer this house, and nobody else; records nothing."""
    engine = make_engine(house.settings)
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await engine.info()
            knocks = await _knocks(house)
            kept = await asyncio.to_thread(house.inspections.fingerprint, served_digest(house.settings))
            taken = await fingerprint(engine) if kept else None
    except (EngineFault, TimeoutError):
        return Look(reached=False)
    finally:
        await engine.close()
    agreement = fingerprints.compare(fingerprints.from_json(kept), taken) if kept and taken else None
    return Look(True, tuple(knocks), taken, agreement)


async def _knocks(house: House) -> list[Knock]:
    address = engine_address(house.settings)
    if not address:
        return []  # it is no server, but a part of each worker
    ours = urlsplit(house.address()).port
    ports = [each for each in PORTS if each != ours]
    # The embedded engine chose its port this very time, and no other server here has its name by chance.
    model = "" if house.settings.engine == "embedded" else house.settings.model
    return await knock_all(address, model, ports=ports)


async def fingerprint(engine: Engine) -> Fingerprint | None:
    """Take an engine's fingerprint; None where it cannot give one."""
    try:
        return await fingerprints.take(engine)
    except EngineFault as fault:
        log.warning("no fingerprint could be taken: %s", type(fault).__name__)
        return None


def keep_fingerprint(house: House, by: Actor, model_digest: str, taken: Fingerprint | None) -> None:
    """Keep the fingerprint of an engine that was just tested."""
    if taken is None:
        return
    kept = house.inspections.fingerprint(model_digest)
    agreement = fingerprints.compare(fingerprints.from_json(kept), taken) if kept else None
    # Other questions than the last time: nothing is known against it, and the new answers are kept.
    same = agreement is None or agreement.same
    house.inspections.keep_fingerprint(by.id, model_digest, taken.to_json(), taken.digest, same=same)


def inspect(house: House, within: timedelta = timedelta()) -> Look | None:
    """Look at the engine and record what was found; None where another process did within that time."""
    digest = served_digest(house.settings)
    if not house.inspections.begin(digest, within):
        return None
    found = asyncio.run(look(house))
    if found.reached:
        same = found.agreement.same if found.agreement else None
        passes = found.taken.passes if found.taken else 0
        opened, unclear = ([each.name for each in group] for group in (found.open, found.unclear))
        house.inspections.record(digest, opened, unclear, same=same, passes=passes)
    for each in found.open:
        log.warning("the engine has an open door: %s", each.name)
    return found


class Rounds:
    """The looks of one server: at its start, then daily. A house for trials is not closed by them; `doctor` warns."""

    def __init__(self, house: House) -> None:
        """Take the house; nothing is looked at yet."""
        self._house = house
        self._thread: threading.Thread | None = None
        self._due = 0.0  # monotonic seconds
        self._within = SOON / 2

    def keep(self) -> None:
        """Begin a look when one is due; called often, returns at once."""
        running = self._thread is not None and self._thread.is_alive()
        if self._house.settings.dev or running or time.monotonic() < self._due:
            return
        self._thread = threading.Thread(target=self._look, name="rounds", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Wait a little for a look that is being made; one that takes longer records nothing or all."""
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def _look(self) -> None:
        try:
            found = inspect(self._house, self._within)
        except (Broken, BadInput, EngineFault, OSError, *FAILED) as fault:
            log.warning("the engine could not be looked at: %s", type(fault).__name__)
            found = Look(reached=False)
        self._wait(self._bad(found))

    def _bad(self, found: Look | None) -> bool:
        if found is None:
            return False
        return not found.reached or bool(found.open) or (found.agreement is not None and not found.agreement.same)

    def _wait(self, soon: bool) -> None:  # noqa: FBT001 - its one question
        early = JITTER * (int.from_bytes(random_bytes(2), "big") / 0x10000)
        pause = SOON if soon else DAY - early
        self._within = pause / 2
        self._due = time.monotonic() + pause.total_seconds()
