"""Limits and turns as readers meet them: real servers of two workers, on both databases."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from readingroom.gateway.pace import minute_of, resets_in
from readingroom.store.db import Database
from served import Served, found, run, served

FEW, MANY = 12, 1000  # words, of which the slow engine says twenty a second: most of a second, and most of a minute


def limit(home: Path, tier: str, places: int = -1) -> Path:
    """Put a plan in force whose tier has limits, and set how many may be at the engine."""
    plan, settings = home / "release.yaml", home / "readingroom.toml"
    plan.write_text(plan.read_text().replace("text: {}", f"text: {{{tier}}}"))
    settings.write_text(settings.read_text().replace("engine_places = -1", f"engine_places = {places}"))
    if tier:
        run(home, "plan", "adopt", str(plan), "--reason", "test")
        run(home, "stage", "sign", "reading-room")
        run(home, "stage", "open", "reading-room")
    return home


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.deep)])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Found a house for trials on each kind of database."""
    if request.param == "sqlite":
        return found(tmp_path / "home")
    db: Database = request.getfixturevalue("postgres_db")
    run(tmp_path / "home", "init", "--dev", "--engine", "echo", "--database", db.url)
    return tmp_path / "home"


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    return found(tmp_path / "home", words_per_second="20")


def grant_whose_minute_lasts(house: Served, least: int, most: int) -> dict[str, Any]:
    """Issue grants until one is in a good moment of its minute: each has its own."""
    for _ in range(400):
        issued = house.grant()
        now = time.time()
        if least <= resets_in(issued["id"], minute_of(issued["id"], now), now) <= most:
            return issued
    raise AssertionError("no grant in the right moment of its minute")


def ask(house: Served, key: str, **body: Any) -> httpx.Response:
    """Ask on a connection of its own, so that each worker gets some."""
    whole = {"model": "echo", "messages": [{"role": "user", "content": "one two three"}], **body}
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(f"{house.url}/v1/chat/completions", json=whole, headers=headers, timeout=60)


