"""What others wrote reaches the terminal as it was written, and nothing of it is obeyed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from readingroom.app.founding import template
from readingroom.app.plans import parse_plan
from readingroom.cli.output import Output
from readingroom.cli.plan import _hazards, _table
from readingroom.core.refusal import Refusal
from readingroom.strategy.compare import compare


@pytest.mark.parametrize("text", ["[/nope] study", "[bold]study", ":smile: study"])
def test_markup_in_a_plan_or_a_table_is_text(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    written = template("release-demo.yaml").replace("a rehearsal of the whole path of a release", text)
    plan = parse_plan(written, "p.yaml")
    output = Output()
    output.result({}, _table(compare(plan)))
    output.out.print(_hazards(compare(plan)))
    output.rows([], text, ("a", "b"), [(text, None)])
    output.note(text)
    told = capsys.readouterr()
    assert told.out.count(text) >= 3
    assert text in told.err


def test_no_control_character_reaches_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output, evil = Output(), "a\x1b[2Jb\x9bc\rd\x00\ud800"
    output.rows([], evil, ("a",), [(evil,)])
    output.result({}, evil)
    output.note(evil)
    output.refusal(Refusal("stress/no-such-run", evil))
    told = "".join(capsys.readouterr())
    assert told.count("a\ufffd[2Jb") == 5
    assert not set(told) & set("\x1b\x9b\r\x00")


def test_a_moment_in_json_is_rfc_3339(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).result({"at": datetime(2026, 1, 5, tzinfo=UTC)})
    assert json.loads(capsys.readouterr().out) == {"at": "2026-01-05T00:00:00.000000Z"}
