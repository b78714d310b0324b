"""The pages after an award: a project reports, asks and gives back; a call's account adds up; an appeal is heard."""

from __future__ import annotations

import re

import pytest

from admissions.world import ANSWERS, call_text
from portal import Portal, Visit
from readingroom.admissions.model import Draft, Outcome, Reason, Ruling
from readingroom.app.desk import open_call
from readingroom.people.model import Actor, Role

MORE = {"tranches": {"first": "50%", "after": "report"}, "supplements": {"at_most": "50%"}, "second_chance": True}


def actor(portal: Portal, name: str) -> Actor:
    person = portal.visit(name).person
    assert person is not None
    return portal.house.people.actor(person.id)


def opened(portal: Portal) -> str:
    steward = actor(portal, "steward")
    text = call_text(allocation={"policy": "by-person"}, review=None, **MORE)
    return open_call(portal.house, steward, text, "call.yaml").id


def applied(portal: Portal, call: str, name: str, outcome: Outcome) -> str:
    desk, who = portal.house.admissions, actor(portal, name)
    made = desk.submit(who, desk.start(who, call, Draft(ANSWERS, 10_000)).id)
    reason = Reason.SUITABLE if outcome is Outcome.AWARDED else Reason.UNCLEAR
    desk.decide(actor(portal, "steward"), made.id, Ruling(outcome, reason, "As it stands."))
    return made.id


def hearer(portal: Portal, name: str) -> Visit:
    visit = portal.visit(name)
    assert visit.person is not None
    portal.house.people.change_role(portal.house.people.operator(), visit.person.email, Role.PANEL, add=True)
    return visit


def test_a_project_reports_asks_for_more_and_gives_back(portal: Portal) -> None:
    call = opened(portal)
    applied(portal, call, "wulfric", Outcome.AWARDED)
    reader, steward = portal.visit("wulfric"), portal.visit("steward")
    (award,) = portal.house.admissions.my_awards(actor(portal, "wulfric"))
    reader.post(f"/awards/{award.id}/accept")
    page = re.findall(r'href="(/my/grants/\w+)"', reader.get("/my").text)[0]
    assert "5,000 passes of your award are held" in reader.get(page).text
    wrong = reader.post(page, {"do": "report", "text": "half is done", "found": "", "used": "prompts"})
    assert wrong.status_code == 400
    assert "half is done" in wrong.text
    assert reader.post(page, {"do": "report", "text": "half", "found": "much", "used": "prompts"}).status_code == 303
    account = f"/desk/calls/{call}/account"
    asked = re.findall(r'href="(/desk/requests/\w+)"', steward.get(account).text)[0]
    assert "much" in steward.get(asked).text
    assert steward.post(asked, {"passes": "4000"}).status_code == 400, "less needs its reasons"
    assert steward.post(asked, {"passes": "4,000", "note": "A little less."}).status_code == 303
    shown = reader.get(page).text
    assert "9,000 passes in" in shown
    assert "A little less." in shown
    assert reader.post(page, {"do": "return", "return-passes": "9001"}).status_code == 409
    assert reader.post(page, {"do": "return", "return-passes": "2000"}).status_code == 303
    assert reader.post(page, {"do": "supplement", "purpose": "p", "why": "w", "passes": "x"}).status_code == 400
    assert reader.post(page, {"do": "supplement", "purpose": "p", "why": "w", "passes": "500"}).status_code == 303
    shown = steward.get(account).text
    assert "for second chances <strong>3,000</strong>" in shown, "1,000 withheld and 2,000 given back"
    assert "which do not add up" not in shown
    assert "End this project?" in reader.get(f"{page}/end").text
    assert reader.post(page, {"do": "end"}).status_code == 303
    assert "0 passes in" in reader.get(page).text


@pytest.mark.parametrize("outcome", ["upheld", "rejected"])
def test_an_appeal_is_lodged_heard_by_others_and_concluded(portal: Portal, outcome: str) -> None:
    call, name = opened(portal), f"edith{outcome}"
    application = applied(portal, call, name, Outcome.REFUSED)
    appellant = portal.visit(name)
    refused = appellant.get(f"/applications/{application}").text
    assert f"/applications/{application}/appeal" in refused
    assert "You may appeal until" in refused
    form = f"/applications/{application}/appeal"
    assert "must be chosen" in appellant.post(form, {"text": "a step was left out"}).text.lower()
    at = appellant.post(form, {"text": "a step was left out", "ground": "procedure"}).headers["location"]
    assert appellant.get(form).headers["location"] == at, "there is one appeal"
    one, two = hearer(portal, "hild"), hearer(portal, "bede")
    assert at not in portal.visit("steward").get("/appeals").text, "whoever decided it does not even see it"
    assert portal.visit("steward").get(at).status_code == 403
    assert portal.visit("steward").post(at, {"do": "admit"}).status_code == 403
    assert at in one.get("/appeals").text
    assert "a step was left out" in one.get(at).text
    assert one.post(at, {"do": "admit"}).status_code == 303
    assert one.post(at, {"do": "speak", "outcome": outcome, "reason": "as I read it"}).status_code == 303
    assert "as I read it" not in two.get(at).text, "before one has spoken"
    assert two.post(at, {"do": "speak", "outcome": outcome, "reason": "as I found it"}).status_code == 303
    assert "as I read it" in two.get(at).text
    assert "as I read it" not in appellant.get(at).text
    assert two.post(at, {"do": "conclude", "note": "for these reasons"}).status_code == 303
    shown = appellant.get(at).text
    assert "for these reasons" in shown
    assert "as I read it" in shown
    assert ("an award of 4,000 passes, out of the reserve" in shown) == (outcome == "upheld")
