"""The OpenAPI document says what the control API does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from served import Served


@pytest.fixture(scope="module")
def document(house: Served) -> dict[str, Any]:
    found: dict[str, Any] = house.http.get("/api/openapi.json").json()
    return found


def test_each_operation_needs_a_session_exactly_where_the_document_says_so(
    house: Served, document: dict[str, Any]
) -> None:
    told, found = {}, {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            told[method, path] = bool(operation["security"])
            answer = house.http.request(method, path.replace("{", "").replace("}", ""), json={"email": "", "link": "x"})
            found[method, path] = answer.status_code == 401 and answer.json()["error"]["code"] == "people/not-signed-in"
    assert found == told
    assert document["components"]["securitySchemes"]["session"]["scheme"] == "bearer"


def test_every_fault_is_described_in_the_one_shape_that_faults_have(house: Served, document: dict[str, Any]) -> None:
    for methods in document["paths"].values():
        for operation in methods.values():
            for code, answer in operation["responses"].items():
                if code.startswith("4"):
                    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}
    required = document["components"]["schemas"]["Error"]["properties"]["error"]["required"]
    assert set(required) <= set(house.http.get("/api/me").json()["error"])
    assert "status_code" not in json.dumps(document)


def test_head_is_answered_like_get_without_a_body(house: Served) -> None:
    for path in ("/", "/apply", "/static/style.css", "/api/release"):
        answer = house.http.head(path)
        assert (answer.status_code, answer.content) == (200, b""), path


@pytest.mark.parametrize(("path", "there"), [("/api/calls", {"GET", "POST"}), ("/ledger/key", {"GET"}), ("/", {"GET"})])
def test_a_wrong_method_is_told_which_there_are(house: Served, path: str, there: set[str]) -> None:
    answer = house.http.put(path)
    assert answer.status_code == 405
    assert there <= {each.strip() for each in answer.headers["allow"].split(",")}


def test_bodies_are_closed_in_the_document_as_they_are_at_the_door(house: Served, document: dict[str, Any]) -> None:
    sent = document["paths"]["/api/persons"]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert document["components"]["schemas"][sent.rpartition("/")[2]]["additionalProperties"] is False
    assert house.http.post("/api/register", json={"email": "a@b.example", "surprise": 1}).status_code == 400
