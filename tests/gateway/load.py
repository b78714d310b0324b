"""Many readers of one grant, over HTTP, who note what they received; and what the house has on record of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
import sqlalchemy as sa

from readingroom.gateway.tables import lease as lease_table
from readingroom.gateway.tables import meter as meter_table
from readingroom.gateway.tables import usage as usage_table
from readingroom.ledger.queries import leaves
from readingroom.ledger.receipt import batch_data
from readingroom.store.db import Database

MANY = 64
MAXIMUM = 6  # words that a request states as its maximum; most answers have fewer, so that something returns
PATIENCE_SECONDS = 150.0  # for what is bound to come: far more than it takes, as a busy machine is slow
UNCONFIRMED = "gateway/cannot-confirm-grant"
EXHAUSTED = "access/allocation-exhausted"


async def until(holds: Callable[[], object], what: str) -> None:
    """Wait for something that is bound to come."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_SECONDS
    while not holds():
        assert loop.time() < deadline, f"waited in vain: {what}"
        await asyncio.sleep(0.01)


@dataclass
class Received:
    """What one request brought to its reader.

    Attributes:
        receipt: its id; none for a request that was refused.
        words: that arrived.
        told: the passes that the house said it cost, where the whole answer arrived.
        code: of the refusal, if it was one, or of the error that ended it.
        again: whether it was said that waiting may help.
    """

    receipt: str | None = None
    words: int = 0
    told: int | None = None
    code: str | None = None
    again: bool = True


@dataclass
class Readers:
    """Readers of one grant, who ask until nothing is left of it."""

    url: str
    key: str
    received: list[Received] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    words: int = 0
    broken: int = 0  # connections that ended before their answer had
    most: int | None = None  # words, after which they pause
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self.tasks = [asyncio.create_task(self._read_on(number)) for number in range(MANY)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self.tasks:
            each.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def let(self, words: int | None) -> None:
        """Let them receive about so many words more, then pause; None for as many as there are."""
        self.most = None if words is None else self.words + words

    async def get(self, words: int) -> None:
        """Wait until so many words more have arrived; there must be so many. What came before is none of them."""
        wanted = self.words + words
        if self.most is not None:
            self.most = max(self.most, wanted + words)
        await until(lambda: self.words >= wanted or self.done, f"{words} more words")
        assert not self.done, "all was sold before the trial was over: give it a larger allocation"

    @property
    def done(self) -> bool:
        return all(each.done() for each in self.tasks)

    async def all(self) -> None:
        """Wait until everyone was told that nothing is left."""
        self.let(None)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*self.tasks)

    async def _read_on(self, number: int) -> None:
        """Ask with a stated maximum until that does not fit any more, then for whatever is left."""
        streamed, stated, asked = number % 2 == 0, True, 0
        # Some come anew for each question, so that no worker is spared.
        line = aiohttp.TCPConnector(limit=1, force_close=number % 4 == 0)
        wait = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        async with aiohttp.ClientSession(self.url, connector=line, timeout=wait) as http:
            while True:
                await until(lambda: self.most is None or self.words < self.most, "leave to read on")
                asked += 1
                found = await self._ask(http, 1 + (number + asked) % 7, streamed=streamed, stated=stated)
                if found.code is None:
                    continue
                if found.code == EXHAUSTED and not found.again:
                    if not stated:
                        return
                    stated = False
                await asyncio.sleep(0.05)

    async def _ask(self, http: aiohttp.ClientSession, words: int, *, streamed: bool, stated: bool) -> Received:
        said = " ".join(f"w{n}" for n in range(words))
        body: dict[str, Any] = {"model": "echo", "messages": [{"role": "user", "content": said}], "stream": streamed}
        body |= {"stream_options": {"include_usage": True}} if streamed else {}
        body |= {"max_tokens": MAXIMUM} if stated else {}
        found = Received()
        try:
            headers = {"authorization": f"Bearer {self.key}"}
            async with http.post("/v1/chat/completions", json=body, headers=headers) as answer:
                found.receipt = answer.headers.get("x-readingroom-receipt")
                if answer.status != 200:
                    found.code = (await answer.json())["error"]["code"]
                    found.again = answer.headers.get("x-should-retry") != "false"
                elif streamed:
                    await self._hear(answer, found)
                else:
                    found.words = len((await answer.json())["choices"][0]["message"]["content"].split())
                    found.told = int(answer.headers["x-readingroom-passes"])
        except (aiohttp.ClientError, OSError) as fault:
            self.broken += 1
            found.code = f"broken: {type(fault).__name__}"
        self.words += found.words
        self.received.append(found)
        if found.code is not None:
            self.codes[found.code] += 1
        return found

    @staticmethod
    async def _hear(answer: aiohttp.ClientResponse, found: Received) -> None:
        told = None
        async for line in answer.content:
            said = line.removeprefix(b"data: ").strip()
            if said == b"[DONE]":
                found.told = told
            elif said.startswith(b"{"):
                event = json.loads(said)
                found.code = event["error"]["code"] if "error" in event else found.code
                told = event["usage"]["completion_tokens"] if event.get("usage") else told
                for choice in event.get("choices", ()):
                    found.words += len((choice["delta"].get("content") or "").split())
        if found.told is None and found.code is None:
            found.code = "broken: no end"


def quiet(db: Database) -> bool:
    """Tell whether nothing is reserved of any meter, nothing leased, and every record is in the ledger."""
    reserved = sa.select(*(sa.func.sum(column) for column in meter_table.c if column.name.startswith("reserved_")))
    with db.read() as tx:
        return (
            not any(tx.execute(reserved).one())
            and not tx.execute(sa.select(lease_table)).all()
            and not tx.execute(sa.select(usage_table.c.id).where(usage_table.c.entry_seq.is_(None))).all()
        )


def leasing(db: Database) -> int:
    """Return how many workers have a lease."""
    with db.read() as tx:
        return int(tx.execute(sa.select(sa.func.count(lease_table.c.worker.distinct()))).scalar_one())


@dataclass
class Books:
    """What the house has on record of one grant: its meter, and the records that the ledger's entries commit to."""

    limit: int
    used: dict[str, int]
    records: dict[str, dict[str, Any]]

    @property
    def passes(self) -> int:
        return sum(int(each["passes"]) for each in self.records.values())

    @property
    def lost(self) -> int:
        return sum(each["ended"] == "lost" for each in self.records.values())


def books(db: Database, grant: str) -> Books:
    """Read them; each batch of records must be the one to which its entry in the ledger commits."""
    with db.read() as tx:
        meter = tx.execute(sa.select(meter_table).where(meter_table.c.grant_id == grant)).one()
        rows = tx.execute(sa.select(usage_table).order_by(usage_table.c.entry_seq, usage_table.c.place)).all()
        batches: dict[int, list[bytes]] = {}
        for row in rows:
            batches.setdefault(row.entry_seq, []).append(row.leaf)
        for seq, batch in batches.items():
            (entry,) = leaves(tx, seq, seq + 1)
            assert json.loads(entry)["data"] == batch_data(batch)
    used = {unit: getattr(meter, f"used_{unit}") for unit in ("passes", "tokens", "calls")}
    return Books(meter.limit_passes, used, {row.id: json.loads(row.leaf) for row in rows if row.grant_id == grant})
