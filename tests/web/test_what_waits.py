"""What waits for each role is told where they begin, and lists of many are found through."""

from __future__ import annotations

import html
import re

import pytest

from admissions.world import ANSWERS
from portal import Portal, Visit
from readingroom.access.model import Kind, Reason
from readingroom.access.sanctions import Wanted
from readingroom.admissions.model import Draft
from readingroom.web.pages import people, steward
from web.test_the_pages_of_review import opened


def waits(visit: Visit, path: str) -> dict[str, str]:
    """Return what a page says that waits, with where it leads."""
    found = re.search(r'<nav class="card next".*?</nav>', visit.get(path).text, re.DOTALL)
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', found[0]) if found else []
    return {html.unescape(says): goal for goal, says in links}


def test_each_role_is_told_its_next_step_and_no_other(portal: Portal) -> None:
    call, applicant, lead = opened(portal), portal.visit("wendreda"), portal.visit("steward")
    assert applicant.person is not None
    me, desk = portal.house.people.actor(applicant.person.id), portal.house.admissions
    made = desk.start(me, call, Draft(dict(ANSWERS), 5_000)).id
    unfinished = "Submit your application to Reading tickets: it is not finished"
    assert waits(applicant, "/my") == {unfinished: f"/applications/{made}"}
    desk.submit(me, made)
    assert waits(applicant, "/my") == {}
    for name in ("reviewer", "second"):
        portal.visit(name)
        asked = {"do": "invite", "email": f"{name}@{name}.example"}
        assert lead.post(f"/desk/calls/{call}/review", asked).status_code == 303
    reviewer = portal.visit("reviewer")
    assert waits(reviewer, "/desk") == {"Say whether you review in Reading tickets": "/reviews"}
    for name in ("reviewer", "second"):
        portal.visit(name).post(f"/reviews/invitations/{call}", {"do": "accept"})
    assert waits(lead, "/desk") == {}
    lead.post(f"/desk/calls/{call}", {"do": "close"})
    lead.post(f"/desk/calls/{call}/review", {"do": "assign"})
    assert waits(reviewer, "/desk") == {"1 review to give": "/reviews"}
    for visit, path in ((lead, "/steward"), (portal.visit("panel"), "/desk")):
        assert waits(visit, path) == {"Bring Reading tickets to its decision: it is closed": f"/desk/calls/{call}"}
    assert waits(portal.visit("safety"), "/my") == {"1 opinion on misuse to give": "/reviews"}
    auditor = portal.visit("auditor")
    assert waits(auditor, "/desk") == waits(auditor, "/steward") == {}, "an auditor decides nothing"


def test_people_are_looked_for_by_a_part_of_what_they_are_called_a_page_at_a_time(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = portal.visit("steward")
    for name in ("sexburga", "sexwulf", "sexred"):
        portal.visit(name)
    found = lead.get("/people?find=SEXW").text
    assert "sexwulf@sexwulf.example" in found
    assert "sexred@" not in found
    assert "Nobody of that name." in lead.get("/people?find=%25").text, "what is typed is no pattern"
    monkeypatch.setattr(people, "PAGE", 2)
    first, second = (lead.get(f"/people?find=sex&from={at}").text for at in (0, 2))
    assert [len(set(re.findall(r"sex\w+@", each))) for each in (first, second)] == [2, 1]
    assert 'href="/people?from=2&find=sex"' in html.unescape(first)
    assert portal.visit("auditor").get("/people?find=x").status_code == 403


def test_grants_are_shown_a_page_at_a_time_within_a_state(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {portal.grant(name).id for name in ("tata", "tate", "tatwine")}
    monkeypatch.setattr(steward, "PAGE", 2)
    lead, at = portal.visit("steward"), 0
    assert "/steward/grants/grant_" not in lead.get("/steward?only=revoked").text
    seen: set[str] = set()
    while shown := set(re.findall(r'"/steward/grants/(grant_\w+)"', lead.get(f"/steward?only=active&from={at}").text)):
        assert len(shown) <= 2
        assert not shown & seen
        seen |= shown
        at += 2
    assert made <= seen


def test_a_sanction_is_appealed_where_it_is_read_also_once_it_was_acknowledged(portal: Portal) -> None:
    portal.grant("wulfhere")
    reader, house = portal.visit("wulfhere"), portal.house
    assert reader.person is not None
    made = house.access.impose(house.people.operator(), Wanted(Kind.WARN, Reason.SECURITY, person=reader.person.id))
    at = f"/my/sanctions/{made.id}"
    assert f"{at}/appeal" in reader.get(at).text
    reader.post(f"{at}/acknowledge")
    assert f'href="{at}"' in reader.get("/my").text, "it can still be found"
    wrong = reader.post(f"{at}/appeal", {"text": "kept"})
    assert wrong.status_code == 400
    assert ">kept</textarea>" in wrong.text
    lodged = reader.post(f"{at}/appeal", {"ground": "procedure", "text": "The key is not mine."})
    assert lodged.headers["location"].startswith("/appeals/appeal_")
    assert reader.get(f"{at}/appeal").headers["location"] == lodged.headers["location"], "there is one appeal"
    assert portal.visit("fremd").get(f"{at}/appeal").status_code == 404
    assert portal.visit("fremd").post(f"{at}/appeal", {"ground": "procedure", "text": "x"}).status_code == 404
