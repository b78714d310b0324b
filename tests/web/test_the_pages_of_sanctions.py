"""The pages of members, sanctions and agreements: told to whom it is about, decided by who may, and in full sight."""

from __future__ import annotations

import html
import re

from admissions.world import ANSWERS
from portal import Portal
from readingroom.access.model import Kind, Reason
from readingroom.access.sanctions import Wanted
from readingroom.admissions.model import Draft, Outcome, Ruling
from readingroom.admissions.model import Reason as Suits


def test_a_member_is_invited_joins_reads_with_a_key_of_their_own_and_is_removed(portal: Portal) -> None:
    grant, holder, guest = portal.grant("hanna", "Shelf marks"), portal.visit("hanna"), portal.visit("gast")
    assert holder.post(f"/my/grants/{grant.id}/invite", {"email": "gast@gast.example"}).status_code == 303
    assert "You are invited to Shelf marks" in guest.get("/my").text
    assert guest.post(f"/my/grants/{grant.id}/join", {"do": "join"}).status_code == 303
    newest = re.findall(r'name="newest" value="(\w*)"', guest.get("/my").text)[0]
    assert "shown" in guest.post(f"/my/grants/{grant.id}/keys", {"newest": newest}).text
    assert guest.person is not None
    remove = f"/my/grants/{grant.id}/members/{guest.person.id}/remove"
    assert remove in holder.get("/my").text
    assert "Remove Gast from Shelf marks" in holder.get(remove).text
    assert portal.visit("fremd").post(remove).status_code == 404
    assert holder.post(remove).status_code == 303
    assert "You are no longer a member of Shelf marks" in guest.get("/my").text
    assert guest.post(f"/my/grants/{grant.id}/keys", {"newest": newest}).status_code == 403


def test_a_holder_is_told_what_is_wrong_with_an_invitation(portal: Portal) -> None:
    grant, holder = portal.grant("ida"), portal.visit("ida")
    before = portal.size()
    for email in ("", "no address", "ida@ida.example"):
        assert holder.post(f"/my/grants/{grant.id}/invite", {"email": email}).status_code == 409
    assert portal.visit("fremd").post(f"/my/grants/{grant.id}/invite", {"email": "x@x.example"}).status_code == 409
    assert portal.size() == before


def test_a_sanction_is_imposed_shown_acknowledged_and_lifted(portal: Portal) -> None:
    grant, safety, reader = portal.grant("jana"), portal.visit("safety"), portal.visit("jana")
    form = {"kind": "throttle", "person": "all", "reason": "security", "per_minute": "6", "notice": "<b>slow</b> down"}
    at = safety.post(f"/steward/grants/{grant.id}/impose", {**form, "note": "our own words"}).headers["location"]
    shown = reader.get("/my").text
    assert "&lt;b&gt;slow&lt;/b&gt; down" in shown
    assert "our own words" not in shown
    sanction = at.rsplit("/", 1)[1]
    page = reader.get(f"/my/sanctions/{sanction}").text
    assert "No call has been refused for it yet" in page
    assert "our own words" not in page
    assert "our own words" in safety.get(at).text
    assert reader.post(f"/my/sanctions/{sanction}/acknowledge", {"reply": "script ended"}).status_code == 303
    assert "Notice: throttle" not in reader.get("/my").text
    assert "script ended" in safety.get(at).text
    assert portal.visit("fremd").get(f"/my/sanctions/{sanction}").status_code == 404
    assert safety.post(f"{at}/lift", {"do": "lift"}).status_code == 400
    assert safety.post(f"{at}/lift", {"do": "lift", "reason": "cured"}).status_code == 303
    assert "for cured" in safety.get(at).text


def test_an_appeal_of_a_sanction_is_lodged_on_its_page_and_lifts_it_when_it_is_upheld(portal: Portal) -> None:
    grant, safety, reader = portal.grant("olga"), portal.visit("safety"), portal.visit("olga")
    form = {
        "kind": "suspend",
        "person": "all",
        "reason": "security",
        "notice": "Keys were shared.",
        "note": "Seen on a wall.",
    }
    at = safety.post(f"/steward/grants/{grant.id}/impose", form).headers["location"]
    mine = at.replace("/steward/", "/my/")
    assert f"{mine}/appeal" in reader.get(mine).text
    asked = reader.get(f"{mine}/appeal").text
    assert "Keys were shared." in asked
    assert "Appeal this sanction" in asked
    assert reader.post(f"{mine}/appeal", {"text": "It was another."}).status_code == 400
    assert portal.visit("fremd").get(f"{mine}/appeal").status_code == 404
    lodged = {"ground": "factual-error", "text": "No key was shared."}
    appeal = reader.post(f"{mine}/appeal", lodged).headers["location"]
    assert reader.get(f"{mine}/appeal").headers["location"] == appeal, "there is one appeal"
    assert mine in reader.get(appeal).text
    assert safety.get(appeal).status_code in {403, 404}, "whoever decided it does not hear it"
    panel = portal.visit("panel"), portal.visit("steward")
    hears, sees = panel[0].get(appeal).text, reader.get(appeal).text
    assert ("Keys were shared." in hears, "Seen on a wall." in hears) == (True, True), "what it rests on"
    assert ("Keys were shared." in sees, "Seen on a wall." in sees) == (True, False)
    assert panel[0].post(appeal, {"do": "admit"}).status_code == 303
    for each in panel:
        assert each.post(appeal, {"do": "speak", "outcome": "upheld", "reason": "So it is."}).status_code == 303
    assert panel[0].post(appeal, {"do": "conclude", "note": "The key was another's."}).status_code == 303
    assert "for appeal upheld" in reader.get(mine).text
    assert f"{mine}/appeal" not in reader.get(mine).text
    assert portal.house.access.grant(portal.house.people.operator(), grant.id).state.value == "active"


