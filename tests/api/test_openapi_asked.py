"""Whatever the OpenAPI document allows is asked of the control API, by schemathesis, as anybody and as a steward.

Not looked for, each for a reason: a 400 to what the document allows (a note that must not be empty, a call's file: no
schema can say it), a number in the place of a truth value (it is read as one), and OPTIONS (the framework answers it
for one of a path's methods only).
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from api.clients.installed import python_clients
from readingroom.store.db import Database
from served import Served, run, served

pytestmark = pytest.mark.deep
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "ignored_auth",
)  # fmt: skip


def asked(
    house: Served, folder: Path, *, session: str = "", known: dict[str, str] | None = None, examples: int = 30
) -> tuple[str, int]:
    """Ask every operation, beside its edge cases, for so many random ones.

    Returns:
        What was found wrong, and how many requests there were.
    """
    places = "".join(f'"path.{name}" = "{value}"\n' for name, value in (known or {}).items())
    (folder / "schemathesis.toml").write_text(f"[parameters]\n{places}")
    program = [str(python_clients() / "bin/schemathesis"), "--config-file", str(folder / "schemathesis.toml"), "run"]
    options = ["--checks", ",".join(CHECKS), "--max-examples", str(examples), "--seed", "20", "--continue-on-failure"]
    options += ["--request-timeout", "60"]
    options += ["--phases", "examples,coverage,fuzzing", "--warnings", "off", "--generation-database", "none"]
    header = ["--header", f"Authorization: Bearer {session}"] if session else []
    command = [*program, f"{house.url}/api/openapi.json", *options, *header]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    sent = re.search(r"([\d,]+) generated", done.stdout)
    assert sent, done.stdout + done.stderr
    found = done.stdout.partition("= FAILURES =")[2] or done.stdout
    return (found if done.returncode else ""), int(sent[1].replace(",", ""))


@pytest.fixture(scope="module")
def house(own_house: Served) -> Served:
    return own_house  # whatever may be decided is decided in it


@pytest.fixture(scope="module")
def steward(house: Served) -> str:
    return session(house, "s@lab.example", "--role", "steward")


def session(house: Served, email: str, *roles: str) -> str:
    house.run("person", "add", email, *roles)
    link = house.run("person", "link", email)["link"].split("=")[1]
    return str(house.http.post("/api/sign-in", json={"link": link}).json()["session"])


@pytest.fixture(scope="module")
def known(house: Served, steward: str) -> dict[str, str]:
    """Put something into the house for each thing that a path names."""
    call = house.run("call", "open", str(house.home / "call.yaml"))["id"]
    begun: dict[str, Any] = {"answers": {"purpose": "to learn"}, "passes": 5000}
    headers = {"authorization": f"Bearer {session(house, 'a@east.example')}"}
    applied = house.http.post(f"/api/calls/{call}/applications", json=begun, headers=headers).json()
    assert steward
    return {"call": call, "application": applied["id"], "grant": house.grant(passes=100)["id"], "name": "reading-room"}


def test_nothing_that_anybody_asks_is_a_fault_of_ours(house: Served, tmp_path: Path) -> None:
    found, requests = asked(house, tmp_path, examples=5)  # most of it ends at the door
    assert not found, found
    assert requests > 1000
    assert_sound(house)


def test_nothing_that_a_steward_asks_is_a_fault_of_ours(house: Served, steward: str, tmp_path: Path) -> None:
    found, requests = asked(house, tmp_path, session=steward)
    assert not found, found
    assert requests > 2000
    assert_sound(house)


def test_nothing_that_a_steward_asks_of_what_there_is_is_a_fault_of_ours(
    house: Served, steward: str, known: dict[str, str], tmp_path: Path
) -> None:
    found, _ = asked(house, tmp_path, session=steward, known=known)
    assert not found, found
    assert_sound(house)


def test_nothing_is_a_fault_of_ours_on_postgres_either(postgres_db: Database, tmp_path: Path) -> None:
    home = tmp_path / "home"
    run(home, "init", "--dev", "--engine", "echo", "--database", postgres_db.url)
    with served(home) as house:
        found, _ = asked(house, tmp_path, session=session(house, "s@lab.example", "--role", "steward"), examples=5)
        assert not found, found
        for path in ("/api/calls/%00", "/apply/%00", "/v1/receipts/%00"):  # no text of Postgres holds a null
            assert house.http.get(path).status_code == 400
        assert_sound(house)


def assert_sound(house: Served) -> None:
    assert house.http.get("/healthz").status_code == 200
    assert house.run("ledger", "verify")["ok"] is True
    assert "Traceback" not in house.log.read_text()
