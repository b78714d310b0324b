"""The page after a restore: what came back is there to be ended again, before two persons let it serve."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.exceptions import LitestarDeprecationWarning

from portal import Portal
from readingroom.app.house import House
from readingroom.app.lending import why
from readingroom.core.settings import load
from readingroom.web.app import create_web
from served import found, run

PATH = "/steward/restoration"


@pytest.fixture
def restored(tmp_path: Path) -> Iterator[Portal]:
    """Give the portal of a house that was restored from a backup with one reader in it."""
    reader = ("--to", "reader@x.example", "--accept-terms", "--reason", "test")
    run(found(tmp_path / "old"), "grant", "issue", *reader, "--passes", "9")
    run(tmp_path / "old", "backup", str(tmp_path / "b"))
    run(tmp_path / "new", "restore", str(tmp_path / "b"))
    house = House(load(tmp_path / "new"))
    with warnings.catch_warnings():  # of Litestar 3, which asks for another way to name what is injected
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        app = create_web(house, [])
    yield Portal(house, app)
    house.close()


def grant(portal: Portal) -> str:
    return portal.house.access.grants(portal.house.people.operator())[0].id


def served(portal: Portal) -> bool:
    return why(portal.house, portal.house.people.operator(), grant(portal)).ok


def test_every_page_says_so_and_leads_those_who_may_there(restored: Portal) -> None:
    for name in ("", "steward", "safety", "auditor"):
        text = restored.visit(name).get("/").text
        assert "restored from a backup" in text
        assert (PATH in text) == (name in {"steward", "safety"})
    assert restored.visit("auditor").get(PATH).status_code == 403
    assert restored.visit().get(PATH).status_code == 401


def test_what_came_back_is_ended_again_and_then_two_persons_confirm(restored: Portal) -> None:
    steward, safety = restored.visit("steward"), restored.visit("safety")
    text = safety.get(PATH).text
    assert grant(restored) in text
    assert f"/steward/grants/{grant(restored)}/sanction" in text
    assert "by 0 of 2 persons" in text
    answer = safety.post(f"/steward/grants/{grant(restored)}/sanction", {"do": "revoke", "reason": "security"})
    assert answer.status_code == 303
    assert steward.post(f"{PATH}/confirm", {"reason": "the disk died"}).status_code == 303
    assert "You have confirmed the gap" in steward.get(PATH).text
    assert steward.post(f"{PATH}/confirm", {"reason": "it did"}).status_code == 400
    assert "restored from a backup" in steward.get("/").text
    assert safety.post(f"{PATH}/confirm", {"reason": "I know of it"}).status_code == 303
    assert "No restoring is open" in safety.get(PATH).text
    assert "restored from a backup" not in steward.get("/").text
    assert not served(restored)  # the one that was revoked again


def test_a_word_without_a_reason_changes_nothing_and_what_was_typed_stays(restored: Portal) -> None:
    steward, before = restored.visit("steward"), restored.size()
    answer = steward.post(f"{PATH}/match", {"checkpoint": "my own words", "reason": "from the wall"})
    assert answer.status_code == 400
    assert "my own words" in answer.text
    assert "from the wall" in answer.text
    assert 'href="#checkpoint"' in answer.text
    answer = steward.post(f"{PATH}/confirm", {"reason": " "})
    assert answer.status_code == 400
    assert 'href="#reason"' in answer.text
    assert steward.client.post(f"{PATH}/confirm", data={"reason": "no token"}).status_code == 403
    assert restored.visit("auditor").post(f"{PATH}/confirm", {"reason": "me, too"}).status_code == 403
    assert restored.size() == before + 3  # the auditor was added, given the role, and handed a link
    assert not served(restored)


def test_a_checkpoint_as_a_browser_sends_it_lifts_the_suspension(restored: Portal, tmp_path: Path) -> None:
    pasted = (tmp_path / "old/ledger.checkpoint").read_text().replace("\n", "\r\n").strip()
    sent = {"checkpoint": pasted, "reason": "the old house was stopped before"}
    assert restored.visit("steward").post(f"{PATH}/match", sent).status_code == 303
    assert served(restored)


def test_enter_in_a_field_lifts_nothing(restored: Portal) -> None:
    fields = re.findall(r"<input(?![^>]*type=\"hidden\")[^>]*>", restored.visit("steward").get(PATH).text)
    assert fields == []
