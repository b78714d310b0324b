"""Answers, pages and letters repeat no key, no session and no prompt; a letter holds its link and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from readingroom.app.founding import default_plan, found
from readingroom.core.settings import Settings
from readingroom.store.db import Database
from served import Served, run, served

PROMPT = "canary-prompt-91bd"
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": PROMPT}]}
BAD: list[dict[str, Any]] = [
    {"logit_bias": {PROMPT: 1}},
    {"model": "none"},
    {"max_tokens": 10_000},
    {"temperature": PROMPT},
    {"stop": [PROMPT] * 99},
    {"tools": PROMPT},
]


@dataclass
class Reader:
    """Somebody with a key and a session."""

    key: str
    session: str
    grant: str


@pytest.fixture(scope="module")
def reader(house: Served) -> Reader:
    issued = house.grant(passes=50)
    link = house.run("person", "link", "r@b.example")["link"].split("=")[1]
    session = house.http.post("/api/sign-in", json={"link": link}).json()["session"]
    return Reader(str(issued["key"]), session, str(issued["id"]))


@pytest.mark.parametrize("body", BAD, ids=lambda body: next(iter(body)))
def test_no_fault_of_the_data_plane_repeats_the_key_or_the_prompt(
    house: Served, reader: Reader, body: dict[str, Any]
) -> None:
    answer = house.chat(reader.key, {**ASK, **body})
    assert answer.status_code >= 400
    assert PROMPT not in answer.text + str(answer.headers)
    assert reader.key not in answer.text + str(answer.headers)


def test_no_fault_of_the_control_api_repeats_a_secret(house: Served, reader: Reader) -> None:
    headers = {"authorization": f"Bearer {reader.session}"}
    for path, body in (
        ("/api/sign-in", {"link": PROMPT}),
        ("/api/calls", {"text": PROMPT}),
        (f"/api/grants/{reader.grant}/revoke", {"reason": "other", "note": PROMPT}),
        ("/api/terms/accept", {"hash": PROMPT}),
    ):
        answer = house.http.post(path, json=body, headers=headers)
        assert answer.status_code >= 400
        assert PROMPT not in answer.text
        assert reader.session not in answer.text


def test_a_letter_holds_its_link_and_nothing_else_that_is_secret(house: Served, reader: Reader) -> None:
    assert house.http.post("/api/register", json={"email": "new@new.example"}).status_code == 202
    letters = [path.read_bytes() for path in house.home.rglob("*.eml")]
    assert letters
    for letter in letters:
        parts = message_from_bytes(letter, policy=policy.default).walk()
        for text in [each.get_content() for each in parts if each.get_content_maintype() == "text"]:
            signs_in = [each for each in re.findall(r"https?://[^\s\"<]+", text) if "link=" in each]
            assert len(set(signs_in)) <= 1
            assert not {reader.key, reader.session, PROMPT} & set(re.split(r"[\s=&?\"<>]", text))
            assert "rr_" not in text


def test_no_column_of_a_postgres_database_holds_a_secret_or_a_prompt(postgres_db: Database, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", dev=True, engine="echo", database=postgres_db.url)
    found(settings, default_plan(settings)).close()
    run(settings.home, "person", "add", "r@b.example")
    with served(settings.home) as house:
        issued = house.grant(passes=50)
        assert house.chat(issued["key"], ASK).status_code == 200
        link = house.run("person", "link", "r@b.example")["link"].split("=")[1]
        session = house.http.post("/api/sign-in", json={"link": link}).json()["session"]
    seen = ""
    with postgres_db.read() as tx:
        for table in sa.inspect(tx).get_table_names():
            seen += "\n".join(str(tuple(row)) for row in tx.execute(sa.text(f'select t::text from "{table}" t')))  # noqa: S608 - our own names
    assert "r@b.example" in seen, "this would find it"
    for secret in (issued["key"], link, session, PROMPT):
        assert secret not in seen
        assert str(secret).encode().hex() not in seen
