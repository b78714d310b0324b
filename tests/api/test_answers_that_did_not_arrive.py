"""What an `Idempotency-Key` is for: the answer was made and charged, and its last bytes did not come through.

The door itself on a gateway in this process, with lines that break where the test wants it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.rooms import Room, room
from readingroom.access import queries as access
from readingroom.access.model import Reason
from readingroom.api import idempotent
from readingroom.api.openai import OpenAIApp
from readingroom.app.lending import meter_of
from readingroom.app.plans import RuleFiles
from readingroom.engines.echo import EchoOptions

Broken = Callable[[bytes], bool]


@dataclass
class Line:
    """A connection as an ASGI server gives it; it breaks before what `breaks` names, and the server notices."""

    room: Room
    body: bytes
    name: str = "n"
    breaks: Broken = lambda _: False
    came: bytes = b""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    kept_before_the_end: bool = False
    _asked: bool = False
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Any:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.breaks(b""):
                await self._break()
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        if self.breaks(message["body"]):
            await self._break()
        self.came += message["body"]

    async def _break(self) -> None:
        self.kept_before_the_end = any(row.sealed for row in kept(self.room))
        self._gone.set()
        await asyncio.Event().wait()  # a full buffer: nothing is ever taken from it

    async def run(self) -> Line:
        headers = [(b"authorization", f"Bearer {self.room.key}".encode()), (b"idempotency-key", self.name.encode())]
        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers}
        async with asyncio.timeout(20):
            await OpenAIApp(self.room.gateway, self.room.house.clock)(scope, self.receive, self.send)
        return self

    def error(self) -> Any:
        return json.loads(self.came)["error"]


def kept(here: Room) -> list[Any]:
    with here.house.db.read() as tx:
        return list(tx.execute(sa.text("select * from gateway_kept")))


def question(*, stream: bool, text: str = "one two three four") -> bytes:
    return json.dumps({"model": "echo", "stream": stream, "messages": [{"role": "user", "content": text}]}).encode()


def ends(*, stream: bool) -> Broken:
    return lambda data: b"[DONE]" in data if stream else b"finish_reason" in data


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_whose_end_did_not_arrive_is_charged_once_and_given_again(
    tmp_path: Path, *, stream: bool
) -> None:
    async with room(tmp_path, passes=20) as here:
        lost = await Line(here, question(stream=stream), breaks=ends(stream=stream)).run()
        assert b"stop" not in lost.came
        assert lost.kept_before_the_end
        whole = await Line(here, question(stream=stream)).run()
        assert b"four" in whole.came
        assert whole.came.startswith(lost.came)
        assert (whole.status, whole.headers["idempotent-replayed"]) == (200, "true")
        assert (await here.used(), meter_of(here.house, here.grant.id).used.calls) == (4, 1)
        assert here.engine.words_said == 4


async def test_the_same_question_in_another_spelling_is_the_same_question(tmp_path: Path) -> None:
    async with room(tmp_path, passes=20) as here:
        first = await Line(here, question(stream=False)).run()
        spelled = json.dumps(dict(reversed(json.loads(question(stream=False)).items())), indent=3).encode()
        again = await Line(here, spelled).run()
        assert (again.came, again.headers["idempotent-replayed"]) == (first.came, "true")
        assert (await Line(here, question(stream=False, text="one two three five")).run()).status == 409


async def test_an_answer_whose_very_beginning_did_not_arrive_is_given_again(tmp_path: Path) -> None:
    async with room(tmp_path, passes=20) as here:
        lost = await Line(here, question(stream=False), breaks=lambda _: True).run()
        assert (lost.came, lost.kept_before_the_end) == (b"", True)
        assert (await Line(here, question(stream=False)).run()).headers["idempotent-replayed"] == "true"
        assert await here.used() == 4


async def test_a_stream_that_breaks_in_the_middle_stops_the_engine_and_keeps_nothing(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(words_per_second=50), passes=200) as here:
        await Line(here, question(stream=True, text="w " * 90), breaks=lambda data: b"w" in data).run()
        assert here.engine.running == 0
        assert kept(here) == []
        assert here.engine.words_said < 80
        assert (await here.used()) < 80


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("options", [EchoOptions(fail_after=2), EchoOptions(end_early=2)], ids=["fails", "ends early"])
async def test_an_answer_that_broke_is_not_kept(tmp_path: Path, options: EchoOptions, *, stream: bool) -> None:
    async with room(tmp_path, options, passes=20) as here:
        first = await Line(here, question(stream=stream)).run()
        assert b"engine/unavailable" in first.came
        assert kept(here) == []


async def test_an_answer_under_rules_that_changed_since_is_not_given_again(tmp_path: Path) -> None:
    """Else what the new rules keep in would leave by this door."""
    async with room(tmp_path, passes=20) as here:
        assert (await Line(here, question(stream=False)).run()).status == 200
        house, base = here.house, tmp_path / "home/rules/base.yaml"
        base.write_text(base.read_text().replace("swordfish protocol", "three"))
        here.gateway._entrance._loaded.clear()  # as in a worker that starts now
        bound = RuleFiles(house.settings.home).screens(house.releases.stage("reading-room").stage)
        with house.db.write() as tx:
            tx.execute(sa.text("update releases_stage set screening = :digest"), {"digest": bound})
            access.bump(tx)
        await here.heard()
        again = await Line(here, question(stream=False)).run()
        assert (again.status, again.error()["code"]) == (409, "gateway/idempotency-conflict")
        assert b"three" not in again.came
        assert again.headers["x-should-retry"] == "false"
        anew = await Line(here, question(stream=False), name="new").run()
        assert b"one two " in anew.came
        assert b"three" not in anew.came


async def test_what_is_decided_while_an_answer_is_looked_up_holds_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room(tmp_path, passes=20) as here:
        await Line(here, question(stream=False)).run()
        keeping = here.gateway.keeping
        find = keeping._find

        def slowly(asked: Any) -> Any:
            found = find(asked)
            assert isinstance(found, bytes)
            here.house.access.revoke(here.house.people.operator(), here.grant.id, Reason.SECURITY)
            return found

        monkeypatch.setattr(keeping, "_find", slowly)
        stands, seen = here.gateway.stands, 0

        async def heard(key: str, ask: Any, *, anew: bool) -> bytes:
            nonlocal seen
            seen += 1
            if seen > 1:
                await here.heard()
            return await stands(key, ask, anew=anew)

        monkeypatch.setattr(here.gateway, "stands", heard)
        again = await Line(here, question(stream=False)).run()
        assert (again.status, again.error()["code"]) == (403, "access/grant-revoked")


async def test_an_answer_that_is_too_long_is_charged_once_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotent, "_MOST_NOTED", 50)
    async with room(tmp_path, passes=20) as here:
        assert (await Line(here, question(stream=False)).run()).status == 200
        again = await Line(here, question(stream=False)).run()
        assert (again.status, again.error()["code"]) == (409, "gateway/idempotency-conflict")
        assert "longer than" in again.error()["message"]
        assert again.headers["x-should-retry"] == "false"
        assert await here.used() == 4


async def test_a_house_that_cannot_keep_it_gives_the_answer_and_keeps_it_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room(tmp_path, passes=20) as here:
        keeping = here.gateway.keeping
        keep = keeping.keep

        async def gone(*given: Any) -> None:
            with here.house.db.write() as tx:
                tx.execute(sa.text("alter table gateway_kept rename to gateway_gone"))
            await keep(*given)
            with here.house.db.write() as tx:
                tx.execute(sa.text("alter table gateway_gone rename to gateway_kept"))

        monkeypatch.setattr(keeping, "keep", gone)
        first = await Line(here, question(stream=False)).run()
        assert b"four" in first.came
        keeping.sweep()
        again = await Line(here, question(stream=False)).run()
        assert (again.came, again.headers["idempotent-replayed"]) == (first.came, "true")
