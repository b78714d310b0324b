"""Signing in: what was typed is kept, one lands where one meant to go, and sees who is signed in."""

from __future__ import annotations

import html
import re
from email import message_from_bytes, policy

import pytest

from portal import Portal


def letter(portal: Portal) -> str:
    """Return the link in the newest letter, as a path of this portal."""
    newest = max(portal.house.settings.outbox.iterdir(), key=lambda each: each.stat().st_mtime_ns)
    read = message_from_bytes(newest.read_bytes(), policy=policy.default)
    found = re.search(r"/sign-in\?\S+", read.get_content())
    assert found
    return found[0]


def test_what_cannot_be_an_address_is_told_beside_all_that_was_typed(portal: Portal) -> None:
    typed = {"email": "ada at example", "name": "Ada L.", "affiliation": "An Institute", "next": "/apply/call_x"}
    answer = portal.visit().client.post("/register", data=typed)
    assert answer.status_code == 400
    assert '<a href="#email">E-mail address</a>' in answer.text
    assert "<title>Error: " in answer.text
    for value in typed.values():
        assert f'value="{value}"' in answer.text


def test_from_a_call_through_the_letter_one_lands_at_the_call(portal: Portal) -> None:
    call, visit = portal.call(), portal.visit("")
    form = visit.get(f"/apply/{call}").text
    ask = re.findall(r'href="(/register\?next=[^"]+)"', form)[0]
    after = re.findall(r'name="next" value="([^"]*)"', visit.get(ask).text)[0]
    visit.client.post("/register", data={"email": "newcomer@lab.example", "next": after})
    shown = visit.get(letter(portal)).text
    sent = dict(re.findall(r'name="(link|next)" value="([^"]*)"', shown))
    answer = portal.visit("lands").client.post("/sign-in", data=sent, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/apply/{call}")


def test_a_page_that_asks_to_sign_in_is_the_one_that_is_shown_then(portal: Portal) -> None:
    assert 'href="/register?next=/steward"' in portal.visit().get("/steward").text


@pytest.mark.parametrize(
    "after",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/sign-out", "/my\r\nx: y", "/my?x=//e", "my"],
)
def test_nobody_is_sent_on_to_another_site(portal: Portal, after: str) -> None:
    link = portal.house.people.ask(f"sent-on-{len(after)}@lab.example")
    assert "evil" not in portal.visit("").client.get("/register", params={"next": after}).text
    data = {"link": link, "next": after}
    answer = portal.visit("sent-on").client.post("/sign-in", data=data, follow_redirects=False)
    assert answer.headers["location"] == "/my"


def test_the_page_of_a_link_says_who_would_be_signed_in_and_uses_nothing_up(portal: Portal) -> None:
    house = portal.house
    link = house.people.ask("said@lab.example", name="Sadie Said")
    for _ in range(2):
        shown = portal.visit("").get(f"/sign-in?link={link}").text
        assert "Sadie Said, said@lab.example" in html.unescape(shown)
    assert "It signs Tester out." in portal.visit("tester").get(f"/sign-in?link={link}").text


def test_a_link_that_is_spent_says_so_and_where_the_next_one_comes_from(portal: Portal) -> None:
    house, visit = portal.house, portal.visit("spends")
    link = house.people.ask("spent@lab.example")
    assert visit.client.post("/sign-in", data={"link": link}, follow_redirects=False).status_code == 303
    for answer in (visit.client.post("/sign-in", data={"link": link, "next": "/desk"}), visit.get("/sign-in?link=x")):
        assert answer.status_code == 403
        assert "This link was used, or is too old" in answer.text
        assert 'href="/register' in answer.text
        assert '<form method="post" action="/sign-in"' not in answer.text


@pytest.mark.parametrize(
    ("role", "home"), [("tester", "/steward"), ("panel", "/desk"), ("reviewer", "/desk"), ("who", "/my")]
)
def test_each_lands_at_a_page_that_is_theirs(portal: Portal, role: str, home: str) -> None:
    visit = portal.visit(role)
    assert visit.person is not None
    link = portal.house.people.ask(visit.person.email)
    answer = visit.client.post("/sign-in", data={"link": link}, follow_redirects=False)
    assert answer.headers["location"] == home
    shown = visit.get(home)
    assert shown.status_code == 200
    assert f'<a href="{home}" aria-current="page">' in shown.text
