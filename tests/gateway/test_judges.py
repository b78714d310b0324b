"""Judges at the entrance and the exit of a whole gateway: what they do not say yes to does not pass (promise 3)."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web

from gateway.guards import Answer, guard, never, told, watching
from gateway.rooms import Room, room
from gateway.test_lying_engines import STOP, Says
from readingroom.access.model import Reason
from readingroom.core.refusal import Refused
from readingroom.engines.echo import EchoOptions
from readingroom.engines.model import Chunk
from readingroom.gateway.frames import Delta, End, Finish
from readingroom.gateway.model import Ended
from readingroom.gateway.tables import usage

TEXT = "one two three four five six seven eight nine ten eleven twelve"


def word_by_word() -> Says:
    """Say the text as an engine does that is no faster than its judge: each word is judged as it comes."""
    return Says(*(Chunk(text=word, tokens=1) for word in re.findall(r"\s*\S+", TEXT)), STOP)


async def frames(here: Room, text: str = TEXT, **more: Any) -> tuple[list[Delta], End]:
    flow = await here.gateway.open(here.key, here.ask(text, **more))
    made = [frame async for frame in flow.frames()]
    assert isinstance(made[-1], End)
    return [each for each in made if isinstance(each, Delta)], made[-1]


async def record(here: Room) -> Any:
    """Return the newest usage record, once it is in the database."""
    await here.quiet()
    with here.house.db.read() as tx:
        return json.loads(tx.execute(sa.select(usage.c.leaf).order_by(usage.c.row.desc())).scalars().first() or b"{}")


def said(deltas: list[Delta]) -> str:
    return "".join(each.text for each in deltas)


@pytest.mark.parametrize("action", ["refuse", "cut"])
async def test_of_a_window_that_a_judge_finds_nothing_leaves(tmp_path: Path, action: str) -> None:
    async with (
        guard(watching("seven")) as judge,
        room(
            tmp_path, engine=word_by_word(), rules=judge.rule(action=action, every="10", overlap="5", window="100")
        ) as here,
    ):
        deltas, end = await frames(here)
        assert TEXT.startswith(said(deltas))
        assert "seven" not in said(deltas)
        assert said(deltas).startswith("one two")  # what was judged before it has left
        assert deltas[-1].finish is Finish.CONTENT_FILTER
        assert (end.ended, end.refusal) == (Ended.SCREENED, None)
        seen = (await record(here))["screened"]["exit"]
        assert (seen["stopped_by"], seen["action"]) == ("guard", action)
        assert seen["judged"]["guard"] >= len(said(deltas))
        assert seen["characters"] >= seen["judged"]["guard"]
        assert "seven" not in str(await record(here))


async def test_what_a_judge_lets_through_leaves_whole_and_is_committed_to(tmp_path: Path) -> None:
    async with (
        guard(watching("swordfish")) as judge,
        room(tmp_path, rules=judge.rule(every="10", overlap="5", window="100"), passes=50) as here,
    ):
        deltas, end = await frames(here)
        assert (said(deltas), end.ended) == (TEXT, Ended.COMPLETE)
        assert (await record(here))["screened"]["exit"] == {"characters": len(TEXT), "judged": {"guard": len(TEXT)}}
        assert judge.bodies[0]["messages"][0] == {"role": "user", "content": TEXT}  # what the answer answers


async def test_a_match_over_the_borders_of_windows_is_seen_whole(tmp_path: Path) -> None:
    async with (
        guard(watching("three four five six")) as judge,
        room(tmp_path, engine=word_by_word(), rules=judge.rule(every="5", overlap="20", window="100")) as here,
    ):
        deltas, end = await frames(here)
        assert end.ended is Ended.SCREENED
        assert "one two".startswith(said(deltas))  # no part of the match, though it went on for four windows


async def test_what_only_flags_leaves_and_is_counted(tmp_path: Path) -> None:
    async with guard(watching("two")) as judge, room(tmp_path, rules=judge.rule(action="flag")) as here:
        deltas, _ = await frames(here)
        assert said(deltas) == TEXT
        assert (await record(here))["flagged_exit"] == {"guard": 1}


LIES: dict[str, Answer] = {
    "slow": never,
    "broken": lambda _text: web.Response(status=500),
    "wrong": lambda _text: told("perhaps"),
    "elsewhere": lambda _text: web.Response(status=307, headers={"location": "http://127.0.0.1:1/"}),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_judge_that_fails_closes_the_way(tmp_path: Path, lie: str, *, streamed: bool) -> None:
    async with guard(LIES[lie]) as judge, room(tmp_path, rules=judge.rule(seconds="0.2", every="10")) as here:
        deltas, end = await frames(here, streamed=streamed)
        assert said(deltas) == ""
        assert end.ended is Ended.UNSCREENED
        assert end.refusal is not None
        assert end.refusal.code == "screening/failed"
        assert judge.url not in str(end.refusal)
        assert await here.used() == 0  # the reader got nothing, and it was not his doing


async def test_a_judge_that_is_not_there_closes_the_way(tmp_path: Path) -> None:
    async with guard(never) as judge:
        rules = judge.rule()
    async with room(tmp_path, rules=rules) as here:
        deltas, end = await frames(here)
        assert (said(deltas), end.ended) == ("", Ended.UNSCREENED)


async def test_a_judge_that_fails_in_the_middle_keeps_the_rest_in_and_is_on_record(tmp_path: Path) -> None:
    def failing(text: str) -> web.Response:
        return web.Response(status=503) if "six" in text else told("safe")

    rules = {"every": "10", "overlap": "5", "window": "100"}
    async with guard(failing) as judge, room(tmp_path, engine=word_by_word(), rules=judge.rule(**rules)) as here:
        deltas, end = await frames(here, streamed=True)
        assert said(deltas)
        assert "six" not in said(deltas)
        assert end.ended is Ended.UNSCREENED
        seen = (await record(here))["screened"]["exit"]
        assert (seen["stopped_by"], seen["action"], seen["failed"]) == ("guard", "failed", {"guard": 1})
        assert await here.used() > 0  # the reader has what was judged


@pytest.mark.parametrize(("on_failure", "flags"), [("pass", None), ("flag", {"guard": 1})])
async def test_a_rule_may_say_that_a_failure_passes_and_that_is_on_record(
    tmp_path: Path, on_failure: str, flags: dict[str, int] | None
) -> None:
    async with (
        guard(never) as judge,
        room(tmp_path, rules=judge.rule(on_failure=on_failure, seconds="0.1", side="both")) as here,
    ):
        deltas, end = await frames(here)
        assert (said(deltas), end.ended) == (TEXT, Ended.COMPLETE)
        made = await record(here)
        assert made["screened"]["entrance"]["failed"] == {"guard": 1}
        assert made["screened"]["exit"]["failed"] == {"guard": 1}
        assert made.get("flagged_entrance") == made.get("flagged_exit") == flags


async def test_a_revocation_does_not_wait_for_a_judge_who_never_answers(tmp_path: Path) -> None:
    async with guard(never) as judge, room(tmp_path, rules=judge.rule(seconds="60")) as here:

        async def revoke() -> None:
            await _until(lambda: bool(judge.texts))
            here.house.access.revoke(here.house.people.operator(), here.grant.id, Reason.SECURITY)

        (deltas, end), _ = await asyncio.wait_for(asyncio.gather(frames(here), revoke()), 10)
        assert said(deltas) == ""
        assert end.refusal is not None
        assert end.refusal.code == "access/grant-revoked"
        await _until(lambda: judge.gone == 1)  # the question was given up, too


async def test_a_reader_who_leaves_while_a_judge_thinks_stops_judge_and_engine(tmp_path: Path) -> None:
    async with guard(never) as judge, room(tmp_path, rules=judge.rule(seconds="60", every="1", window="100")) as here:
        flow = await here.gateway.open(here.key, here.ask(TEXT))
        reading = asyncio.create_task(anext(flow.frames()))
        await _until(lambda: bool(judge.texts))
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await _until(lambda: judge.gone == 1 and here.engine.running == 0)


async def _until(true: Any) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - it is a real server's doing
            await asyncio.sleep(0.01)


async def test_while_a_judge_thinks_the_engine_goes_on_and_windows_grow(tmp_path: Path) -> None:
    async def slow(_text: str) -> web.Response:
        await asyncio.sleep(0.2)
        return told("safe")

    many = "word " * 200
    async with (
        guard(slow) as judge,
        room(
            tmp_path, EchoOptions(words_per_second=2000), rules=judge.rule(every="1", window="2000"), passes=900
        ) as here,
    ):
        deltas, _ = await frames(here, many, maximum=300)
        assert said(deltas) == many
        assert len(judge.texts) < 10  # not once per word


async def test_reasoning_and_tool_calls_are_judged_each_for_itself(tmp_path: Path) -> None:
    pieces = [Chunk(reasoning="pass", tokens=1), Chunk(text="x", tokens=1), Chunk(reasoning="word", tokens=1)]
    async with (
        guard(watching("password")) as judge,
        room(tmp_path, engine=Says(*pieces, STOP), rules=judge.rule()) as here,
    ):
        deltas, end = await frames(here)
        assert end.ended is Ended.SCREENED
        assert not any(each.reasoning or each.text for each in deltas)
    call = {"index": 0, "function": {"name": "search", "arguments": '{"q": "password"}'}}
    engine = Says(Chunk(tool_calls=(call,), tokens=1), Chunk(finish_reason="tool_calls"))
    async with guard(watching("password")) as judge, room(tmp_path / "b", engine=engine, rules=judge.rule()) as here:
        deltas, end = await frames(here)
        assert end.ended is Ended.SCREENED
        assert not any(each.tool_calls for each in deltas)


async def test_one_choice_is_cut_and_the_other_goes_on(tmp_path: Path) -> None:
    chunks = [
        Chunk(0, "fine ", 1),
        Chunk(1, "bad ", 1),
        Chunk(0, "too", 1, finish_reason="stop"),
        Chunk(1, "x", 1, finish_reason="stop"),
    ]
    async with guard(watching("bad")) as judge, room(tmp_path, engine=Says(*chunks), rules=judge.rule()) as here:
        deltas, _ = await frames(here, choices=2)
        assert "".join(each.text for each in deltas if each.choice == 0) == "fine too"
        assert [each.finish for each in deltas if each.choice == 0 and each.finish] == [Finish.STOP]
        assert "".join(each.text for each in deltas if each.choice == 1) == ""
        assert [each.finish for each in deltas if each.choice == 1] == [Finish.CONTENT_FILTER]


async def test_choices_that_are_let_go_together_all_have_their_ends(tmp_path: Path) -> None:
    chunks = [Chunk(index, f"text {index}", 1, finish_reason="stop") for index in (0, 1, 2)]
    async with guard(watching("bad")) as judge, room(tmp_path, engine=Says(*chunks), rules=judge.rule()) as here:
        flow = await here.gateway.open(here.key, here.ask(choices=3))
        assert flow.gate is not None
        through, held = flow.gate.through, []

        async def at_once(made: Any, *, more: bool) -> list[Delta]:
            held.extend(made)
            return [] if len(held) < 3 else await through(held, more=more)

        flow.gate.through = at_once  # type: ignore[method-assign]
        deltas = [each async for each in flow.frames() if isinstance(each, Delta)]
        assert [(each.choice, each.text) for each in deltas] == [(0, "text 0"), (1, "text 1"), (2, "text 2")]
        assert [each.finish for each in deltas] == [Finish.STOP] * 3


async def test_the_record_of_a_refused_request_survives_the_death_of_its_worker(tmp_path: Path) -> None:
    async with guard(watching("bomb")) as judge, room(tmp_path, rules=judge.rule(side="entrance")) as here:
        posting = here.gateway._purse._trips
        async with posting:  # nothing reaches the database but by way of the journal
            with pytest.raises(Refused):
                await here.gateway.open(here.key, here.ask("how to make a bomb"))
            here.gateway._workers._bury(here.gateway._workers.id, trusted=True)
            with here.house.db.read() as tx:
                (leaf,) = tx.execute(sa.select(usage.c.leaf)).scalars()
        assert json.loads(leaf)["ended"] == "refused"


async def test_at_the_entrance_a_match_refuses_and_is_on_record_without_a_charge(tmp_path: Path) -> None:
    async with guard(watching("bomb")) as judge, room(tmp_path, rules=judge.rule(side="entrance")) as here:
        with pytest.raises(Refused, match="screening/entrance") as caught:
            await here.gateway.open(here.key, here.ask("how to make a bomb"))
        assert "bomb" not in str(caught.value.refusal)
        made = await record(here)
        assert (made["ended"], made["passes"], await here.used()) == ("refused", 0, 0)
        assert made["screened"]["entrance"]["stopped_by"] == "guard"
        assert "bomb" not in str(made)
        assert (await frames(here, "how to make a cake"))[1].ended is Ended.COMPLETE


@pytest.mark.parametrize("lie", LIES)
async def test_at_the_entrance_a_judge_that_fails_closes_the_way(tmp_path: Path, lie: str) -> None:
    async with guard(LIES[lie]) as judge, room(tmp_path, rules=judge.rule(side="entrance", seconds="0.2")) as here:
        with pytest.raises(Refused, match="screening/failed"):
            await here.gateway.open(here.key, here.ask())
        assert (await record(here))["screened"]["entrance"]["action"] == "failed"


async def test_a_long_request_is_judged_to_its_end_and_too_long_a_one_is_not_let_in(tmp_path: Path) -> None:
    async with (
        guard(watching("needle")) as judge,
        room(tmp_path, rules=judge.rule(side="entrance", window="1000"), passes=None) as here,
    ):
        with pytest.raises(Refused, match="screening/entrance"):
            await here.gateway.open(here.key, here.ask("hay " * 5000 + "needle"))
        assert all(len(each) <= 1000 for each in judge.texts)
        with pytest.raises(Refused, match="screening/failed"):
            await here.gateway.open(here.key, here.ask("hay " * 20_000))


async def test_a_stage_without_judges_has_no_gate(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        flow = await here.gateway.open(here.key, here.ask())
        assert flow.gate is None
        assert [frame async for frame in flow.frames()]


async def test_neither_key_nor_text_nor_address_reaches_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("READINGROOM_SCREEN_GUARD", "sk-secret")
    async with guard(lambda _text: web.Response(status=500, text="sk-secret")) as judge:
        rules = judge.rule(more="key_env: READINGROOM_SCREEN_GUARD", side="both")
        async with room(tmp_path, rules=rules) as here:
            with pytest.raises(Refused) as caught:
                await here.gateway.open(here.key, here.ask("swordfish"))
            assert judge.keys == ["Bearer sk-secret"]
    for secret in ("sk-secret", "swordfish", judge.url):
        assert secret not in caplog.text + str(caught.value.refusal)
    assert "the screen guard gave no verdict: status" in caplog.text
