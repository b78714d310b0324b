"""Asking classifiers over HTTP. What is not a prompt, exact answer is no verdict; nothing is read without a bound."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import aiohttp

from readingroom.engines.classifier import Classifier, NoVerdict, Said, question, verdict

_MAX_BYTES = 65_536  # of an answer
_PARALLEL = 32  # questions that are open at one classifier at a time; the others wait, within their deadline
_REDIRECTS = range(300, 400)


class Moderation:
    """The connections of one event loop to all classifiers. A key goes into its header, and nowhere else."""

    def __init__(self, key_of: Callable[[str], str]) -> None:
        """Take what returns the key that a name stands for; empty if there is none."""
        self._key_of = key_of
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, classifier: Classifier, text: str, asked: str = "") -> Said:
        """Ask about one text. The caller sets the deadline.

        A question that is given up takes its connection with it, so that a late answer is never taken for another's.

        Raises:
            NoVerdict: it cannot be reached, or does not answer as it should.
        """
        route, body = question(classifier, text, asked)
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        if classifier.key_env:
            key = self._key_of(classifier.key_env)
            if not key or not key.isascii() or not key.isprintable():
                raise NoVerdict("no-key")
            headers["authorization"] = f"Bearer {key}"
        url = f"{classifier.url.rstrip('/')}/{route}"
        try:
            async with self._client().post(url, json=body, headers=headers, allow_redirects=False) as response:
                return verdict(classifier, await _read(response))
        except (aiohttp.ClientError, OSError, ValueError):  # their words may hold the address, or what was sent
            raise NoVerdict("unreachable") from None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=_PARALLEL),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    if response.status in _REDIRECTS:
        raise NoVerdict("redirect")  # texts go where the rule says, and nowhere else
    if response.status != HTTPStatus.OK:
        raise NoVerdict("status")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise NoVerdict("malformed")
    read = bytearray()
    async for piece in response.content.iter_any():
        read += piece
        if len(read) > _MAX_BYTES:
            raise NoVerdict("too-large")
    return bytes(read)
