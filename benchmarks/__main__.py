"""`make bench`: what a call costs here, side by side with the least that it could cost, in one run.

    python -m benchmarks [--seconds N] [--peer NAME=URL ...] [--only json,streams,...] [--out FILE]

Machines are noisy: compare rows of one run, and quote ratios and CPU microseconds. How to read it:
docs/explanation/the-benchmark.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import revocations, servers
from benchmarks.servers import CPUS, Server, load

ASK = [
    {"role": "system", "content": "You answer from the reading room of a library. Be brief and cite the shelf."},
    {"role": "user", "content": "Which rules does a reading room set for people who want to look at a rare book? " * 3},
]
JSON: dict[str, Any] = {"model": "fast", "messages": ASK, "max_tokens": 128, "temperature": 0.7}
STREAM = {**JSON, "stream": True}
PACED = {**STREAM, "messages": [*ASK, {"role": "user", "content": "paced"}]}
CHUNKS = 100
ALL = ("json", "streams", "paced", "scale", "memory", "revocation")
Document = dict[str, Any]


@contextlib.contextmanager
def side_by_side(engine: Server, peers: list[str]) -> Iterator[dict[str, Callable[[], Any]]]:
    """Give what can be started, by name, in the order in which it is measured."""
    found: dict[str, Callable[[], Any]] = {
        "the engine itself": lambda: contextlib.nullcontext(engine),
        "bare pass-through": lambda: servers.bare(engine.url),
        "Reading Room": lambda: servers.house(engine.url),
    }
    if shutil.which("nginx"):
        found["nginx"] = lambda: servers.nginx(engine.url)
    for peer in peers:
        name, _, url = peer.partition("=")
        found[name] = lambda url=url: contextlib.nullcontext(Server(url.rstrip("/"), 0, "none"))  # type: ignore[misc]
    yield found


def measure_one(server: Server, seconds: float, only: set[str]) -> Document:
    """Measure one gateway."""
    made: Document = {"idle_mb": server.resident_mb()}
    load(server, JSON, 16, 1)  # warm up
    if "json" in only:
        made["json"] = {str(clients): load(server, JSON, clients, seconds) for clients in (1, 16, 64, 256)}
    if "streams" in only:
        made["streams"] = load(server, STREAM, 32, seconds)
    if "paced" in only:
        made["paced"] = load(server, PACED, 10, 3)
    made["after_mb"] = server.resident_mb()
    return made


def memory(engine: Server, calls: int = 100_000) -> Document:
    """Return the largest process's memory after tens of thousands of calls, and the slope of its second half."""
    with servers.house(engine.url) as server:
        load(server, JSON, 64, 1)
        points = [(0, server.worker_mb())]
        while points[-1][0] < calls:
            done = points[-1][0] + int(load(server, JSON, 64, 5)["requests"])
            points.append((done, server.worker_mb()))
    half = points[len(points) // 2 :]
    slope = (half[-1][1] - half[0][1]) / max(1, half[-1][0] - half[0][0]) * 100_000
    return {"calls": points[-1][0], "start_mb": points[0][1], "end_mb": points[-1][1], "mb_per_100k_calls": slope}


def scale(engine: Server, seconds: float) -> Document:
    """Return how much more two workers do than one, where nothing is pinned."""
    rates = {}
    for workers in (1, 2):
        with servers.house(engine.url, workers, set(CPUS)) as server:
            load(server, JSON, 64, 1)
            rates[workers] = load(server, JSON, 64, seconds)["rate"]
    return {"one": rates[1], "two": rates[2], "ratio": rates[2] / rates[1]}


def table(found: Document) -> Iterator[str]:
    """Spell the figures."""
    rows = found["side_by_side"]
    yield f"{'':24}{'req/s 64':>10}{'p50/p99 ms':>16}{'1 client ms':>13}{'CPU us':>8}{'streams/s':>11}{'us/chunk':>10}"
    for name, row in rows.items():
        calls, streams = row.get("json", {}), row.get("streams", {})
        many, one = calls.get("64", {}), calls.get("1", {})
        yield (
            f"{name:24}{many.get('rate', 0):10,.0f}{many.get('ms_p50', 0):8.1f}/{many.get('ms_p99', 0):7.1f}"
            f"{one.get('ms_p50', 0):13.2f}{many.get('cpu_us', 0):8.0f}{streams.get('rate', 0):11,.0f}"
            f"{streams.get('cpu_us', 0) / CHUNKS:10.1f}"
        )
    bad = {name: sum(each.get("bad", 0) for each in _loads(row)) for name, row in rows.items()}
    if any(bad.values()):
        yield f"NOT VALID: requests that failed: {bad}"
    ours, bare = rows.get("Reading Room"), rows.get("bare pass-through")
    if ours and bare and "json" in ours and "streams" in ours:
        calls, streams = ratio(ours, bare, "json", "64"), ratio(ours, bare, "streams")
        yield f"of the bare pass-through: JSON {calls:.2f}, streams {streams:.2f}"
    for name in ("memory", "scale", "revocation"):
        if name in found:
            yield f"{name}: " + ", ".join(f"{key} {value:,.2f}" for key, value in found[name].items())


def _loads(row: Document) -> list[Document]:
    return [*row.get("json", {}).values(), *(row[name] for name in ("streams", "paced") if name in row)]


def ratio(ours: Document, theirs: Document, *path: str) -> float:
    """Return one figure of ours as a part of another's."""
    for step in path:
        ours, theirs = ours[step], theirs[step]
    return float(ours["rate"] / theirs["rate"])


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="of each load")
    parser.add_argument("--only", default=",".join(ALL), help=f"some of {','.join(ALL)}")
    parser.add_argument(
        "--peer", action="append", default=[], help="NAME=URL of another gateway before the same engine"
    )
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    chosen = parser.parse_args()
    only = set(chosen.only.split(","))
    found: Document = {"cpus": len(CPUS), "seconds": chosen.seconds, "rules": servers.RULES, "side_by_side": {}}
    with servers.engine() as engine:
        if only & {"json", "streams", "paced"}:
            with side_by_side(engine, chosen.peer) as gateways:
                for name, start in gateways.items():
                    with start() as server:
                        found["side_by_side"][name] = measure_one(server, chosen.seconds, only)
                    sys.stderr.write(f"{name}: measured\n")
        if "scale" in only:
            found["scale"] = scale(engine, chosen.seconds)
        if "memory" in only:
            found["memory"] = memory(engine)
    if "revocation" in only:
        found["revocation"] = revocations.measure()
    chosen.out.write_text(json.dumps(found, indent=2))
    print(*table(found), sep="\n")


if __name__ == "__main__":
    main()
