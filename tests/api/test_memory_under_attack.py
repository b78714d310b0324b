"""A flood of hostile requests leaves a worker as large as it was, and as ready.

The bound: after a first flood, which fills what is filled once (pools, caches, arenas), two thousand more requests
may not leave the worker more than GROWTH larger. A leak of one large body in twenty would pass it.
"""

from __future__ import annotations

import contextlib
import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from raw import GOOD, INTERNALS, answers, exchange, good, line_to, post
from served import Served

GROWTH = 48  # MB; seen: 13 to 30, and no more after 4,500 than after 3,000
FLOOD = 2000
CHUNKED = "transfer-encoding: chunked"


def resident(pid: int) -> float:
    """Return how much of a process stands in memory, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def hostile(key: str) -> list[tuple[bytes, bool]]:
    """Give the flood's kinds: bytes, and whether the sender then hangs up without reading."""
    large = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "w " * 400_000}]}).encode()
    many = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "w"}] * 10_000}).encode()
    flowing = json.dumps({**GOOD, "stream": True, "n": 100}).encode()
    close = "connection: close"
    return [
        (post(key, large, close), False),
        (post(key, large[:-9], close), True),
        (post(key, b"[" * 900_000, close), False),
        (post(key, b'{"a":' * 100_000, close), False),
        (post(key, many, close), False),
        (post(key, b'{"seed":' + b"9" * 500_000 + b"}", close), False),
        (post(key, b" " * 1_100_000, close), False),
        (post(key, b"40000\r\n" + b"x" * 0x40000 + b"\r\n", CHUNKED, length=False), True),
        (post(key, b"1\r\n \r\n0\r\n" + b"t: v\r\n" * 50_000 + b"\r\n", CHUNKED, close, length=False), False),
        (post(key, b"", close, *(f"x-{n}: {'y' * 20}" for n in range(2000))), False),
        (post(key, b"", close, "x: " + "y" * 500_000), False),
        (post("rr_" + "x" * 60_000, large, close), False),
        (post(key, flowing, close), True),
        (good(key) * 40, True),
        (b"\x16\x03\x01" + b"\xff" * 5000, False),
        (good(key, close), False),
    ]


def attack(house: Served, sent: bytes, *, leaves: bool) -> None:
    if leaves:
        with contextlib.suppress(OSError), line_to(house.url) as line:
            line.sendall(sent)
        return
    received = exchange(house.url, [sent], end=False)
    assert not INTERNALS.search(received), received
    with contextlib.suppress(AssertionError):  # one who is cut off while he still sends may lose his answer
        assert all(each.status < 500 for each in answers(received)), received[:200]


def flood(house: Served, key: str, count: int) -> None:
    kinds, dice = hostile(key), random.Random(8)  # noqa: S311 - the same each time
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(attack, house, sent, leaves=leaves) for sent, leaves in dice.choices(kinds, k=count)]:
            done.result()


@pytest.fixture(scope="module")
def house(own_house: Served) -> Served:
    return own_house  # its worker is as large as a new one


@pytest.mark.deep
def test_two_thousand_hostile_requests_leave_the_worker_as_large_as_it_was(house: Served) -> None:
    issued = house.grant()
    (worker,) = house.workers()
    flood(house, issued["key"], 400)
    before = resident(worker)
    flood(house, issued["key"], FLOOD)
    grown = resident(worker) - before
    assert house.workers() == [worker], "the worker did not live through it"
    assert house.chat(issued["key"], {}).status_code == 200
    assert house.settled(issued["id"])["reserved"] == {"passes": 0, "tokens": 0, "calls": 0}
    assert "Traceback" not in house.log.read_text()
    print(f"{before:.0f} MB, and {grown:+.1f} MB after the flood")  # noqa: T201 - the figure
    assert grown < GROWTH
