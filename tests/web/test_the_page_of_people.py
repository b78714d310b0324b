"""The page of people: who may act is given and taken by a steward, on record; a bar is never without a reason."""

from __future__ import annotations

import html

from portal import Portal
from readingroom.access import queries
from readingroom.people.model import Role


def test_a_person_is_added_with_roles_and_what_was_typed_wrong_is_kept(portal: Portal) -> None:
    steward = portal.visit("steward")
    wrong = steward.post("/people", {"email": "no address", "name": "Rosa", "role-panel": "yes"})
    assert wrong.status_code == 400
    assert 'href="#email"' in wrong.text
    assert 'value="Rosa"' in wrong.text
    assert 'name="role-panel" value="yes" checked' in wrong.text
    made = steward.post("/people", {"email": "rosa@lab.example", "name": "Rosa", "role-panel": "yes"})
    assert made.status_code == 303
    assert portal.house.people.named("rosa@lab.example").roles == {Role.PANEL}
    assert "Rosa" in steward.get("/people").text.split("Everyone else")[0]
    assert "rosa@lab.example" in steward.get(made.headers["location"]).text


def test_a_role_is_given_and_taken_and_that_of_a_steward_after_being_asked(portal: Portal) -> None:
    steward = portal.visit("steward")
    at = steward.post("/people", {"email": "sam@lab.example", "name": "Sam"}).headers["location"]
    for role in ("tester", "steward"):
        assert steward.post(f"{at}/roles/{role}", {"do": "give"}).status_code == 303
    text = steward.get(at).text
    assert "Take the role of tester" in text
    assert f'href="{at}/steward"' in text
    assert f'action="{at}/roles/steward"' not in text
    assert f'action="{at}/roles/steward"' in steward.get(f"{at}/steward").text
    for role in ("tester", "steward"):
        steward.post(f"{at}/roles/{role}", {"do": "take"})
    assert portal.house.people.named("sam@lab.example").roles == frozenset()
    before = portal.size()
    for role, do in (("king", "give"), ("tester", "sing")):
        assert steward.post(f"{at}/roles/{role}", {"do": do}).status_code == 400
    assert portal.size() == before


def test_nobody_else_adds_gives_or_bars(portal: Portal) -> None:
    steward = portal.visit("steward").person
    assert steward is not None
    portal.visit("safety")
    before = portal.size()
    for path in ("/people", f"/people/{steward.id}/roles/tester", f"/people/{steward.id}/bar"):
        form = {"email": "t@t.example", "do": "give", "until": "2099-01-01", "reason": "legal"}
        assert portal.visit("safety").post(path, form).status_code == 403
    assert portal.size() == before


def test_a_bar_needs_a_day_and_a_reason_and_is_shown_until_it_is_put_right(portal: Portal) -> None:
    portal.grant("tom")
    steward, reader = portal.visit("steward"), portal.visit("tom").person
    assert reader is not None
    at = f"/people/{reader.id}"
    for wrong in (
        {"until": "soon", "reason": "legal"},
        {"until": "2099-01-01"},
        {"until": "2099-01-01", "reason": "x"},
    ):
        answer = steward.post(f"{at}/bar", {"note": "they told me", **wrong})
        assert answer.status_code == 400
        assert "they told me" in html.unescape(answer.text)
        assert "Barred until" not in answer.text
    assert steward.post(f"{at}/bar", {"until": "2099-01-01", "reason": "legal"}).status_code == 303
    assert "1 January 2099, 23:59 UTC" in steward.get(at).text
    with portal.house.db.read() as tx:
        assert queries.barred_until(tx, reader.id) is not None
    steward.post(f"{at}/bar", {"until": "2001-01-01", "reason": "error-corrected"})
    assert "Barred until" not in steward.get(at).text
