"""Any OpenAI-compatible server as an engine: vLLM, llama-server, TGI, SGLang, or our own embedded process.

What differs between servers is asked once and remembered: whether it can count a prompt exactly, by llama.cpp's
`/apply-template` and `/tokenize` or by vLLM's `/tokenize`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp

from readingroom.core.canonical import Json
from readingroom.engines.model import (
    Chunk,
    EngineInfo,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    ForwardRequest,
    Kind,
    Usage,
)
from readingroom.engines.sse import EventReader

_ROUTES = {Kind.CHAT: "chat/completions", Kind.COMPLETION: "completions"}
_MAX_ERROR = 65_536  # bytes of an error's body that are worth reading


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
    _session: aiohttp.ClientSession | None = field(default=None, init=False, repr=False)
    _counts: str | None = field(default=None, init=False, repr=False)

    async def stream(self, request: ForwardRequest) -> AsyncGenerator[Chunk, None]:
        """Read an answer; leaving the iterator closes the connection, which stops the server's work."""
        body = {**request.body, "model": self.model, "stream": True, "stream_options": {"include_usage": True}}
        if self._counts == "llama.cpp":
            body["timings_per_token"] = True  # its own running count: a frame may hold several tokens
        url = f"{self.base_url}/{_ROUTES[request.kind]}"
        try:
            async with self._client().post(url, json=body, allow_redirects=False) as response:
                if response.status != HTTPStatus.OK:
                    raise _refusal(response.status, await response.content.read(_MAX_ERROR))
                async for chunk in _answer(response, request):
                    yield chunk
        except TimeoutError:
            raise EngineTimeout(f"silent for {self.silent_seconds} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as fault:
            raise EngineUnavailable(f"{type(fault).__name__}: {fault}") from None

    async def count_prompt(self, request: ForwardRequest) -> int | None:
        """Count a prompt with the server's own template and tokenizer, where it has routes for that."""
        if self._counts is None:
            self._counts = await self._probe()
        if self._counts == "llama.cpp":
            return await self._count_llama(request)
        if self._counts == "vllm":
            answer = await self._post_root("tokenize", self._prompt_part(request))
            return int(answer["count"]) if answer else None
        return None

    async def _count_llama(self, request: ForwardRequest) -> int | None:
        if request.kind is Kind.CHAT:
            shaped = await self._post_root("apply-template", self._prompt_part(request))
            text = shaped["prompt"] if shaped else None
        else:
            text = request.body["prompt"]
        if text is None:
            return None
        answer = await self._post_root("tokenize", {"content": text, "add_special": True, "parse_special": True})
        return len(answer["tokens"]) if answer else None

    def _prompt_part(self, request: ForwardRequest) -> dict[str, Json]:
        names = ("messages", "prompt", "tools", "tool_choice")
        return {"model": self.model, **{name: request.body[name] for name in names if name in request.body}}

    async def _probe(self) -> str:
        hello = {"messages": [{"role": "user", "content": "hello"}]}
        if "prompt" in (await self._post_root("apply-template", hello) or {}):
            return "llama.cpp"
        if "count" in (await self._post_root("tokenize", {"model": self.model, **hello}) or {}):
            return "vllm"
        return "no"

    async def _post_root(self, route: str, body: Json) -> dict[str, Json] | None:
        """POST to a route beside `/v1`; None when the server does not have it or refuses."""
        root = self.base_url.removesuffix("/v1")
        try:
            async with self._client().post(f"{root}/{route}", json=body, allow_redirects=False) as response:
                answer = await response.json(content_type=None) if response.status == HTTPStatus.OK else None
                return answer if isinstance(answer, dict) else None
        except TimeoutError:
            raise EngineTimeout("silent while counting a prompt") from None
        except ValueError:
            return None
        except (aiohttp.ClientError, OSError) as fault:
            raise EngineUnavailable(f"{type(fault).__name__}: {fault}") from None

    async def info(self) -> EngineInfo:
        """Ask for the models, to see that the server answers and takes our key."""
        try:
            async with asyncio.timeout(self.connect_seconds):
                async with self._client().get(f"{self.base_url}/models", allow_redirects=False) as response:
                    await response.read()
                    if response.status != HTTPStatus.OK:
                        raise EngineUnavailable(f"/models answers {response.status}")
        except TimeoutError:
            raise EngineTimeout("silent") from None
        except (aiohttp.ClientError, OSError) as fault:
            raise EngineUnavailable(f"{type(fault).__name__}: {fault}") from None
        if self._counts is None:
            self._counts = await self._probe()
        return EngineInfo(self.model, self.context, counts_prompts=self._counts != "no")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
            timeout = aiohttp.ClientTimeout(
                total=None, sock_connect=self.connect_seconds, sock_read=self.silent_seconds
            )
            # A connection each: llama.cpp closes idle ones under our feet, and a lost request must not be sent twice.
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            # No environment proxies: prompts go to the engine that was named and nowhere else.
            self._session = aiohttp.ClientSession(
                headers=headers, timeout=timeout, connector=connector, trust_env=False
            )
        return self._session


async def _answer(response: aiohttp.ClientResponse, request: ForwardRequest) -> AsyncIterator[Chunk]:
    """Yield an answer's pieces, its usage last; an answer without all its ends is a fault."""
    open_choices, counted, usages = set(range(request.choices)), dict[int, int](), list[Usage]()
    async for event in _events(response):
        for chunk in _chunks(event, request.kind, counted):
            if chunk.usage is not None:
                usages.append(chunk.usage)
                continue
            if chunk.finish_reason is not None:
                open_choices.discard(chunk.index)
            yield chunk
    if open_choices:
        raise EngineUnavailable("the answer ended before its end")
    if usages:
        yield Chunk(usage=_whole(usages, request.choices))


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Json]]:
    reader = EventReader()
    async for piece in response.content.iter_any():
        for data in reader.push(piece):
            if data.strip() == b"[DONE]":
                return
            event = json.loads(data)
            if not isinstance(event, dict) or "error" in event:
                raise EngineUnavailable("an error came in the middle of the answer")
            yield event


