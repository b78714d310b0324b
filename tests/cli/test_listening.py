"""A newcomer does not wait behind those who ask on and on."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
import uvloop

from readingroom.cli.listening import Listening

NEWCOMERS = 40


class Line(asyncio.Protocol):
    open = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        Line.open += 1

    def connection_lost(self, _fault: Exception | None) -> None:
        Line.open -= 1


async def hung_up() -> None:
    """Wait until every line is closed at both ends."""
    for _ in range(500):
        if Line.open:
            await asyncio.sleep(0.01)
    assert not Line.open


class Room:
    """Readers who ask again as soon as they are answered, and a server that has something to do for each."""

    def __init__(self) -> None:
        self.answered: dict[Any, int] = {}
        self.all = asyncio.Event()
        room = self

        class Server(Line):
            def data_received(self, data: bytes) -> None:
                time.sleep(0.005)
                room.answered[self] = room.answered.get(self, 0) + 1
                if len(room.answered) == NEWCOMERS:
                    room.all.set()
                self.transport.write(data)

        class Reader(Line):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                self.transport.write(b"?")

            def data_received(self, data: bytes) -> None:
                if not room.all.is_set():
                    self.transport.write(data)

        self.server, self.reader = Server, Reader

    async def full(self, listener: socket.socket) -> int:
        """Let all come at once; return how many answers were given until each had one."""
        lines = [socket.create_connection(listener.getsockname()[:2]) for _ in range(NEWCOMERS)]
        for line in lines:
            line.setblocking(False)
        loop = asyncio.get_running_loop()
        made = await asyncio.gather(*(loop.connect_accepted_socket(self.reader, line) for line in lines))
        await asyncio.wait_for(self.all.wait(), 60)
        for transport, _ in made:
            transport.abort()
        await hung_up()
        return sum(self.answered.values())


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as made:
        yield made


def test_newcomers_are_let_in_while_others_ask_on_and_on(listener: socket.socket) -> None:
    async def come() -> int:
        room = Room()
        listening = Listening(listener, room.server)
        try:
            return await room.full(listener)
        finally:
            listening.close()

    assert uvloop.run(come()) < 4 * NEWCOMERS  # one in each round would make it eleven times as many


def test_with_too_many_open_files_others_go_on_and_newcomers_are_let_in_later(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("readingroom.cli.listening._FULL", 0.05)
    full = True

    class Listener(socket.socket):
        def accept(self) -> Any:
            if full:
                raise OSError(24, "Too many open files")
            return super().accept()

    async def come() -> bytes:
        nonlocal full

        class Server(Line):
            def data_received(self, data: bytes) -> None:
                self.transport.write(data)

        with Listener(fileno=os.dup(listener.fileno())) as door:
            listening = Listening(door, Server)
            reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
            writer.write(b"hello")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(5), 0.2)
            full = False
            said = await asyncio.wait_for(reader.read(5), 10)
            listening.close()
            writer.close()
            await hung_up()
            return said

    assert uvloop.run(come()) == b"hello"
