"""Any OpenAI-compatible server as an engine: vLLM, llama-server, TGI, SGLang, or our own embedded process.

What differs between servers is asked once and remembered: whether it can count a prompt exactly, by llama.cpp's
`/apply-template` and `/tokenize` or by vLLM's `/tokenize`. Nothing that it says is read without a bound.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus

import aiohttp
import msgspec

from readingroom.core.canonical import Json
from readingroom.engines.answer import AnswerReader
from readingroom.engines.model import (
    Chunk,
    EngineInfo,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    ForwardRequest,
    Kind,
)
from readingroom.engines.sse import MAX_EVENT, EventReader

_ROUTES = {Kind.CHAT: "chat/completions", Kind.COMPLETION: "completions"}
_MAX_ERROR = 65_536  # bytes of an error's body that are worth reading
_MAX_JSON = 32_000_000  # bytes: the token numbers of the longest prompt, with room
_KEPT_SECONDS = 2.0  # that an idle connection is used again: less than any server that we know waits
_JSON = {"content-type": "application/json"}
_encode = msgspec.json.Encoder().encode
_MAX_TOKEN = 16_384  # bytes that one token of an answer may take, log probabilities and framing included
_CANNOT = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.NOT_IMPLEMENTED,
}
_LATER = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


class _Counter(StrEnum):
    """Whose routes count a prompt."""

    LLAMA = "llama.cpp"
    VLLM = "vllm"
    NONE = "none"


@dataclass
class HttpEngine:
    """One server behind its base URL.

    Attributes:
        base_url: ends in `/v1`.
        model: its name for the model.
        context: tokens it can hold per request; reserved for prompts that it cannot count.
        key: sent as a bearer token; empty sends none.
        connect_seconds: until a connection must stand.
        silent_seconds: longest silence within an answer.
    """

    base_url: str
    model: str
    context: int
    key: str = field(default="", repr=False)
    connect_seconds: float = 5
    silent_seconds: float = 120
    _sessions: dict[bool, aiohttp.ClientSession] = field(default_factory=dict, init=False, repr=False)
    _counter: _Counter | None = field(default=None, init=False, repr=False)

    async def stream(self, request: ForwardRequest) -> AsyncGenerator[Sequence[Chunk], None]:
        """Read an answer; leaving the iterator closes the connection, which stops the server's work."""
        url = f"{self.base_url}/{_ROUTES[request.kind]}"
        reader = AnswerReader(request.kind, request.choices, usage_runs=self._counter is _Counter.VLLM)
        tokens = request.choices * request.max_tokens
        most = MAX_EVENT + tokens * _MAX_TOKEN
        whole = self.gives_whole(request)
        # llama.cpp closes idle connections under our feet, and a lost request must not be sent twice: one each.
        client = self._client(kept=self._counter is _Counter.NONE)
        data = _encode(self._body(request, whole=whole))
        try:
            async with client.post(url, data=data, headers=_JSON, allow_redirects=False) as response:
                if response.status != HTTPStatus.OK:
                    raise _refusal(response.status, await _read(response, _MAX_ERROR))
                if whole and not response.content_type.startswith("text/event-stream"):  # some always stream
                    chunks = reader.whole(await _read(response, most), tokens)
                    yield [*chunks, Chunk(usage=reader.usage())]
                    return
                async with contextlib.aclosing(_events(response, most)) as events:
                    async for came in events:
                        yield [chunk for data in came for chunk in reader.push(data)]
            usage = reader.usage()
            if usage is not None:
                yield [Chunk(usage=usage)]
        except TimeoutError:
            raise EngineTimeout(f"silent for {self.silent_seconds} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as fault:
            raise EngineUnavailable(f"{type(fault).__name__}: {fault}") from None

    def gives_whole(self, request: ForwardRequest) -> bool:
        """Ask for a whole answer where the reader does, if the server keeps no running count anyway."""
        return self._counter is _Counter.NONE and not request.streamed

    def _body(self, request: ForwardRequest, *, whole: bool) -> dict[str, Json]:
        """Return what is posted; where a server keeps a running count, a frame may hold several tokens: ask for it."""
        if whole:
            return {**request.body, "model": self.model}
        options = {"include_usage": True}
        body = {**request.body, "model": self.model, "stream": True, "stream_options": options}
        if self._counter is _Counter.VLLM:
            options["continuous_usage_stats"] = True
        if self._counter is _Counter.LLAMA:
            body["timings_per_token"] = True
        return body

    async def count_prompt(self, request: ForwardRequest) -> int | None:
        """Count a prompt with the server's own template and tokenizer, where it has routes for that."""
        self._counter = self._counter or await self._probe()
        if self._counter is _Counter.LLAMA:
            return await self._count_llama(request)
        if self._counter is _Counter.VLLM:
            _, answer = await self._post_root("tokenize", self._prompt_part(request))
            return _count(answer)
        return None

    async def _count_llama(self, request: ForwardRequest) -> int | None:
        text = request.body.get("prompt")
        if request.kind is Kind.CHAT:
            _, shaped = await self._post_root("apply-template", self._prompt_part(request))
            text = shaped.get("prompt")
        if not isinstance(text, str):
            return None
        _, answer = await self._post_root("tokenize", {"content": text, "add_special": True, "parse_special": True})
        tokens = answer.get("tokens")
        return len(tokens) if isinstance(tokens, list) else None

    def _prompt_part(self, request: ForwardRequest) -> dict[str, Json]:
        names = ("messages", "prompt", "tools", "tool_choice")
        return {"model": self.model, **{name: request.body[name] for name in names if name in request.body}}

    async def _probe(self) -> _Counter | None:
        """Find out whose routes there are; None while the server cannot say, as one that still loads its model."""
        hello = {"model": self.model, "messages": [{"role": "user", "content": "hello"}]}
        shaped, template = await self._post_root("apply-template", hello)
        if isinstance(template.get("prompt"), str):
            return _Counter.LLAMA
        counted, answer = await self._post_root("tokenize", hello)
        if _count(answer) is not None:
            return _Counter.VLLM
        return None if {shaped, counted} & _LATER else _Counter.NONE

    async def _post_root(self, route: str, body: Json) -> tuple[int, dict[str, Json]]:
        """POST to a route beside `/v1`; return the status, and the object that it answers, empty if it does not."""
        root = self.base_url.removesuffix("/v1")
        try:
            async with self._client().post(f"{root}/{route}", json=body, allow_redirects=False) as response:
                answer = _object(await _read(response, _MAX_JSON))
                return response.status, answer if response.status == HTTPStatus.OK else {}
        except TimeoutError:
            raise EngineTimeout("silent while counting a prompt") from None
        except (aiohttp.ClientError, OSError) as fault:
            raise EngineUnavailable(f"{type(fault).__name__}: {fault}") from None

    async def info(self) -> EngineInfo:
        """Ask for the models, to see that the server answers and takes our key."""
        try:
            async with asyncio.timeout(self.connect_seconds):
                async with self._client().get(f"{self.base_url}/models", allow_redirects=False) as response:
                    await _read(response, _MAX_JSON)
                    if response.status != HTTPStatus.OK:
                        raise EngineUnavailable(f"/models answers {response.status}")
        except TimeoutError:
            raise EngineTimeout("silent") from None
        except (aiohttp.ClientError, OSError) as fault:
            raise EngineUnavailable(f"{type(fault).__name__}: {fault}") from None
        self._counter = self._counter or await self._probe()
        counts = self._counter in {_Counter.LLAMA, _Counter.VLLM}
        return EngineInfo(self.model, self.context, counts_prompts=counts)

    async def close(self) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            await session.close()

    def _client(self, *, kept: bool = False) -> aiohttp.ClientSession:
        """Return the client whose connections are used again for a while, or the one that opens a new one each."""
        session = self._sessions.get(kept)
        if session is None or session.closed:
            headers = {"accept-encoding": "identity"}  # what is packed small may be endless
            if self.key:
                headers["authorization"] = f"Bearer {self.key}"
            timeout = aiohttp.ClientTimeout(
                total=None, sock_connect=self.connect_seconds, sock_read=self.silent_seconds
            )
            connector = aiohttp.TCPConnector(
                limit=0, **({"keepalive_timeout": _KEPT_SECONDS} if kept else {"force_close": True})
            )
            # No environment proxies: prompts go to the engine that was named and nowhere else.
            session = self._sessions[kept] = aiohttp.ClientSession(
                headers=headers, timeout=timeout, connector=connector, trust_env=False
            )
        return session


async def _events(response: aiohttp.ClientResponse, most: int) -> AsyncGenerator[list[bytes], None]:
    """Yield the data of the events that came at once, until the last.

    Raises:
        ValueError: an answer has more than `most` bytes.
    """
    reader, size = EventReader(), 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > most:
            raise ValueError("an answer is too long")
        came = [data for data in map(bytes.strip, reader.push(piece)) if data]
        if b"[DONE]" in came:
            yield came[: came.index(b"[DONE]")]
            return
        yield came


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Return a body, cut off where it passes `most` bytes."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) >= most:
            break
    return bytes(body[:most])


def _object(body: bytes) -> dict[str, Json]:
    with contextlib.suppress(ValueError, RecursionError):
        return msgspec.json.decode(body, type=dict[str, Json])
    return {}


def _count(answer: dict[str, Json]) -> int | None:
    count = answer.get("count")
    return count if type(count) is int and count >= 0 else None


def _refusal(status: int, body: bytes) -> Exception:
    error = _object(body).get("error")
    message, param = (error.get("message"), error.get("param")) if isinstance(error, dict) else ("", None)
    if status in _CANNOT:
        return EngineRefused(str(message), param if isinstance(param, str) else None)
    return EngineUnavailable(f"answers {status}: {message}")
