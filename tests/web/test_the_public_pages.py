"""The public pages: what opened when, and facsimiles with what proves them."""

from __future__ import annotations

import html
import re

import pytest
import sqlalchemy as sa

from portal import Portal
from readingroom.core.document import read
from readingroom.publication.papers import Papers
from readingroom.publication.tables import sample


def open_stage(portal: Portal) -> str:
    return next(each.stage.name for each in portal.house.releases.status() if each.open)


def test_an_open_stage_says_since_when_and_by_which_entry(portal: Portal) -> None:
    text = portal.visit().get("/").text
    at, entry = re.findall(r"Open since (\d+ \w+ \d{4}).*?/log\?before=\d+#entry-(\d+)", text)[0]
    opened = portal.house.log.entry(int(entry))
    assert opened is not None
    assert (opened.event, opened.data["stage"]) == ("releases.stage.opened", open_stage(portal))
    assert at == f"{opened.at:%-d %B %Y}"
    assert f'id="entry-{entry}"' in portal.visit().get(f"/log?before={int(entry) + 1}").text


def test_the_page_and_the_public_register_agree_on_what_was_read(portal: Portal) -> None:
    portal.grant("reader")
    assert [each.readers for each in portal.house.oversight.public_register()] == [None]
    text = portal.visit().get("/").text
    assert "Fewer than five readers" in text
    assert "passes read" not in text, "nothing was"


def test_a_facsimile_without_a_receipt_says_so(portal: Portal) -> None:
    operator = portal.house.people.operator()
    portal.house.samples.add(operator, read("[{prompt: asked, output: said, model: m}]", "s.yaml"))
    assert "No receipt: curated by hand" in portal.visit().get("/").text
    name = portal.house.samples.all()[0].id
    assert "No receipt: curated by hand" in portal.visit().get(f"/facsimiles/{name}").text
    assert portal.visit().get(f"/facsimiles/{name}/receipt.txt").status_code == 404


@pytest.fixture
def proved(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a facsimile with papers; that bad ones are refused is proved where they are added."""
    monkeypatch.setattr("readingroom.publication.samples.problems", lambda *_: [])
    monkeypatch.setattr(Papers, "record", {"id": "receipt_7", "model": "sha256:77"})
    text = '[{prompt: p7, output: o7, model: m, receipt: "{<r>}", request: "{q}", answer: "{a}"}]'
    portal.house.samples.add(portal.house.people.operator(), read(text, "s.yaml"))
    with portal.house.db.read() as tx:
        return str(tx.execute(sa.select(sample.c.id).where(sample.c.prompt == "p7")).scalar_one())


def test_a_facsimiles_papers_are_given_out_byte_for_byte_with_how_to_verify_them(portal: Portal, proved: str) -> None:
    visit = portal.visit()
    assert f'href="/facsimiles/{proved}"' in visit.get("/").text
    text = html.unescape(visit.get(f"/facsimiles/{proved}").text)
    assert "receipt_7" in text
    assert f'--key "{portal.house.verifier_key()}"' in text
    given = {}
    for name in ("receipt", "request", "answer"):
        assert f"/facsimiles/{proved}/{name}.txt" in text
        answer = visit.get(f"/facsimiles/{proved}/{name}.txt")
        assert answer.headers["content-type"].startswith("text/plain")
        given[name] = answer.text
    assert given == {"receipt": "{<r>}", "request": "{q}", "answer": "{a}"}
    assert visit.get(f"/facsimiles/{proved}/salt.txt").status_code == 404


def test_the_strategies_stand_side_by_side_and_no_cell_is_empty(portal: Portal) -> None:
    text = portal.visit().get("/strategies").text
    for row in ("Exposes", "Records", "Cannot be undone", "For", "Against, and how this plan softens it"):
        assert f'<th scope="row">{row}</th>' in text
    assert not re.findall(r"<td data-head[^>]*></td>", text)
