"""`screen try` shows what judges would do, with the same parts that serve readers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from aiohttp import web

from gateway.guards import guard, moderated, told, watching
from readingroom.gateway.screening.load import load_text
from readingroom.gateway.trial import trial
from served import program

TEXT = "an ordinary beginning, " * 30 + "then a heron, and no end of it"


async def test_an_answer_is_cut_where_a_stream_would_be_and_a_prompt_refused() -> None:
    async with guard(watching("heron")) as judge:
        rules = load_text(judge.rule(side="both", every="20", overlap="20", window="100"), "r")
        entrance, leaving = await trial(rules, TEXT)
    assert (entrance.refused, entrance.text) == (True, "")
    assert leaving.refused
    assert TEXT.startswith(leaving.text)
    assert 500 < len(leaving.text) <= TEXT.index("heron")
    assert [said for _, said in (*entrance.judged, *leaving.judged)] == ["matches", "matches"]


async def test_a_judge_that_does_not_match_or_does_not_answer_is_told_apart() -> None:
    async with guard(watching("owl")) as judge:
        _, leaving = await trial(load_text(judge.rule(), "r"), TEXT)
        assert (leaving.refused, leaving.text, leaving.judged[0][1]) == (False, TEXT, "does not match")
        down = judge.rule(side="both")
    entrance, leaving = await trial(load_text(down, "r"), TEXT)
    assert entrance.refused
    assert leaving.refused
    assert entrance.judged[0][1] == leaving.judged[0][1] == "no verdict: unreachable"


async def test_the_command_asks_real_judges(tmp_path: Path) -> None:
    (tmp_path / "text").write_text(TEXT)
    both = lambda text: moderated(flagged="heron" in text)  # noqa: E731 - an answer, as short as it is
    async with guard(both) as judge:
        (tmp_path / "rules.yaml").write_text(judge.rule(style="moderations", side="both", action="flag"))
        asked = ("--json", "screen", "try", str(tmp_path / "rules.yaml"), str(tmp_path / "text"))
        code, out, err = await asyncio.to_thread(program, *asked)
        assert (code, err) == (0, "")
        assert [side["judged"][0]["said"] for side in json.loads(out)] == ["matches", "matches"]
        assert not any(side["refused"] for side in json.loads(out))
        code, out, _ = await asyncio.to_thread(program, *asked[1:])
        assert "guard (flag, clause 7): matches" in out


async def test_what_a_judge_fails_at_does_not_show_its_words() -> None:
    async with guard(lambda _text: told("the secret")) as judge:
        _, leaving = await trial(load_text(judge.rule(), "r"), TEXT)
    assert "secret" not in str(leaving.as_json())
    async with guard(lambda _text: web.Response(status=401)) as judge:
        _, leaving = await trial(load_text(judge.rule(), "r"), TEXT)
    assert leaving.judged[0][1] == "no verdict: status"
