"""Whatever is sent, the answer is a clear error in OpenAI's shape, and nothing is charged."""

from __future__ import annotations

import json

import pytest

from served import Served

GOOD = {"model": "echo", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
def key(house: Served) -> str:
    return str(house.grant(passes=1000)["key"])


def post(house: Served, key: str, body: bytes, path: str = "/v1/chat/completions") -> tuple[int, dict[str, str]]:
    answer = house.http.post(path, content=body, headers={"authorization": f"Bearer {key}"})
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b"\xff\xfe", None),
        (b'{"model": "echo", "model": "echo"}', None),
        (json.dumps({**GOOD, "temperature": "hot"}).encode(), "temperature"),
        (json.dumps({**GOOD, "temperature": 3}).encode(), "temperature"),
        (json.dumps({**GOOD, "max_tokens": 0}).encode(), "max_tokens"),
        (json.dumps({**GOOD, "max_tokens": True}).encode(), "max_tokens"),
        (json.dumps({**GOOD, "n": 10**30}).encode(), None),
        (b'{"model": "echo", "messages": [], "top_p": NaN}', None),
        (json.dumps({**GOOD, "messages": []}).encode(), "messages"),
        (json.dumps({**GOOD, "messages": [{"role": "user"}]}).encode(), "messages[0].content"),
        (json.dumps({**GOOD, "messages": [{"role": "god", "content": "x"}]}).encode(), "messages[0].role"),
        (json.dumps({**GOOD, "surprise": 1}).encode(), "surprise"),
        (json.dumps({**GOOD, "logit_bias": {"1": 1}}).encode(), "logit_bias"),
        (json.dumps({**GOOD, "echo": True}).encode(), "echo"),
        (json.dumps({**GOOD, "best_of": 2}).encode(), "best_of"),
        (json.dumps({**GOOD, "prompt_logprobs": 1}).encode(), "prompt_logprobs"),
        (json.dumps({**GOOD, "logprobs": True, "top_logprobs": 6}).encode(), "top_logprobs"),
        (b"[" * 100_000, None),
        (b'{"model": "echo", "messages": [{"role": "user", "content": "\\ud800"}]}', "messages"),
    ],
)
def test_a_malformed_body_is_400_and_names_the_field(house: Served, key: str, body: bytes, param: str | None) -> None:
    status, error = post(house, key, body)
    assert status == 400
    assert error["code"] == "gateway/bad-request"
    assert param is None or error["param"] == param


def test_a_body_of_fifty_megabytes_is_413_and_the_server_lives(house: Served, key: str) -> None:
    answer = house.http.post(
        "/v1/chat/completions",
        content=(b" " * 1_000_000 for _ in range(50)),
        headers={"authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "gateway/body-too-large"
    assert house.chat(key, {}).status_code == 200


@pytest.mark.parametrize("sent", ["", "Bearer", "Basic eDp5", "Bearer rr_wrong", "Bearer " + "x" * 5000])
def test_no_key_or_an_unknown_one_is_401(house: Served, sent: str) -> None:
    headers = {"authorization": sent} if sent else {}
    answer = house.http.post("/v1/chat/completions", json=GOOD, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "access/key-unknown"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 405),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1", 404),
    ],
)
def test_other_routes_and_methods_are_refused_in_the_same_shape(
    house: Served, method: str, path: str, status: int
) -> None:
    answer = house.http.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["code"].startswith("gateway/")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/nothing", 404),
        ("/api/calls/none", 404),
        ("/api/grants", 401),
        ("/api/me", 401),
        ("/ledger/tile/0/999", 404),
    ],
)
def test_the_control_api_refuses_as_clearly(house: Served, path: str, status: int) -> None:
    answer = house.http.get(path)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_a_bad_call_file_is_told_by_line_and_column(house: Served) -> None:
    house.run("person", "add", "lab@example.org", "--role", "steward")
    secret = house.run("person", "link", "lab@example.org")["link"].split("=")[1]
    session = house.http.post("/api/sign-in", json={"link": secret}).json()["session"]
    answer = house.http.post(
        "/api/calls", json={"text": "title: x\nbudgit: 3\n"}, headers={"authorization": f"Bearer {session}"}
    )
    assert answer.status_code == 400
    assert any("call.yaml:2:1" in p["where"] for p in answer.json()["error"]["problems"])


def test_the_openapi_document_describes_the_control_api(house: Served) -> None:
    document = house.http.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert {"/api/calls", "/api/grants/{grant}/revoke", "/api/release"} <= set(document["paths"])
