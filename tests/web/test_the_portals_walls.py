"""What holds for every page: headers, faults, forms of other sites, and who is shown what."""

from __future__ import annotations

import logging

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from portal import Portal

NO_TOKEN = {"/register", "/sign-in", "/log"}  # forms that need no session; another site's are refused all the same


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("GET", "/apply", 200), ("GET", "/nowhere", 404), ("GET", "/my", 401),
     ("POST", "/steward", 405), ("POST", "/sign-in", 403), ("POST", "/my/terms", 401),
     ("GET", "/static/style.css", 200)],
)  # fmt: skip
def test_every_answer_carries_the_headers_that_protect_it(portal: Portal, method: str, path: str, status: int) -> None:
    answer = portal.visit().client.request(method, path, data={} if method == "POST" else None)
    assert answer.status_code == status
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    stored = "max-age=3600" if path.startswith("/static") else "no-store"
    assert stored in answer.headers["cache-control"]


def test_a_body_that_is_too_large_is_told_so_on_a_page_of_ours(portal: Portal) -> None:
    answer = portal.visit().client.post("/log", data={"receipt": "x" * 1_100_000})
    assert answer.status_code == 413
    assert "a megabyte at most" in answer.text
    assert "no-store" in answer.headers["cache-control"]


def test_an_unknown_address_is_told_in_our_own_words(portal: Portal) -> None:
    assert "There is no page at this address." in portal.visit().get("/nowhere").text


def test_a_fault_of_ours_is_logged_and_shown_as_a_page_without_its_inside(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(portal.house.admissions, "calls", fail)
    logging.getLogger("readingroom.web").addHandler(caplog.handler)
    answer = portal.visit().get("/apply")
    assert answer.status_code == 500
    assert "Something of ours is broken; it has been logged." in answer.text
    assert "the inside" not in answer.text
    assert "the inside" in caplog.text


def test_a_fault_that_breaks_every_page_is_told_as_text(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bytes:
        raise RuntimeError("the inside")

    monkeypatch.setattr(portal.house.log, "checkpoint", fail)
    answer = portal.visit().get("/register")
    assert answer.status_code == 500
    assert answer.text == "Something of ours is broken; it has been logged. (app/broken)"


def posts(app: Litestar) -> list[str]:
    """Return every address of the portal that takes a form."""
    return sorted(route.path for route in app.routes for method in getattr(route, "methods", ()) if method == "POST")


def test_every_form_is_refused_without_the_token_of_the_session(portal: Portal) -> None:
    steward, found = portal.visit("steward"), posts(portal.app)
    assert len(found) > 15
    for path in found:
        bare = path.replace("/apply/{call:str}", f"/apply/{portal.call()}").replace("{", "").replace("}", "")
        for data in ({}, {"token": "guessed"}):
            status = steward.client.post(bare, data=data, follow_redirects=False).status_code
            assert path in NO_TOKEN or status == 403, path


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"},
                {"origin": "https://evil.reading.example", "sec-fetch-site": "same-site"}]
)  # fmt: skip
def test_no_form_of_another_site_is_read_also_where_no_session_is_needed(
    portal: Portal, headers: dict[str, str]
) -> None:
    for path in posts(portal.app):
        bare = path.replace("{", "").replace("}", "")
        answer = portal.visit().client.post(bare, data={"link": "x"}, headers=headers, follow_redirects=False)
        assert answer.status_code == 403, path
        assert "sent by another site" in answer.text


def test_a_form_of_our_own_site_is_read(portal: Portal) -> None:
    for headers in ({"origin": "https://reading.example"}, {"sec-fetch-site": "same-origin", "origin": "null"}):
        assert portal.visit().client.post("/log", data={"receipt": ""}, headers=headers).status_code == 200


def test_signing_in_ends_the_session_that_the_browser_had(portal: Portal) -> None:
    house = portal.house
    operator = house.people.operator()
    person = house.people.add(operator, "twice@lab.example")
    client = TestClient(portal.app, base_url="https://reading.example")
    secrets = []
    for _ in range(2):
        client.post(
            "/sign-in", data={"link": house.people.make_link_for(operator, person.email)}, follow_redirects=False
        )
        secrets.append(client.cookies["rr_session"])
    assert house.people.session(secrets[0]) is None
    assert house.people.session(secrets[1]) is not None


