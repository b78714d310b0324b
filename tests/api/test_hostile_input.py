"""What a stranger types costs nobody else anything, and loses nothing of what was typed before."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from served import Served, program, run

DEEP = "[" * 20_000


@pytest.fixture(scope="module")
def applicant(house: Served) -> dict[str, str]:
    house.run("person", "add", "a@east.example", "--name", "A", "--role", "tester")
    return session(house, "a@east.example")


def session(house: Served, email: str) -> dict[str, str]:
    secret = house.run("person", "link", email)["link"].split("=")[1]
    made = house.http.post("/api/sign-in", json={"link": secret}).json()["session"]
    return {"authorization": f"Bearer {made}"}


def test_a_call_file_of_who_may_not_open_calls_is_not_even_read(house: Served, applicant: dict[str, str]) -> None:
    began = time.monotonic()
    answer = house.http.post("/api/calls", json={"text": DEEP}, headers=applicant)
    assert answer.status_code == 403
    assert time.monotonic() - began < 8  # reading it took half a minute


@pytest.mark.parametrize("path", ["/api/calls", "/api/register", "/api/sign-in"])
def test_a_body_that_nests_beyond_all_sense_is_a_bad_request(
    house: Served, path: str, applicant: dict[str, str]
) -> None:
    headers = {**applicant, "content-type": "application/json"}
    answer = house.http.post(path, content="[" * 50_000, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "app/bad-request"


def test_saving_one_answer_keeps_the_others(house: Served, applicant: dict[str, str]) -> None:
    house.run("person", "add", "s@lab.example", "--name", "S", "--role", "steward")
    text = (Path(__file__).parents[2] / "src/readingroom/app/templates/call.yaml").read_text()
    call = house.http.post("/api/calls", json={"text": text}, headers=session(house, "s@lab.example")).json()["id"]
    begun: dict[str, Any] = {"answers": {"purpose": "to learn"}, "passes": 5000}
    made = house.http.post(f"/api/calls/{call}/applications", json=begun, headers=applicant).json()
    changed = {"answers": {"asks": "questions"}}
    after = house.http.patch(f"/api/applications/{made['id']}", json=changed, headers=applicant).json()
    assert after["answers"] == {"purpose": "to learn", "asks": "questions"}
    assert after["passes"] == 5000
    again = house.http.patch(f"/api/applications/{made['id']}", json={"passes": 9000}, headers=applicant).json()
    assert (again["answers"], again["passes"]) == (after["answers"], 9000)


def test_a_call_file_that_is_not_utf8_is_not_opened_as_something_else(house: Served, tmp_path: Path) -> None:
    file = tmp_path / "call.yaml"
    file.write_bytes(b"title: Read\xffing\n")
    told = run(house.home, "call", "open", str(file), code=2)
    assert "not UTF-8 at byte 12" in json.dumps(told)


def test_a_score_of_five_thousand_digits_is_no_score(house: Served) -> None:
    score = "merit=" + "9" * 5000
    code, _, told = program("--home", str(house.home), "review", "give", "x", "--score", score, "--comment", "x")
    assert code == 2
    assert "is no score" in told
