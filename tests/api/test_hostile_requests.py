"""Requests that two readers of HTTP could understand in two ways, or that are none at all, byte by byte.

Of each: no fault of ours, nothing of the inside, no second answer to what stands in a body, and the next good request
is answered. Elsewhere: endless heads, slow readers and missing keys (`test_connections.py`), wrong fields and too
large bodies (`test_bad_requests.py`), whatever the document of the control API allows (`test_openapi_asked.py`).
"""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import pytest

from raw import GOOD, INTERNALS, Answer, answers, exchange, good, line_to, post
from served import LONG, Served

BODY = json.dumps(GOOD).encode()
SMUGGLED = b"GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer KEY\r\n\r\n"
LENGTH = f"content-length: {len(BODY)}\r\n".encode()
CHUNKED = b"transfer-encoding: chunked\r\n"


def head(*lines: bytes, first: bytes = b"POST /v1/chat/completions HTTP/1.1") -> bytes:
    always = b"\r\nhost: x\r\nauthorization: Bearer KEY\r\nconnection: close\r\n"
    return first + always + b"".join(lines) + b"\r\n"


def get(target: bytes, *lines: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return head(*lines, first=b"GET " + target + b" " + version)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n" % len(data) + data + b"\r\n"


LAST = b"0\r\n\r\n"
CASES: dict[str, tuple[bytes, int | None]] = {  # what is sent, and the one status that is right; None: no answer is due
    "length and chunks": (head(b"content-length: 60\r\n", CHUNKED) + LAST + SMUGGLED, 400),
    "chunks and length": (head(CHUNKED, LENGTH) + chunk(BODY) + LAST + SMUGGLED, 400),
    "two lengths": (head(b"content-length: 5\r\n", LENGTH) + BODY, 400),
    "the same length twice": (head(LENGTH, LENGTH) + BODY, 400),
    "a list of lengths": (head(b"content-length: 9, 9\r\n") + BODY, 400),
    "a length with a sign": (head(b"content-length: +9\r\n") + BODY, 400),
    "a length below zero": (head(b"content-length: -1\r\n") + BODY, 400),
    "a length beyond 64 bits": (head(b"content-length: 99999999999999999999999\r\n") + BODY, 400),
    "a length of all bits": (head(b"content-length: 9999999999999999999\r\n") + BODY, 413),
    "a length that says too much": (head(b"content-length: 500\r\n") + BODY, None),
    "a length that says too little": (head(b"content-length: 9\r\n") + BODY + SMUGGLED, 400),
    "a space before the colon": (head(b"content-length : 9\r\n") + BODY, 400),
    "two encodings": (head(CHUNKED, b"transfer-encoding: identity\r\n") + chunk(BODY) + LAST, 400),
    "an unknown encoding": (head(b"transfer-encoding: xchunked\r\n") + chunk(BODY) + LAST, 400),
    "an encoding inside chunks": (head(b"transfer-encoding: gzip, chunked\r\n") + chunk(BODY) + LAST, 400),
    "a hidden encoding": (head(b"transfer-encoding:\x0bchunked\r\n") + chunk(BODY) + LAST, 400),
    "good chunks": (head(CHUNKED) + chunk(BODY[:9]) + chunk(BODY[9:]) + LAST, 200),
    "a chunk too short": (head(CHUNKED) + b"5\r\n" + BODY + b"\r\n" + LAST, 400),
    "a chunk too long": (head(CHUNKED) + b"ffff\r\n" + BODY + b"\r\n" + LAST, None),
    "a chunk beyond 64 bits": (head(CHUNKED) + b"f" * 20 + b"\r\n" + BODY, 400),
    "a chunk below zero": (head(CHUNKED) + b"-1\r\n" + BODY, 400),
    "chunks with bare line ends": (head(CHUNKED) + chunk(BODY).replace(b"\r", b"") + b"0\n\n", 400),
    "a long extension": (head(CHUNKED) + chunk(BODY).replace(b"\r", b";" + b"e" * 90_000 + b"\r", 1) + LAST, 200),
    "a hundred thousand trailers": (head(CHUNKED) + chunk(BODY) + b"0\r\n" + b"x: y\r\n" * 100_000 + b"\r\n", 200),
    "a key as a trailer": (
        head(CHUNKED).replace(b"KEY", b"rr_no") + chunk(BODY) + b"0\r\nauthorization: Bearer KEY\r\n\r\n",
        401,
    ),
    "a folded header": (head(b"x: a\r\n b\r\n", LENGTH) + BODY, 400),
    "a folded length": (head(b"content-length:\r\n 9\r\n") + BODY, 400),
    "bare line ends": (head(LENGTH).replace(b"\r\n", b"\n") + BODY, 400),
    "a bare carriage return": (head(b"x: a\rcontent-length: 0\r\n", LENGTH) + BODY, 400),
    "a null in a value": (head(b"x: a\0b\r\n", LENGTH) + BODY, 400),
    "a null in a name": (head(b"x\0: a\r\n", LENGTH) + BODY, 400),
    "a null in the target": (get(b"/v1/models\0"), 400),
    "a null in a model's name": (get(b"/v1/models/%00"), 400),
    "a null in a call's name": (get(b"/api/calls/%00"), 400),
    "a null in a page's name": (get(b"/apply/x%00"), 400),
    "a null in a query": (get(b"/sign-in?link=%00"), 400),
    "no text in a model's name": (get(b"/v1/models/%ff%fe"), 404),
    "SQL in a receipt's name": (get(b"/v1/receipts/x'%20or%201=1--"), 404),
    "letters in the target": (get("/v1/modèles".encode()), 400),
    "a way up": (get(b"/v1/../../etc/passwd"), 404),
    "an absolute target": (get(b"http://elsewhere.example/v1/models"), 200),
    "an absolute target of no port": (get(b"https://x:99999/v1/models"), 400),
    "a tunnel": (head(first=b"CONNECT x:80 HTTP/1.1"), 400),
    "two hosts": (get(b"/v1/models", b"host: y\r\n"), 400),
    "no host": (get(b"/v1/models").replace(b"host: x\r\n", b""), 400),
    "two keys": (head(b"authorization: Bearer rr_no\r\n", LENGTH) + BODY, 400),
    "an old version": (head(LENGTH, first=b"POST /v1/chat/completions HTTP/1.0") + BODY, 200),
    "an older version": (b"GET /v1/models\r\n\r\n", 401),
    "a newer version": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "another protocol": (bytes.fromhex("16030100") + b"\x01" * 200, 400),
    "an offer to go on": (head(b"expect: 100-continue\r\n", LENGTH) + BODY, 200),
    "another expectation": (head(b"expect: 200-ok\r\n", LENGTH) + BODY, 200),
    "an upgrade with a body": (head(b"upgrade: h2c\r\n", LENGTH).replace(b": close", b": upgrade") + BODY, 400),
    "an upgrade with chunks": (head(b"upgrade: h2c\r\n", CHUNKED).replace(b": close", b": upgrade") + chunk(BODY), 400),
    "a packed body": (head(b"content-encoding: gzip\r\n", CHUNKED) + chunk(gzip.compress(BODY)) + LAST, 400),
    "three thousand headers": (head(*(b"x-%d: y\r\n" % n for n in range(3000)), LENGTH) + BODY, 200),
    "a long target": (get(b"/v1/" + b"a" * 60_000), 404),
    "an unknown method": (head(first=b"BREW /v1/models HTTP/1.1"), 400),
    "a key of no letters": (get(b"/v1/models").replace(b"KEY", b"\xff\xfe"), 401),
    "a body to what takes none": (get(b"/v1/models", b"content-length: 200000\r\n") + b"x" * 200_000, 200),
    "nothing": (b"", None),
    "empty lines first": (b"\r\n\r\n" + head(LENGTH) + BODY, 200),
}  # fmt: skip


@pytest.fixture(scope="module")
def key(house: Served) -> str:
    return str(house.grant()["key"])


def sound(received: bytes, *, head: bool = False) -> list[Answer]:
    """Take answers apart; none may be a fault of ours or show the inside."""
    leaked = INTERNALS.search(received)
    assert not leaked, received
    found = answers(received, head=head)
    assert all(each.status < 500 for each in found), received
    return found


@pytest.mark.parametrize("name", CASES)
def test_what_can_be_read_in_two_ways_is_refused_and_never_a_fault(house: Served, key: str, name: str) -> None:
    sent, status = CASES[name]
    found = sound(exchange(house.url, [sent.replace(b"KEY", key.encode())], end=status is None))
    assert [each.status for each in found] == ([] if status is None else [status])
    if status in {400, 404, 413}:
        assert found[0].error()["message"]
    assert house.chat(key, {}).status_code == 200


def test_requests_on_one_line_are_answered_in_their_order(house: Served, key: str) -> None:
    asked = [post(key, json.dumps({**GOOD, "max_tokens": n}).encode()) for n in (1, 2, 1)]
    found = sound(exchange(house.url, [b"".join(asked) + good(key, "connection: close")], end=False))
    assert [json.loads(each.body)["usage"]["completion_tokens"] for each in found] == [1, 2, 1, 2]


def test_what_follows_a_request_that_is_refused_is_not_answered(house: Served, key: str) -> None:
    for first in (b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n", b"junk\r\n\r\n"):
        found = sound(exchange(house.url, [first + good(key, "connection: close")], end=False))
        assert [each.status for each in found] == [400]


def test_junk_behind_a_flowing_answer_is_not_written_into_it(slow_house: Served) -> None:
    issued = slow_house.grant(passes=5000)
    asked = {**GOOD, "stream": True, "messages": [{"role": "user", "content": LONG}]}
    with line_to(slow_house.url) as line:
        line.sendall(post(issued["key"], json.dumps(asked).encode()))
        received = line.recv(10)
        line.sendall(b"junk\r\n\r\n")
        while piece := line.recv(65536):
            received += piece
    assert received.count(b"HTTP/1.1") == 1
    ends_soon(slow_house, issued["id"])


def test_who_leaves_with_a_second_request_on_the_line_stops_the_engine_too(slow_house: Served) -> None:
    issued = slow_house.grant(passes=5000)
    asked = {**GOOD, "stream": True, "messages": [{"role": "user", "content": LONG}]}
    with line_to(slow_house.url) as line:
        line.sendall(post(issued["key"], json.dumps(asked).encode()) + good(issued["key"]))
        line.recv(10)
    used = ends_soon(slow_house, issued["id"])["used"]
    assert used["passes"] < 300  # of six hundred words, said in twelve seconds


def ends_soon(house: Served, grant: str) -> dict[str, Any]:
    """Wait until nothing is held any more, and return the meter; the log knows of no fault."""
    shown = house.settled(grant)
    assert "Traceback" not in house.log.read_text()
    return shown


def test_a_body_that_drips_in_is_waited_for(house: Served, key: str) -> None:
    sent = good(key, "connection: close")
    with line_to(house.url) as line:
        for at in range(0, len(sent), 9):
            line.sendall(sent[at : at + 9])
            time.sleep(0.01)
        received = b""
        while piece := line.recv(65536):
            received += piece
    assert [each.status for each in sound(received)] == [200]


def test_an_offer_to_go_on_is_taken_for_a_key_that_is_known_and_for_no_other(house: Served, key: str) -> None:
    for sent, expected in ((key, b"HTTP/1.1 100 Continue"), ("rr_no", b"HTTP/1.1 401")):
        with line_to(house.url) as line:
            line.sendall(post(sent, BODY, "expect: 100-continue", "connection: close").removesuffix(BODY))
            assert line.recv(100).startswith(expected)
            if sent == key:
                line.sendall(BODY)
                assert b"200 OK" in line.recv(100)


@pytest.mark.deep
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/register", "/sign-in", "/v1/models"])
def test_a_body_that_never_comes_is_not_waited_for_without_end(house: Served, key: str, path: str) -> None:
    method = "GET" if path == "/v1/models" else "POST"
    kind = "application/json" if path.startswith(("/v1", "/api")) else "application/x-www-form-urlencoded"
    lines = f"{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: {kind}\r\n"
    with line_to(house.url, seconds=60) as line:
        line.sendall(f"{lines}content-length: 900\r\n\r\n".encode() + b"{")
        received = b""
        while piece := line.recv(65536):
            received += piece
    assert len(sound(received)) == 1
