"""What a stream of the embedded model loses on its way through the house.

    python -m benchmarks.embedded [--rounds N] [--tokens N]

The same engine process is asked directly and through the house (a thousand rules on both sides, everything on), in
turns, so that both see the same machine. Prints tokens per second of the medians and their ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import urllib.request
from pathlib import Path

from benchmarks.servers import CPUS, house
from readingroom.engines.identity import ADDRESS

STORY = "Tell a long story about a library, a lamp and a river. Do not stop early."


def rate(url: str, key: str, model: str, tokens: int) -> float:
    """Read one stream; return tokens per second."""
    body = {
        "model": model,
        "messages": [{"role": "user", "content": STORY}],
        "max_tokens": tokens,
        "temperature": 0,
        "seed": 1,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    asked = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), headers)  # noqa: S310 - ours
    began, made = time.monotonic(), 0
    with urllib.request.urlopen(asked, timeout=600) as answer:  # noqa: S310
        for line in answer:
            if line.startswith(b"data: {"):
                usage = json.loads(line[6:]).get("usage") or {}
                made = usage.get("completion_tokens", made)
    return float(made / (time.monotonic() - began))


def main() -> None:
    """Ask in turns, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=256)
    given = parser.parse_args()
    with house("embedded", cpus=set(CPUS)) as server:
        assert server.home is not None  # noqa: S101 - a house has one
        left = json.loads((Path(server.home) / "run" / ADDRESS).read_text())
        with urllib.request.urlopen(  # noqa: S310 - ours
            urllib.request.Request(f"{server.url}/v1/models", headers={"authorization": f"Bearer {server.key}"})  # noqa: S310
        ) as models:
            model = json.load(models)["data"][0]["id"]
        ways = {"directly": (left["url"], left["key"]), "through the house": (f"{server.url}/v1", server.key)}
        seen: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(given.rounds + 1):
            for name, (url, key) in ways.items():
                found = rate(url, key, model, given.tokens)
                if turn:  # the first warms both up
                    seen[name].append(found)
    middle = {name: statistics.median(values) for name, values in seen.items()}
    for name, value in middle.items():
        print(f"{name:20}{value:8.1f} tokens/s")
    print(f"of the engine itself: {middle['through the house'] / middle['directly']:.3f}")


if __name__ == "__main__":
    main()
