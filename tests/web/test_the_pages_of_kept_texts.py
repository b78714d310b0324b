"""The pages of kept texts: a reader is told and agrees; who may reads on record; what is erased is gone."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

import pytest
from litestar.exceptions import LitestarDeprecationWarning

from gateway.retaining import PURPOSE, keep_text, keeping_plan
from portal import Portal
from readingroom.app.founding import found
from readingroom.app.lending import why
from readingroom.core.settings import Settings
from readingroom.web.app import create_web

SAID = "<script>alert(1)</script> tell me"
PATH = "/steward/texts"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Give the portal of a house whose stage keeps texts."""
    settings = Settings(home=tmp_path_factory.mktemp("keeps") / "home", engine="echo", dev=True)
    house = found(settings, keeping_plan(settings))
    with warnings.catch_warnings():  # of Litestar 3, which asks for another way to name what is injected
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        app = create_web(house, [])
    yield Portal(house, app)
    house.close()


def test_everyone_is_told_what_is_kept_before_they_apply(portal: Portal) -> None:
    call = portal.call()
    for path in ("/", f"/apply/{call}"):
        page = portal.visit().get(path).text
        assert "kept for 2 days" in page
        assert PURPOSE in page


def test_a_reader_agrees_by_what_was_shown_and_is_paused_until_then(portal: Portal) -> None:
    grant = portal.grant("agreeing")
    reader, terms = portal.visit("agreeing"), portal.house.agreements.in_force()
    assert terms is not None
    reader.post("/my/terms", {"hash": terms.hash, "name": "A Reader"})
    page = reader.get("/my").text
    assert "paused: waits for your agreement" in page
    assert "kept for 2 days" in page
    (digest,) = re.findall(r'name="digest" value="([^"]+)"', page)
    where = f"/my/grants/{grant.id}/retention"
    assert reader.post(where, {"digest": "sha256:another"}).status_code == 409
    assert portal.visit("other").post(where, {"digest": digest}).status_code == 404
    assert not why(portal.house, portal.house.people.operator(), grant.id).ok
    assert reader.post(where, {"digest": digest}).status_code == 303
    assert why(portal.house, portal.house.people.operator(), grant.id).ok
    page = reader.get("/my").text
    assert "You have agreed" in page
    assert 'name="digest"' not in page


def test_a_text_is_read_for_a_reason_and_on_record(portal: Portal) -> None:
    grant = portal.grant("looked-into").id
    name, other = keep_text(portal.house, grant, SAID), keep_text(portal.house, grant, "not chosen")
    safety = portal.visit("safety")
    page = safety.get(f"{PATH}/{grant}").text
    assert name in page
    assert "tell me" not in page
    for typed, missing in (({f"read-{name}": "on", "reason": " "}, "#reason"), ({"reason": "a report"}, "#chosen")):
        size, answer = portal.size(), safety.post(f"{PATH}/{grant}/read", typed)
        assert answer.status_code == 400
        assert f'href="{missing}"' in answer.text
        assert "tell me" not in answer.text
        assert portal.size() == size
    size = portal.size()
    answer = safety.post(f"{PATH}/{grant}/read", {f"read-{name}": "on", "reason": "a report of the 3rd"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "&lt;script&gt;alert(1)&lt;/script&gt; tell me" in answer.text
    assert "<script>alert" not in answer.text
    assert "as on record" in answer.text
    assert other not in answer.text
    assert portal.size() == size + 1
    for role in ("auditor", "steward"):
        page = portal.visit(role).get(PATH).text
        assert "a report of the 3rd" in page
        assert name in page


def test_what_the_screen_took_out_is_shown_beside_what_left(portal: Portal) -> None:
    grant = portal.grant("redacted").id
    name = keep_text(portal.house, grant, "the swordfish is red", "the [removed] is red")
    page = portal.visit("safety").post(f"{PATH}/{grant}/read", {f"read-{name}": "on", "reason": "x"}).text
    assert "the swordfish is red" in page
    assert "the [removed] is red" in page


def test_nobody_else_sees_a_text_or_its_list(portal: Portal) -> None:
    grant = portal.grant("private").id
    name = keep_text(portal.house, grant, SAID)
    for role in ("auditor", "reviewer", "panel", "tester", "private"):
        visit, size = portal.visit(role), portal.size()
        assert visit.get(f"{PATH}/{grant}").status_code == 403
        answer = visit.post(f"{PATH}/{grant}/read", {f"read-{name}": "on", "reason": "curious"})
        assert answer.status_code == 403
        assert visit.post(f"{PATH}/{grant}/erase", {"reason": "mine"}).status_code == 403
        assert "tell me" not in answer.text
        assert portal.size() == size
        assert visit.get(PATH).status_code == (200 if role == "auditor" else 403)
    assert "What is kept" not in portal.visit("auditor").get(PATH).text
    assert portal.visit("safety").get(f"{PATH}/{grant}/erase").status_code == 403


def test_what_a_steward_erases_is_gone_from_the_pages(portal: Portal) -> None:
    grant = portal.grant("erased").id
    name, steward = keep_text(portal.house, grant, SAID), portal.visit("steward")
    assert "1 text can be read by nobody" in steward.get(f"{PATH}/{grant}/erase").text
    answer = steward.post(f"{PATH}/{grant}/erase", {"reason": ""})
    assert answer.status_code == 400
    assert 'href="#reason"' in answer.text
    assert steward.post(f"{PATH}/{grant}/erase", {"reason": "the reader asked"}).status_code == 303
    page = steward.get(f"{PATH}/{grant}").text
    assert "Nothing is kept of this grant" in page
    assert name not in page
    assert "the reader asked" in steward.get(PATH).text
    assert steward.get(f"{PATH}/grant_none").status_code == 404


def test_a_form_of_another_session_reads_nothing(portal: Portal) -> None:
    grant = portal.grant("forged").id
    name = keep_text(portal.house, grant, SAID)
    data = {f"read-{name}": "on", "reason": "x", "token": "0" * 64}
    answer = portal.visit("safety").client.post(f"{PATH}/{grant}/read", data=data, follow_redirects=False)
    assert answer.status_code == 403
    assert "tell me" not in answer.text
