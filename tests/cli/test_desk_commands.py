"""The desk at the terminal: asking for a correction, letting a reviewer go, taking an offer back, barring a reader."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import pytest

from readingroom.admissions.model import ApplicationState, Draft
from readingroom.app.founding import template
from readingroom.app.house import House
from readingroom.core.settings import load
from readingroom.people.model import Role
from served import found, run, served

ANSWERS = {
    "purpose": "negation", "asks": "short prompts", "why": "600 of 20", "egress": "text only", "risks": "none",
    "machine": "a laptop",
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A house for trials with a call to which one person has applied."""
    home = found(tmp_path / "home")
    (tmp_path / "call.yaml").write_text(template("call.yaml"))
    run(home, "call", "open", str(tmp_path / "call.yaml"))
    return home


def applied(house: House) -> tuple[str, str]:
    """Apply as somebody and return (the call's id, the application's)."""
    (call,) = house.admissions.calls()
    house.people.add(house.people.operator(), "wilfrid@east.example", affiliation="East University")
    who = house.people.actor(house.people.named("wilfrid@east.example").id)
    made = house.admissions.start(who, call.id, Draft(ANSWERS, 12_000, call.file.tiers[0], ()))
    return call.id, house.admissions.submit(who, made.id).id


def test_an_application_is_returned_and_a_silent_reviewer_let_go(home: Path) -> None:
    house = House(load(home))
    call, application = applied(house)
    run(home, "application", "return", application, "--note", "Name the machine.", "--until", "2999-01-01")
    shown = run(home, "application", "show", application)
    assert (shown["state"], shown["note"]) == (ApplicationState.RETURNED.value, "Name the machine.")

    who = house.people.actor(house.people.named("wilfrid@east.example").id)
    house.admissions.submit(who, application)
    run(home, "call", "close", call)
    for email in ("aldhelm@north.example", "leoba@south.example"):
        house.people.add(house.people.operator(), email, affiliation=email, roles=[Role.REVIEWER])
    assert run(home, "call", "assign", call)["assigned"] == 2
    one, other = house.admissions.reviews(house.people.operator(), call)
    assert run(home, "review", "release", one.id)["released"] is True
    refused = run(home, "review", "conflict", other.id, "--reason", "a colleague", code=1)
    assert refused["error"]["code"] == "admissions/not-a-reviewer", "the terminal is nobody's reviewer"
    states = {each.id: each.state.value for each in house.admissions.reviews(house.people.operator(), call)}
    assert states == {one.id: "released", other.id: "assigned"}
    house.close()


def test_a_barred_reader_is_not_served_and_only_an_error_shortens_the_bar(home: Path) -> None:
    grant = run(home, "grant", "issue", "--to", "r@x.example", "--accept-terms", "--reason", "t")["id"]
    bar = ("person", "bar", "r@x.example")
    run(home, *bar, "--until", "2999-01-01", "--reason", "security")
    assert run(home, "grant", "why", grant)["code"] == "access/grant-suspended"
    shorter = run(home, *bar, "--until", "2998-01-01", "--reason", "security", code=1)
    assert shorter["error"]["code"] == "access/person-barred"
    run(home, *bar, "--until", "2000-01-01", "--reason", "error-corrected")
    assert run(home, "grant", "why", grant)["code"] is None


def test_a_calls_file_is_given_out_byte_for_byte(home: Path) -> None:
    with served(home) as here:
        (call,) = httpx.get(f"{here.url}/api/calls").json()
        file = httpx.get(f"{here.url}/api/calls/{call['id']}/file")
    assert file.content == template("call.yaml").encode()
    assert call["digest"].removeprefix("sha256:") == hashlib.sha256(file.content).hexdigest()
