"""Review in the portal: invitations, phases, the panel, opinions on misuse and conflicts, by those who use them."""

from __future__ import annotations

import re

import yaml

from admissions.world import ANSWERS
from portal import Portal
from readingroom.admissions.model import Draft
from readingroom.app.desk import open_call
from readingroom.app.founding import template
from readingroom.people.model import Role

REVIEW = {"phases": ["independent", "consolidation", "panel"], "safety_opinions": 1}


def opened(portal: Portal, **more: object) -> str:
    raw = yaml.safe_load(template("call.yaml"))
    raw["review"] |= REVIEW | more
    raw["window"] = {k: f"{v:%Y-%m-%dT%H:%M:%SZ}" if hasattr(v, "year") else v for k, v in raw["window"].items()}
    steward = portal.visit("steward").person
    assert steward is not None
    by = portal.house.people.actor(steward.id)
    return open_call(portal.house, by, yaml.safe_dump(raw, sort_keys=False), "call.yaml").id


def applied(portal: Portal, call: str, name: str) -> str:
    person = portal.visit(name).person
    assert person is not None
    me, desk = portal.house.people.actor(person.id), portal.house.admissions
    return desk.submit(me, desk.start(me, call, Draft(dict(ANSWERS), 5_000)).id).id


def judged(**more: str) -> dict[str, str]:
    return {"score-merit": "4", "score-need": "3", "comment": "Sound.", "risk": "ok"} | more


def test_a_review_goes_through_its_phases_in_the_browser(portal: Portal) -> None:
    call, steward, panel = opened(portal), portal.visit("steward"), portal.visit("panel")
    lead = f"/desk/calls/{call}/review"
    application = applied(portal, call, "ada")
    for name in ("reviewer", "second"):
        answer = steward.post(lead, {"do": "invite", "email": f"{name}@{name}.example", "topics": "negation, logic"})
        assert answer.status_code == 303
    assert "Must be a whole number" in steward.post(lead, {"do": "invite", "email": "x@x.example", "load": "few"}).text
    steward.post(f"/desk/calls/{call}", {"do": "close"})
    lacking = steward.post(lead, {"do": "assign"})
    assert lacking.status_code == 400
    assert "of 0 in the pool" in lacking.text
    for name in ("reviewer", "second"):
        page = portal.visit(name).get("/reviews").text
        assert "You are asked to review" in page
        portal.visit(name).post(f"/reviews/invitations/{call}", {"do": "accept", "topics": "negation", "load": "3"})
    assert steward.post(lead, {"do": "assign", "due": "2099-12-31"}).status_code == 303
    reviewer = portal.visit("reviewer")
    at = re.findall(r'href="(/reviews/review_\w+)"', reviewer.get("/reviews").text)[0]
    assert "31 December 2099" in reviewer.get("/reviews").text
    early = steward.post(lead, {"do": "phase", "to": "consolidation"})
    assert "Missing: " in early.text
    assert reviewer.post(at, judged(**{"comment-merit": "The design is careful."})).status_code == 303
    assert "The design is careful." in reviewer.get(at).text
    assert "What the others say" not in reviewer.get(at).text
    other = portal.visit("second")
    there = re.findall(r'href="(/reviews/review_\w+)"', other.get("/reviews").text)[0]
    other.post(there, judged(comment="I disagree."))
    assert "I disagree." not in steward.get(f"/desk/calls/{call}").text
    assert "I disagree." not in panel.get(f"/desk/calls/{call}/panel").text
    steward.post(lead, {"do": "phase", "to": "consolidation"})
    text = reviewer.get(at).text
    assert "I disagree." in text
    assert re.search(r"Reviewer [AB]", text)
    assert "Say why you amend it" in reviewer.post(at, judged(comment="Persuaded.")).text
    assert reviewer.post(at, judged(comment="Persuaded.", why="The other is right.")).status_code == 303
    safety = portal.visit("safety")
    risk = re.findall(r'href="(/reviews/risks/case_\w+)"', safety.get("/reviews").text)[0]
    assert "must be chosen" in safety.post(risk, {}).text.lower()
    assert safety.post(risk, {"opinion": "concern"}).status_code == 400
    assert safety.post(risk, {"opinion": "concern", "reason": "Could be scaled up."}).status_code == 303
    steward.post(lead, {"do": "phase", "to": "panel"})
    shown = panel.get(f"/desk/calls/{call}/panel").text
    for said in ("Persuaded.", "The other is right.", "Sound.", "Could be scaled up.", application):
        assert said in shown
    case = risk.rsplit("/", 1)[1]
    assert "no whole number" in panel.post(f"/desk/calls/{call}/panel", {"case": case, "rank": "best"}).text
    panel.post(f"/desk/calls/{call}/panel", {"case": case, "rank": "1", "comment": "Fund it."})
    assert "Fund it." in steward.get(f"/desk/calls/{call}/panel").text
    assert "no longer amended" in reviewer.post(at, judged(why="again")).text
    assert steward.post(f"/desk/calls/{call}", {"do": "allocate"}).status_code == 303


