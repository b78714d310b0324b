"""HTTP by hand: bytes to a server's socket, and whatever comes back, taken apart without believing any of it."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

GOOD = {"model": "echo", "messages": [{"role": "user", "content": "one two"}]}
# What an answer may never show: paths, files and classes of ours, of Python or of a library, and where an engine is.
INTERNALS = re.compile(
    rb"Traceback|File \"|site-packages|\.py\b|readingroom\.[a-z]+\.|/(home|root|tmp|usr|opt|var|work)/|0x[0-9a-f]{8}|"
    rb"\b[A-Z][A-Za-z]+(Error|Exception|Warning)\b|uvicorn|httptools|litestar|asyncio|msgspec|sqlalchemy|sqlite|psycopg"
)


@dataclass(frozen=True)
class Answer:
    """One answer off the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    def error(self) -> dict[str, Any]:
        return dict(json.loads(self.body)["error"])


def line_to(url: str, seconds: float = 60) -> socket.socket:
    """Open a connection to a server."""
    where = urlsplit(url)
    return socket.create_connection((str(where.hostname), int(where.port or 80)), timeout=seconds)


def exchange(url: str, pieces: Iterable[bytes], *, end: bool = True) -> bytes:
    """Send pieces, say that no more comes, and return all that came back until the server closed."""
    with line_to(url) as line:
        received = b""
        try:
            for piece in pieces:
                line.sendall(piece)
            if end:
                line.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it had enough: what it said before is still to be read
        try:
            while piece := line.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
        return received


def answers(received: bytes, *, head: bool = False) -> list[Answer]:
    """Take answers apart; anything that is none fails."""
    found = []
    while received:
        top, found_end, received = received.partition(b"\r\n\r\n")
        assert found_end, top
        first, *lines = top.split(b"\r\n")
        matched = re.fullmatch(rb"HTTP/1\.[01] (\d{3}) [ -~]*", first)
        assert matched, first
        headers = {
            name.lower().decode(): value.strip().decode() for name, _, value in (x.partition(b":") for x in lines)
        }
        if headers.get("transfer-encoding") == "chunked":
            body, received = unchunked(received)
        else:
            size = 0 if head else int(headers.get("content-length", "0"))
            assert len(received) >= size, "an answer was cut off"
            body, received = received[:size], received[size:]
        if matched[1] != b"100":
            found.append(Answer(int(matched[1]), headers, body))
    return found


def unchunked(received: bytes) -> tuple[bytes, bytes]:
    """Take a chunked body off; return it and what follows."""
    body = b""
    while True:
        size, _, received = received.partition(b"\r\n")
        length = int(size, 16)
        body, ended, received = body + received[:length], received[length : length + 2], received[length + 2 :]
        assert ended == b"\r\n"
        if length == 0:
            return body, received


def post(key: str, body: bytes, *more: str, path: str = "/v1/chat/completions", length: bool = True) -> bytes:
    """Spell a request as it should be, with more lines in its head."""
    lines = [
        f"POST {path} HTTP/1.1",
        "host: x",
        f"authorization: Bearer {key}",
        "content-type: application/json",
        *more,
    ]
    if length:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def good(key: str, *more: str) -> bytes:
    """Spell a request that is answered."""
    return post(key, json.dumps(GOOD).encode(), *more)
