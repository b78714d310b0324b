"""What a server needs beside the house: its engine's process, and the holds of workers that died."""

from __future__ import annotations

import json
from pathlib import Path

from readingroom.app.house import House
from readingroom.core.settings import Settings
from readingroom.engines.demo_model import fetch
from readingroom.engines.embedded import EmbeddedProcess
from readingroom.engines.registry import ADDRESS, make_engine
from readingroom.gateway.service import Gateway
from readingroom.gateway.workers import Workers


class EngineKeeper:
    """Starts the embedded engine where the house has one, and starts it again should it die."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing is started."""
        self._settings = settings
        self._process: EmbeddedProcess | None = None

    def start(self) -> None:
        """Start the engine and leave its address and key in HOME/run, for this house's own programs alone."""
        if self._settings.engine != "embedded":
            return
        model = Path(self._settings.model) if self._settings.model else fetch()
        self._process = EmbeddedProcess(model, self._settings.context)
        self._process.start()
        path = self._settings.run / ADDRESS
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps({"url": self._process.url, "key": self._process.key}), encoding="utf-8")

    def keep(self) -> None:
        """Start the engine again if it has died, where the workers expect it."""
        if self._process is not None and not self._process.alive:
            self._process.stop()
            self._process.start()

    def stop(self) -> None:
        """Stop the engine and forget its address."""
        if self._process is not None:
            self._process.stop()
            (self._settings.run / ADDRESS).unlink(missing_ok=True)


def clear_dead_holds(house: House) -> int:
    """Settle what dead workers held, before anything is served; return how many holds there were."""
    return Workers(house.db, house.clock).recover()


def make_gateway(house: House) -> Gateway:
    """Make the data plane of one worker, with the engine that the house is set to."""
    engine = make_engine(house.settings)
    return Gateway(house.db, house.ledger, house.log, house.clock, engine, house.settings.home)
