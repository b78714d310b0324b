"""Applying over the control API: all of it, and nothing that is not the applicant's to set."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from litestar import Litestar
from litestar.exceptions import LitestarDeprecationWarning
from litestar.testing import TestClient

from admissions.world import ANSWERS, call_text
from readingroom.api.control import create_control
from readingroom.app.desk import open_call
from readingroom.app.house import House
from readingroom.cli.portal import OPENAPI
from readingroom.core.canonical import canonical, commitment
from readingroom.core.settings import load
from readingroom.web.app import create_web
from served import found

PLAN: dict[str, Any] = {"name": "plan", "type": "attachment", "label": "Plan", "required": False}


@dataclass
class Caller:
    """Somebody's program."""

    client: TestClient[Litestar]
    session: str
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        sent = {"authorization": f"Bearer {self.session}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        answer = self.client.request(method, path, json=body, headers=sent)
        assert answer.status_code == status, answer.text
        self.headers = dict(answer.headers)
        return answer.json() if "json" in answer.headers.get("content-type", "") and answer.content else answer.content


@dataclass
class Api:
    """A house with one call, for guarantors too."""

    house: House
    app: Litestar
    call: str

    def caller(self, name: str) -> Caller:
        client = TestClient(self.app, raise_server_exceptions=False)
        people = self.house.people
        made = people.add(people.operator(), f"{name}@{name}.example", affiliation=name)
        answer = client.post("/api/sign-in", json={"link": people.make_link_for(people.operator(), made.email)})
        return Caller(client, answer.json()["session"])


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    house = House(load(found(tmp_path_factory.mktemp("api") / "home")))
    with warnings.catch_warnings():  # of Litestar 3, which asks for another way to name what is injected
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        app = create_web(house, [create_control(house)], OPENAPI)
    form = [*yaml.safe_load(call_text())["form"], PLAN]
    text = call_text(form=form, guarantor="optional", review=None, allocation={"policy": "by-person"})
    yield Api(house, app, open_call(house, house.people.operator(), text, "call.yaml").id)
    house.close()


def begun(api: Api, name: str) -> tuple[Caller, str, dict[str, Any]]:
    who = api.caller(name)
    made = who.ask("POST", f"/api/calls/{api.call}/applications", {"answers": ANSWERS, "passes": 9000}, 201)
    return who, f"/api/applications/{made['id']}", made


def test_an_application_is_filled_in_and_followed_from_end_to_end(api: Api) -> None:
    who, at, _ = begun(api, "ada")
    content = base64.b64encode(b"%PDF-1.7 our plan").decode()
    file = who.ask("POST", f"{at}/attachments", {"question": "plan", "name": "../p.exe", "content": content}, 201)
    assert (file["name"], file["kind"]) == ("p.exe.pdf", "pdf")
    assert who.ask("POST", f"{at}/submit")["version"] == 1
    who.ask("PATCH", at, {"answers": {"purpose": "Another purpose"}})
    assert who.ask("POST", f"{at}/submit")["version"] == 2
    assert who.ask("GET", f"{at}/attachments/{file['digest']}") == b"%PDF-1.7 our plan"
    assert who.headers["content-disposition"].startswith("attachment; ")
    assert who.headers["x-content-type-options"] == "nosniff"
    first, second = who.ask("GET", f"{at}/versions")
    draft = {key: first[key] for key in ("answers", "passes", "tier", "team")}
    assert first["commitment"] == commitment(bytes.fromhex(first["salt"]), canonical(draft)), "anyone can check it"
    assert first["answers"]["plan"] == second["answers"]["plan"] == [file["digest"]]
    (changed,) = who.ask("GET", f"{at}/difference?old=1&new=2")["changes"]
    assert changed["name"] == "purpose"
    assert who.ask("GET", f"{at}/difference?old=1&new=9", None, 404)["error"]["code"] == "admissions/version-unknown"
    told = who.ask("GET", f"{at}/history")
    assert [each["text"] for each in told["steps"]] == ["Begun", "Version 1 submitted", "Version 2 submitted"]
    assert told["waiting"][0]["who"] == "the panel"
    asked = who.ask("POST", f"{at}/invitations", {"email": "bea@bea.example"}, 201)
    bea = api.caller("bea")
    secret = asked["link"].rpartition("/")[2]  # shown in a house for trials alone; else it is in the letter
    assert bea.ask("POST", "/api/letters/read", {"secret": secret})["applicant"] == "ada@ada.example"
    assert bea.ask("POST", "/api/letters/answer", {"secret": secret, "accept": True})["state"] == "accepted"
    assert bea.ask("GET", at)["state"] == "submitted"
    assert bea.ask("POST", "/api/letters/answer", {"secret": secret, "accept": True}, 404)
    assert bea.ask("POST", f"{at}/leave")["state"] == "left"
    assert who.ask("POST", f"{at}/withdraw")["state"] == "withdrawn"


def test_a_change_that_is_based_on_an_older_revision_is_refused(api: Api) -> None:
    who, at, _ = begun(api, "cay")
    who.ask("GET", at)
    etag = who.headers["etag"]
    who.ask("PATCH", at, {"passes": 8000}, if_match=etag)
    assert who.headers["etag"] != etag
    late = who.ask("PATCH", at, {"passes": 7000}, 412, if_match=etag)
    assert late["error"]["code"] == "admissions/changed-meanwhile"
    assert who.ask("PATCH", at, {"passes": 7000}, 400, if_match='"x"')["error"]["code"] == "app/bad-input"
    assert who.ask("GET", at)["passes"] == 8000
    assert who.ask("PATCH", at, {"answers": {"purpose": "p"}})["answers"]["asks"] == ANSWERS["asks"], "one by one"


@pytest.mark.parametrize(
    "field", ["state", "id", "person", "call", "version", "revision", "note", "correct_until", "decision", "submitted"]
)
def test_nothing_but_what_is_filled_in_can_be_set(api: Api, field: str) -> None:
    who, at, made = begun(api, f"set-{field.replace('_', '-')}")
    for method, path, status in (("PATCH", at, 400), ("POST", f"/api/calls/{api.call}/applications", 400)):
        answer = who.ask(method, path, {"passes": 3000, field: "awarded"}, status)
        assert f"`{field}`" in str(answer["error"]["problems"])
    who.ask("PATCH", at, {"answers": {field: "awarded"}}, 400)
    assert who.ask("GET", at) == made
    for extra in ({"person": "x"}, {"state": "accepted"}, {"secret": "mine"}):
        who.ask("POST", f"{at}/invitations", {"email": "x@x.example", **extra}, 400)
    who.ask("POST", f"{at}/attachments", {"question": "plan", "name": "x", "content": "eA==", "kind": "pdf"}, 400)


def test_what_is_anothers_is_answered_like_what_is_not_there(api: Api) -> None:
    who, at, made = begun(api, "dora")
    thief = api.caller("thief")
    file = {"question": "plan", "name": "x.txt", "content": "eA=="}
    digest = who.ask("POST", f"{at}/attachments", file, 201)["digest"]
    invitation = who.ask("POST", f"{at}/invitations", {"email": "e@e.example"}, 201)["id"]
    none = "application_0000000000000000"
    for method, path, body in (
        ("GET", at, None), ("PATCH", at, {"passes": 1}), ("POST", f"{at}/submit", None), ("GET", f"{at}/history", None),
        ("POST", f"{at}/withdraw", None), ("GET", f"{at}/versions", None), ("GET", f"{at}/team", None),
        ("GET", f"{at}/attachments", None), ("POST", f"{at}/attachments", file), ("GET", f"{at}/decision", None),
        ("GET", f"{at}/attachments/{digest}", None), ("DELETE", f"{at}/attachments/{digest}", None),
        ("POST", f"{at}/invitations", {"email": "x@x.example"}), ("POST", f"{at}/leave", None),
    ):  # fmt: skip
        there = thief.ask(method, path, body, 404)
        assert there == thief.ask(method, path.replace(made["id"], none), body, 404), (method, path)
    for method, path in (("POST", "/api/invitations/{}/remind"), ("DELETE", "/api/invitations/{}")):
        assert thief.ask(method, path.format(invitation), None, 404) == thief.ask(method, path.format("x"), None, 404)


@pytest.mark.parametrize("content", ["!", "a", "\u0000", 5, None, ["eA=="]])
def test_what_is_no_base64_is_a_bad_request(api: Api, content: Any) -> None:
    who, at, _ = begun(api, f"b{abs(hash(str(content)))}")
    who.ask("POST", f"{at}/attachments", {"question": "plan", "name": "x", "content": content}, 400)
