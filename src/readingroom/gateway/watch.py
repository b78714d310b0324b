"""Watching over flowing answers: whatever ends a grant, a key or a stage ends its streams (promise 2).

Every worker polls one counter that each such decision raises in its own transaction. When it moves, and once a
second in any case (grants expire without anybody deciding anything), every flowing answer's entitlement is computed
anew. When the counter cannot be read for two seconds, nothing can be confirmed any more and every answer ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from readingroom.access import queries as access
from readingroom.core.refusal import Refusal
from readingroom.gateway.flow import Flow
from readingroom.gateway.model import Ended
from readingroom.store.db import Database

POLL_SECONDS = 0.04
RECHECK_SECONDS = 1.0
BLIND_SECONDS = 2.0

log = logging.getLogger("readingroom.gateway")
CANNOT_CONFIRM = Refusal(
    "gateway/cannot-confirm-grant",
    "It cannot be confirmed at the moment that this grant is in force; try again shortly.",
)
SHUTTING_DOWN = Refusal("gateway/shutting-down", "This server is shutting down; ask again in a moment.")


class Watch:
    """The flowing answers of one worker, and the eye on them."""

    def __init__(self, db: Database, confirm: Callable[[str], Refusal | None]) -> None:
        """Take the database and the function that computes an entitlement anew (blocking; None is entitled)."""
        self._db = db
        self._confirm = confirm
        self._flows: set[Flow] = set()
        self._task: asyncio.Task[None] | None = None
        # Threads of its own: however many requests queue for the database, the eye stays open.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="watch")
        self._seen = -1
        self.blind = False
        self.closing = False

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Watch no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._threads.shutdown(wait=False)

    @property
    def seen(self) -> int:
        """The counter as it was last seen; a decision that was not taken into account yet makes it -1."""
        return self._seen

    def enter(self, flow: Flow, version: int) -> None:
        """Watch over an answer that was admitted when the counter stood at `version`.

        If it stands elsewhere by now, the next look computes all entitlements anew: a decision that fell between the
        admission and this moment is not missed.
        """
        self._flows.add(flow)
        if version != self._seen:
            self._seen = -1
        if self.closing:
            flow.stop(SHUTTING_DOWN, Ended.CLOSING)

    def leave(self, flow: Flow) -> None:
        """Forget an answer that has ended."""
        self._flows.discard(flow)

    def close_all(self) -> None:
        """End every answer: this server is shutting down."""
        self.closing = True
        for flow in list(self._flows):
            flow.stop(SHUTTING_DOWN, Ended.CLOSING)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        good = checked = loop.time()
        while True:
            try:
                # Not `wait_for`: in Python 3.11 it can swallow the cancellation that `stop` waits for.
                async with asyncio.timeout(BLIND_SECONDS):
                    version = await loop.run_in_executor(self._threads, self._version)
                if version != self._seen or loop.time() - checked >= RECHECK_SECONDS:
                    self._seen = version  # before the answers are gathered: one that enters after it compares itself
                    async with asyncio.timeout(BLIND_SECONDS):
                        await self._recheck()
                    checked = loop.time()
                good, self.blind = loop.time(), False
            except asyncio.CancelledError:
                raise
            except Exception as fault:  # noqa: BLE001 - whatever it is, nothing can be confirmed
                self._seen = -1
                if not self.blind:
                    log.warning("grants cannot be confirmed: %s", type(fault).__name__)
            if loop.time() - good > BLIND_SECONDS:
                self.blind = True
                for flow in list(self._flows):
                    flow.stop(CANNOT_CONFIRM)
            await asyncio.sleep(POLL_SECONDS)

    def _version(self) -> int:
        with self._db.read() as tx:
            return access.version(tx)

    async def _recheck(self) -> None:
        by_key: dict[str, list[Flow]] = {}
        for flow in list(self._flows):
            by_key.setdefault(flow.key_hash, []).append(flow)
        if not by_key:
            return
        keys = list(by_key)
        loop = asyncio.get_running_loop()
        answers = await loop.run_in_executor(self._threads, lambda: {key: self._confirm(key) for key in keys})
        for key, refusal in answers.items():
            if refusal is not None:
                for flow in by_key[key]:
                    flow.stop(refusal)
