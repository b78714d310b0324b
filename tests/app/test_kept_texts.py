"""Kept texts from outside: a served house of two workers, its files, its backup, a reader, a steward."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.retaining import PURPOSE, bytes_of
from readingroom.app.plans import parse_plan_file
from readingroom.core.canonical import canonical, commitment
from readingroom.core.settings import load
from readingroom.gateway.ratchet import FILE
from readingroom.store.copy import read_rows
from served import Served, found, run, served

PAGE = (Path(__file__).parents[2] / "docs/howto/keep-texts-for-an-investigation.md").read_text()
CANARY = "canary-text-91c7"


def keeps(home: Path) -> Path:
    """Found a house whose stage keeps texts for a week."""
    found(home)
    plan = home / "release.yaml"
    kept = f"    retention: {{days: 7, purpose: {PURPOSE}}}\n    screening:"
    plan.write_text(plan.read_text().replace("    screening:", kept))
    run(home, "plan", "adopt", str(plan), "--reason", "texts are kept")
    run(home, "stage", "sign", "reading-room")
    run(home, "stage", "open", "reading-room")
    return home


def say(house: Served, key: str, text: str = CANARY, **more: Any) -> str:
    """Ask for an echo, and return the receipt."""
    answer = house.chat(key, {"messages": [{"role": "user", "content": text}], **more})
    assert answer.status_code == 200, answer.text
    return answer.headers["x-readingroom-receipt"]


def kept(house: Served, grant: str, count: int) -> list[dict[str, Any]]:
    """Return what is kept of a grant, once it is so many."""
    for _ in range(600):  # a worker that was killed is started again first
        texts = list(house.run("text", "list", grant))
        if len(texts) == count:
            return texts
        time.sleep(0.05)
    raise AssertionError(f"{len(texts)} texts are kept, not {count}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(keeps(tmp_path_factory.mktemp("kept") / "home"), workers=2) as running:
        yield running


def test_a_reader_is_told_before_and_with_every_look_at_the_grant(house: Served) -> None:
    page = house.http.get("/").text
    assert "kept for 7 days" in page
    assert PURPOSE in page
    issued = house.run("grant", "issue", "--to", "new@b.example", "--reason", "test")
    header = {"authorization": f"Bearer {issued['key']}"}
    told = house.http.get("/v1/grant", headers=header).json()["retention"]
    assert (told["days"], told["purpose"], told["agreed"]) == (7, PURPOSE, False)
    answer = house.chat(str(issued["key"]), {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access/terms-not-accepted")
    link = house.run("person", "link", "new@b.example")["link"].split("link=")[1].split("&")[0]
    session = {"authorization": f"Bearer {house.http.post('/api/sign-in', json={'link': link}).json()['session']}"}
    terms = house.http.get("/api/terms").json()["hash"]
    house.http.post("/api/terms/accept", json={"hash": terms}, headers=session)
    where = f"/api/grants/{issued['id']}/retention/agree"
    assert house.http.post(where, json={"digest": "another"}, headers=session).status_code == 409
    agreed = house.http.post(where, json={"digest": told["digest"]}, headers=session)
    assert agreed.json()["retention"]["agreed"] is True
    for _ in range(600):  # until the worker that is asked has heard of it
        if house.chat(str(issued["key"]), {}).status_code == 200:
            break
        time.sleep(0.05)
    assert len(kept(house, issued["id"], 1)) == 1


def test_what_is_kept_is_read_by_command_and_stands_in_no_file_and_no_log(house: Served) -> None:
    grant = house.grant(passes=500)
    names = [say(house, grant["key"]), say(house, grant["key"], stream=True)]
    assert {each["receipt"] for each in kept(house, grant["id"], 2)} == set(names)
    assert run(house.home, "text", "read", *names, "--reason", " ", code=2)["error"]["problems"][0]["where"] == "reason"
    found = house.run("text", "read", *names, "--reason", "a report")
    for each in found:
        assert each["proven"]
        assert each["request"]["messages"][0]["content"] == CANARY
        assert CANARY in each["answers"][0]["said"]
    assert CANARY.encode() not in bytes_of(house.home)
    assert CANARY not in house.log.read_text()
    readings = house.run("text", "readings", grant["id"])
    assert sorted(each["receipt"] for each in readings) == sorted(names)
    assert house.run("ledger", "verify")["ok"]


def test_what_was_kept_as_its_worker_was_killed_is_there(house: Served) -> None:
    grant = house.grant(passes=500)
    names = [say(house, grant["key"], max_tokens=5) for _ in range(5)]
    for pid in house.workers():
        os.kill(pid, signal.SIGKILL)
    assert {each["receipt"] for each in kept(house, grant["id"], 5)} == set(names)
    assert all(each["proven"] for each in house.run("text", "read", *names, "--reason", "a death"))


def test_a_receipt_proves_to_its_reader_that_it_was_read(house: Served) -> None:
    grant = house.grant(passes=500)
    name = say(house, grant["key"])
    kept(house, grant["id"], 1)
    house.run("text", "read", name, "--reason", "a report")
    header = {"authorization": f"Bearer {grant['key']}"}
    for _ in range(600):
        answer = house.http.get(f"/v1/receipts/{name}", headers=header)
        if answer.status_code == 200:
            break
        time.sleep(0.05)
    salt = bytes.fromhex(answer.json()["salt"])
    exported = house.home.parent / "export"
    house.run("ledger", "export", str(exported))
    log = b"".join(path.read_bytes() for path in exported.rglob("*") if path.is_file())
    assert commitment(salt, name.encode()).encode() in log
    assert name.encode() not in log


@pytest.mark.deep
def test_a_backup_holds_neither_texts_nor_any_half_of_a_key(tmp_path: Path) -> None:
    home = keeps(tmp_path / "home")
    with served(home) as house:
        grant = house.grant(passes=500)
        name = say(house, grant["key"])
        kept(house, grant["id"], 1)
        secret = json.loads((home / "keys" / FILE).read_text())["secret"]
        house.run("backup", str(tmp_path / "backup"))
    whole = bytes_of(tmp_path / "backup")
    assert secret.encode() not in whole
    assert not list((tmp_path / "backup").rglob(FILE))
    names = {path.name for path in (tmp_path / "backup" / "database").iterdir()}
    assert not names & {"gateway_text.jsonl", "gateway_half.jsonl"}
    with (tmp_path / "backup" / "database" / "access_grant.jsonl").open("rb") as lines:
        assert [row["retention"] is not None for row in read_rows(lines)] == [True]  # who agreed has agreed
    new = tmp_path / "new"
    run(new, "restore", str(tmp_path / "backup"))
    refused = run(new, "text", "read", name, "--reason", "after a restore", code=1)
    assert refused["error"]["code"] == "oversight/no-such-text"
    assert run(new, "text", "list", grant["id"]) == []
    assert run(new, "grant", "show", grant["id"])["retention"]["agreed"] is True
    assert any(each["name"] == "texts" and each["ok"] for each in run(new, "doctor", code=1)["checks"])
    assert load(new).keys.is_dir()


def test_a_plan_that_keeps_says_so_and_a_wrong_one_is_told_where(tmp_path: Path) -> None:
    home = keeps(tmp_path / "home")
    (stage,) = run(home, "stage", "status")
    assert stage["retention"] == {"days": 7, "purpose": PURPOSE}
    assert (home / "keys" / FILE).stat().st_mode & 0o077 == 0  # there to be copied to other hosts
    plan = home / "release.yaml"
    good = plan.read_text()
    for bad, what in (
        ("{days: 0, purpose: x}", "days"),
        ("{days: 366, purpose: x}", "days"),
        ("{days: 1.5, purpose: x}", "days"),
        ("{days: 7}", "lacks 'purpose'"),
        ('{days: 7, purpose: ""}', "purpose"),
        ("{days: 7, purpose: x, who: me}", "unknown key 'who'"),
        ("7", "must be a mapping"),
    ):
        plan.write_text(good.replace(f"{{days: 7, purpose: {PURPOSE}}}", bad))
        problems = run(home, "plan", "check", str(plan), code=2)["error"]["problems"]
        assert what in str(problems), (bad, problems)
    plan.write_text(good.replace("channel: api", "channel: samples"))
    assert "no meaning" in str(run(home, "plan", "check", str(plan), code=2))


@pytest.mark.deep
def test_the_how_to_can_be_followed(tmp_path: Path) -> None:
    home = found(tmp_path / "home")
    (line,) = re.findall(r"```yaml\n\s*(retention: .*)\n\s*```", PAGE)
    commands = [shlex.split(each) for each in re.findall(r"(?m)^ {4,8}readingroom (.*)$", PAGE)]
    before, after = commands[:3], commands[3:]
    plan = home / "release.yaml"
    plan.write_text(plan.read_text().replace("    screening:", f"    {line}\n    screening:"))
    for each in before:
        run(home, *[str(plan) if word == "release.yaml" else word for word in each])
    with served(home) as house:
        grant = house.grant(passes=500)
        named = {"GRANT": grant["id"], "RECEIPT": say(house, grant["key"])}
        kept(house, grant["id"], 1)
        told = [house.run(*[named.get(word, word) for word in each]) for each in after]
    assert [each[1] for each in after] == ["list", "list", "read", "readings", "erase"]
    assert told[0] == [{"grant": grant["id"], "texts": 1}]
    assert told[2][0]["request"]["messages"][0]["content"] == CANARY
    assert told[4] == {"grant": grant["id"], "erased": 1}


def test_a_plan_that_keeps_nothing_has_the_digest_that_it_always_had(tmp_path: Path) -> None:
    home = found(tmp_path / "home")
    (stage,) = run(home, "stage", "status")
    assert stage["retention"] is None
    assert b"retention" not in canonical(parse_plan_file(home / "release.yaml").canonical())
    assert b"retention" in canonical(parse_plan_file(keeps(tmp_path / "other") / "release.yaml").canonical())
