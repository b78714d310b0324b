"""The steward's pages: nothing is stopped or sanctioned by accident, or for a reason that nobody chose."""

from __future__ import annotations

import re

import pytest

from portal import Portal
from readingroom.people.model import Actor


def test_the_forms_that_stop_have_no_field_in_which_enter_presses_a_button(portal: Portal) -> None:
    grant, steward = portal.grant("reader"), portal.visit("steward")
    stage = next(each for each in portal.house.releases.status() if each.open)
    paths = ("/steward", f"/steward/stages/{stage.stage.name}/stop", f"/steward/grants/{grant.id}/sanction")
    for path in paths:
        fields = re.findall(r"<input(?![^>]*type=\"hidden\")[^>]*>", steward.get(path).text)
        assert fields == [], path


@pytest.mark.parametrize(
    "data",
    [
        {"do": "revoke"},
        {"do": "revoke", "reason": "whim"},
        {"do": "maim", "reason": "legal"},
        {"do": "revoke", "reason": "other"},
    ],
)
def test_a_sanction_without_a_reason_from_the_list_changes_nothing_and_keeps_the_note(
    portal: Portal, data: dict[str, str]
) -> None:
    grant, safety = portal.grant("reader"), portal.visit("safety")
    before = portal.size()
    answer = safety.post(f"/steward/grants/{grant.id}/sanction", data | {"note": ""})
    assert (answer.status_code, portal.size()) == (400, before)
    typed = safety.post(f"/steward/grants/{grant.id}/sanction", {"do": "revoke", "note": "they told me"})
    assert "they told me" in typed.text
    assert 'href="#reason"' in typed.text


def test_a_stage_is_not_stopped_for_an_unknown_reason(portal: Portal) -> None:
    stage = next(each for each in portal.house.releases.status() if each.open).stage.name
    steward = portal.visit("steward")
    before = portal.size()
    for data in ({"do": "hold"}, {"do": "hold", "reason": "whim"}, {"do": "", "reason": "incident"}):
        assert steward.post(f"/steward/stages/{stage}/stop", data).status_code == 400
    assert steward.post(f"/steward/stages/{stage}", {"do": "hold"}).status_code == 400
    assert portal.size() == before


def test_the_page_of_a_sanction_says_whose_grant_and_what_is_final(portal: Portal) -> None:
    grant = portal.grant("reader")
    text = portal.visit("safety").get(f"/steward/grants/{grant.id}/sanction").text
    assert "Revoke Reader&#39;s grant" in text
    assert "Revoking is final" in text
    answer = portal.visit("safety").post(f"/steward/grants/{grant.id}/sanction", {"do": "revoke", "reason": "security"})
    assert answer.status_code == 303
    assert "revoked for security" in portal.visit("steward").get("/steward").text


def test_an_auditor_reads_names_and_is_offered_no_button(portal: Portal) -> None:
    portal.grant("reader")
    text = portal.visit("auditor").get("/steward").text
    assert "<h1>Stages and grants</h1>" in text
    assert "Reader" in text
    assert "/sanction" not in text


def test_nobody_is_asked_for_a_signature_beyond_the_quorum(portal: Portal) -> None:
    stage = next(each for each in portal.house.releases.status() if each.open)
    assert "sign" in portal.house.releases.stage(stage.stage.name, _actor(portal)).actions
    assert f"Sign for {stage.stage.name}" not in portal.visit("steward").get("/steward").text


def _actor(portal: Portal) -> Actor:
    person = portal.visit("steward").person
    assert person is not None
    return portal.house.people.actor(person.id)


def test_grants_are_shown_by_state_where_there_is_more_than_one(portal: Portal) -> None:
    steward = portal.visit("steward")
    kept, ended = portal.grant("reader").id, portal.grant("reader").id
    portal.visit("safety").post(f"/steward/grants/{ended}/sanction", {"do": "revoke", "reason": "project-ended"})
    assert 'href="/steward?only=revoked#grants"' in steward.get("/steward").text
    shown = steward.get("/steward?only=revoked").text
    assert ended in shown
    assert kept not in shown
    assert "None yet" not in steward.get("/steward?only=suspended").text
