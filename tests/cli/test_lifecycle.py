"""Starting, stopping and dying."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

from served import LONG, PROGRAM, Served, children, found, run, served


def stream_in_background(url: str, key: str) -> tuple[threading.Thread, list[str]]:
    """Start a stream; the list fills with what arrives."""
    arrived: list[str] = []

    def read() -> None:
        body = {"model": "echo", "stream": True, "messages": [{"role": "user", "content": LONG}]}
        headers = {"authorization": f"Bearer {key}"}
        try:
            with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, headers=headers, timeout=30) as answer:
                arrived.extend(answer.iter_text())
        except httpx.HTTPError as fault:
            arrived.append(f"broken: {type(fault).__name__}")

    thread = threading.Thread(target=read)
    thread.start()
    until = time.monotonic() + 30
    while not arrived:
        assert time.monotonic() < until, "nothing arrives"
        time.sleep(0.02)
    return thread, arrived


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return found(tmp_path / "home", words_per_second="50")


def test_a_term_signal_ends_streams_properly_and_exits_with_zero(home: Path) -> None:
    with served(home) as house:
        issued = house.grant(passes=5000)
        thread, arrived = stream_in_background(house.url, issued["key"])
        house.process.send_signal(signal.SIGTERM)
        assert house.process.wait(60) == 0
        thread.join()
    text = "".join(arrived)
    assert '"code":"gateway/shutting-down"' in text
    assert "[DONE]" not in text
    shown = run(home, "grant", "show", issued["id"])
    assert shown["reserved"]["passes"] == 0
    assert shown["used"]["passes"] > 0
    assert run(home, "ledger", "verify")["ok"] is True


@pytest.mark.deep
def test_a_killed_worker_is_replaced_and_what_it_held_is_charged(home: Path) -> None:
    with served(home) as house:
        issued = house.grant(passes=700)
        thread, _ = stream_in_background(house.url, issued["key"])
        assert house.meter(issued["id"])["reserved"]["passes"] > 0
        (worker,) = house.workers()
        os.kill(worker, signal.SIGKILL)
        thread.join()
        until = time.monotonic() + 60
        while not is_healthy(house) or house.workers() == [worker]:
            assert time.monotonic() < until, "it is not replaced"
            time.sleep(0.1)
        shown = house.meter(issued["id"])
        assert shown["reserved"]["passes"] == 0
        assert 0 < shown["used"]["passes"] <= 700


def is_healthy(house: Served) -> bool:
    try:
        return house.http.get("/healthz").status_code == 200
    except httpx.HTTPError:  # nobody is there yet
        return False


@pytest.mark.deep
def test_after_a_killed_server_holds_are_cleared_before_it_is_healthy_again(home: Path) -> None:
    with served(home) as house:
        issued = house.grant(passes=700)
        thread, _ = stream_in_background(house.url, issued["key"])
        os.killpg(house.process.pid, signal.SIGKILL)
        house.process.wait()
        thread.join()
    assert run(home, "grant", "show", issued["id"])["reserved"]["passes"] > 0
    with served(home) as house:
        assert house.http.get("/healthz").status_code == 200
        shown = house.meter(issued["id"])
        assert shown["reserved"]["passes"] == 0
        assert shown["used"]["passes"] <= 700
    assert run(home, "ledger", "verify")["ok"] is True


@pytest.mark.deep
def test_a_server_killed_while_its_workers_start_leaves_none_behind(home: Path) -> None:
    command = [*PROGRAM, "--home", str(home), "serve", "--port", "0", "--workers", "2"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (workers := children(server.pid)) and time.monotonic() < until:
        time.sleep(0.01)
    server.kill()
    server.wait()
    assert workers
    with served(home) as house:  # whoever still held the house's lock would keep this one out
        assert house.http.get("/healthz").status_code == 200


@pytest.mark.deep
def test_a_second_server_of_the_same_house_is_refused(home: Path) -> None:
    with served(home):
        told = run(home, "serve", "--port", "0", code=1)
    assert "being served already" in told["error"]["message"]


def test_a_taken_port_is_told_with_the_cure(home: Path) -> None:
    with served(home) as house:
        other = found(home.parent / "other")
        told = run(other, "serve", "--port", house.url.rsplit(":", 1)[1], code=1)
    assert "cannot be bound" in told["error"]["message"]


@pytest.mark.deep
def test_many_workers_share_one_grant_while_one_is_killed(tmp_path: Path) -> None:
    home = found(tmp_path / "home", words_per_second="200")
    with served(home, workers=4) as house:
        issued = house.grant(passes=400)

        def ask_often() -> None:
            with httpx.Client(base_url=house.url, timeout=60) as http:
                for _ in range(12):
                    body = {"model": "echo", "messages": [{"role": "user", "content": "a b c"}], "max_tokens": 3}
                    try:
                        http.post(
                            "/v1/chat/completions", json=body, headers={"authorization": f"Bearer {issued['key']}"}
                        )
                    except httpx.HTTPError:
                        continue

        threads = [threading.Thread(target=ask_often) for _ in range(32)]
        for each in threads:
            each.start()
        for worker in house.workers()[:2]:
            time.sleep(0.3)
            os.kill(worker, signal.SIGKILL)
        for each in threads:
            each.join()
        shown = house.settled(issued["id"])
    assert shown["used"]["passes"] <= 400
    assert run(home, "ledger", "verify")["ok"] is True
