"""The desk: a reviewer reads questions and no names, the desk sees who has said what, nothing typed is lost."""

from __future__ import annotations

import re

from portal import Portal
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
    assert "would decide" in before
    assert '<td data-head="Score" class="num">&ndash;</td>' in before.replace("\u2013", "&ndash;")
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


def test_what_is_wrong_in_a_call_file_is_told_by_line_and_the_text_is_kept(portal: Portal) -> None:
    answer = portal.visit("steward").post("/desk/calls", {"text": "title: Mine\nno such: line\n"})
    assert answer.status_code == 400
    assert "call.yaml:2:1" in answer.text
    assert "no such: line" in answer.text.split("<textarea")[1]


def test_an_act_that_is_none_is_refused(portal: Portal) -> None:
    assert portal.visit("steward").post(f"/desk/calls/{portal.call()}", {"do": "sing"}).status_code == 400
