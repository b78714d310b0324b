"""Knocking at an engine's other doors: what answers without the key is a way round the gateway (promise 10).

Servers of models have more routes than `/v1`, and several guard only that one: vLLM's key covers `/v1` and a few more
prefixes, while `/tokenize`, `/invocations` and the metrics answer anybody. So every route below is tried without a key,
at the engine's address, and, where the engine is on this machine, at the same port of each address that the machine
has; and the engine's host is tried at the ports on which such servers listen by themselves, for what stands behind a
proxy may be reached beside it.

A knock carries no key and nobody's text, follows no redirect, waits for seconds only, and reads a bounded answer.
Routes that change something (`/pause`, `/sleep`, `/flush_cache`) are not tried; those that are stand beside them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from readingroom.core.canonical import Json

_WORD = "hello"
# One body for every route: each server takes the fields that it knows. One token at most, where anything is generated.
_BODY: dict[str, Json] = {
    "messages": [{"role": "user", "content": _WORD}],
    **dict.fromkeys(("prompt", "content", "inputs", "text", "input", "text_input", "input_prefix"), _WORD),
    "input_suffix": "",
    **dict.fromkeys(("max_tokens", "n_predict", "max_new_tokens", "max_output_tokens", "max_completion_tokens"), 1),
    "parameters": {"max_new_tokens": 1},
    "sampling_params": {"max_new_tokens": 1},
    "options": {"num_predict": 1},
    "tokens": [1],
    "stream": False,
}
_MAX_ANSWER = 65_536  # bytes that are read of an answer
_SECONDS = 5.0  # that one knock may take
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Door:
    """A route that answers nobody without the key.

    Attributes:
        method: of HTTP.
        path: below the server's root.
        kinds: the servers that are known to have it.
    """

    method: str
    path: str
    kinds: str

    @property
    def name(self) -> str:
        """How it is called in the ledger: never with an address."""
        return f"{self.method} {self.path}"


DOORS = (
    Door("POST", "/v1/chat/completions", "all"),
    Door("POST", "/v1/completions", "all"),
    Door("POST", "/v1/responses", "vLLM, llama-server, SGLang, LM Studio"),
    Door("POST", "/v1/messages", "vLLM, llama-server"),
    Door("POST", "/v1/embeddings", "all"),
    Door("POST", "/chat/completions", "llama-server"),
    Door("POST", "/completion", "llama-server"),
    Door("POST", "/infill", "llama-server"),
    Door("POST", "/apply-template", "llama-server"),
    Door("POST", "/embedding", "llama-server"),
    Door("GET", "/props", "llama-server"),
    Door("GET", "/slots", "llama-server"),
    Door("GET", "/lora-adapters", "llama-server"),
    Door("POST", "/invocations", "vLLM, TGI, SageMaker's containers"),
    Door("POST", "/tokenize", "vLLM, llama-server, TGI, SGLang"),
    Door("POST", "/detokenize", "vLLM, llama-server"),
    Door("POST", "/pooling", "vLLM"),
    Door("POST", "/score", "vLLM"),
    Door("POST", "/inference/v1/generate", "vLLM"),
    Door("GET", "/server_info", "vLLM, SGLang"),
    Door("GET", "/is_paused", "vLLM: /pause stands beside it"),
    Door("GET", "/is_sleeping", "vLLM: /sleep stands beside it"),
    Door("GET", "/metrics", "vLLM, llama-server, TGI, SGLang, Triton"),
    Door("GET", "/metrics/", "vLLM, which sends /metrics there"),
    Door("POST", "/generate", "TGI, SGLang"),
    Door("POST", "/chat_tokenize", "TGI"),
    Door("GET", "/info", "TGI"),
    Door("GET", "/get_model_info", "SGLang"),
    Door("GET", "/get_server_info", "SGLang"),
    Door("POST", "/encode", "SGLang"),
    Door("POST", "/api/generate", "Ollama"),
    Door("POST", "/api/chat", "Ollama, llama-server"),
    Door("GET", "/api/ps", "Ollama"),
    Door("POST", "/api/v0/chat/completions", "LM Studio"),
    Door("GET", "/api/v0/models", "LM Studio"),
    Door("POST", "/v2/repository/index", "Triton"),
)
# Where such servers listen if nobody says otherwise.
PORTS = {
    1234: "LM Studio",
    3000: "TGI",
    8000: "vLLM, Triton",
    8001: "TGI",
    8002: "Triton's metrics",
    8080: "llama-server, TGI",
    11434: "Ollama",
    30000: "SGLang",
}
_TELLS = ("/v1/models", "/metrics")  # routes of another port that may name the model


class Found(StrEnum):
    """What a knock found."""

    OPEN = "open"
    SHUT = "shut"
    UNCLEAR = "unclear"  # it answered, but neither with what a model says nor with a refusal


@dataclass(frozen=True, slots=True)
class Knock:
    """One knock.

    Attributes:
        name: the door's, for the ledger.
        url: where exactly, for whoever looks after the house.
        found: what it found.
        answer: the status, or why there is none.
    """

    name: str
    url: str
    found: Found
    answer: str


def judge(status: int, content_type: str, body: bytes) -> Found:
    """Say what an answer to a knock means.

    A 400 or 422 means that what was sent has been read, and that nobody asked for a key: the next body fits better.
    """
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Found.UNCLEAR if "html" in content_type else Found.OPEN  # a page for whatever is asked, say
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        asks = any(word in body.lower() for word in (b"key", b"auth", b"token is", b"credential"))
        return Found.SHUT if asks else Found.OPEN
    if status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }:
        return Found.SHUT
    return Found.SHUT if status == HTTPStatus.NOT_IMPLEMENTED else Found.UNCLEAR


async def knock_all(
    base_url: str,
    model: str = "",
    *,
    addresses: Iterable[str] | None = None,
    ports: Collection[int] = tuple(PORTS),
    doors: Iterable[Door] = DOORS,
) -> list[Knock]:
    """Knock at every door of an engine.

    Args:
        base_url: of the engine, ending in `/v1`.
        model: its name there, by which it is recognised at another port; without one, no other port is tried.
        addresses: further addresses of the engine's host; None finds those of this machine, if it is on it.
        ports: of the engine's host that are tried.
        doors: the routes.

    Returns:
        The knocks, one per door and address; at other ports only those that found the model.
    """
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or "localhost"
    more = await asyncio.to_thread(_more_addresses, host) if addresses is None else list(addresses)
    here = base_url.removesuffix("/v1")
    roots = [(here, "")]
    if urlsplit(here).path.strip("/"):  # behind a path there may be doors at the host's own root
        roots.append((f"{parts.scheme}://{parts.netloc}", ""))
    roots += [(f"{parts.scheme}://{_bracketed(each)}:{port}", " at another address") for each in more]
    limit = asyncio.Semaphore(_AT_ONCE)
    async with _client() as client:
        asked = [_knock(client, limit, each, root, where) for root, where in roots for each in doors]
        others = [each for each in ports if each != port] if model else []
        elsewhere = [_look(client, limit, f"http://{_bracketed(host)}:{each}", model) for each in others]
        found = await asyncio.gather(*asked)
        return [*found, *(each for each in await asyncio.gather(*elsewhere) if each is not None)]


async def _knock(client: aiohttp.ClientSession, limit: asyncio.Semaphore, door: Door, root: str, where: str) -> Knock:
    url, name = f"{root}{door.path}", f"{door.name}{where}"
    try:
        async with limit:
            status, kind, body = await _ask(client, door.method, url)
    except (TimeoutError, aiohttp.ServerTimeoutError):
        return Knock(name, url, Found.UNCLEAR, "no answer in time")
    except aiohttp.ClientConnectorError:
        return Knock(name, url, Found.SHUT, "no connection")
    except (aiohttp.ClientError, OSError, ValueError) as fault:
        return Knock(name, url, Found.UNCLEAR, type(fault).__name__)
    return Knock(name, url, judge(status, kind, body), str(status))


async def _look(client: aiohttp.ClientSession, limit: asyncio.Semaphore, root: str, model: str) -> Knock | None:
    """Look for the model at another port: what else listens there is no business of ours."""
    for path in _TELLS:
        with suppress(TimeoutError, aiohttp.ClientError, OSError, ValueError):
            async with limit:
                status, _, body = await _ask(client, "GET", f"{root}{path}")
            if status == HTTPStatus.OK and f'"{model}"'.encode() in body:
                return Knock(f"GET {path} at another port", f"{root}{path}", Found.OPEN, str(status))
    return None


async def _ask(client: aiohttp.ClientSession, method: str, url: str) -> tuple[int, str, bytes]:
    body = _BODY if method == "POST" else None
    async with asyncio.timeout(_SECONDS), client.request(method, url, json=body, allow_redirects=False) as response:
        read = bytearray()
        async for piece in response.content.iter_any():
            read += piece
            if len(read) >= _MAX_ANSWER:
                break
        return response.status, response.content_type, bytes(read[:_MAX_ANSWER])


def _client() -> aiohttp.ClientSession:
    # No certificate is looked at: nothing secret is said, and an address has none of its own. No cookies, no proxies.
    connector = aiohttp.TCPConnector(ssl=False, force_close=True, limit=_AT_ONCE)
    headers = {"accept-encoding": "identity"}
    return aiohttp.ClientSession(
        connector=connector, headers=headers, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _more_addresses(host: str) -> list[str]:
    """Return this machine's other addresses, if a host is this machine."""
    named = _resolved(host)
    own = own_addresses()
    if not any(each in own or ip_address(each).is_loopback for each in named):
        return []
    return sorted(own - named)


def _resolved(host: str) -> set[str]:
    with suppress(OSError, UnicodeError):
        return {str(each[4][0]).partition("%")[0] for each in socket.getaddrinfo(host, None)}
    return set()


def own_addresses() -> set[str]:
    """Return this machine's addresses, loopback's too: as the kernel lists them, else as its name resolves."""
    found = {"127.0.0.1"} | _resolved(socket.gethostname())
    with suppress(OSError):  # Linux
        lines = Path("/proc/net/fib_trie").read_text(encoding="ascii").splitlines()
        for line, following in pairwise(lines):
            if "/32 host LOCAL" in following:
                found.add(line.split()[-1])
    with suppress(OSError):
        for line in Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines():
            digits = line.split()[0]
            found.add(str(ip_address(":".join(digits[at : at + 4] for at in range(0, 32, 4)))))
    for family, far in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))  # sends nothing: the kernel only says from where it would
            found.add(str(probe.getsockname()[0]))
    return {each for each in found if not ip_address(each).is_link_local}
