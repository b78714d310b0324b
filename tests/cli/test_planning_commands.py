"""`call template|check|rehearse`: without a house, and beside one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from readingroom.app.calls import template
from readingroom.cli.app import main
from readingroom.core.clock import SystemClock


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    code = ended.value.code
    told = capsys.readouterr()
    return (code if isinstance(code, int) else 0), told.out, told.err


def test_a_template_is_checked_and_rehearsed_without_a_house(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("READINGROOM_HOME", raising=False)
    code, text, _ = run(capsys, "call", "template", "competition")
    assert code == 0
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    code, out, _ = run(capsys, "--json", "call", "check", str(file), "--applications", "30", "--passes-per-second", "2")
    found = json.loads(out)
    assert (code, found["ok"], found["checked_against_house"]) == (0, True, False)
    assert found["needs"]["applications"] == 30
    assert found["needs"]["speed_from"] == "--passes-per-second"
    code, out, _ = run(capsys, "call", "rehearse", str(file), "--applicants", "30", "--repeats", "2")
    assert code == 0
    assert "of 30 funded" in out
    code, out, _ = run(capsys, "--json", "call", "rehearse", str(file), "--applicants", "30", "--repeats", "2")
    assert json.loads(out)["applicants"] == 30


def test_every_fault_of_a_file_is_told_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.yaml"
    text = template("competition", SystemClock().now())
    file.write_text(text.replace("passes: 2000000", "passes: many").replace("weight: 3", "weight: heavy"))
    code, _, err = run(capsys, "call", "check", str(file))
    assert code == 2
    assert f"{file}:10:11: budget.passes" in err
    assert "weight must be a whole number" in err
    assert run(capsys, "call", "template", "raffle")[0] == 2
