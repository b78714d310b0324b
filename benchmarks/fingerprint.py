"""How far apart fingerprints of the demo model are: `python -m benchmarks.fingerprint [--json FILE]`.

The same file again, under the load of four at once, in other numbers of slots, with another context; then a file with
a few bytes changed, and the same file without its template. What is printed is what `engines.fingerprint.TOLERANCE`
is set by. It says nothing of other servers or hardware: run it there, with the engine's URL as argument, to see how
far an engine is from itself (`python -m benchmarks.fingerprint --engine URL --model NAME`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from readingroom.core.settings import engine_key
from readingroom.engines.demo_model import fetch
from readingroom.engines.embedded import EmbeddedProcess
from readingroom.engines.fingerprint import TOLERANCE, Fingerprint, compare, take
from readingroom.engines.http import HttpEngine
from readingroom.engines.model import EngineFault

EDITS = (20, 200, 1000)  # bytes that are changed, of 98 million
RUNS = 3
AT_ONCE = 4


@asynccontextmanager
async def embedded(model: Path, slots: int = 4, context: int = 512) -> AsyncIterator[HttpEngine]:
    """Run the embedded engine for a while."""
    process = EmbeddedProcess(model, context, slots)
    process.start()
    engine = HttpEngine(process.url, "m", context, process.key)
    try:
        yield engine
    finally:
        await engine.close()
        process.stop()


class Table:
    """Prints each comparison as it is made, and keeps it."""

    def __init__(self) -> None:
        """Begin with the heading."""
        self.rows: list[dict[str, object]] = []
        sys.stdout.write(f"{'':40}{'nats apart':>12}{'said alike':>12}  same (up to {TOLERANCE} nats)\n")

    def row(self, name: str, kept: Fingerprint, now: Fingerprint) -> None:
        """Compare and print."""
        found = compare(kept, now)
        if found is None:
            return
        apart = "-" if found.apart is None else f"{found.apart:.4f}"
        sys.stdout.write(f"{name:40}{apart:>12}{found.alike:>12.2f}  {'yes' if found.same else 'NO'}\n")
        self.rows.append({"name": name, "apart": found.apart, "alike": found.alike, "same": found.same})


async def of_itself(engine: HttpEngine, table: Table) -> Fingerprint:
    """Compare an engine with itself, one after the other and at once."""
    kept = await take(engine)
    for number in range(RUNS):
        table.row(f"itself, again ({number + 1})", kept, await take(engine))
    for number, each in enumerate(await asyncio.gather(*(take(engine) for _ in range(AT_ONCE)))):
        table.row(f"itself, {AT_ONCE} at once ({number + 1})", kept, each)
    return kept


def edited(weights: bytes, count: int) -> bytes:
    """Change so many bytes of the second half of the file, where no header is; the same ones each time."""
    made, chance = bytearray(weights), random.Random(1)  # noqa: S311 - reproducible
    for _ in range(count):
        made[chance.randrange(len(made) // 2, len(made) - 1000)] ^= 0x11
    return bytes(made)


async def of_the_demo_model(table: Table) -> None:
    """Compare the demo model with itself and with changed ones."""
    model = fetch()
    async with embedded(model) as engine:
        kept = await of_itself(engine, table)
    for slots, context in ((1, 512), (2, 512), (8, 256), (4, 2048)):
        async with embedded(model, slots, context) as engine:
            table.row(f"{slots} slots of {context} tokens", kept, await take(engine))
    weights = model.read_bytes()
    changed = {f"{count} bytes of the weights changed": edited(weights, count) for count in EDITS}
    changed["another template (one word of it)"] = weights.replace(b"You are a helpful", b"You are a hateful")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "changed.gguf"
        for name, content in changed.items():
            path.write_bytes(content)
            async with embedded(path) as engine:
                try:
                    table.row(name, kept, await take(engine))
                except EngineFault as fault:
                    sys.stdout.write(f"{name:40} no answer: {fault}\n")


async def main() -> None:
    """Print the table, and write it as JSON where asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", default="", help="an OpenAI-compatible base URL; its key as the house has it")
    parser.add_argument("--model", default="")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table = Table()
    if options.engine:
        engine = HttpEngine(options.engine.rstrip("/"), options.model, 512, engine_key())
        await of_itself(engine, table)
        await engine.close()
    else:
        await of_the_demo_model(table)
    if options.json:
        options.json.write_text(json.dumps(table.rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
