"""Who stands at the terminal beside a house and has not signed in runs it; what is a person's own is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from readingroom.app.house import House
from readingroom.core.settings import load
from served import found, run

OWN = {  # a command that is a person's own, and the code that the operator is refused with
    ("stage", "sign", "reading-room"): "people/not-allowed",
    ("stage", "waive", "reading-room", "sign_off", "--until", "2099-01-01", "--reason", "why"): "people/not-allowed",
    ("review", "list"): "people/not-allowed",
    ("review", "give", "x", "--score", "merit=4", "--comment", "x"): "admissions/not-a-reviewer",
    ("review", "conflict", "x", "--reason", "a friend"): "admissions/not-a-reviewer",
    ("application", "decide", "x", "refused", "--reason", "unclear", "--note", "why"): "people/not-allowed",
    ("call", "allocate", "x"): "people/not-allowed",
    ("call", "allocate", "x", "--dry-run"): "people/not-allowed",
    ("call", "publish", "x"): "people/not-allowed",
}


@pytest.fixture(scope="module")
def earnest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found a house that is not for trials."""
    home = tmp_path_factory.mktemp("earnest") / "home"
    run(home, "init", "--engine", "echo")
    return home


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found(tmp_path_factory.mktemp("trial") / "home")


def size(home: Path) -> int:
    house = House(load(home))
    try:
        return house.log.size()
    finally:
        house.close()


@pytest.mark.parametrize("command", OWN, ids=" ".join)
def test_what_is_a_persons_own_is_refused_to_the_operator(earnest: Path, command: tuple[str, ...]) -> None:
    before = size(earnest)
    told = run(earnest, *command, code=1)
    assert told["error"]["code"] == OWN[command]
    assert size(earnest) == before


def test_no_option_signs_as_somebody_else(earnest: Path) -> None:
    run(earnest, "person", "add", "s@lab.example", "--role", "steward")
    before = size(earnest)
    for command in (("stage", "sign", "reading-room"), next(each for each in OWN if "waive" in each)):
        run(earnest, *command, "--as", "s@lab.example", code=2)
    assert size(earnest) == before


def test_the_operator_runs_the_house(earnest: Path) -> None:
    assert run(earnest, "grant", "list") == []
    assert run(earnest, "stage", "hold", "reading-room", "--reason", "security", code=1)["error"]["code"] != (
        "people/not-allowed"
    )


@pytest.mark.parametrize("command", [each for each in OWN if each[0] in {"application", "call"}], ids=" ".join)
def test_in_a_house_for_trials_the_operator_may_do_all(trial: Path, command: tuple[str, ...]) -> None:
    told = run(trial, *command, code=1)
    assert told["error"]["code"] in {"admissions/application-unknown", "admissions/call-unknown"}
