"""Asking a real classifier server, also one that lies."""

from __future__ import annotations

import asyncio
import gzip
import logging

import pytest
from aiohttp import web

from gateway.guards import guard, moderated, never, told, watching
from readingroom.engines.classifier import Classifier, NoVerdict, Style
from readingroom.engines.moderation import Moderation

KEY = "sk-very-secret"


async def ask(url: str, text: str = "a text", style: Style = Style.CHAT, key_env: str = "", key: str = "") -> bool:
    moderation = Moderation(lambda _name: key)
    try:
        return (await moderation.ask(Classifier(url, "guard", style, key_env=key_env), text)).match
    finally:
        await moderation.close()


async def test_both_interfaces_are_asked_at_their_own_routes() -> None:
    async with guard(watching("bad")) as here:
        assert await ask(here.url, "this is bad")
        assert not await ask(here.url, "this is not")
        assert here.paths == ["/v1/chat/completions"] * 2
        assert here.bodies[0]["temperature"] == 0
        assert here.keys == ["", ""]
    async with guard(lambda text: moderated(flagged="bad" in text)) as here:
        assert await ask(here.url, "this is bad", Style.MODERATIONS)
        assert not await ask(here.url, "this is not", Style.MODERATIONS)
        assert here.paths == ["/v1/moderations"] * 2


def _gzipped(_text: str) -> web.Response:
    body = gzip.compress(b'{"choices": [{"message": {"content": "safe"}}]}' + b" " * 10_000_000)
    return web.Response(body=body, headers={"content-encoding": "gzip", "content-type": "application/json"})


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda _: web.Response(status=500, text="safe"), "status"),
        (lambda _: web.Response(status=204), "status"),
        (lambda _: web.Response(status=302, headers={"location": "/v1/elsewhere"}), "redirect"),
        (lambda _: web.Response(status=307, headers={"location": "/v1/elsewhere"}), "redirect"),
        (lambda _: web.Response(text="safe"), "malformed"),
        (lambda _: web.Response(body=b'{"choices":'), "malformed"),
        (lambda _: web.Response(body=b'{"choices": [' + b" " * 10_000_000), "too-large"),
        (_gzipped, "malformed"),
        (lambda _: told("I am only a model, but I would say: safe"), "malformed"),
        (lambda _: moderated(flagged=False), "malformed"),
    ],
)
async def test_a_lying_server_gives_no_verdict(answer: object, why: str) -> None:
    async with guard(answer) as here:  # type: ignore[arg-type]
        with pytest.raises(NoVerdict, match=why):
            await ask(here.url)
        assert len(here.texts) == 1  # no text went where the server pointed


async def test_a_server_that_is_not_there_gives_no_verdict() -> None:
    async with guard(never) as here:
        url = here.url
    with pytest.raises(NoVerdict, match="unreachable"):
        await ask(url)


async def test_a_late_answer_is_never_taken_for_that_to_another_text() -> None:
    async def late(text: str) -> web.Response:
        await asyncio.sleep(0.3 if text == "first" else 0)
        return told("safe" if text == "first" else "unsafe")

    async with guard(late) as here:
        moderation = Moderation(lambda _name: "")
        classifier = Classifier(here.url, "guard", Style.CHAT)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await moderation.ask(classifier, "first")
        for _ in range(5):
            assert (await moderation.ask(classifier, "second")).match
            await asyncio.sleep(0.1)
        await moderation.close()


async def test_the_key_goes_into_its_header_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    name = "READINGROOM_SCREEN_GUARD"
    async with guard(watching("bad")) as here:
        await ask(here.url, key_env=name, key=KEY)
        assert here.keys == [f"Bearer {KEY}"]
        assert KEY not in str(here.bodies)
        url = here.url
    with pytest.raises(NoVerdict) as caught:
        await ask(url, key_env=name, key=KEY)
    assert KEY not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__traceback__} {caplog.text}"
    assert "a text" not in caplog.text
    for bad in ("", "two\r\nlines", "schlüssel"):
        with pytest.raises(NoVerdict, match="no-key"):
            await ask(url, key_env=name, key=bad)


async def test_no_cookie_of_one_answer_goes_with_the_next_question() -> None:
    def answer(_text: str) -> web.Response:
        said = told("safe")
        said.set_cookie("who", "you")
        return said

    async with guard(answer) as here:
        moderation = Moderation(lambda _name: "")
        for _ in range(2):
            await moderation.ask(Classifier(here.url, "guard", Style.CHAT), "x")
        assert moderation._session is not None
        assert len(moderation._session.cookie_jar) == 0
        await moderation.close()
