"""An application's pages as attacks, and as people use them: files, letters, versions, two windows at once."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import yaml

from portal import Portal, Visit
from readingroom.app.desk import open_call
from readingroom.app.founding import template
from readingroom.core.canonical import sha256
from web.test_the_applicants_pages import FULL

PDF = b"%PDF-1.7\n%%EOF\n"
XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"
MORE: list[dict[str, Any]] = [
    {"name": "people", "type": "yes-no", "label": "Do people take part?", "section": "People"},
    {"name": "board", "type": "text", "words": 9, "label": "Which board?", "shown_if": {"people": "yes"}},
    {"name": "topics", "type": "multiple-choice", "options": ["alpha", "beta"], "label": "Topics?", "help": "Any."},
    {"name": "start", "type": "date", "label": "When?", "required": False, "earliest": "2026-01-01"},
    {"name": "seats", "type": "number", "maximum": 9, "label": "How many people?", "shown_if": {"people": "yes"}},
    {"name": "plan", "type": "attachment", "label": "Your plan", "required": False},
]
WHOLE = FULL | {"answer-people": "no", "answer-topics-1": "beta", "do": "submit"}


@pytest.fixture(scope="module")
def call(portal: Portal) -> str:
    """Open a call that asks every kind of question, and for a guarantor."""
    stage = next(each.stage for each in portal.house.releases.status() if each.stage.channel.value == "api")
    raw = yaml.safe_load(template("call.yaml"))
    raw |= {
        "stage": stage.name,
        "tiers": [next(iter(stage.tiers))],
        "form": raw["form"] + MORE,
        "guarantor": "required",
    }
    raw["window"] = {key: str(value).replace(" ", "T") for key, value in raw["window"].items()} | {
        "may_close_early": True
    }
    raw |= {"allocation": {"policy": "by-person"}}
    del raw["review"]
    return open_call(portal.house, portal.house.people.operator(), yaml.safe_dump(raw), "call.yaml").id


def applied(portal: Portal, call: str, name: str, **more: str) -> tuple[Visit, str]:
    visit = portal.visit(name)
    answer = visit.post(f"/apply/{call}", WHOLE | more)
    assert answer.status_code == 303, answer.text
    return visit, answer.headers["location"]


def upload(visit: Visit, at: str, name: str, content: bytes, **more: str) -> Any:
    form = {"token": visit.token(), "question": "plan", "do": "attach"} | more
    return visit.client.post(
        f"{at}/files", data=form, files={"file": (name, content, "text/html")}, follow_redirects=False
    )


def test_a_question_that_is_not_asked_is_folded_and_blocks_nothing(portal: Portal, call: str) -> None:
    visit = portal.visit("ada")
    empty = visit.get(f"/apply/{call}").text
    assert "Only if you answered “yes” to “Do people take part?”" in empty
    assert '<details class="card"><summary>' in empty
    typed = WHOLE | {"answer-board": "left over", "answer-seats": "many"}
    answer = visit.post(f"/apply/{call}", typed | {"answer-people": "yes"})
    assert answer.status_code == 400
    assert '"many" is not a whole number' in html.unescape(answer.text)
    assert '<details class="card" open><summary>' in answer.text
    assert 'id="answer-seats-1"' in answer.text, "what is wrong stands beside its field"
    assert 'aria-describedby=" answer-seats-1"' in answer.text
    answer = visit.post(f"/apply/{call}", typed)
    assert answer.status_code == 303, answer.text
    shown = visit.get(answer.headers["location"]).text
    assert "left over" not in shown
    assert "Which board?" not in shown
    assert "beta" in shown


def test_of_two_windows_the_second_is_told_and_what_it_typed_can_be_copied(portal: Portal, call: str) -> None:
    visit, at = applied(portal, call, "bea")
    first = visit.get(f"{at}/edit").text
    (revision,) = re.findall(r'name="revision" value="(\w+)"', first)
    assert visit.post(f"/apply/{call}", WHOLE | {"revision": revision, "answer-purpose": "one"}).status_code == 303
    late = visit.post(f"/apply/{call}", WHOLE | {"revision": revision, "answer-purpose": "two"})
    assert late.status_code == 412
    assert "This was not saved; copy it" in late.text
    assert ">two" in late.text or "\ntwo" in late.text
    assert "Nothing was overwritten" in late.text
    assert visit.post(f"/apply/{call}", WHOLE | {"revision": "new", "answer-purpose": "3"}).status_code == 412
    assert "<del>one" not in visit.get(f"{at}/versions").text
    compared = visit.get(f"{at}/versions?old=1&new=2").text
    assert "<ins>one</ins>" in compared
    assert visit.get(f"{at}/versions?old=1&new=9").status_code == 404


def test_a_file_is_only_ever_a_download_and_only_for_whom_it_is(portal: Portal, call: str) -> None:
    visit, at = applied(portal, call, "carl")
    page = b"<html><script>alert(document.cookie)</script></html>"
    assert upload(visit, at, 'x"><script>alert(1)</script>\u202e.html', page).status_code == 303
    listed = visit.get(f"{at}/files").text
    assert "<script>" not in listed
    digest = sha256(page)
    found = visit.get(f"{at}/files/{digest}/file")
    assert found.content == page
    assert found.headers["content-disposition"].startswith('attachment; filename="')
    assert found.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in found.headers["content-security-policy"]
    assert found.headers["content-type"].startswith("text/plain")
    for name, status in (("", 401), ("thief", 404), ("reviewer", 404), ("tester", 404)):
        assert portal.visit(name).get(f"{at}/files/{digest}/file").status_code == status, name
    assert portal.visit("steward").get(f"{at}/files/{digest}/file").status_code == 404, "it is not submitted yet"
    visit.post(f"{at}/changes", {"do": "submit"})
    assert portal.visit("steward").get(f"{at}/files/{digest}/file").content == page
    for name in ("..%2f..%2fetc%2fpasswd", "sha256:0", digest.upper()):
        assert visit.get(f"{at}/files/{name}/file").status_code == 404


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04zip", "none of the kinds of file"),
        (b"", "Is empty"),
        (PDF + b"x" * 2_000_001, "larger than 2,000,000 bytes"),
    ],
)
def test_a_file_that_is_none_is_told_beside_its_question(portal: Portal, call: str, content: bytes, told: str) -> None:
    visit, at = applied(portal, call, "dora" + told[:2].strip().casefold())
    answer = upload(visit, at, "plan.pdf", content)
    assert answer.status_code == 400
    assert told in answer.text
    assert "Nothing is attached" not in answer.text
    none = visit.client.post(f"{at}/files", data={"token": visit.token(), "question": "plan"}, files={"x": ("", b"")})
    assert none.status_code == 400
    assert upload(visit, at, "big.pdf", PDF + b"x" * 5_200_000).status_code == 413
    assert upload(visit, at, "a.pdf", PDF, token="forged").status_code == 403
    assert upload(portal.visit("thief"), at, "a.pdf", PDF).status_code == 404


def letter(portal: Portal, to: str) -> str:
    """Return the path of the link in the newest letter to an address."""
    found = sorted(portal.house.settings.outbox.glob("*.eml"), key=lambda each: each.stat().st_mtime_ns)
    (text,) = [each.read_text() for each in found if f"To: {to}" in each.read_text()][-1:]
    return str(re.findall(r"(/invitations/[\w-]+)", text)[0])


def test_a_letter_is_answered_by_who_is_signed_in_and_a_look_uses_nothing_up(portal: Portal, call: str) -> None:
    visit, at = applied(portal, call, "eve")
    assert visit.post(f"{at}/team", {"do": "member", "email": "finn@finn.example"}).status_code == 303
    path = letter(portal, "finn@finn.example")
    nobody = portal.visit().get(path)
    assert nobody.status_code == 200
    assert "eve@eve.example" not in nobody.text, "until somebody signs in, the link tells nothing"
    assert portal.visit().get("/invitations/guessed").text.replace("guessed", "") == nobody.text.replace(
        path.rpartition("/")[2], ""
    )
    finn = portal.visit("finn")
    assert "eve@eve.example" in finn.get(path).text
    assert finn.get(path).status_code == 200
    assert finn.post(path, {"do": "accept"}).headers["location"] == at
    assert "Leave this team" in finn.get(at).text
    assert finn.post(path, {"do": "accept"}).status_code == 404
    assert finn.get("/invitations/guessed").status_code == 404
    assert finn.get(f"{at}/edit").status_code == 404, "a member reads; the applicant writes"
    assert portal.visit("thief").post(f"{at}/team", {"do": "member", "email": "x@x.example"}).status_code in {400, 404}
    assert finn.post(f"{at}/team", {"do": "leave"}).status_code == 303
    assert finn.get(at).status_code == 404


def test_a_guarantor_reads_what_was_submitted_and_vouches_as_themselves(portal: Portal, call: str) -> None:
    visit, at = applied(portal, call, "gus")
    assert "to name a guarantor" in visit.get(at).text
    visit.post(f"{at}/team", {"do": "guarantor", "email": "dean@dean.example"})
    path = letter(portal, "dean@dean.example")
    assert portal.visit("steward").get(path).status_code == 403
    dean = portal.visit("dean")
    assert "to learn" in dean.get(path).text
    assert dean.post(path, {"do": "decline"}).status_code == 400
    assert "You have vouched for version 1" in dean.post(path, {"do": "accept"}).text
    shown = visit.get(at).text
    assert "vouched for version 1" in shown
    assert dean.get(at).status_code == 404


def test_nothing_that_is_typed_runs_wherever_it_is_shown(portal: Portal, call: str) -> None:
    typed = {key: XSS for key in WHOLE if key.startswith("answer-") and key not in
             {"answer-egress", "answer-people", "answer-topics-1"}}  # fmt: skip
    visit, at = applied(portal, call, "hal", **typed)
    visit.post(f"/apply/{call}", WHOLE | typed | {"answer-purpose": XSS + " again"})
    visit.post(f"{at}/team", {"do": "guarantor", "email": "judge@judge.example"})
    path, judge = letter(portal, "judge@judge.example"), portal.visit("judge")
    seen = {path: judge.get(path).text}
    judge.post(path, {"do": "decline", "words": XSS})
    pages = (at, f"{at}/edit", f"{at}/versions?old=1&new=2", f"{at}/files", "/my")
    seen |= {each: visit.get(each).text for each in pages}
    seen["desk"] = portal.visit("steward").get(at).text
    seen["wrong"] = visit.post(f"/apply/{call}", WHOLE | typed | {"passes": XSS, "team": XSS, "tier": XSS}).text
    for where, text in seen.items():
        assert "<script>alert" not in text, where
        assert "<img src=x" not in text, where
    assert "&lt;script&gt;alert(1)" in seen[at]


def test_a_form_sets_nothing_but_its_fields(portal: Portal, call: str) -> None:
    visit, at = applied(portal, call, "ivy")
    before = portal.house.admissions.my_applications(visit_actor(portal, "ivy"))[0]
    sent = {
        "state": "awarded",
        "person": "person_x",
        "id": "application_x",
        "answer-state": "x",
        "answer-plan": "sha256:0",
    }
    assert visit.post(f"/apply/{call}", WHOLE | sent).status_code == 303
    after = portal.house.admissions.my_applications(visit_actor(portal, "ivy"))[0]
    assert (after.id, after.state, after.person) == (before.id, before.state, before.person)
    assert after.draft == before.draft
    assert at.endswith(after.id)


def visit_actor(portal: Portal, name: str) -> Any:
    person = portal.visit(name).person
    assert person is not None
    return portal.house.people.actor(person.id)
