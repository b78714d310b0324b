"""A house whose disk takes nothing more: readers are told so, nothing is charged or decided, and then it goes on."""

from __future__ import annotations

import pytest

from served import Served, full


@pytest.fixture(scope="module")
def house(own_house: Served) -> Served:
    return own_house  # a full disk leaves its mark: metrics that could not be named


def test_what_cannot_be_recorded_is_not_decided_and_says_so(house: Served) -> None:
    issued = house.grant(passes=100)
    house.run("person", "add", "s@lab.example", "--role", "steward")
    link = house.run("person", "link", "s@lab.example")["link"].split("=")[1]
    session = house.http.post("/api/sign-in", json={"link": link}).json()["session"]
    headers = {"authorization": f"Bearer {session}"}
    before = house.run("ledger", "verify")["size"]
    revoke = f"/api/grants/{issued['id']}/revoke"
    with full(house):
        answer = house.http.post(revoke, json={"reason": "security"}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ledger/cannot-record")
        assert str(house.home) not in answer.text
    assert house.run("ledger", "verify")["size"] == before
    assert house.settled(issued["id"])["state"] == "active"
    assert house.http.post(revoke, json={"reason": "security"}, headers=headers).status_code == 200


def test_a_call_that_cannot_be_recorded_is_not_answered_and_not_charged(house: Served) -> None:
    issued = house.grant(passes=100)
    assert house.chat(issued["key"], {}).status_code == 200
    used = house.settled(issued["id"])["used"]
    with full(house):
        answer = house.chat(issued["key"], {})
        assert answer.status_code == 503
        # The hold comes first: what cannot be held is not confirmed, and the engine is not asked.
        assert answer.json()["error"]["code"] == "gateway/cannot-confirm-grant"
    shown = house.settled(issued["id"])
    assert shown["used"] == used
    assert set(shown["reserved"].values()) <= {0, None}
    assert house.chat(issued["key"], {}).status_code == 200
