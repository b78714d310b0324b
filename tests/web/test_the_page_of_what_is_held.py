"""The pages of what is held of a person: all of it, to them alone; and the form that erases."""

from __future__ import annotations

import re

from portal import Portal
from readingroom.store import personal
from readingroom.store.db import metadata
from readingroom.web.pages.held import NAMES


def test_a_person_sees_and_takes_along_what_is_held_and_nobody_elses(portal: Portal) -> None:
    one, other = portal.visit("edith"), portal.visit("osric")
    assert portal.visit().get("/my/data").status_code == 401
    text = one.get("/my/data").text
    assert "edith@edith.example" in text
    assert "osric@osric.example" not in text
    taken = one.get("/my/data.json")
    assert taken.headers["content-disposition"] == 'attachment; filename="held-of-me.json"'
    assert taken.json()["people_person"][0]["email"] == "edith@edith.example"
    assert "hash" not in taken.json()["people_session"][0]
    assert "edith" not in other.get("/my/data.json").text


def test_erasing_oneself_takes_the_address_typed_again_and_ends_the_session(portal: Portal) -> None:
    visit = portal.visit("edmund")
    wrong = visit.post("/my/data/erase", {"email": "edmund@edmund.exmaple"})
    assert wrong.status_code == 400
    assert 'href="#email"' in wrong.text
    assert visit.post("/my/data/erase", {"email": "edmund@edmund.example"}).status_code == 303
    assert visit.get("/my/data").status_code == 401
    assert portal.house.people.find("edmund@edmund.example") is None


def test_who_still_reads_is_told_what_to_end_first(portal: Portal) -> None:
    visit = portal.visit("hild")
    grant = portal.grant("hild")
    text = visit.get("/my/data").text
    assert f'<a href="/my#{grant.id}">grant</a> is in force: ask the lab to end it' in text
    assert "Erase me" not in text
    refused = visit.post("/my/data/erase", {"email": "hild@hild.example"})
    assert refused.status_code == 400
    assert "First end what still stands" in refused.text


def test_a_steward_erases_somebody_after_being_asked_and_nobody_else_may(portal: Portal) -> None:
    steward, gone = portal.visit("steward"), portal.visit("cynric")
    assert gone.person is not None
    page = f"/people/{gone.person.id}/erase"
    assert portal.visit("panel").get(page).status_code == 403
    assert portal.visit("panel").post(page, {"do": "order"}).status_code == 403
    assert steward.get("/people/person_nobody/erase").status_code == 404
    asked = steward.get(page).text
    assert "It cannot be undone" in asked
    assert portal.house.people.find("cynric@cynric.example") is not None
    assert steward.post(page, {"do": "order"}).status_code == 303
    assert portal.house.people.find("cynric@cynric.example") is None
    size = portal.size()
    assert portal.house.log.entries(size - 1, size)[0].data["basis"] == "order"


def test_every_kind_of_what_is_held_has_a_name_and_moments_are_spelled_for_readers(portal: Portal) -> None:
    assert set(NAMES) == {table.name for table, _ in personal._owned(metadata)}
    visit = portal.visit("alcuin")
    portal.grant("alcuin")
    text = re.sub(r"<[^>]+>", " ", visit.get("/my/data").text)
    assert "Ways to sign in" in text
    assert re.search(r"created at\s+\d+ \w+ \d{4}, \d\d:\d\d UTC", text)
    assert not re.findall(r"\d{4}-\d\d-\d\dT|[a-z]+_(?:identity|letter|person)\b|\{'|\['|`", text)
