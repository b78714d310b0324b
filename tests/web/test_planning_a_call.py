"""The desk's pages of a call: in pages while it runs, overdue where it is."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from portal import Portal
from readingroom.app.calls import template
from readingroom.app.desk import open_call
from readingroom.core.clock import FixedClock


def lendable(portal: Portal, kind: str) -> str:
    """Return a shipped call file for whatever stage lends."""
    stage = next(each.stage for each in portal.house.releases.status() if each.stage.channel.value == "api")
    text = template(kind, portal.house.clock.now()).replace("stage: reading-room", f"stage: {stage.name}")
    return text.replace("tiers: [text]", f"tiers: [{next(iter(stage.tiers))}]")


def opened(portal: Portal, kind: str) -> str:
    """Open a shipped call, and return the address of its page at the desk."""
    person = portal.visit("steward").person
    assert person is not None
    made = open_call(portal.house, portal.house.people.actor(person.id), lendable(portal, kind), "call.yaml")
    return f"/desk/calls/{made.id}"


FULL = {
    "answer-purpose": "p", "answer-asks": "a", "answer-why": "w", "answer-egress": "text only", "answer-risks": "r",
    "answer-machine": "m", "passes": "3000", "do": "submit",
}  # fmt: skip


def test_a_ticket_shows_when_it_is_due_and_is_overdue_and_nobody_decides_it(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    steward = portal.visit("steward")
    at = opened(portal, "ticket")
    call = at.rpartition("/")[2]
    assert "until it is closed" in steward.get(at).text
    assert "within 24 hours" in portal.visit("rosa").get("/apply").text
    application = portal.visit("rosa").post(f"/apply/{call}", FULL).headers["location"]
    assert "overdue" not in steward.get(at).text
    later = FixedClock(portal.house.clock.now() + timedelta(days=2))
    monkeypatch.setattr(portal.house, "clock", later)
    monkeypatch.setattr(portal.house.admissions, "_clock", later)
    assert "overdue</strong>" in steward.get(at).text
    assert "submitted" in portal.visit("rosa").get(application).text


def test_what_came_late_is_told_to_its_applicant_and_admitted_with_a_reason(portal: Portal) -> None:
    steward, call = portal.visit("steward"), portal.new_call()
    mine = portal.visit("tess")
    application = mine.post(f"/apply/{call}", FULL | {"do": "save"}).headers["location"]
    steward.post(f"/desk/calls/{call}", {"do": "close"})
    assert "It came late" in mine.get(application).text
    assert "half-finished" not in steward.get(f"/desk/calls/{call}").text
    portal.house.admissions.submit(portal.house.people.actor(str(mine.person and mine.person.id)), application[14:])
    (link,) = re.findall(r'href="(/desk/applications/\w+/admit/why)"', steward.get(f"/desk/calls/{call}").text)
    assert steward.post(link, {"note": " "}).status_code == 400
    assert steward.post(link, {"note": "The site was down."}).status_code == 303
    assert "From the desk:</strong> The site was down." in mine.get(application).text
    assert portal.visit("auditor").get(link).status_code == 403


def test_the_desks_forms_are_found_in_order_and_one_not_eligible(portal: Portal) -> None:
    steward = portal.visit("steward")
    at = opened(portal, "bulk")
    call = at.rpartition("/")[2]
    for name in ("uma", "vera"):
        portal.visit(name).post(f"/apply/{call}", FULL | {"passes": "12000"})
    shown = steward.get(at).text
    assert "2 forms wait for the desk" in shown
    link = re.findall(r'href="(/desk/applications/\w+/ineligible/why)"', shown)[0]
    assert steward.post(link, {"reason": "suitable", "note": "x"}).status_code == 400
    assert steward.post(link, {"reason": "duplicate", "note": "The other one stands."}).status_code == 303
    named = re.findall(r'name="applications" value="(\w+)"', steward.get(at).text)[0]
    assert steward.post(f"{at}/forms", {"applications": named}).status_code == 303
    assert "form in order" in steward.get(at).text
    assert steward.get(f"{at}/sift").status_code == 200
    assert steward.get(f"{at}/debts").status_code == 200
    assert steward.get(f"{at}?only=refused").text.count('<a href="/applications/') == 1
