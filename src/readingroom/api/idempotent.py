"""`Idempotency-Key`: a question that its reader has named is answered once and charged once, however often it is sent.

What goes out is noted on its way. Once the answer came to its own end and was settled, all of it is kept, sealed, and
only then do its last bytes leave: whoever was charged for a whole answer can ask for it again. Of any other end
nothing is kept. Without the header nothing of this runs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from readingroom.core.refusal import Refusal, Refused
from readingroom.gateway.ask import Ask
from readingroom.gateway.flow import Flow
from readingroom.gateway.frames import End
from readingroom.gateway.keeping import Claim, Keeping, Stands
from readingroom.gateway.kept import MOST_BYTES
from readingroom.gateway.model import Amount, Ended

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Answer = Callable[[Send, Callable[[Flow], None]], Awaitable[None]]

HEADER = b"idempotency-key"
LONGEST = 255
KEEP_SECONDS = 2.0  # that the last bytes wait for the answer to be kept; then they leave, and it is kept later
_MOST_NOTED = 8 * MOST_BYTES  # it is packed before it is kept
_KEPT = {b"content-type", b"cache-control", b"x-accel-buffering", b"x-readingroom-receipt", b"x-readingroom-passes"}
_WHOLE = {Ended.COMPLETE, Ended.SCREENED}


def named(headers: list[tuple[bytes, bytes]]) -> str | None:
    """Return the name that a reader gave to the question, None if there is none.

    Raises:
        Refused: it cannot be used.
    """
    found = [value for name, value in headers if name == HEADER]
    if not found:
        return None
    value = found[0]
    if len(found) == 1 and 1 <= len(value) <= LONGEST and all(0x21 <= each <= 0x7E for each in value):  # noqa: PLR2004
        return value.decode("ascii")
    reason = (
        f"Send Idempotency-Key once, with 1 to {LONGEST} visible ASCII characters and no spaces; "
        "a random UUID for each question will do."
    )
    raise Refused(Refusal("gateway/bad-request", reason, {"param": "Idempotency-Key"}))


@dataclass(frozen=True, slots=True)
class Named:
    """A question under its reader's name for it."""

    key: str = field(repr=False)
    name: str
    ask: Ask


async def once(question: Named, keeping: Keeping, stands: Stands, send: Send, answer: Answer) -> bool:
    """Answer a named question, or give again what was kept of its answer; tell which: whether it was given again.

    Args:
        question: whose, its name, and what is asked.
        keeping: where answers are kept.
        stands: names what it would be answered under now, or refuses.
        send: to the reader.
        answer: answers it; shows the flow of its answer before that begins.

    Raises:
        Refused: the name is in use, or whatever `answer` refuses with.
    """
    found = await keeping.begin(question.key, question.name, question.ask, stands)
    if isinstance(found, bytes):
        await _again(found, send)
        return True
    noting = Noting(send, keeping, found)
    try:
        await answer(noting, noting.watch)
    finally:
        await noting.close()
    return False


class Noting:
    """A way out on which an answer is noted, so that it can be kept before its last bytes leave."""

    def __init__(self, send: Send, keeping: Keeping, claim: Claim) -> None:
        """Take the way out, where answers are kept, and the right to answer."""
        self._send = send
        self._keeping = keeping
        self._claim = claim
        self._order = asyncio.Lock()
        self._start: Message | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._noted = bytearray()
        self._ended: End | None = None
        self._ending: asyncio.Task[None] | None = None

    def watch(self, flow: Flow) -> None:
        """See how the flow ends: nothing is awaited between its settling and the last bytes."""
        settle = flow.settle

        def seen(flow: Flow, used: Amount, ended: Ended, refusal: Refusal | None) -> End:
            self._ended = settle(flow, used, ended, refusal)
            return self._ended

        flow.settle = seen

    async def __call__(self, message: Message) -> None:
        """Send a message; the head goes with the first of the body, so that nothing waits between end and keeping."""
        if message["type"] == "http.response.start":
            self._start, self._headers = message, list(message["headers"])
            return
        if len(self._noted) <= _MOST_NOTED:
            self._noted += message.get("body", b"")
        if self._is_whole and self._ending is None:
            self._ending = asyncio.create_task(self._keeping.keep(self._claim, self._answer()))
            await asyncio.wait([self._ending], timeout=KEEP_SECONDS)
        async with self._order:  # a heartbeat comes from another task
            if self._start is not None:
                start, self._start = self._start, None
                await self._send(start)
            await self._send(message)

    async def close(self) -> None:
        """Let the name go if there was no whole answer; neither this nor the keeping stops when the reader leaves."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._keeping.drop(self._claim))
        await asyncio.shield(self._ending)

    @property
    def _is_whole(self) -> bool:
        return self._ended is not None and self._ended.refusal is None and self._ended.ended in _WHOLE

    def _answer(self) -> bytes | None:
        if len(self._noted) > _MOST_NOTED:
            return None
        head = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in self._headers if name in _KEPT]
        return json.dumps(head).encode() + b"\n" + self._noted


async def _again(kept: bytes, send: Send) -> None:
    """Send what was kept: the same body, receipt and passes; what is left of the grant is told by `GET /v1/grant`."""
    head, _, body = kept.partition(b"\n")
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in json.loads(head)]
    headers += [(b"content-length", str(len(body)).encode()), (b"idempotent-replayed", b"true")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