ROLES = ("", "applicant", "tester", "reviewer", "panel", "safety", "auditor", "steward")
OPEN = dict.fromkeys(ROLES, 200)


def only(*roles: str) -> dict[str, int]:
    """Show a page to these, ask nobody-in-particular to sign in, and refuse all others."""
    return {role: 200 if role in roles else 403 if role else 401 for role in ROLES}


PAGES = {
    "/": OPEN,
    "/strategies": OPEN,
    "/facsimiles/x": dict.fromkeys(ROLES, 404),
    "/facsimiles/x/receipt.txt": dict.fromkeys(ROLES, 404),
    "/apply": OPEN,
    "/apply/CALL": OPEN,
    "/log": OPEN,
    "/register": OPEN,
    "/sign-in": OPEN,
    "/my": OPEN | {"": 401},
    "/my/agreements": OPEN | {"": 401},
    "/my/grants/GRANT/members/x/remove": dict.fromkeys(ROLES, 404) | {"": 401},
    "/my/sanctions/x": dict.fromkeys(ROLES, 404) | {"": 401},
    "/my/sanctions/x/appeal": dict.fromkeys(ROLES, 404) | {"": 401},
    "/terms": OPEN,
    "/my/data": OPEN | {"": 401},
    "/my/data.json": OPEN | {"": 401},
    "/desk": only("reviewer", "panel", "auditor", "steward"),
    "/desk/calls/new": only("steward"),
    "/desk/drafts/x": only() | {"steward": 404},
    "/desk/drafts/x/call.yaml": only() | {"steward": 404},
    "/desk/drafts/x/drop": only() | {"steward": 404},
    "/desk/drafts/x/preview": only() | {"steward": 404},
    "/desk/calls/CALL": only("panel", "auditor", "steward"),
    "/desk/calls/CALL/publish": only("panel", "steward"),
    "/desk/applications/APPLICATION/decide": only("panel", "steward"),
    "/desk/applications/APPLICATION/return": only("steward"),
    "/desk/calls/CALL/reviews/x/release": only() | {"steward": 404},
    "/desk/awards/x/lapse": only() | {"panel": 404, "steward": 404},
    "/people": only("steward"),
    "/people/x": only() | {"steward": 404},
    "/people/x/erase": only() | {"steward": 404},
    "/people/x/steward": only() | {"steward": 404},
    "/steward": only("tester", "panel", "safety", "auditor", "steward"),
    "/steward/stages/STAGE/stop": only("steward"),
    "/steward/grants/GRANT/sanction": only("safety", "steward"),
    "/steward/grants/GRANT": only("safety", "auditor", "steward"),
    "/steward/sanctions/x": only() | {"safety": 404, "auditor": 404, "steward": 404},
    "/steward/sanctions/x/lift": only() | {"safety": 404, "steward": 404},
    "/steward/revoke-many": only("steward"),
    "/steward/register": only("safety", "auditor", "steward"),
    "/steward/register.csv": only("safety", "auditor", "steward"),
    "/steward/register.json": only("safety", "auditor", "steward"),
    "/steward/letters": only("steward"),
    "/steward/works": only("steward"),
    "/steward/reports": only("steward", "safety"),
    "/my/reports": OPEN | {"": 401},
    "/readers": OPEN,
    "/works": OPEN,
    "/works.bib": OPEN,
    "/works.json": OPEN,
    "/my/register": OPEN | {"": 401},
    "/my/works": OPEN | {"": 401},
    "/my/calendar.ics": OPEN | {"": 401},
    "/apply/CALL/calendar.ics": OPEN,
    "/applications/APPLICATION/calendar.ics": dict.fromkeys(ROLES, 404)
    | {"": 401, "panel": 200, "auditor": 200, "steward": 200},
    "/steward/restoration": only("safety", "steward"),
    "/steward/texts": only("safety", "auditor", "steward"),
    "/steward/texts/GRANT": only("safety", "steward"),
    "/steward/texts/GRANT/erase": only("steward"),
    "/applications/APPLICATION": dict.fromkeys(ROLES, 404) | {"": 401, "panel": 200, "auditor": 200, "steward": 200},
    "/applications/APPLICATION/edit": dict.fromkeys(ROLES, 404) | {"": 401},
    "/applications/APPLICATION/withdraw": dict.fromkeys(ROLES, 404) | {"": 401},
    "/applications/APPLICATION/files": dict.fromkeys(ROLES, 404) | {"": 401},
    "/applications/APPLICATION/files/x/file": dict.fromkeys(ROLES, 404) | {"": 401},
    "/applications/APPLICATION/versions": dict.fromkeys(ROLES, 404)
    | {"": 401, "panel": 200, "auditor": 200, "steward": 200},
    "/invitations/x": dict.fromkeys(ROLES, 404) | {"": 200},  # until somebody signs in, every link looks the same
    "/reviews/x/files/x/file": dict.fromkeys(ROLES, 403) | {"": 401},
    "/awards/x/decline": dict.fromkeys(ROLES, 404) | {"": 401},
    "/my/keys/x/revoke": dict.fromkeys(ROLES, 404) | {"": 401},
    "/reviews/x": dict.fromkeys(ROLES, 403) | {"": 401, "reviewer": 404},
    "/appeals": OPEN | {"": 401},
    "/appeals/x": dict.fromkeys(ROLES, 404) | {"": 401},
    "/applications/APPLICATION/appeal": dict.fromkeys(ROLES, 404) | {"": 401},
    "/calls/CALL/dossier": dict.fromkeys(ROLES, 409),
    "/desk/applications/APPLICATION/x/why": only() | {"panel": 400, "steward": 400},
    "/desk/calls/CALL/account": only("panel", "auditor", "steward"),
    "/desk/calls/CALL/allocation": only("panel", "auditor", "steward"),
    "/desk/calls/CALL/debts": only() | {"panel": 409, "auditor": 409, "steward": 409},
    "/desk/calls/CALL/dossier": only() | {"panel": 409, "auditor": 409, "steward": 409},
    "/desk/calls/CALL/panel": only("panel", "auditor", "steward"),
    "/desk/calls/CALL/review": only("panel", "auditor", "steward"),
    "/desk/calls/CALL/sift": only("panel", "auditor", "steward"),
    "/desk/conflicts/APPLICATION/x/x": only("steward"),
    "/desk/requests/x": only() | {"panel": 404, "auditor": 404, "steward": 404},
    "/my/account": OPEN | {"": 401},
    "/my/account/add": dict.fromkeys(ROLES, 303) | {"": 401},
    "/my/account/address": OPEN | {"": 401},
    "/my/account/merge": OPEN | {"": 401},
    "/my/grants/GRANT": dict.fromkeys(ROLES, 404) | {"": 401},
    "/my/grants/GRANT/end": dict.fromkeys(ROLES, 404) | {"": 401},
    "/my/ties": OPEN | {"": 401},
    "/people/x/merge": only() | {"steward": 404},
    "/reviews": only("reviewer", "safety"),
    "/reviews/risks/x": only() | {"safety": 404},
    "/sign-in/from/x": dict.fromkeys(ROLES, 404),
    "/sign-in/with/x": dict.fromkeys(ROLES, 404),
}