def test_a_sanction_that_its_rule_does_not_have_changes_nothing_and_keeps_what_was_typed(portal: Portal) -> None:
    grant, safety = portal.grant("kai"), portal.visit("safety")
    right = {"kind": "suspend", "person": "all", "reason": "security", "notice": "typed words"}
    before = portal.size()
    for wrong in (
        {"kind": "maim"}, {"reason": "whim"}, {"person": ""}, {"person": "person_x"}, {"until": "soon"},
        {"until": "2001-01-01"}, {"cure_by": "2099-01-01"}, {"per_minute": "6"}, {"per_minute": "six"},
        {"evidence": "the file"}, {"reason": "other", "notice": ""},
    ):  # fmt: skip
        answer = safety.post(f"/steward/grants/{grant.id}/impose", right | wrong)
        assert answer.status_code == 400, wrong
        assert ("typed words" in answer.text) == ("notice" not in wrong)
    assert portal.size() == before
    assert portal.visit("auditor").post(f"/steward/grants/{grant.id}/impose", right).status_code == 403


def test_many_are_revoked_only_as_they_were_shown(portal: Portal) -> None:
    steward, stage = portal.visit("steward"), portal.grant("lena").stage
    asked = f"/steward/revoke-many?by=stage&name={stage}&reason=security"
    shown = steward.get(asked).text
    form = dict(re.findall(r'name="(by|name|reason|digest)" value="([^"]*)"', shown))
    assert "Offers that stay open" not in shown
    late, operator = portal.grant("mara"), portal.house.people.operator()
    applicant = portal.visit("nell").person
    assert applicant is not None
    applies = portal.house.people.actor(applicant.id)
    made = portal.house.admissions.start(applies, portal.new_call(by_person=True), Draft(dict(ANSWERS), 5_000))
    portal.house.admissions.submit(applies, made.id)
    portal.house.admissions.decide(operator, made.id, Ruling(Outcome.AWARDED, Suits.SUITABLE))
    assert "<dt>Offers that stay open</dt><dd>1, for somebody" in steward.get(asked).text
    answer = steward.post("/steward/revoke-many", form)
    assert answer.status_code == 400
    assert "is not what was shown to you" in html.unescape(answer.text)
    assert portal.house.access.grant(portal.house.people.operator(), late.id).state == "active"
    again = dict(re.findall(r'name="(by|name|reason|digest)" value="([^"]*)"', steward.get(asked).text))
    assert steward.post("/steward/revoke-many", again).status_code == 303
    assert {each.state.value for each in portal.house.access.grants(portal.house.people.operator())} == {"revoked"}


def test_what_one_signed_is_shown_with_its_very_text_and_name(portal: Portal) -> None:
    grant, reader, house = portal.grant("nora"), portal.visit("nora"), portal.house
    operator = house.people.operator()
    text = 'clauses:\n  - number: "1"\n    text: Be <i>kind</i>.\n    enforced_by: expiry\n'
    made = house.agreements.publish(operator, text, material=True, reason="clauses")
    assert grant.id in reader.get("/my").text
    assert "Type it to sign" in reader.post("/my/terms", {"hash": made.hash, "name": " "}).text
    reader.post("/my/terms", {"hash": made.hash, "name": "Nora N."})
    house.agreements.publish(operator, text + "# again\n", material=False, reason="a remark")
    page = reader.get("/my/agreements").text
    assert "Nora N." in page
    assert "Be &lt;i&gt;kind&lt;/i&gt;." in page
    assert "replaced since" in page
    assert "every grant has an end" in portal.visit().get("/terms").text


def test_a_warning_of_the_house_reaches_whom_it_is_about_wherever_they_read(portal: Portal) -> None:
    reader, house = portal.visit("olaf"), portal.house
    assert reader.person is not None
    house.access.impose(house.people.operator(), Wanted(Kind.WARN, Reason.SECURITY, person=reader.person.id))
    assert "Notice: warn" in reader.get("/my").text
    assert "Notice: warn" not in portal.visit("fremd").get("/my").text
