"""The desk: a reviewer reads questions and no names, the desk sees who has said what, nothing typed is lost."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from portal import Portal
from readingroom.core.clock import FixedClock
from readingroom.people.model import Role


def test_a_call_goes_from_applications_to_published_awards(portal: Portal) -> None:
    call, steward = portal.call(), portal.visit("steward")
    assert "No applications yet" in steward.get(f"/desk/calls/{call}").text
    answers = {
        "answer-purpose": "line one\nline two",
        "answer-asks": "a",
        "answer-why": "w",
        "answer-egress": "text only",
    }
    answers |= {"answer-risks": "r", "answer-machine": "mine", "passes": "3000", "do": "submit"}
    portal.visit("somebody").post(f"/apply/{call}", answers)
    portal.visit("reviewer")
    operator = portal.house.people.operator()
    portal.house.people.add(operator, "second@second.example", name="Second", roles=[Role.REVIEWER])
    before = steward.get(f"/desk/calls/{call}").text
    assert "No review has been given yet" in before
    assert "would decide" not in before, "no drawing and no table of nothing"
    steward.post(f"/desk/calls/{call}", {"do": "close"})
    steward.post(f"/desk/calls/{call}", {"do": "assign"})
    assert "Fix the allocation" not in steward.get(f"/desk/calls/{call}").text
    _reviews(portal)
    shown = steward.get(f"/desk/calls/{call}").text
    assert "Reviewer" in shown
    assert "clear and careful" in shown
    assert "to do" in shown


def _reviews(portal: Portal) -> None:
    reviewer = portal.visit("reviewer")
    at = re.findall(r'href="(/reviews/\w+)"', reviewer.get("/desk").text)[0]
    text = reviewer.get(at).text
    assert "What do you want to find out?" in text
    assert "line one\nline two" in text
    assert "mine" not in text
    criteria = re.findall(r'<fieldset id="(score-\w+)"', text)
    judged = dict.fromkeys(criteria, "4") | {"comment": "clear and careful", "risk": "concern"}
    for wrong in ({}, {"risk": "sometimes"}, {criteria[0]: "9" * 5000}, {criteria[0]: "-1"}):
        answer = reviewer.post(at, judged | wrong)
        assert answer.status_code == 400
        assert "clear and careful" in answer.text
    assert reviewer.post(at, judged | {"risk": "ok"}).status_code == 303


def test_an_act_that_is_none_is_refused(portal: Portal) -> None:
    assert portal.visit("steward").post(f"/desk/calls/{portal.call()}", {"do": "sing"}).status_code == 400


FULL = {
    "answer-purpose": "p", "answer-asks": "a", "answer-why": "w", "answer-egress": "text only", "answer-risks": "r",
    "answer-machine": "m", "passes": "3000", "do": "submit",
}  # fmt: skip


def _applied(portal: Portal, name: str, *, by_person: bool = False) -> tuple[str, str]:
    """Apply to a new call, and return its page at the desk and the application's path."""
    call = portal.new_call(by_person=by_person)
    at = portal.visit(name).post(f"/apply/{call}", FULL).headers["location"]
    return f"/desk/calls/{call}", at


def test_what_is_to_be_corrected_is_asked_with_a_day_and_shown_to_the_applicant(portal: Portal) -> None:
    desk, at = _applied(portal, "nora")
    steward, page = portal.visit("steward"), f"/desk{at}/return"
    assert f'href="{page}"' in steward.get(desk).text
    for day, told in (("soon", "Must be a day"), ("2001-01-01", "a date in the future")):
        answer = steward.post(page, {"until": day, "note": "Say more"})
        assert answer.status_code == 400
        assert f'value="{day}"' in answer.text
        assert ">Say more</textarea>" in answer.text
        assert told in answer.text
    assert 'href="#note"' in steward.post(page, {"until": "2099-03-01", "note": " "}).text
    assert steward.post(page, {"until": "2099-03-01", "note": "Say more"}).status_code == 303
    shown = portal.visit("nora").get(at).text
    assert "Say more" in shown
    assert "1 March 2099, 23:59 UTC" in shown
    assert steward.get(page).status_code == 409


def test_one_returned_is_offered_for_a_decision_once_its_time_is_over_and_only_to_be_refused(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk, at), steward = _applied(portal, "olga"), portal.visit("steward")
    steward.post(f"/desk{at}/return", {"until": "2099-03-01", "note": "Say more"})
    link = f'href="/desk{at}/decide"'
    assert link not in steward.get(desk).text
    monkeypatch.setattr(portal.house, "clock", FixedClock(datetime(2099, 3, 2, tzinfo=UTC)))
    assert link in steward.get(desk).text
    form = steward.get(f"/desk{at}/decide").text
    assert "refuse it" in form
    assert "award it" not in form


def test_a_silent_reviewer_is_let_go_after_being_asked(portal: Portal) -> None:
    (desk, _), steward = _applied(portal, "pia"), portal.visit("steward")
    portal.visit("reviewer")
    portal.house.people.add(portal.house.people.operator(), "second@second.example", roles=[Role.REVIEWER])
    steward.post(desk, {"do": "close"})
    steward.post(desk, {"do": "assign"})
    links = re.findall(r'href="(/desk/calls/\w+/reviews/\w+/release)"', steward.get(desk).text)
    assert "/release" not in portal.visit("auditor").get(desk).text
    assert "Let this reviewer go?" in steward.get(links[0]).text
    assert steward.post(links[0]).status_code == 303
    after = steward.get(desk).text
    assert "let go" in after
    assert re.findall(r'href="(/desk/calls/\w+/reviews/\w+/release)"', after) == links[1:]


def test_an_offer_is_taken_back_only_once_its_date_has_passed(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk, at), steward = _applied(portal, "quin", by_person=True), portal.visit("steward")
    steward.post(f"/desk{at}/decide", {"outcome": "awarded", "reason": "suitable"})
    assert "/lapse" not in steward.get(desk).text
    later = FixedClock(portal.house.clock.now() + timedelta(days=400))
    monkeypatch.setattr(portal.house, "clock", later)
    monkeypatch.setattr(portal.house.admissions, "_clock", later)
    link = re.findall(r'href="(/desk/awards/\w+/lapse)"', steward.get(desk).text)[0]
    assert "Take back 3,000 passes" in steward.get(link).text
    assert steward.post(link).status_code == 303
    assert "lapsed" in steward.get(desk).text
    assert "/lapse" not in steward.get(desk).text
