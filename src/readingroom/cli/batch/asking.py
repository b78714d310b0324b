"""Asking: several questions at a time, each until it is answered, refused, or nothing more can be asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import aiohttp

from readingroom.cli.batch.folder import Folder
from readingroom.cli.batch.lines import Line
from readingroom.cli.batch.verdict import MOST_TRIES, MOST_WAITS, Verdict, judge, pause
from readingroom.core.canonical import Json
from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.core.files import write_over

SECONDS = 600.0  # that one answer may take
_PENDING, _OK, _UNKNOWN = 202, 200, 404
_RECEIPT = "x-readingroom-receipt"
_RECEIPT_TRIES = 60  # half a second apart
_UNKNOWN_TRIES = 10  # of them: a busy house's worker may take a moment to bring what another is asked for


@dataclass(frozen=True, slots=True)
class Stop:
    """Why nothing more can be asked.

    Attributes:
        code: the house's, or `batch/unreachable`.
        reason: in its words.
    """

    code: str
    reason: str


@dataclass
class Room:
    """A house, as a reader reaches it: an address and a key."""

    url: str
    key: str
    http: aiohttp.ClientSession = field(init=False)

    async def __aenter__(self) -> Self:
        """Open the connections; proxies are the environment's."""
        headers = {"authorization": f"Bearer {self.key}"}
        timeout = aiohttp.ClientTimeout(total=SECONDS, connect=30)
        connector = aiohttp.TCPConnector(limit=0)
        self.http = aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout, trust_env=True)
        return self

    async def __aexit__(self, *_fault: object) -> None:
        """Close the connections."""
        await self.http.close()

    async def grant(self) -> dict[str, Json]:
        """Return the grant's own view.

        Raises:
            Broken: the house cannot be reached, or does not know the key.
        """
        try:
            async with self.http.get(f"{self.url}/v1/grant") as answer:
                status, body = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as fault:
            told = f"cannot be reached ({fault or type(fault).__name__})"
            raise Broken(Problem(self.url, told, "Check --url, and whether the house is open")) from None
        except ValueError:
            raise BadInput([Problem("--url", f"{self.url!r} is no address", "Write https://host")]) from None
        document = _document(body)
        if status != _OK or "allocation" not in document:
            stop = _stop(status, document)
            raise Broken(Problem(self.url, f"{stop.code}: {stop.reason.rstrip('.')}", "Check --url and --key"))
        return document


@dataclass
class Asking:
    """One run over the questions that are not answered yet."""

    room: Room
    folder: Folder
    told: Callable[[int], None]
    stop: Stop | None = None
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask_all(self, lines: Sequence[Line], parallel: int) -> Stop | None:
        """Ask; what is in flight at a stop is waited for, since it is charged. Returns why it stopped, if it did."""
        waiting = iter(lines)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(parallel, len(lines))):
                group.create_task(self._work(waiting))
        return self.stop

    async def _work(self, waiting: Iterator[Line]) -> None:
        for line in waiting:
            if self.stop is not None:
                return
            await self._ask(line)

    async def _ask(self, line: Line) -> None:
        self.folder.sending(line)
        headers = {"content-type": "application/json", "idempotency-key": self.folder.key(line)}
        tries, waits = 1, 0
        while True:
            said: dict[str, str] = {}
            try:
                async with self.room.http.post(self.room.url + line.path, data=line.body, headers=headers) as answer:
                    body = await answer.read()
                    said = {name.lower(): value for name, value in answer.headers.items()}
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError) as fault:
                verdict = Verdict.AGAIN
                stop = Stop("batch/unreachable", f"{self.room.url} cannot be reached ({type(fault).__name__}).")
            else:
                document = _document(body)
                verdict = judge(status, said) if document else Verdict.AGAIN
                stop = _stop(status, document)
                if verdict in {Verdict.DONE, Verdict.REFUSED}:
                    self.folder.done(line, status, body, said.get(_RECEIPT))
                    self.told(len(self.folder.rows))
                    return
            if verdict is Verdict.STOP or tries == MOST_TRIES or waits == MOST_WAITS:
                self.stop = self.stop or stop
                self._stopped.set()
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), pause(tries, said))
            tries, waits = (tries, waits + 1) if verdict is Verdict.WAIT else (tries + 1, waits)
            if self.stop is not None:
                return


async def collect_receipts(room: Room, folder: Folder) -> int:
    """Fetch the receipts that are not here yet; return how many could not be had.

    A receipt comes half a second after its answer, also when its grant has ended since.
    """
    missing = 0
    for number, receipt in folder.without_receipt():
        data = await _receipt(room, receipt, 0 if missing else _UNKNOWN_TRIES)  # one lost: so may all be
        if data is None:
            missing += 1
        else:
            write_over(folder.receipt_file(number), data)
    return missing


async def _receipt(room: Room, receipt: str, unknown_tries: int) -> bytes | None:
    for tried in range(_RECEIPT_TRIES):
        try:
            async with room.http.get(f"{room.url}/v1/receipts/{receipt}") as answer:
                body = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None
        if status == _OK:
            return body
        if status not in {_PENDING, 429, 503} and (status != _UNKNOWN or tried >= unknown_tries):
            return None
        await asyncio.sleep(0.5)
    return None


def _document(body: bytes) -> dict[str, Json]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _stop(status: int, document: dict[str, Json]) -> Stop:
    error = document.get("error")
    if not isinstance(error, dict):
        return Stop("batch/unreachable", f"What answers there (HTTP {status}) is no house.")
    return Stop(str(error.get("code")), str(error.get("message")))
