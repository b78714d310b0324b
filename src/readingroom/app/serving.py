"""What a server needs beside the house: its engine's process, and the holds of workers that died."""

from __future__ import annotations

import json
from pathlib import Path

from readingroom.app.house import House
from readingroom.core.errors import Broken, Problem
from readingroom.core.settings import Settings
from readingroom.engines.demo_model import fetch
from readingroom.engines.embedded import SLOTS, EmbeddedProcess
from readingroom.engines.identity import ADDRESS, file_digest, served_digest
from readingroom.engines.registry import make_engine
from readingroom.gateway import counts
from readingroom.gateway.counts import Sheet
from readingroom.gateway.observed import Counting, count_lost
from readingroom.gateway.service import JOURNALS, Gateway
from readingroom.gateway.spans import make_spans
from readingroom.gateway.workers import Workers


class EngineKeeper:
    """Starts the embedded engine where the house has one, and starts it again should it die."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing is started."""
        self._settings = settings
        self._process: EmbeddedProcess | None = None
        self._digest = ""

    def start(self) -> None:
        """Start the engine; its address, key and file's digest go to HOME/run, for this house's own programs alone."""
        if self._settings.engine != "embedded":
            return
        model = Path(self._settings.model) if self._settings.model else fetch()
        self._process = EmbeddedProcess(model, self._settings.context)
        self._digest = file_digest(model)
        self._process.start()
        path = self._settings.run / ADDRESS
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        left = {"url": self._process.url, "key": self._process.key, "digest": self._digest}
        path.write_text(json.dumps(left), encoding="utf-8")

    def keep(self) -> None:
        """Start the engine again if it has died, where the workers expect it; never with another file.

        Raises:
            Broken: the model's file is another now; the engine stays down.
        """
        if self._process is None or self._process.alive:
            return
        self._process.stop()
        if file_digest(self._process.model) != self._digest:
            path, self._process = self._process.model, None
            raise Broken(Problem(str(path), "is another file than the one that was served", "Start the server again"))
        self._process.start()

    def stop(self) -> None:
        """Stop the engine and forget its address."""
        if self._process is not None:
            self._process.stop()
        if self._digest:
            (self._settings.run / ADDRESS).unlink(missing_ok=True)


def clear_dead_holds(house: House, *, alone: bool = False) -> int:
    """Charge what dead workers held, before anything is served; return how many requests were lost.

    Args:
        house: whose.
        alone: its lock is ours and no worker was started yet: whoever left a journal is dead.
    """
    lost = Workers(house.db, house.clock, house.settings.home / JOURNALS).recover(alone=alone)
    if lost:
        count_lost(Sheet(house.settings.run / counts.FOLDER, "supervisor"), lost)
    return lost


def charge_all_leases(house: House) -> int:
    """Charge in full whatever was leased to a worker when a backup was made; return how many leases there were."""
    return Workers(house.db, house.clock, house.settings.home / JOURNALS).charge_all()


def places_of(settings: Settings, index: int, count: int) -> int:
    """Return how many requests a worker may have at the engine at a time; 0 for no bound.

    Args:
        settings: of the house.
        index: which worker, from 0.
        count: of workers, which share the engine.
    """
    slots = SLOTS if settings.engine == "embedded" else 0
    total = settings.engine_places if settings.engine_places >= 0 else slots
    return max(1, total // count + (index < total % count)) if total else 0


def make_gateway(house: House, places: int = 0, seat: str = "0") -> Gateway:
    """Make the data plane of one worker, with the engine that the house is set to.

    Args:
        house: whose.
        places: at the engine, of this worker.
        seat: which of the server's workers it is: it goes on counting where the last one there was when it died.
    """
    settings = house.settings
    engine, served = make_engine(settings), served_digest(settings)
    spans = make_spans(house.clock, settings.model_name, settings.engine)
    seen = Counting(house.clock, Sheet(settings.run / counts.FOLDER, seat), spans)
    return Gateway(house.db, house.ledger, house.log, house.clock, engine, settings.home, served, places, seen)


def clear_counts(settings: Settings) -> None:
    """Begin to count anew; no worker was started yet."""
    counts.clear(settings.run / counts.FOLDER)
