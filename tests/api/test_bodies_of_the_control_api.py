"""Bodies that are no text, or too much of it, are told as that in the one shape of faults, and decide nothing."""

from __future__ import annotations

import pytest

from served import Served

PATHS = ["/api/register", "/api/sign-in", "/api/calls", "/api/terms/accept", "/api/persons", "/api/grants/x/revoke"]
NO_TEXT = [b'{"email": "\xff\xfe@x.example"}', b'{"email": "\\ud800@x.example"}', b"\xff\xfe{\x00}\x00", b"\xc3\x28"]


@pytest.fixture(scope="module")
def steward(house: Served) -> dict[str, str]:
    house.run("person", "add", "s@lab.example", "--role", "steward")
    link = house.run("person", "link", "s@lab.example")["link"].split("=")[1]
    session = house.http.post("/api/sign-in", json={"link": link}).json()["session"]
    return {"authorization": f"Bearer {session}", "content-type": "application/json"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", NO_TEXT, ids=ascii)
def test_a_body_that_is_no_text_is_400(house: Served, steward: dict[str, str], path: str, body: bytes) -> None:
    answer = house.http.post(path, content=body, headers=steward)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert answer.json()["error"]["code"] == "app/bad-request"


@pytest.mark.parametrize("path", PATHS)
def test_a_body_over_a_megabyte_is_413(house: Served, steward: dict[str, str], path: str) -> None:
    size = house.run("ledger", "verify")["size"]
    answer = house.http.post(path, content=b'{"text": "' + b"x" * 1_000_001 + b'"}', headers=steward)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "app/bad-request")
    assert house.run("ledger", "verify")["size"] == size
