"""The hop between a worker and the portal: one connection of the Unix socket per request, and messages on it.

The worker has read the request as HTTP, and it alone writes the answer as HTTP. So what goes over the hop is no HTTP
again, which a second reader might read in another way, but what was read, in ASGI's terms: method, address, headers and
whose they are, then the body in pieces; and back come status and headers, then the body in pieces. Each message is four
bytes of length and MessagePack. The worker closes the connection, once it has the whole answer or its reader has left;
if the portal does, it has died.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any, TypeVar

import msgspec

PIECE_BYTES = 65_536
_MOST_BYTES = 1_000_000  # of one message: a head may have 65,536 bytes, and names its address twice
_encode = msgspec.msgpack.Encoder().encode
Scope = MutableMapping[str, Any]


class Asked(msgspec.Struct, array_like=True, frozen=True):
    """The head of a request, as the worker read it."""

    http_version: str
    method: str
    scheme: str
    root_path: str
    path: str
    raw_path: bytes
    query_string: bytes
    headers: list[tuple[bytes, bytes]]
    client: tuple[str, int] | None
    server: tuple[str, int | None] | None

    @classmethod
    def of(cls, scope: Scope) -> Asked:
        """Take it from ASGI."""
        return cls(scope.get("http_version", "1.1"), *(scope[name] for name in cls.__struct_fields__[1:]))

    def scope(self) -> Scope:
        """Give it back to ASGI."""
        return {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, **msgspec.structs.asdict(self)}


class Begun(msgspec.Struct, array_like=True, frozen=True):
    """The head of an answer."""

    status: int
    headers: list[tuple[bytes, bytes]]


class Piece(msgspec.Struct, array_like=True, frozen=True):
    """A piece of a body, and whether more follows."""

    data: bytes
    more: bool


T = TypeVar("T", Asked, Begun, Piece)
_DECODERS: dict[type, Any] = {kind: msgspec.msgpack.Decoder(kind) for kind in (Asked, Begun, Piece)}


class Line:
    """One end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the streams."""
        self._reader = reader
        self._writer = writer

    async def read(self, kind: type[T]) -> T | None:
        """Return the next message; None once the other end has left.

        Raises:
            ValueError: it is none.
        """
        try:
            size = int.from_bytes(await self._reader.readexactly(4))
            if size > _MOST_BYTES:
                raise ValueError("a message is too long")
            found: T = _DECODERS[kind].decode(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return found

    async def write(self, message: Asked | Begun | Piece) -> None:
        """Send a message, and wait while the other end takes none.

        Raises:
            ConnectionError: it has left.
        """
        data = _encode(message)
        if self._writer.is_closing():  # uvloop would take it for a fault of ours
            raise ConnectionResetError("the other end has left")
        self._writer.write(len(data).to_bytes(4) + data)
        await self._writer.drain()

    async def write_body(self, data: bytes, *, more: bool) -> None:
        """Send a part of a body in pieces of which the other end can hold one."""
        for at in range(0, max(len(data), 1), PIECE_BYTES):
            await self.write(Piece(data[at : at + PIECE_BYTES], more=more or at + PIECE_BYTES < len(data)))

    async def wait_for_end(self) -> None:
        """Wait until the other end, which has nothing more to say, has left."""
        while await self._reader.read(PIECE_BYTES):
            pass

    def leave(self) -> None:
        """Close this end, after what was written."""
        self._writer.close()
