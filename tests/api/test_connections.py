"""Connections that misbehave below HTTP: nobody needs a key to open one, so each has its bounds."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from served import LONG, Served


@contextmanager
def connected(house: Served) -> Iterator[socket.socket]:
    """Open a bare connection whose receiving end holds little."""
    where = urlsplit(house.url)
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(60)
        line.connect((where.hostname, where.port))
        yield line


def read_to_end(line: socket.socket) -> bytes:
    received = b""
    while piece := line.recv(65536):
        received += piece
    return received


def test_an_endless_head_is_refused_and_the_connection_closed(house: Served) -> None:
    with connected(house) as line:
        line.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n")
        try:
            for number in range(100_000):
                line.sendall(f"x-{number}: {'y' * 1000}\r\n".encode())
        except OSError:
            pass  # closed on us: well before all hundred megabytes were taken
        else:
            pytest.fail("all of it was taken")
    assert house.http.get("/healthz").status_code == 200


def test_who_has_no_key_is_refused_before_the_body_is_sent(house: Served) -> None:
    with connected(house) as line:
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer rr_wrong\r\n"
        line.sendall(head + b"content-length: 900000\r\n\r\n")
        answer = read_to_end(line)
    assert answer.startswith(b"HTTP/1.1 401")
    assert b'"access/key-unknown"' in answer


def test_a_name_that_is_no_text_is_a_bad_request(house: Served) -> None:
    key = house.grant(passes=10)["key"]
    sent = b'{"model": "echo", "messages": [], "\\ud800": 1}'
    answer = house.http.post("/v1/chat/completions", content=sent, headers={"authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "gateway/bad-request")


@pytest.mark.parametrize(("path", "wanted"), [("/v1/chat/completions", "POST"), ("/v1/models", "GET")])
def test_a_wrong_method_is_told_the_right_one(house: Served, path: str, wanted: str) -> None:
    answer = house.http.request("PUT", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, wanted)


def test_a_reader_who_reads_nothing_loses_hold_and_engine_soon_after_a_revocation(slow_house: Served) -> None:
    issued = slow_house.grant(passes=5000)
    body = {"model": "echo", "stream": True, "messages": [{"role": "user", "content": LONG * 20}], "max_tokens": 4000}
    sent = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {issued['key']}\r\n"
    with connected(slow_house) as line:
        line.sendall(head.encode() + f"content-length: {len(sent)}\r\n\r\n".encode() + sent)
        line.recv(10)  # it flows; nothing more is read
        slow_house.run("grant", "revoke", issued["id"], "--reason", "security")
        shown = slow_house.settled(issued["id"])  # while the line is still open
    assert shown["reserved"]["passes"] == 0
    assert shown["used"]["passes"] < 4000
