"""Waiting for what others decide: Postgres notifies, SQLite's processes ring bells, and in any case one looks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from readingroom.core.ids import new_id
from readingroom.store import bells
from readingroom.store.db import Database

_AGAIN_SECONDS = 1.0  # between two attempts to listen

log = logging.getLogger("readingroom.store")


class Changes:
    """One process's ear. It tells that there is something to look at; that it was told so is no guarantee."""

    def __init__(self, db: Database) -> None:
        """Take the database; nothing is opened before `start`."""
        self._db = db
        self._told = asyncio.Event()
        self._bell: tuple[Path, int] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        if self._db.is_sqlite:
            self._hang()
        else:
            self._task = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._bell is not None:
            path, heard = self._bell
            self._bell = None
            asyncio.get_running_loop().remove_reader(heard)
            os.close(heard)
            path.unlink(missing_ok=True)

    async def wait(self, seconds: float) -> None:
        """Wait until something was decided, but no longer than this."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._told.wait()
        self._told.clear()

    def tell(self) -> None:
        """Make the next `wait` return at once."""
        self._told.set()

    def _hang(self) -> None:
        try:
            self._bell = bells.hang(make_url(self._db.url).database or "", new_id("bell"))
        except OSError as fault:  # looking from time to time must do
            log.warning("no bell can be hung up: %s", fault)
            return
        asyncio.get_running_loop().add_reader(self._bell[1], self._hear)

    def _hear(self) -> None:
        if self._bell is not None:
            with contextlib.suppress(OSError):
                os.read(self._bell[1], 65_536)
        self._told.set()

    async def _listen(self) -> None:
        address = make_url(self._db.url).set(drivername="postgresql").render_as_string(hide_password=False)
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(address, autocommit=True, connect_timeout=2) as line:
                    await line.execute(f"listen {bells.CHANNEL}")
                    self._told.set()  # what was decided while nobody listened
                    async for _ in line.notifies():
                        self._told.set()
            except (psycopg.Error, OSError) as fault:
                log.warning("cannot listen to the database: %s", type(fault).__name__)
            await asyncio.sleep(_AGAIN_SECONDS)
