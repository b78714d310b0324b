"""How long a sanction takes, from its decision to the last byte at the reader, among 200 streams on 4 workers."""

from __future__ import annotations

import asyncio
import itertools
import statistics
from datetime import datetime

import aiohttp

from benchmarks import servers
from benchmarks.servers import CPUS, Server

STREAMS, WORKERS, GRANTS = 200, 4, 20
WORDS = "word " * 4000
DECISIONS = {  # each kind that stops reading, in turn
    "revoke": ("grant", "revoke", "{}"),
    "suspend": ("grant", "suspend", "{}"),
    "suspend a member": ("sanction", "impose", "suspend", "--grant", "{}", "--person", "bench@example.org"),
}


async def _read(session: aiohttp.ClientSession, server: Server, key: str, ends: list[float]) -> None:
    body = {"model": "echo", "messages": [{"role": "user", "content": WORDS}], "stream": True, "max_tokens": 4000}
    headers = {"authorization": f"Bearer {key}"}
    loop = asyncio.get_running_loop()
    async with session.post(f"{server.url}/v1/chat/completions", json=body, headers=headers) as answer:
        last = loop.time()
        async for _ in answer.content.iter_any():
            last = loop.time()
        ends.append(last)


async def _measure(server: Server) -> dict[str, list[float]]:
    assert server.home is not None  # noqa: S101 - a house of ours
    issue = ("grant", "issue", "--to", "bench@example.org", "--accept-terms", "--reason", "benchmark")
    made = [await asyncio.to_thread(servers.run, server.home, *issue) for _ in range(GRANTS)]
    taken: dict[str, list[float]] = {kind: [] for kind in DECISIONS}
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        ends: dict[str, list[float]] = {each["id"]: [] for each in made}
        readers = [
            asyncio.create_task(_read(session, server, made[n % GRANTS]["key"], ends[made[n % GRANTS]["id"]]))
            for n in range(STREAMS)
        ]
        await asyncio.sleep(3)
        for each, kind in zip(made, itertools.cycle(DECISIONS), strict=False):
            words = [word.format(each["id"]) for word in DECISIONS[kind]]
            decision = await asyncio.to_thread(servers.run, server.home, *words, "--reason", "security")
            said = datetime.fromisoformat(decision["decided_at"]).timestamp()
            decided = loop.time() - (datetime.now().timestamp() - said)  # noqa: DTZ005, TID251 - a wall clock's distance
            await asyncio.sleep(0.5)
            taken[kind] += [(end - decided) * 1000 for end in ends[each["id"]]]
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return taken


def measure() -> dict[str, float]:
    """Return the milliseconds of p50, p99 and the worst of all streams, the worst of each kind, and how many.

    They count from `decided_at`, a moment before the commit, so the commit's own time is in them.
    """
    with servers.house("echo", WORKERS, set(CPUS), words_per_second=20) as server:
        by_kind = asyncio.run(_measure(server))
    taken = [each for found in by_kind.values() for each in found]
    cuts = statistics.quantiles(taken, n=100)
    worst = {f"{kind}_worst_ms".replace(" ", "_"): max(found) for kind, found in by_kind.items()}
    return {"streams": len(taken), "p50_ms": cuts[49], "p99_ms": cuts[98], "worst_ms": max(taken), **worst}
