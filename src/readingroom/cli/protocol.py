"""HTTP on a connection, with bounds that the server library does not have, and without its doubts.

How long and how slow a head may be, how slow a body; and what two readers of HTTP could understand in two ways is
refused here, before anything is decided by it (RFC 9112, sections 3.2, 6.1 and 11.2; RFC 9110, sections 6.5.1 and 7.8).
Nobody needs a key to open a connection.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from readingroom.api.hangup import HANG_UP, HangUp

HEAD_BYTES = 65_536
HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0  # from a request's head to its end
_ONCE = (b"host", b"authorization", b"content-type", b"content-encoding")


def fault(target: bytes, headers: Sequence[tuple[bytes, bytes]], version: str, *, upgrades: bool) -> str | None:
    """Return what is wrong with a head, if anything: why no two readers of it need agree.

    Args:
        target: the address, as it was sent.
        headers: names in small letters, with their values.
        version: of HTTP.
        upgrades: whether the parser gives up on the body, since the head asks for another protocol.
    """
    if b"%00" in target:  # what one database takes as a text, another does not
        return "The address holds a null character; nothing here has one in its name."
    names = [name for name, _ in headers]
    for name in _ONCE:
        if names.count(name) > 1:
            return f"The request has two {name.decode()} headers; send one."
    if version == "1.1" and b"host" not in names:
        return "The request has no host header; send one."
    for name, value in headers:
        if name == b"transfer-encoding" and value.strip().lower() != b"chunked":
            return "The transfer-encoding may be chunked and nothing else."
        if upgrades and (name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")):
            return "Only HTTP/1.1 is spoken here; send a body without an upgrade header."
    return None


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request grows, dawdles or contradicts itself beyond its bounds."""

    _in_head = True
    _head = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's own types
        """Expect a head."""
        self._begun: list[RequestResponseCycle] = []
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._cancel()
        self._hang_up()
        super().connection_lost(exc)

    def _hang_up(self) -> None:
        """Tell every answer that is due here that its reader has left; the library tells the newest one alone."""
        for cycle in self._begun:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
                extensions: Any = cycle.scope["extensions"]
                extensions[HANG_UP].happens()

    def data_received(self, data: bytes) -> None:
        """Take what came; while the head is not whole, all of it counts as head."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head += len(data)
            if self._head > HEAD_BYTES:
                self.send_400_response(f"The request's head may have {HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        scope: Any = self.scope  # whose type knows no extension but ASGI's own
        scope["extensions"] = {HANG_UP: HangUp()}
        self._expect_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer, which comes after the body, is none (the library would add it to the head)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End a head, and begin a body."""
        self._in_head = False
        self._cancel()
        version, upgrades = self.parser.get_http_version(), self.parser.should_upgrade()
        wrong = fault(self.url, self.headers, version, upgrades=upgrades)
        if wrong is not None:
            self.send_400_response(wrong)
            return
        super().on_headers_complete()
        self._begun = [*(each for each in self._begun if not each.response_complete), self.cycle]
        self._expect(BODY_SECONDS, self._body_too_slow)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body; of what was refused, nothing is taken."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a body; where its answer has gone already, the connection waits for another request."""
        self._cancel()
        if self.transport.is_closing():
            return
        super().on_message_complete()
        if self.cycle.response_complete and self.timeout_keep_alive_task is None:
            wait = self.timeout_keep_alive
            self.timeout_keep_alive_task = self.loop.call_later(wait, self.timeout_keep_alive_handler)

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read as HTTP, in the shape of all faults, and close.

        An answer that is still on its way to whoever sent it ends: nothing more can be believed of this connection.
        """
        if self.transport.is_closing():
            return
        due = [each for each in self._begun if not each.response_complete]
        # With an answer under way, or a request that is whole, it is not this refusal that is read next.
        answering = any(each.response_started or not each.more_body for each in due)
        self._hang_up()
        if not answering:
            error = {"message": msg, "type": "invalid_request_error", "code": "gateway/bad-request", "param": None}
            body = json.dumps({"error": error}, separators=(",", ":")).encode()
            head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head.encode() + body)
        self.transport.close()

    def _expect_head(self) -> None:
        self._in_head, self._head = True, 0
        self._expect(HEAD_SECONDS, self._head_too_slow)

    def _expect(self, seconds: float, otherwise: Any) -> None:  # noqa: ANN401 - a callback
        self._cancel()
        self._timer = self.loop.call_later(seconds, otherwise)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _head_too_slow(self) -> None:
        self.send_400_response(f"The request's head did not come within {HEAD_SECONDS:.0f} seconds.")

    def _body_too_slow(self) -> None:
        if self.flow.read_paused:  # it is we who wait: an answer that was asked for before is still on its way
            self._expect(BODY_SECONDS, self._body_too_slow)
        else:
            self.send_400_response(f"The request's body did not come within {BODY_SECONDS:.0f} seconds.")