@pytest.fixture(scope="module")
def names(portal: Portal) -> dict[str, str]:
    """Return what the pages are about: a call, an open stage, a grant, and an application of somebody else."""
    call, visit = portal.call(), portal.visit("somebody")
    answers = {"answer-purpose": "p", "answer-asks": "a", "answer-why": "w", "answer-egress": "text only"}
    answers |= {"answer-risks": "r", "answer-machine": "m", "passes": "3000", "do": "submit"}
    at = visit.post(f"/apply/{call}", answers).headers["location"]
    stage = next(each.stage.name for each in portal.house.releases.status() if each.open)
    return {"CALL": call, "STAGE": stage, "GRANT": portal.grant("somebody").id, "APPLICATION": at.split("/")[-1]}


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_shown_to_those_it_is_for_and_to_nobody_else(
    portal: Portal, names: dict[str, str], path: str
) -> None:
    address = path
    for name, value in names.items():
        address = address.replace(name, value)
    found = {role: portal.visit(role).get(address).status_code for role in ROLES}
    assert found == PAGES[path]


def test_the_table_of_pages_is_whole(portal: Portal) -> None:
    routes = {r.path for r in portal.app.routes if "GET" in getattr(r, "methods", ()) and "static" not in r.path}
    assert len(routes) == len(PAGES), sorted(routes)
