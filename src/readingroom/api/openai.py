"""`/v1`: the data plane's door, OpenAI-compatible, as a plain ASGI application.

No framework stands between a token and its reader. The disconnect is read here, since `send` never says that a
reader hung up; a reader who leaves stops the engine and is charged for what it made.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any, Self

from readingroom.api.hangup import until_hung_up
from readingroom.api.idempotent import Named, named, once
from readingroom.api.wire.answers import Body, Head, Stream, error, to_json
from readingroom.api.wire.paces import flow_headers, pace_headers, place_comment
from readingroom.api.wire.requests import Request, read
from readingroom.app.refusals import ending
from readingroom.core.canonical import Json
from readingroom.core.clock import Clock, rfc3339
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.gateway.ask import Kind
from readingroom.gateway.flow import Flow
from readingroom.gateway.frames import Delta, End, InLine, Pause
from readingroom.gateway.model import UNITS, Reading
from readingroom.gateway.service import Gateway

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MAX_BODY = 1_000_000  # bytes
STALLED_SECONDS = 30.0  # a reader who takes nothing for so long has left
HEARTBEAT_SECONDS = 5.0
_KINDS = {"/v1/chat/completions": Kind.CHAT, "/v1/completions": Kind.COMPLETION}
_BODY_UNREAD = {"gateway/body-too-large", "access/key-unknown"}  # nothing more is read on such a connection
_BROKEN = {"message": "Something of ours is broken; it has been logged.", "type": "server_error", "code": "app/broken"}

log = logging.getLogger("readingroom.api")


class OpenAIApp:
    """The ASGI application of `/v1`."""

    def __init__(self, gateway: Gateway, clock: Clock) -> None:
        """Take the gateway, and the clock that dates answers."""
        self._gateway = gateway
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong is answered in OpenAI's shape."""
        try:
            await self._route(scope, receive, send)
        except Refused as refused:
            self._gateway.observer.refused(refused.refusal.code)
            await refuse(send, refused.refusal)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            await reply(send, 500, {"error": {**_BROKEN, "param": None}}, [(b"x-should-retry", b"false")])

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = str(scope["path"]), str(scope["method"])
        wanted = "POST" if path in _KINDS else "GET"
        known = (
            path in _KINDS or path in {"/v1/models", "/v1/grant"} or path.startswith(("/v1/receipts/", "/v1/models/"))
        )
        if not known:
            raise Refused(Refusal("gateway/not-found", f"There is no {path[:80]} here; see the documentation."))
        if method != wanted and not (method == "HEAD" and wanted == "GET"):
            reason = f"{path[:80]} takes {wanted}, not {method[:20]}."
            raise Refused(Refusal("gateway/method-not-allowed", reason, {"allow": wanted}))
        key = _key(scope)
        if path in _KINDS:
            await self._answer(key, scope, receive, send)
        elif path.startswith("/v1/models"):
            await self._models(key, path.removeprefix("/v1/models").removeprefix("/"), send)
        elif path == "/v1/grant":
            await self._grant(key, send)
        else:
            found = await self._gateway.receipt(key, path.removeprefix("/v1/receipts/"))
            await reply(send, 200, found.to_json())

    async def _answer(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        admission = await self._gateway.admit(key)
        require(admission.check(self._clock.now()))  # before the body is read: nobody's body costs us anything
        asked = read(await _body(scope, receive), _KINDS[str(scope["path"])])
        name = named(scope["headers"])
        if name is None:
            flow = await self._gateway.open(key, asked.ask, admission)
            await self._deliver(flow, asked, scope, receive, send)
            return

        async def answer(send: Send, watch: Callable[[Flow], None]) -> None:
            flow = await self._gateway.open(key, asked.ask, admission)
            watch(flow)
            await self._deliver(flow, asked, scope, receive, send)

        stands = partial(self._gateway.stands, key, asked.ask)
        if await once(Named(key, name, asked.ask), self._gateway.keeping, stands, send, answer):
            self._gateway.observer.replayed()

    async def _deliver(self, flow: Flow, asked: Request, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head(flow.hold.id, int(self._clock.now().timestamp()), asked.ask.model, asked.ask.kind)
        work = self._stream(flow, head, asked, send) if asked.stream else self._whole(flow, head, asked, send)
        await until_hung_up(work, scope, receive, lambda leave: setattr(flow, "overdue", leave))

    async def _whole(self, flow: Flow, head: Head, asked: Request, send: Send) -> None:
        body = Body.begin(head, asked.ask.choices)
        flow.spell = body.spell
        end: End | None = None
        async with contextlib.aclosing(flow.frames()) as frames:
            async for frame in frames:
                if isinstance(frame, End):
                    end = frame
                elif isinstance(frame, Delta):
                    body.add(frame)
        assert end is not None  # noqa: S101 - every flow has its end
        headers = [*_receipt(flow), *_left(end.reading or flow.hold.reading), *flow_headers(flow)]
        if end.refusal is not None:
            await refuse(send, end.refusal, headers if end.charged.calls else [])
            return
        headers.append((b"x-readingroom-passes", str(end.charged.passes).encode()))
        await _send_json(send, 200, body.spell(end), headers)

    async def _stream(self, flow: Flow, head: Head, asked: Request, send: Send) -> None:
        stream = Stream(head, asked.include_usage)
        flow.spell = stream.spell

        def headers() -> Headers:
            return [*_receipt(flow), *_left(flow.hold.reading), *flow_headers(flow)]

        gathered = bytearray()  # what came at once leaves at once
        flow.pauses = True
        async with _Heart(send, headers, flow) as heart, contextlib.aclosing(flow.frames()) as frames:
            async for frame in frames:
                if isinstance(frame, Pause):
                    if gathered:
                        await heart.send(bytes(gathered))
                        gathered.clear()
                    continue
                refusal = frame.refusal if isinstance(frame, End) else None
                if refusal is not None and not gathered and not await heart.begins(anyway=False):
                    await refuse(send, refusal)  # nothing was sent yet: a proper status can still be given
                    return
                gathered += _event(stream, frame)
            await heart.send(bytes(gathered))
            await heart.end()

    async def _models(self, key: str, name: str, send: Send) -> None:
        admission = await self._gateway.admit(key)
        require(admission.check(self._clock.now()))
        stage = admission.stage
        model = stage.artifact if stage else ""
        card = {
            "id": model,
            "object": "model",
            "created": int(admission.grant.issued_at.timestamp()),
            "owned_by": "lab",
        }
        if not name:
            await reply(send, 200, {"object": "list", "data": [card]})
        elif name == model:
            await reply(send, 200, card)
        else:
            raise Refused(
                Refusal("gateway/model-unknown", f"This grant may not call {name[:80]!r}.", {"param": "model"})
            )

    async def _grant(self, key: str, send: Send) -> None:
        admission, reading, why = await self._gateway.shown(key)
        grant = admission.grant
        document = {
            "id": grant.id,
            "state": grant.state.value,
            "stage": grant.stage,
            "tier": grant.tier,
            "allocation": grant.allocation.to_json(),
            "used": reading.used.as_json(),
            "reserved": reading.reserved.as_json(),
            "limits": admission.pace.canonical(),
            "waiting": self._gateway.waits(grant.id),
            "expires_at": rfc3339(grant.expires_at),
            "retention": admission.kept(),
            "terms": admission.facts.terms_needed if admission.facts else None,
            "sanctions": admission.sanctions(self._clock.now()),
            "entitled": why.to_json(),
        }
        await reply(send, 200, document, _left(reading))


def _event(stream: Stream, frame: Delta | End | InLine) -> bytes:
    if isinstance(frame, InLine):
        return place_comment(frame.place)
    return stream.close(frame) if isinstance(frame, End) else stream.add(frame)


class _Heart:
    """Sends a stream, and a comment whenever nothing was sent for a while: held text must not look like a dead line.

    That holds for its beginning as well: where nothing may leave for a while, the head of the answer is sent without.
    """

    def __init__(self, send: Send, headers: Callable[[], Headers], flow: Flow) -> None:
        self._send = send
        self._headers = headers
        self._flow = flow
        self._waits = False  # for a reader who takes nothing
        self._lock = asyncio.Lock()
        self._begun = self._over = False
        self._loop = asyncio.get_running_loop()
        self._sent = self._loop.time()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._timer = self._loop.call_later(HEARTBEAT_SECONDS, self._due)
        return self

    async def __aexit__(self, *_fault: object) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def begins(self, *, anyway: bool = True) -> bool:
        """Send the head of the answer, once; tell whether it is sent. If not `anyway`, it never will be from now on."""
        if self._begun:
            return True
        async with self._lock:
            if anyway and not (self._begun or self._over):
                kind = (b"content-type", b"text/event-stream; charset=utf-8")
                more = [kind, (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"), *self._headers()]
                await self._send({"type": "http.response.start", "status": 200, "headers": more})
                self._begun = True
            self._over = self._over or not self._begun
            return self._begun

    async def send(self, data: bytes) -> None:
        """Send whole events."""
        await self.begins()
        self._sent, self._waits = self._loop.time(), True
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self._waits = False

    async def end(self) -> None:
        """Send the end."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _due(self) -> None:
        self._timer = self._loop.call_later(HEARTBEAT_SECONDS, self._due)
        silent = self._loop.time() - self._sent
        if self._waits and silent >= STALLED_SECONDS and self._flow.overdue is not None:
            self._flow.overdue()
        elif not self._waits and silent >= HEARTBEAT_SECONDS and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        if await self.begins():
            await self.send(b": still here\n\n")


async def _body(scope: Scope, receive: Receive) -> bytes:
    """Read the body, but never more than is allowed; how long it may take is the server's to bound."""
    stated = dict(scope["headers"]).get(b"content-length", b"0")
    if stated.isdigit() and int(stated) > MAX_BODY:
        raise _too_large()
    read_so_far = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(Refusal("gateway/bad-request", "The body was cut short."))
        read_so_far += message.get("body", b"")
        if len(read_so_far) > MAX_BODY:
            raise _too_large()
        if not message.get("more_body"):
            return bytes(read_so_far)


def _too_large() -> Refused:
    return Refused(Refusal("gateway/body-too-large", f"The body may have {MAX_BODY:,} bytes."))


def _key(scope: Scope) -> str:
    sent: bytes = dict(scope["headers"]).get(b"authorization", b"")
    kind, _, key = sent.decode("latin-1").partition(" ")
    if kind.lower() != "bearer" or not key.strip():
        reason = "Send your key as `Authorization: Bearer rr_...`."
        raise Refused(Refusal("access/key-unknown", reason))
    return key.strip()


def _receipt(flow: Flow) -> Headers:
    return [(b"x-readingroom-receipt", flow.hold.id.encode())]


def _left(reading: Reading) -> Headers:
    headers = []
    for unit in UNITS:
        left = reading.left(unit)
        if left is not None:
            limit = getattr(reading.limits, unit)
            headers.append((f"x-readingroom-limit-{unit}".encode(), str(limit).encode()))
            headers.append((f"x-readingroom-remaining-{unit}".encode(), str(left).encode()))
    return headers


async def refuse(send: Send, refusal: Refusal, more: Headers | None = None) -> None:
    """Answer a refusal; one that waiting cannot cure tells clients not to retry."""
    end = ending(refusal.code)
    helps = refusal.facts.get("waiting_helps", end.retryable)
    after = str(refusal.facts.get("retry_after", 1)).encode()
    headers = [*(more or []), (b"retry-after", after) if helps else (b"x-should-retry", b"false")]
    headers += pace_headers(refusal.facts.get("rates", {}))
    if refusal.code in _BODY_UNREAD:
        headers.append((b"connection", b"close"))
    if "allow" in refusal.facts:
        headers.append((b"allow", str(refusal.facts["allow"]).encode()))
    if end.status == 401:  # noqa: PLR2004 - HTTP's own
        headers.append((b"www-authenticate", b"Bearer"))
    await reply(send, end.status, error(refusal), headers)


async def reply(send: Send, status: int, body: Mapping[str, Json], headers: Headers | None = None) -> None:
    """Send a JSON answer."""
    await _send_json(send, status, to_json(body), headers or [])


async def _send_json(send: Send, status: int, data: bytes, headers: Headers) -> None:
    fixed = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    more = [*fixed, (b"cache-control", b"no-store"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": more})
    await send({"type": "http.response.body", "body": data})
