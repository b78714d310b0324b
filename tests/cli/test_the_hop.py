"""Both ends of the hop, on a real Unix socket: what was read goes over as it was read, piece by piece."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from readingroom.cli import passing
from readingroom.cli.answering import Answering
from readingroom.cli.passing import Passing
from readingroom.cli.places import listen_at

SCOPE: dict[str, Any] = {
    "type": "http", "http_version": "1.1", "method": "POST", "scheme": "https", "root_path": "",
    "path": "/a path/ü", "raw_path": b"/a%20path/%c3%bc", "query_string": b"q=%zz&&",
    "headers": [(b"host", b"reading.example:81"), (b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"x-odd", b"\xff\xfe ok")],
    "client": ("203.0.113.9", 4711), "server": ("127.0.0.1", 8000),
}  # fmt: skip


class Reader:
    """Somebody's end of the worker's HTTP: sends pieces, takes what comes, and may take it slowly."""

    def __init__(self, pieces: Iterable[bytes] = (b"",)) -> None:
        self._pieces = list(pieces)
        self.left = asyncio.Event()
        self.takes = asyncio.Event()
        self.takes.set()
        self.begun = asyncio.Event()
        self.came: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if self._pieces:
            piece = self._pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(self._pieces)}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.takes.wait()
        self.came.append(message)
        self.begun.set()

    @property
    def status(self) -> int:
        return int(self.came[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(each.get("body", b"") for each in self.came)

    @property
    def whole(self) -> bool:
        return len(self.came) > 1 and not self.came[-1].get("more_body")

    def code(self) -> str:
        return str(json.loads(self.body)["error"]["code"])


@contextlib.asynccontextmanager
async def hop(folder: Path, app: Any) -> AsyncIterator[Passing]:
    path = folder / "s"
    server = await asyncio.start_unix_server(Answering(app), sock=listen_at(path))
    try:
        yield Passing(path)
    finally:
        server.close()


async def start(send: Any, status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("h")


async def test_a_request_is_there_as_it_was_read_and_the_answer_as_it_was_given(folder: Path) -> None:
    seen: list[Any] = []
    headers = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"x-odd", b"\xfe")]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        await start(send, 207, headers)
        while True:
            message = await receive()
            await send({"type": "http.response.body", "body": message["body"], "more_body": message["more_body"]})
            if not message["more_body"]:
                return

    pieces = [bytes([n]) * n * 1000 for n in range(100)]
    async with hop(folder, app) as passing_on:
        reader = Reader(pieces)
        await passing_on(dict(SCOPE), reader.receive, reader.send)
    (scope,) = seen
    assert {name: scope[name] for name in SCOPE} == SCOPE
    assert (reader.status, reader.came[0]["headers"]) == (207, headers)
    assert reader.body == b"".join(pieces)
    assert reader.whole


async def test_an_answer_arrives_although_the_body_was_not_read(folder: Path) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await start(send, 413)
        await send({"type": "http.response.body", "body": b"too large"})

    async with hop(folder, app) as passing_on:
        for _ in range(20):
            reader = Reader([b"x" * 100_000] * 50)
            await passing_on(dict(SCOPE), reader.receive, reader.send)
            assert (reader.status, reader.body, reader.whole) == (413, b"too large", True)


async def test_who_reads_slowly_makes_the_portal_wait_and_the_worker_hold_little(folder: Path) -> None:
    given, gives = 0, asyncio.Event()

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        nonlocal given
        await start(send)
        for _ in range(200):
            await send({"type": "http.response.body", "body": b"y" * 100_000, "more_body": True})
            given += 100_000
            gives.set()
        await send({"type": "http.response.body", "body": b""})

    async with hop(folder, app) as passing_on:
        reader = Reader()
        reader.takes.clear()
        task = asyncio.create_task(passing_on(dict(SCOPE), reader.receive, reader.send))
        await gives.wait()
        await asyncio.sleep(0.2)
        assert given < 2_000_000, "somebody holds what nobody reads"
        reader.takes.set()
        await task
    assert len(reader.body) == 20_000_000
    assert max(len(each.get("body", b"")) for each in reader.came) <= 65_536


async def test_a_body_that_is_not_read_is_not_taken_from_its_sender(folder: Path) -> None:
    begun, ends = asyncio.Event(), asyncio.Event()

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        begun.set()
        await ends.wait()
        await start(send)
        await send({"type": "http.response.body", "body": b""})

    async with hop(folder, app) as passing_on:
        reader = Reader([b"x" * 65_536] * 200)
        task = asyncio.create_task(passing_on(dict(SCOPE), reader.receive, reader.send))
        await begun.wait()
        await asyncio.sleep(0.2)
        assert len(reader._pieces) > 150, "somebody holds what nobody reads"
        ends.set()
        await task
    assert reader.status == 200


async def leave(folder: Path, app: Any, then: asyncio.Event) -> None:
    """Ask, hang up once the answer has begun, and wait for what comes of it."""
    async with hop(folder, app) as passing_on:
        reader = Reader()
        task = asyncio.create_task(passing_on(dict(SCOPE), reader.receive, reader.send))
        await reader.begun.wait()
        reader.left.set()
        await asyncio.wait_for(then.wait(), 30)
        await task


async def test_who_hangs_up_is_told_to_the_portal(folder: Path) -> None:
    told = asyncio.Event()

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await start(send)
        while (await receive())["type"] != "http.disconnect":
            pass
        told.set()

    await leave(folder, app, told)


def test_who_left_before_the_answer_was_whole_is_no_fault_of_the_portals(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def leaves() -> None:
        whole = asyncio.Event()

        async def app(_scope: Any, receive: Any, send: Any) -> None:
            await start(send)
            while (await receive())["type"] != "http.disconnect":
                pass
            for _ in range(10):
                await send({"type": "http.response.body", "body": b"said to nobody", "more_body": True})
                await asyncio.sleep(0)
            whole.set()

        await leave(folder, app, whole)

    uvloop.run(leaves())
    assert "the portal failed" not in caplog.text


async def test_a_portal_that_says_nothing_is_not_waited_for_for_ever(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for begins in (False, True):
        monkeypatch.setattr(passing, "SILENT_SECONDS", 60 if begins else 0.05)

        async def app(_scope: Any, receive: Any, send: Any, begins: bool = begins) -> None:  # noqa: FBT001
            if begins:
                await start(send)
            await receive()
            await receive()

        async with hop(folder, app) as passing_on:
            reader = Reader()

            async def send(message: Any, reader: Reader = reader) -> None:
                monkeypatch.setattr(passing, "SILENT_SECONDS", 0.05)  # once it has begun
                await reader.send(message)

            await passing_on(dict(SCOPE), reader.receive, send)
        if begins:
            assert not reader.whole, "half an answer was ended as if it were one"
        else:
            assert (reader.status, reader.code()) == (503, "web/no-answer")


async def test_more_than_may_wait_for_the_portal_is_refused_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "MOST_AT_ONCE", 1)
    ends = asyncio.Event()

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await start(send)
        await ends.wait()
        await send({"type": "http.response.body", "body": b""})

    async with hop(folder, app) as passing_on:
        first, second, third = Reader(), Reader(), Reader()
        task = asyncio.create_task(passing_on(dict(SCOPE), first.receive, first.send))
        await first.begun.wait()
        await passing_on(dict(SCOPE), second.receive, second.send)
        assert (second.status, second.code()) == (503, "web/portal-busy")
        ends.set()
        await task
        await passing_on(dict(SCOPE), third.receive, third.send)
        assert third.status == 200


async def test_what_the_framework_breaks_is_answered_without_its_inside(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("the inside")

    async with hop(folder, app) as passing_on:
        reader = Reader()
        await passing_on(dict(SCOPE), reader.receive, reader.send)
    assert reader.status == 500
    assert b"inside" not in reader.body
    assert "the inside" in caplog.text


async def test_what_is_no_message_ends_the_line_and_not_the_portal(folder: Path) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await start(send)
        await send({"type": "http.response.body", "body": b"well"})

    async with hop(folder, app) as passing_on:
        for sent in (b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff\xff", b"\0\0\0\1\0", b""):
            stranger, writes = await asyncio.open_unix_connection(str(folder / "s"))
            writes.write(sent)
            writes.write_eof()
            with contextlib.suppress(ConnectionError):
                assert await stranger.read() == b""
            writes.close()
        reader = Reader()
        await passing_on(dict(SCOPE), reader.receive, reader.send)
        assert reader.body == b"well"
