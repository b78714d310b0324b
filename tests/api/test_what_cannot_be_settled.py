"""A flowing answer whose call cannot be recorded at its end, since the disk has filled up meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from raw import GOOD, exchange, line_to, post
from served import LONG, Served, found, full, served


@pytest.fixture(scope="module")
def slow_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve one of its own: a full disk leaves its mark, metrics that could not be named."""
    with served(found(tmp_path_factory.mktemp("full") / "home", words_per_second="50"), workers=2) as running:
        yield running


def cut_off(house: Served, key: str) -> bytes:
    """Read a stream during which the disk fills up; return it."""
    asked = {**GOOD, "stream": True, "messages": [{"role": "user", "content": " ".join(LONG.split()[:40])}]}
    filling = full(house)  # who its processes are is looked up while there is time: the answer takes less than a second
    with line_to(house.url) as line:
        line.sendall(post(key, json.dumps(asked).encode(), "connection: close"))
        received = line.recv(10)
        with filling:
            while piece := line.recv(65536):
                received += piece
    return received


def test_what_could_not_be_settled_is_settled_once_it_can_be(slow_house: Served) -> None:
    issued = slow_house.grant(passes=5000)
    cut_off(slow_house, issued["key"])
    assert slow_house.settled(issued["id"])["used"]["passes"] == 40


def test_an_answers_end_is_not_sent_before_its_record(slow_house: Served) -> None:
    received = cut_off(slow_house, slow_house.grant(passes=5000)["key"])
    assert b'"error"' in received
    assert b'"finish_reason":"stop"' not in received


def test_the_house_goes_on(slow_house: Served) -> None:
    key = slow_house.grant()["key"]
    assert b"200 OK" in exchange(slow_house.url, [post(key, json.dumps(GOOD).encode(), "connection: close")], end=False)
