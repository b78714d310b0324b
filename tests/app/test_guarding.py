"""Promise 10, while a house is served: what is found at the engine's doors ends streams in every worker."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import openai
import pytest

from app.engine import KEY, MODEL, Engine, engine
from readingroom.access.model import Amounts, Award
from readingroom.app.checkup import Finding, examine
from readingroom.app.founding import default_plan, found, register_model
from readingroom.app.guarding import OLD, Rounds, inspect
from readingroom.app.house import House
from readingroom.app.lending import issue_discretionary
from readingroom.app.testing import run_suite
from readingroom.core.clock import SystemClock
from readingroom.core.settings import Settings, load
from readingroom.engines.identity import served_digest
from readingroom.people.model import Actor, Role
from served import Served, served

QUIET: Callable[[int, int], None] = lambda _done, _total: None  # noqa: E731 - a name for its type


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("READINGROOM_ENGINE_KEY", KEY)
    with engine() as made:
        yield made


def founded(home: Path, far: Engine, *, dev: bool = False) -> House:
    """Found a house whose reading room a steward has opened, on an engine at an address."""
    trial = Settings(home=home, engine=far.url, model=MODEL, dev=True)
    house = found(replace(trial, dev=dev), default_plan(trial))
    if not dev:
        operator = house.people.operator()
        register_model(house, operator, MODEL, None)
        house.releases.adopt(operator, house.settings.plan_file.read_text(), "release.yaml", "test")
        house.releases.sign(steward(house), "reading-room")
        house.releases.open(steward(house), "reading-room")
    return house


def steward(house: House) -> Actor:
    everyone = house.people.everyone(house.people.operator())
    return house.people.actor(next(each.id for each in everyone if Role.STEWARD in each.roles))


@pytest.fixture
def house(tmp_path: Path, far: Engine) -> Iterator[House]:
    made = founded(tmp_path / "home", far)
    yield made
    made.close()


def key_of(house: House) -> str:
    award = Award("", "", "text", Amounts(), house.clock.now() + timedelta(days=9), "test")
    _, _, secret = issue_discretionary(house, house.people.operator(), "r@x.example", award, accept_terms=True)
    return secret.reveal()


def events(house: House) -> list[str]:
    return [
        entry.event for entry in house.log.entries(0, house.log.size()) if entry.event.startswith("releases.engine.")
    ]


def findings(house: House, *names: str) -> list[Finding]:
    return [each for each in examine(house) if each.name in names]


def is_open(house: House) -> bool:
    return house.releases.stage("reading-room").open


class Reader(threading.Thread):
    """Reads a long answer to its end, however it ends."""

    def __init__(self, house: Served, key: str) -> None:
        super().__init__(daemon=True)
        self.client, self.words, self.ended = house.client(key), 0, ""

    def run(self) -> None:
        try:
            for _ in self.client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "go on"}], stream=True, max_tokens=2000
            ):
                self.words += 1
        except openai.APIError as fault:
            self.ended = str(fault.code)


def until(holds: Callable[[], bool]) -> None:
    for _ in range(1200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to hold")


@pytest.mark.deep
def test_flowing_streams_end_in_every_worker_and_calls_are_refused_until_a_steward_opens(
    house: House, far: Engine
) -> None:
    key = key_of(house)
    with served(house.settings.home, workers=2) as running:
        until(lambda: house.inspections.last(served_digest(house.settings)).looked_at is not None)
        readers = [Reader(running, key) for _ in range(8)]
        for each in readers:
            each.start()
        until(lambda: all(each.words > 5 for each in readers))
        far.doors.add("/slots")
        inspect(house)
        for each in readers:
            each.join(20)
        assert {each.ended for each in readers} == {"releases/stage-not-open"}
        until(lambda: far.running == 0)
        until(lambda: running.chat(key, {"model": MODEL, "max_tokens": 3}).status_code == 403)
        refused = running.chat(key, {"model": MODEL})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "releases/stage-not-open")
        assert "inconclusive" in refused.text
        assert "slots" not in refused.text
        far.doors.clear()
        inspect(house)
        assert running.chat(key, {"model": MODEL}).status_code == 403
        house.releases.open(steward(house), "reading-room")
        until(lambda: running.chat(key, {"model": MODEL, "max_tokens": 3}).status_code == 200)
    assert events(house) == ["releases.engine.inspected"] * 2


@pytest.mark.deep
def test_the_server_looks_when_it_starts(house: House, far: Engine) -> None:
    far.doors.add("/metrics")
    with served(house.settings.home):
        until(lambda: not is_open(house))
    assert house.inspections.last(served_digest(house.settings)).doors == ("GET /metrics",)
    assert not any("/metrics" in prompt for prompt in far.asked)


def test_a_house_for_trials_is_warned_and_not_closed(tmp_path: Path, far: Engine) -> None:
    far.doors.add("/props")
    house = founded(tmp_path / "home", far, dev=True)
    with contextlib.closing(house):
        rounds = Rounds(house)
        rounds.keep()
        rounds.stop()
        assert is_open(house)
        assert events(house) == []
        (door,) = findings(house, "doors")
        assert (door.ok, door.detail.startswith("warning: ")) == (True, True)


def test_doctor_names_each_open_door_with_its_cure(house: House, far: Engine) -> None:
    (clean,) = findings(house, "doors")
    assert clean.ok
    assert "none open" in clean.detail
    far.doors |= {"/tokenize", "/slots"}
    doors = findings(house, "doors")
    assert [each.ok for each in doors] == [False, False]
    assert {each.detail.split()[0].rpartition("/")[2] for each in doors} == {"tokenize", "slots"}
    assert all("guard-the-engine" in each.cure for each in doors)
    assert is_open(house)  # doctor looks, and decides nothing
    inspect(house)
    (last,) = findings(house, "last look")
    assert (last.ok, "POST /tokenize" in last.detail) == (False, True)


def test_an_engine_that_is_down_is_no_finding_and_what_was_found_holds(house: House, far: Engine) -> None:
    far.down = True
    found_ = inspect(house)
    assert found_ is not None
    assert not found_.reached
    assert is_open(house)
    far.down = False
    far.doors.add("/slots")
    inspect(house)
    far.down = True
    inspect(house)
    assert not is_open(house)
    assert events(house) == ["releases.engine.inspected"]


def test_doctor_says_when_nobody_has_looked_for_days(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    inspect(house)
    (last,) = findings(house, "last look")
    assert last.ok
    later = house.clock.now() + OLD + timedelta(minutes=1)
    monkeypatch.setattr(SystemClock, "now", lambda _self: later)
    (last,) = findings(house, "last look")
    assert not last.ok
    assert is_open(house)


def test_weights_that_are_not_the_tested_ones_shut_the_stage(house: House, far: Engine) -> None:
    for _ in range(2):
        tested(house)
        assert events(house) == ["releases.engine.fingerprinted"]
    inspect(house)
    assert is_open(house)
    assert [each.ok for each in findings(house, "fingerprint")] == [True]
    far.word = "otherwise"
    assert [each.ok for each in findings(house, "fingerprint")] == [False]
    inspect(house)
    assert "otherwise than when it was tested" in house.releases.stage("reading-room").reason
    tested(house)  # a new test is of what is served now; the stage waits for a steward
    assert not is_open(house)
    inspect(house)
    house.releases.open(steward(house), "reading-room")
    assert is_open(house)
    assert house.inspections.last(served_digest(house.settings)).passes == 6 * 64


def tested(house: House) -> None:
    asyncio.run(run_suite(house, house.people.operator(), MODEL, "core", QUIET))


def test_one_supervisor_looks_where_several_serve(house: House) -> None:
    assert inspect(house, timedelta(minutes=1)) is not None
    other = House(load(house.settings.home))
    assert inspect(other, timedelta(minutes=1)) is None
    other.close()
