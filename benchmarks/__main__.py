"""`make bench`: the figures that the docs quote, measured against a real server on this machine.

    python -m benchmarks [--seconds N] [--workers N] [--json]

Machines are noisy: compare rows of one run only, and quote medians. Each figure is of a house for trials on the echo
engine, so it shows what Reading Room itself costs, not a model.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp

PROGRAM = [sys.executable, "-m", "readingroom"]
CHAT = {"model": "echo", "messages": [{"role": "user", "content": "one two three four five six seven eight"}]}
LONG = " ".join(f"word{i}" for i in range(400))


@dataclass(frozen=True)
class Row:
    """One measured figure."""

    what: str
    value: float
    unit: str

    def __str__(self) -> str:
        """Spell it as a line of the report."""
        return f"{self.what:<58} {self.value:>10.2f} {self.unit}"


def run(home: Path, *arguments: str) -> dict[str, object]:
    """Run the program with --json and return its document."""
    command = [*PROGRAM, "--home", str(home), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    return dict(json.loads(done.stdout))


@contextlib.contextmanager
def served(home: Path, workers: int) -> Iterator[tuple[str, float, int]]:
    """Serve a house; give its URL, the seconds until it answered, and the supervisor's process id."""
    began = time.monotonic()
    command = [*PROGRAM, "--home", str(home), "--json", "serve", "--port", "0", "--workers", str(workers)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
    try:
        text = ""
        while not text.rstrip().endswith("}") and server.stdout is not None:
            text += server.stdout.readline()
        yield str(json.loads(text)["url"]), time.monotonic() - began, server.pid
    finally:
        server.terminate()
        server.wait()


def resident_mb(parent: int) -> float:
    """Return the resident memory of a process and its children, in MB."""
    total = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            if parent in (int(fields["Pid"]), int(fields["PPid"])) and "VmRSS" in fields:
                total += int(fields["VmRSS"].split()[0]) / 1024
    return total


@contextlib.asynccontextmanager
async def client(url: str, key: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a pooled client that carries a key."""
    headers = {"authorization": f"Bearer {key}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, headers=headers, connector=connector) as session:
        yield session


async def answer(session: aiohttp.ClientSession, body: dict[str, object]) -> None:
    """Ask once and read the whole answer."""
    async with session.post("/v1/chat/completions", json=body) as response:
        await response.read()
        if response.status != 200:  # noqa: PLR2004 - HTTP's own
            raise RuntimeError(f"status {response.status}")


async def rate(session: aiohttp.ClientSession, body: dict[str, object], clients: int, seconds: float) -> float:
    """Return answers a second at a number of parallel clients."""
    until, done = time.monotonic() + seconds, 0

    async def ask() -> None:
        nonlocal done
        while time.monotonic() < until:
            await answer(session, body)
            done += 1

    await asyncio.gather(*(ask() for _ in range(clients)))
    return done / seconds


async def latency_ms(session: aiohttp.ClientSession, times: int) -> list[float]:
    """Return the milliseconds of single requests, one after the other."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await answer(session, dict(CHAT))
        taken.append((time.perf_counter() - began) * 1000)
    return taken


async def revocation_ms(url: str, home: Path, times: int) -> list[float]:
    """Return, per revocation of a flowing stream, the milliseconds from the decision to the stream's last byte."""
    taken = []
    for _ in range(times):
        made = run(home, "grant", "issue", "--to", "bench@example.org", "--accept-terms", "--reason", "benchmark")
        async with client(url, str(made["key"])) as session:
            body = {**CHAT, "stream": True, "messages": [{"role": "user", "content": LONG * 20}], "max_tokens": 8000}
            async with session.post("/v1/chat/completions", json=body) as response:
                await response.content.readany()
                revoke = asyncio.to_thread(run, home, "grant", "revoke", str(made["id"]), "--reason", "security")
                decision, ended = await asyncio.gather(revoke, _end_of(response))
        decided = time.mktime(time.strptime(str(decision["decided_at"])[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        decided += float("0." + str(decision["decided_at"])[20:26])
        taken.append((ended - decided) * 1000)
    return taken


async def _end_of(response: aiohttp.ClientResponse) -> float:
    ended = time.time()
    while await response.content.readany():
        ended = time.time()
    return ended


async def measure(url: str, key: str, seconds: float) -> list[Row]:
    """Measure everything that needs the running server."""
    async with client(url, key) as session:
        await rate(session, dict(CHAT), 8, 1)  # warm up
        singles = await latency_ms(session, 200)
        rows = [
            Row("one request at a time, median", statistics.median(singles), "ms"),
            Row("32 clients, JSON answers of 8 tokens", await rate(session, dict(CHAT), 32, seconds), "answers/s"),
        ]
        body: dict[str, object] = {**CHAT, "messages": [{"role": "user", "content": LONG}], "stream": True}
        streams = await rate(session, body, 16, seconds)
        rows.append(Row("16 clients, streams of 400 tokens", streams, "streams/s"))
        rows.append(Row("  the same in tokens", streams * 400, "tokens/s"))
    return rows


def main() -> None:
    """Set a house up, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--revocations", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        run(home, "init", "--dev", "--engine", "echo")
        issued = run(home, "grant", "issue", "--to", "bench@example.org", "--accept-terms", "--reason", "benchmark")
        with served(home, chosen.workers) as (url, startup, pid):
            rows = [Row("serve: command to first answer", startup, "s")]
            rows.append(Row("resident memory, idle (supervisor and workers)", resident_mb(pid), "MB"))
            rows += asyncio.run(measure(url, str(issued["key"]), chosen.seconds))
            rows.append(Row("resident memory, after load", resident_mb(pid), "MB"))
        (home / "readingroom.toml").write_text(
            (home / "readingroom.toml").read_text() + "\n[engine_options]\nwords_per_second = 50\n"
        )
        with served(home, chosen.workers) as (url, _, _):
            taken = sorted(asyncio.run(revocation_ms(url, home, chosen.revocations)))
        rows.append(Row("revocation: decision to last byte, median", statistics.median(taken), "ms"))
        rows.append(Row("revocation: decision to last byte, worst", taken[-1], "ms"))
    if chosen.json:
        print(json.dumps([vars(row) for row in rows], indent=2))
    else:
        print(*rows, sep="\n")


if __name__ == "__main__":
    main()