def at_once(count: int, call: Callable[[], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(count) as pool:
        return [each.result() for each in [pool.submit(call) for _ in range(count)]]


def eventually(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


class Reading:
    """A stream that a reader reads, in a thread."""

    def __init__(
        self, house: Served, key: str, words: int = FEW, done: list[str] | None = None, name: str = ""
    ) -> None:
        self.lines: list[str] = []
        self.headers: httpx.Headers | None = None
        self.status = 0
        self.done, self.name = done, name
        self._client = httpx.Client(timeout=60)
        messages = [{"role": "user", "content": " ".join(f"word{n}" for n in range(words))}]
        self._request = self._client.build_request(
            "POST",
            f"{house.url}/v1/chat/completions",
            json={"model": "echo", "messages": messages, "stream": True},
            headers={"authorization": f"Bearer {key}"},
        )
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        try:
            answer = self._client.send(self._request, stream=True)
            self.status, self.headers = answer.status_code, answer.headers
            self._socket = answer.extensions["network_stream"].get_extra_info("socket")
            for line in answer.iter_lines():
                self.lines.append(line)
        except httpx.HTTPError:
            pass
        if self.done is not None:
            self.done.append(self.name)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def began(self) -> bool:
        return '"content"' in self.text

    def hang_up(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # closing it would wait for the thread that reads
        self.end()

    def end(self) -> None:
        self.thread.join(90)
        self._client.close()
        assert not self.thread.is_alive()


@pytest.fixture
def readings() -> Iterator[list[Reading]]:
    made: list[Reading] = []
    yield made
    for each in made:
        each.end()


@pytest.mark.deep
def test_so_many_requests_a_minute_over_two_workers_and_no_more(base: Path) -> None:
    with served(limit(base, "requests_per_minute: 5"), workers=2) as house:
        issued = grant_whose_minute_lasts(house, 25, 60)
        answers = at_once(20, lambda: ask(house, issued["key"]))
        assert Counter(each.status_code for each in answers) == {200: 5, 429: 15}
        refused = next(each for each in answers if each.status_code == 429)
        assert refused.json()["error"]["code"] == "access/rate-limited"
        after = int(refused.headers["retry-after"])
        assert 1 <= after <= 60
        assert "x-should-retry" not in refused.headers
        assert refused.headers["x-ratelimit-limit-requests"] == "5"
        assert refused.headers["x-ratelimit-remaining-requests"] == "0"
        assert refused.headers["x-ratelimit-reset-requests"] == ("1m0s" if after == 60 else f"{after}s")
        assert "x-ratelimit-limit-tokens" not in refused.headers, "what is not limited is not told"
        assert house.settled(issued["id"])["used"]["calls"] == 5, "what was refused holds nothing and costs nothing"
        other = house.grant()
        assert ask(house, other["key"]).status_code == 200, "each grant has its own minute"


@pytest.mark.deep
def test_after_retry_after_a_request_passes(tmp_path: Path) -> None:
    with served(limit(found(tmp_path / "home"), "requests_per_minute: 1, tokens_per_minute: 5000")) as house:
        issued = grant_whose_minute_lasts(house, 8, 12)
        first = ask(house, issued["key"])
        assert first.status_code == 200
        assert first.headers["x-ratelimit-remaining-requests"] == "0"
        assert int(first.headers["x-ratelimit-remaining-tokens"]) < 5000
        with pytest.raises(openai.RateLimitError) as refused:
            house.client(issued["key"]).chat.completions.create(
                model="echo", messages=[{"role": "user", "content": "a"}]
            )
        time.sleep(int(refused.value.response.headers["retry-after"]))
        assert ask(house, issued["key"]).status_code == 200


@pytest.mark.deep
def test_tokens_a_minute_are_reserved_at_their_most_and_corrected(tmp_path: Path) -> None:
    with served(limit(found(tmp_path / "home"), "tokens_per_minute: 100")) as house:
        issued = grant_whose_minute_lasts(house, 20, 60)
        for _ in range(5):  # 53 at most each, 6 in truth
            answer = ask(house, issued["key"], max_tokens=50)
            assert answer.status_code == 200
        refused = ask(house, issued["key"], max_tokens=90)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "access/rate-limited")
        assert refused.headers["x-ratelimit-remaining-tokens"] == str(100 - 5 * 6)
        never = ask(house, issued["key"], max_tokens=98)
        assert never.status_code == 429
        assert never.headers["x-should-retry"] == "false", "no waiting makes it fit"
        assert "retry-after" not in never.headers


@pytest.mark.deep
def test_so_many_at_once_over_two_workers_and_each_that_ends_makes_room(slow: Path, readings: list[Reading]) -> None:
    with served(limit(slow, "parallel: 3"), workers=2) as house:
        key = house.grant()["key"]
        readings += [Reading(house, key, MANY) for _ in range(3)]
        eventually(lambda: all(each.began for each in readings))
        refused = ask(house, key)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "access/rate-limited")
        assert refused.headers["retry-after"] == "1"
        shown = house.http.get("/v1/grant", headers={"authorization": f"Bearer {key}"}).json()
        assert shown["limits"] == {"parallel": 3}
        readings[0].hang_up()
        eventually(lambda: ask(house, key).status_code == 200)


@pytest.mark.deep
def test_the_places_of_a_killed_worker_are_free_again(slow: Path, readings: list[Reading]) -> None:
    with served(limit(slow, "parallel: 1")) as house:
        key = house.grant()["key"]
        readings.append(Reading(house, key, MANY))
        eventually(lambda: readings[0].began)
        assert ask(house, key).status_code == 429
        for worker in house.workers():
            os.kill(worker, signal.SIGKILL)

        def passes() -> bool:
            try:
                return ask(house, key).status_code == 200
            except httpx.HTTPError:  # nobody is there yet
                return False

        eventually(passes)


@pytest.mark.deep
def test_one_reader_with_many_requests_does_not_stop_the_room(slow: Path, readings: list[Reading]) -> None:
    with served(limit(slow, "", places=1)) as house:
        many, one = house.grant()["key"], house.grant()["key"]
        done: list[str] = []
        readings.append(Reading(house, many, MANY, done, "many 0"))  # it is at the engine until all are in line
        eventually(lambda: readings[0].began)
        readings += [Reading(house, many, FEW, done, f"many {n}") for n in range(1, 5)]
        eventually(lambda: waiting(house, many) == 4)
        readings.append(Reading(house, one, FEW, done, "one"))
        eventually(lambda: waiting(house, one) == 1)
        readings[0].hang_up()
        for each in readings[1:]:
            each.end()
        assert sorted(done) == ["many 0", "many 1", "many 2", "many 3", "many 4", "one"]
        assert done.index("one") <= 2, "it waited for the one at the engine, and at most for one more"
        told = [each for each in readings if ": place in line" in each.text]
        assert len(told) >= 4, "who waits is told so"
        for each in told:
            assert each.headers is not None
            assert each.text.startswith(f": place in line {each.headers['x-readingroom-place']}")
            assert each.text.rstrip().endswith("data: [DONE]"), "and is answered all the same"


def waiting(house: Served, key: str) -> int:
    shown = house.http.get("/v1/grant", headers={"authorization": f"Bearer {key}"}).json()
    return int(shown["waiting"])


def test_who_hangs_up_in_line_or_is_revoked_leaves_no_gap_and_is_charged_nothing(
    slow: Path, readings: list[Reading]
) -> None:
    with served(limit(slow, "", places=1)) as house:
        first, gone, out = house.grant(), house.grant(), house.grant()
        readings.append(Reading(house, first["key"], MANY))
        eventually(lambda: readings[0].began)
        hanging = Reading(house, gone["key"])
        eventually(lambda: ": place in line" in hanging.text)
        revoked = Reading(house, out["key"])
        readings += [hanging, revoked]
        eventually(lambda: ": place in line 2" in revoked.text)
        house.run("grant", "revoke", out["id"], "--reason", "security")
        revoked.end()
        assert json.loads(revoked.lines[-2].removeprefix("data: "))["error"]["code"] == "access/grant-revoked"
        hanging.hang_up()
        eventually(lambda: waiting(house, gone["key"]) == 0)
        readings[0].hang_up()
        readings.append(Reading(house, first["key"]))
        readings[-1].end()
        assert "[DONE]" in readings[-1].text
        for each in (gone, out):
            meter = house.settled(each["id"])
            assert meter["used"] == {"passes": 0, "tokens": 0, "calls": 0}
            assert meter["reserved"] == {"passes": 0, "tokens": 0, "calls": 0}