def _whole(usages: list[Usage], choices: int) -> Usage:
    """Return the usage of an answer: the last frame's, or, of a server that sends one per choice, their sum."""
    if len(usages) == choices:
        return Usage(usages[-1].prompt_tokens, sum(each.completion_tokens for each in usages))
    return usages[-1]


def _chunks(event: dict[str, Json], kind: Kind, counted: dict[int, int]) -> list[Chunk]:
    running = (event.get("timings") or {}).get("predicted_n")
    chunks = [_chunk(choice, kind, running, counted) for choice in event.get("choices") or []]
    usage = event.get("usage")
    if usage:
        counts = Usage(int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0))
        chunks.append(Chunk(usage=counts))
    return chunks


def _chunk(choice: dict[str, Json], kind: Kind, running: int | None, counted: dict[int, int]) -> Chunk:
    delta = choice.get("delta") or {}
    text = (choice.get("text") if kind is Kind.COMPLETION else delta.get("content")) or ""
    reasoning = delta.get("reasoning_content") or delta.get("reasoning") or ""
    calls = tuple(delta.get("tool_calls") or ())
    index = int(choice.get("index") or 0)
    before = counted.get(index, 0)
    counted[index] = before + int(bool(text or reasoning or calls)) if running is None else max(before, running)
    return Chunk(
        index=index,
        text=text,
        tokens=counted[index] - before,
        logprobs=_logprobs(choice.get("logprobs"), kind),
        tool_calls=calls,
        reasoning=reasoning,
        finish_reason=choice.get("finish_reason"),
    )


def _logprobs(found: Json, kind: Kind) -> tuple[dict[str, Json], ...]:
    if not found:
        return ()
    return (found,) if kind is Kind.COMPLETION and "content" not in found else tuple(found.get("content") or ())


def _refusal(status: int, body: bytes) -> Exception:
    try:
        error = json.loads(body).get("error") or {}
        message, param = str(error.get("message", "")), error.get("param")
    except (ValueError, AttributeError):
        message, param = "", None
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        return EngineRefused(message, param if isinstance(param, str) else None)
    return EngineUnavailable(f"answers {status}: {message}")
