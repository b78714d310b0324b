"""The pages of works, of the register and of letters: what is typed is shown as text, and links lead out safely."""

from __future__ import annotations

import json
import re

import icalendar
import pytest

from portal import Portal
from readingroom.people.model import Role
from readingroom.post.model import Undelivered

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"


def typed(portal: Portal, **changes: str) -> dict[str, str]:
    grant = portal.grant("reader").id
    return {"grant": grant, "kind": "note", "title": "On negation", "authors": "Ada Example", "year": "2026"} | changes


def submitted(portal: Portal, **changes: str) -> str:
    """Hand a work in with the form, and return its id."""
    answer = portal.visit("reader").post("/my/works", typed(portal, **changes))
    assert answer.status_code == 303, answer.text
    person = portal.visit("reader").person
    assert person is not None
    return portal.house.works.mine(portal.house.people.actor(person.id))[-1].id


def test_a_work_goes_from_its_form_to_the_public_page_and_off_again(portal: Portal) -> None:
    work = submitted(portal, url="https://a.example/x", doi="10.1234/abc", abstract="One.\n\nTwo.")
    assert "On negation" not in portal.visit().get("/works").text
    assert "On negation" in portal.visit("steward").get("/steward/works").text
    assert portal.visit("steward").post(f"/steward/works/{work}", {"do": "publish"}).status_code == 303
    shown = portal.visit().get("/works").text
    for link in ("https://a.example/x", "https://doi.org/10.1234/abc"):
        assert f'<a href="{link}" rel="nofollow noopener noreferrer ugc">' in shown
    assert "@misc{" in portal.visit().get("/works.bib").text
    assert json.loads(portal.visit().get("/works.json").text)[0]["title"] == "On negation"
    assert portal.visit("reader").post(f"/my/works/{work}/withdraw").status_code == 303
    assert "On negation" not in portal.visit().get("/works").text


@pytest.mark.parametrize("field", ["title", "authors", "abstract", "licence", "reason"])
def test_what_is_typed_is_text_on_every_page(portal: Portal, field: str) -> None:
    if field == "licence":
        answer = portal.visit("reader").post("/my/works", typed(portal, licence=EVIL))
        assert answer.status_code == 400
        pages = [answer.text]
    else:
        work = submitted(portal, **({field: EVIL} if field != "reason" else {}))
        pages = [portal.visit("reader").get("/my/works").text, portal.visit("steward").get("/steward/works").text]
        if field == "reason":
            portal.visit("steward").post(f"/steward/works/{work}", {"do": "decline", "reason": EVIL})
            pages = [portal.visit("reader").get("/my/works").text]
        else:
            portal.visit("steward").post(f"/steward/works/{work}", {"do": "publish"})
            pages.append(portal.visit().get("/works").text)
    assert any("alert(1)" in each for each in pages), "it is shown"
    for each in pages:
        assert "<script" not in each
        assert "<img" not in each
        assert "49" not in re.findall(r"onerror[^<]{0,60}", each)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://a.example", "//a.example", "https://u@a.example"])
def test_a_link_that_is_none_is_told_beside_its_field_and_nothing_typed_is_lost(portal: Portal, url: str) -> None:
    answer = portal.visit("reader").post("/my/works", typed(portal, url=url, title="Kept title"))
    assert answer.status_code == 400
    assert 'href="#url"' in answer.text
    assert 'value="Kept title"' in answer.text
    assert f'<a href="{url}' not in answer.text


def test_nobody_but_a_steward_decides_on_a_work_and_only_with_a_form_of_ours(portal: Portal) -> None:
    work = submitted(portal)
    for name in ("reader", "auditor", "panel"):
        assert portal.visit(name).post(f"/steward/works/{work}", {"do": "publish"}).status_code in {403, 404}
    steward = portal.visit("steward")
    assert steward.client.post(f"/steward/works/{work}", data={"do": "publish"}).status_code == 403
    assert steward.post(f"/steward/works/{work}", {"do": "explode"}).status_code == 400
    answer = steward.post(f"/steward/works/{work}", {"do": "decline"})
    assert answer.status_code == 400
    assert "Reason" in answer.text
    assert portal.visit("other").post(f"/my/works/{work}/withdraw").status_code == 404


def test_a_look_at_the_whole_register_is_shown_to_the_next_who_looks(portal: Portal) -> None:
    portal.grant("reader")
    size = portal.size()
    assert portal.visit("auditor").get("/steward/register.csv").text.startswith("grant,reader,email")
    assert portal.visit("auditor").get("/steward/register.json").json()[0]["reader"]
    assert portal.size() == size + 2
    page = portal.visit("steward").get("/steward/register").text
    assert page.count('data-head="As">csv') >= 1
    assert "Auditor" in page
    assert portal.visit("reader").get("/steward/register").status_code == 403
    assert portal.size() == size + 3, "who was refused has not looked"


def test_a_reader_sees_their_own_entry_and_the_public_none(portal: Portal) -> None:
    grant = portal.grant("reader", "a purpose of mine")
    assert grant.id in portal.visit("reader").get("/my/register").text
    assert grant.id not in portal.visit("other").get("/my/register").text
    public = portal.visit().get("/readers").text + portal.visit().get("/").text
    assert not any(each in public for each in (grant.id, "reader@reader.example", "a purpose of mine"))


def test_a_steward_sees_why_a_letter_is_stuck_and_acts_on_it(portal: Portal) -> None:
    house = portal.house
    portal.visit("steward")
    house.people.add(house.people.operator(), "gone@lab.example", name=EVIL, roles=[Role.TESTER])
    while (found := house.outbox.claim()) is not None and found[0].to != "gone@lab.example":
        house.outbox.sent(found[0].id, found[1])
    assert found is not None
    house.outbox.not_sent(found[0].id, found[1], Undelivered(f"550 {EVIL}", final=True))
    page = portal.visit("steward").get("/steward/letters").text
    assert "gone@lab.example" in page
    assert "<script" not in page
    assert "<img" not in page
    assert found[0].text not in page
    assert portal.visit("steward").post(f"/steward/letters/{found[0].id}", {"do": "retry"}).status_code == 303
    assert portal.visit("auditor").post(f"/steward/letters/{found[0].id}", {"do": "drop"}).status_code == 403
    assert portal.visit("steward").post(f"/steward/letters/{found[0].id}", {"do": "drop"}).status_code == 303
    assert "gone@lab.example" not in portal.visit("steward").get("/steward/letters").text


def test_dates_are_given_out_as_files_to_whom_they_concern(portal: Portal) -> None:
    call = portal.new_call()
    answer = portal.visit().get(f"/apply/{call}/calendar.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="call.ics"'
    events = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    assert [str(each["UID"]).split("@")[0] for each in events] == [f"{call}/opens", f"{call}/closes"]
    portal.grant("reader")
    mine = portal.visit("reader").get("/my/calendar.ics").text
    assert "/ends@" in mine.replace("\r\n ", "")
    assert "VEVENT" not in portal.visit("other").get("/my/calendar.ics").text


def test_files_say_what_they_are_once(portal: Portal) -> None:
    kinds = {
        path: portal.visit("steward").get(path).headers["content-type"]
        for path in ("/steward/register.csv", "/steward/register.json", "/works.bib", "/works.json", "/my/calendar.ics")
    }
    assert all(each.count("charset") <= 1 for each in kinds.values()), kinds
    assert kinds["/steward/register.csv"] == "text/csv; charset=utf-8"
    assert kinds["/works.bib"] == "application/x-bibtex; charset=utf-8"
