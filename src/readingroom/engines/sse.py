"""Server-sent events, read from bytes however they were cut (WHATWG HTML, section 9.2)."""

from __future__ import annotations

from collections.abc import Generator, Iterator

MAX_EVENT = 1_000_000  # bytes; an event longer than this is no answer


class EventReader:
    """Turns pieces of a byte stream into the `data` of each event; comments and other fields are dropped."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._rest = b""
        self._data: list[bytes] = []

    def push(self, piece: bytes) -> Iterator[bytes]:
        """Take a piece; yield the data of every event that it completes.

        Raises:
            ValueError: an event is longer than `MAX_EVENT`.
        """
        buffer = self._rest + piece
        if not self._data and buffer.startswith(b"data:") and b"\r" not in buffer:
            buffer = yield from self._plain(buffer)
        # A CR at the very end may be half of CRLF: it waits for the next piece.
        held = b"\r" if buffer.endswith(b"\r") else b""
        whole = buffer[: len(buffer) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = whole.split(b"\n")
        self._rest = rest + held
        if len(self._rest) + sum(map(len, self._data)) > MAX_EVENT:
            raise ValueError("an event is too long")
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                yield b"\n".join(self._data)
                self._data = []

    @staticmethod
    def _plain(buffer: bytes) -> Generator[bytes, None, bytes]:
        """Yield the events at the beginning that are one line of data each, as nearly all are; return the rest."""
        *events, rest = buffer.split(b"\n\n")
        for place, event in enumerate(events):
            if not event.startswith(b"data:") or b"\n" in event:
                return b"\n\n".join([*events[place:], rest])
            yield event[5:].removeprefix(b" ")
        return rest
