"""Applying at the terminal: beside a HOME, and from afar as applicants do, with one and the same commands."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from readingroom.admissions.model import Outcome, Reason, Ruling
from readingroom.app.desk import open_call
from readingroom.app.founding import template
from readingroom.app.house import House
from readingroom.cli import remote
from readingroom.core.errors import BadInput
from readingroom.core.settings import CONFIG, load
from served import Served, found, program, run

FILE = template("application.yaml")
PLAN = {"name": "plan", "type": "attachment", "label": "Your plan", "required": False}


def opened(home: Path, tmp_path: Path) -> str:
    raw = yaml.safe_load(template("call.yaml"))
    raw["window"] = {key: str(value).replace(" ", "T") for key, value in raw["window"].items()} | {
        "may_close_early": True
    }
    raw |= {"form": [*raw["form"], PLAN], "guarantor": "optional"}
    (tmp_path / "call.yaml").write_text(yaml.safe_dump(raw))
    return str(run(home, "call", "open", str(tmp_path / "call.yaml"))["id"])


def link_for(house: House, email: str) -> str:
    people = house.people
    people.add(people.operator(), email)
    return people.make_link_for(people.operator(), email)


def whole_way(home: Path, call: str, tmp_path: Path, invite: Any) -> None:
    """Apply, amend, attach, invite, look and withdraw, with the commands of the outside."""
    application, plan = tmp_path / "application.yaml", tmp_path / "plan.txt"
    application.write_text(FILE)
    plan.write_text("Our plan.\n")

    def ask(*words: str, code: int = 0) -> Any:
        return run(home, "application", *words, code=code)

    made = ask("start", call, str(application))
    at = made["id"]
    assert (made["state"], made["version"]) == ("draft", None)
    file = ask("attach", at, "plan", str(plan))
    assert ask("files", at) == [file]
    assert ask("submit", at)["version"] == 1
    application.write_text(FILE.replace("passes: 12000", "passes: 9000"))
    saved = ask("save", at, str(application), "--revision", str(ask("show", at)["revision"]))
    assert saved["passes"] == 9000
    assert (
        ask("save", at, str(application), "--revision", "0", code=1)["error"]["code"] == "admissions/changed-meanwhile"
    )
    assert ask("submit", at)["version"] == 2
    assert [each["number"] for each in ask("versions", at)] == [1, 2]
    (changed,) = ask("versions", at, "--compare", "1", "2")["changes"]
    assert changed["name"] == "passes"
    ask("download", at, file["digest"], str(tmp_path / "back.txt"))
    assert (tmp_path / "back.txt").read_text() == "Our plan.\n"
    assert ask("download", at, file["digest"], str(tmp_path / "back.txt"), code=2)["error"]["problems"]
    invite(at, ask)
    assert [each["text"] for each in ask("history", at)["steps"]][:2] == ["Begun", "Version 1 submitted"]
    assert ask("status", at)["waiting"][0]["who"] == "the desk"
    assert ask("observed", at) == {"application": at, "observed": []}, "it is no renewal"
    assert ask("mine")[0]["id"] == at
    ask("detach", at, file["digest"])
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04")
    wrong = ask("attach", at, "plan", str(tmp_path / "x.zip"), code=2)["error"]["problems"][0]
    assert (wrong["where"], wrong["what"][:17]) == ("answers.plan", "is none of the ki")
    assert ask("withdraw", at)["state"] == "withdrawn"
    assert ask("submit", at, code=1)["error"]["code"] == "admissions/wrong-state"


def by_a_person(house: House) -> str:
    """Open a call that a person decides."""
    raw = yaml.safe_load(template("call.yaml"))
    raw = {name: each for name, each in raw.items() if name != "review"} | {"allocation": {"policy": "by-person"}}
    raw["window"] = {"standing": True}
    return open_call(house, house.people.operator(), yaml.safe_dump(raw), "call.yaml").id


def awarded(home: Path, house: House, tmp_path: Path) -> None:
    """Apply, be awarded, and accept it, with the commands of the outside."""
    (tmp_path / "application.yaml").write_text(FILE)
    at = run(home, "application", "start", by_a_person(house), str(tmp_path / "application.yaml"))["id"]
    run(home, "application", "submit", at)
    house.admissions.decide(house.people.operator(), at, Ruling(Outcome.AWARDED, Reason.SUITABLE, "Good."))
    (offer,) = run(home, "award", "list")
    assert (offer["application"], offer["state"]) == (at, "offered")
    assert "12,000" in program("--home", str(home), "award", "list")[1]
    accepted = run(home, "award", "accept", offer["id"])
    assert accepted["state"] == "accepted"
    assert run(home, "award", "decline", offer["id"], code=1)["error"]["code"] == "admissions/wrong-state"
    grants = house.access.grants(house.people.operator())
    assert [each.allocation.passes for each in grants if each.award_id == offer["id"]] == [12_000]


def test_the_status_of_what_was_decided_says_why_and_what_can_be_done(tmp_path: Path) -> None:
    home = found(tmp_path / "home")
    house = House(load(home))
    call = by_a_person(house)
    run(home, "login", f"/sign-in?link={link_for(house, 'ada@ada.example')}")
    (tmp_path / "application.yaml").write_text(FILE)
    at = run(home, "application", "start", call, str(tmp_path / "application.yaml"))["id"]
    run(home, "application", "submit", at)
    ruling = Ruling(Outcome.REFUSED, Reason.UNCLEAR, "Which prompts?")
    made = house.admissions.decide(house.people.operator(), at, ruling)
    told = " ".join(program("--home", str(home), "application", "status", at)[1].split())
    assert f"refused (unclear): {made.text}" in told
    for part in (made.differ, made.appeal, f"{made.reapply_from:%Y-%m-%d %H:%M} UTC"):
        assert part in told
    house.close()


def test_all_of_it_beside_a_home(tmp_path: Path) -> None:
    home = found(tmp_path / "home")
    house, call = House(load(home)), opened(home, tmp_path)
    run(home, "login", f"http://x/sign-in?link={link_for(house, 'ada@ada.example')}".replace("http://x", ""))

    def invite(at: str, ask: Any) -> None:
        link = ask("invite", at, "bea@bea.example")["link"]
        run(home, "login", f"/sign-in?link={link_for(house, 'bea@bea.example')}")
        assert ask("accept-invitation", link)["state"] == "accepted"
        assert ask("show", at)["state"] == "submitted"
        assert ask("leave", at)["state"] == "left"
        run(home, "login", f"/sign-in?link={link_for(house, 'ada@ada.example')}")
        asked = ask("invite", at, "dean@dean.example", "--guarantor")
        assert ask("remind", asked["id"], code=1)["error"]["code"] == "admissions/reminded-lately"
        assert ask("uninvite", asked["id"])["state"] == "removed"
        assert [each["part"] for each in ask("team", at)] == ["member", "guarantor"]

    whole_way(home, call, tmp_path, invite)
    awarded(home, house, tmp_path)
    house.close()


@pytest.mark.deep
def test_all_of_it_from_afar_where_there_is_no_home(
    house: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONFIG, str(tmp_path / "config"))
    inside, nowhere = House(load(house.home)), tmp_path / "nowhere"
    call = opened(house.home, tmp_path)

    def sign_in(email: str) -> Any:
        return run(nowhere, "login", f"{house.url}/sign-in?link={link_for(inside, email)}")

    assert sign_in("ada@ada.example")["server"] == house.url
    kept = tmp_path / "config" / "readingroom" / "session.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["server"] == house.url

    def invite(at: str, ask: Any) -> None:
        link = ask("invite", at, "bea@bea.example")["link"]
        sign_in("bea@bea.example")
        assert ask("accept-invitation", link)["state"] == "accepted"
        assert ask("show", at)["state"] == "submitted"
        assert ask("leave", at)["state"] == "left"
        assert ask("decline-invitation", link, code=1)["error"]["code"] == "admissions/invitation-unknown"
        sign_in("ada@ada.example")
        asked = ask("invite", at, "dean@dean.example", "--guarantor")
        assert ask("remind", asked["id"], code=1)["error"]["code"] == "admissions/reminded-lately"
        assert ask("uninvite", asked["id"])["state"] == "removed"

    whole_way(nowhere, call, tmp_path, invite)
    awarded(nowhere, inside, tmp_path)
    elsewhere = run(nowhere, "application", "mine", "--server", "https://elsewhere.example", code=2)
    assert "nobody is signed in at this server" in elsewhere["error"]["message"]
    assert run(nowhere, "logout") == {"signed_in": False}
    assert not kept.exists()
    inside.close()


@pytest.mark.parametrize(
    "url", ["http://reading.example/x", "ftp://a/x", "x", "file:///etc/passwd", "https://u:p@reading.example/", "//a/b"]
)
def test_a_session_is_sent_to_no_address_where_anybody_could_read_it(url: str) -> None:
    with pytest.raises(BadInput):
        remote.origin(url)


def test_a_server_that_is_away_or_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONFIG, str(tmp_path / "config"))
    answer = run(tmp_path / "nowhere", "login", "http://127.0.0.1:9/sign-in?link=x", code=1)
    assert "does not answer" in answer["error"]["message"]