def test_whom_one_is_close_to_is_declared_and_a_conflict_is_waived_with_a_reason(portal: Portal) -> None:
    call, steward, applicant = opened(portal), portal.visit("steward"), portal.visit("bea")
    operator = portal.house.people.operator()
    third = portal.house.people.add(operator, "third@third.example", name="Third Reader", roles=[Role.REVIEWER])
    for name in ("fourth", "fifth"):
        portal.house.people.add(operator, f"{name}@{name}.example", roles=[Role.REVIEWER])
    application = applied(portal, call, "bea")
    assert "neither an address nor a full name" in applicant.post("/my/ties", {"do": "declare", "kind": "co-author",
                                                                              "who": "Rae"}).text  # fmt: skip
    assert applicant.post("/my/ties", {"do": "declare", "who": "x@y.example"}).status_code == 400
    named = {"do": "declare", "kind": "named", "who": "third reader", "application": application}
    assert "Say why" in applicant.post("/my/ties", named).text
    assert applicant.post("/my/ties", named | {"reason": "We quarrelled."}).status_code == 303
    assert "We quarrelled." in applicant.get("/my/ties").text
    steward.post(f"/desk/calls/{call}", {"do": "close"})
    steward.post(f"/desk/calls/{call}/review", {"do": "assign"})
    page = steward.get(f"/desk/calls/{call}/review").text
    at = f"/desk/conflicts/{application}/{third.id}/named"
    assert at in page
    assert "quarrelled" not in page
    assert steward.post(at, {"do": "waived"}).status_code == 400
    assert steward.post(at, {"do": "waived", "reason": "The quarrel is long over."}).status_code == 303
    assert "The quarrel is long over." in steward.get(f"/desk/calls/{call}/review").text
    tie = re.findall(r'name="tie" value="(\w+)"', applicant.get("/my/ties").text)[0]
    assert portal.visit("ada").post("/my/ties", {"do": "withdraw", "tie": tie}).status_code == 404
    applicant.post("/my/ties", {"do": "withdraw", "tie": tie})
    assert "We quarrelled." not in applicant.get("/my/ties").text


def test_the_panel_of_a_double_blind_call_sees_no_applicant_anywhere(portal: Portal) -> None:
    asked = {"double_blind": True, "phases": ["independent"], "safety_opinions": 0, "per_application": 1}
    call, panel = opened(portal, **asked), portal.visit("panel")
    application = applied(portal, call, "dora")
    portal.visit("reviewer")
    portal.visit("steward").post(f"/desk/calls/{call}", {"do": "close"})
    portal.visit("steward").post(f"/desk/calls/{call}/review", {"do": "assign"})
    page = panel.get(f"/desk/calls/{call}/panel")
    assert page.status_code == 200
    assert application not in page.text
    assert "Reviewer A" in portal.visit("steward").get(f"/desk/calls/{call}").text
    for path in (f"/desk/calls/{call}", f"/applications/{application}"):
        assert panel.get(path).status_code == 403
