"""Watching over flowing answers: whatever ends a grant, a key or a stage ends its streams (promise 2).

Each such decision raises one counter in its own transaction, and tells all workers as soon as it is committed (by
Postgres's NOTIFY, or by bells beside SQLite). A worker looks at the counter when it is told, and ten times a second in
any case, for a message may be lost. When it has moved, and once a second (grants expire without anybody deciding
anything), every flowing answer's entitlement is computed anew. When the counter cannot be read for two seconds,
nothing can be confirmed any more and every answer ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from readingroom.core.refusal import Refusal
from readingroom.gateway.flow import Flow
from readingroom.gateway.model import Ended
from readingroom.store.changes import Changes
from readingroom.store.db import Database

Confirm = Callable[[list[str]], dict[str, Refusal | None]]

POLL_SECONDS = 0.1
RECHECK_SECONDS = 1.0
BLIND_SECONDS = 2.0

log = logging.getLogger("readingroom.gateway")
CANNOT_CONFIRM = Refusal(
    "gateway/cannot-confirm-grant",
    "It cannot be confirmed at the moment that this grant is in force; try again shortly.",
)
SHUTTING_DOWN = Refusal("gateway/shutting-down", "This server is shutting down; ask again in a moment.")


class Watch:
    """The flowing answers of one worker, and the eye on them.

    Attributes:
        stopped: told, after a decision, how many answers it stopped and in how many seconds from when it was seen.
    """

    def __init__(self, db: Database, look: Callable[[], int], confirm: Confirm) -> None:
        """Take the database and two functions that block on it.

        Args:
            db: to hear of decisions.
            look: reads the counter.
            confirm: computes the entitlements of keys, by their hashes; None is entitled.
        """
        self._changes = Changes(db)
        self._look = look
        self._confirm = confirm
        self._flows: set[Flow] = set()
        self._task: asyncio.Task[None] | None = None
        # Threads of its own: however many requests queue for the database, the eye stays open.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="watch")
        self._seen = -1
        self.stopped: Callable[[int, float], object] = lambda _answers, _seconds: None
        self.blind = False
        self.closing = False

    def start(self) -> None:
        """Begin to watch."""
        self._changes.start()
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Watch no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._changes.stop()
        self._threads.shutdown(wait=False)

    @property
    def flowing(self) -> int:
        """How many answers are watched over."""
        return len(self._flows)

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
            self._changes.tell()
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
                    version = await loop.run_in_executor(self._threads, self._look)
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
            await self._changes.wait(POLL_SECONDS)

    async def _recheck(self) -> None:
        by_key: dict[str, list[Flow]] = {}
        for flow in list(self._flows):
            by_key.setdefault(flow.key_hash, []).append(flow)
        if not by_key:
            return
        loop, began, stopped = asyncio.get_running_loop(), monotonic(), 0
        answers = await loop.run_in_executor(self._threads, self._confirm, list(by_key))
        for key, refusal in answers.items():
            if refusal is not None:
                for flow in by_key[key]:
                    stopped += flow.stop(refusal)
        if stopped:
            self.stopped(stopped, monotonic() - began)
