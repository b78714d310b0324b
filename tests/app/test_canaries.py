"""Secrets and texts of readers stand in no sink: not in logs, errors, addresses, the ledger, exports or reports."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import httpx
import pytest

from served import Served, found, run, served

PROMPT = "canary-prompt-7f3a"
NAME = "Canary Nameson"
EMAIL = "canary-person@canary.example"


@pytest.fixture(scope="module")
def after_a_day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Served, dict[str, str]]:
    """A house in which everything happened once, errors too; it is closed again."""
    home = found(tmp_path_factory.mktemp("canary") / "home")
    with served(home) as house:
        house.run("person", "add", EMAIL, "--name", NAME, "--affiliation", "Canary College")
        issued = house.run(
            "grant", "issue", "--to", EMAIL, "--passes", "50", "--accept-terms", "--reason", "canary-reason"
        )
        key = str(issued["key"])
        ask = {"messages": [{"role": "user", "content": PROMPT}]}
        assert house.chat(key, ask).status_code == 200
        for body in ({**ask, "logit_bias": {}}, {**ask, "model": "none"}, {**ask, "max_tokens": 99}):
            assert house.chat(key, body).status_code >= 400
        house.chat(key + "x", ask)
        link = house.run("person", "link", EMAIL)["link"].split("=")[1]
        session = house.http.post("/api/sign-in", json={"link": link}).json()["session"]
        house.http.get("/api/grants/mine", headers={"authorization": f"Bearer {session}"})
        with contextlib.suppress(httpx.HTTPError):
            house.http.get(f"/sign-in?link={link}")
        rotated = house.run("key", "rotate", issued["key_id"])
        house.run("grant", "revoke", issued["id"], "--reason", "other", "--note", "canary-note")
        time.sleep(1)  # the last records are flushed
    secrets = {"key": key, "rotated": str(rotated["key"]), "link": link, "session": session}
    return house, secrets


def sinks(house: Served) -> dict[str, bytes]:
    """Return everything that is written for others to read."""
    home = house.home
    folder = home.parent / "export"
    run(home, "ledger", "export", str(folder))
    exported = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    public = run(home, "report", "register", "--public")
    return {"log": house.log.read_bytes(), "ledger": exported, "public register": str(public).encode()}


def test_no_secret_is_in_any_sink_nor_anywhere_on_disk(after_a_day: tuple[Served, dict[str, str]]) -> None:
    house, secrets = after_a_day
    files = [path for path in house.home.rglob("*") if path.is_file() and path.suffix != ".eml"]
    stored = b"".join(path.read_bytes() for path in files)
    for name, secret in secrets.items():
        assert secret.encode() not in stored, name
        for sink, content in sinks(house).items():
            assert secret.encode() not in content, (name, sink)


def test_no_prompt_and_no_answer_is_stored(after_a_day: tuple[Served, dict[str, str]]) -> None:
    house, _ = after_a_day
    for path in house.home.rglob("*"):
        if path.is_file():
            assert PROMPT.encode() not in path.read_bytes(), path
    for sink, content in sinks(house).items():
        assert PROMPT.encode() not in content, sink


def test_no_person_and_no_free_text_is_in_the_ledger_or_the_log(after_a_day: tuple[Served, dict[str, str]]) -> None:
    house, _ = after_a_day
    for sink, content in sinks(house).items():
        assert b"canary" not in content.lower(), sink


def test_private_files_are_for_their_owner_alone(after_a_day: tuple[Served, dict[str, str]]) -> None:
    house, _ = after_a_day
    for path in (*house.home.glob("keys/*.key"), house.home, house.home / "keys", house.home / "run"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.deep
def test_an_export_is_what_the_server_serves(tmp_path: Path) -> None:
    home = found(tmp_path / "home")
    with served(home) as house:
        house.run("ledger", "export", str(tmp_path / "out"))
        for path in sorted((tmp_path / "out").rglob("*")):
            if path.is_file():
                name = path.relative_to(tmp_path / "out").as_posix()
                assert house.http.get(f"/ledger/{name}").content == path.read_bytes(), name
