"""The ledger's page: every entry can be reached, and a receipt is looked up in plain words."""

from __future__ import annotations

import html
import json

import pytest

from portal import Portal
from readingroom.core.canonical import canonical, parse
from readingroom.core.ids import new_id, random_bytes
from readingroom.gateway import usage
from readingroom.gateway.batches import Batches
from readingroom.gateway.model import Amount, Ended, Usage
from readingroom.web.pages.log import NEWEST


def receipt(portal: Portal) -> bytes:
    """Return the receipt of one call of 7 passes."""
    name = new_id("receipt")
    house, grant, salt = portal.house, portal.grant("reader"), random_bytes(32)
    facts = usage.Facts(name, grant.id, "reading-room", "sha256:00", "sha256:11", b"{}")
    used, now = Amount(7, 9, 1), house.clock.now()
    record = usage.finished(usage.begun(facts, salt), used, Ended.COMPLETE, now)
    with house.db.decide() as tx:
        usage.put(tx, [Usage(name, grant.id, canonical(record), salt, used, now)])
    batches = Batches(house.db, house.ledger, house.log)
    batches.flush()
    return canonical(batches.receipt(name, grant.id).to_json())


def looked_up(portal: Portal, pasted: str) -> str:
    answer = portal.visit().client.post("/log", data={"receipt": pasted})
    assert answer.status_code == 200
    return html.unescape(answer.text)


def test_a_good_receipt_says_what_was_read_and_that_its_log_is_the_beginning_of_todays(portal: Portal) -> None:
    text = looked_up(portal, receipt(portal).decode())
    assert "The receipt is good" in text
    for shown in ("<dd>7</dd>", "<dd>reading-room</dd>", "sha256:00", f"{portal.house.clock.now():%Y-%m-%d}"):
        assert shown in text
    assert "which is the beginning of today's log" in text


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("", "There was nothing to look up."),
        ("   \n ", "There was nothing to look up."),
        ("receipt_01hx", "This looks like a receipt's id."),
        ("{}", "This is JSON, but no receipt: it lacks batch, entry, proof, salt."),
        ("[1]", "This is JSON, but no receipt"),
        ("{not json", "This is no JSON."),
        ("[" * 50_000, "This is no JSON."),
    ],
)
def test_what_is_no_receipt_is_told_in_plain_words_with_what_to_paste(portal: Portal, pasted: str, told: str) -> None:
    text = looked_up(portal, pasted)
    assert told in text
    assert "Paste the whole JSON" in text


def test_an_altered_receipt_proves_nothing(portal: Portal) -> None:
    altered = parse(receipt(portal))
    altered["entry"]["passes"] = 1
    assert "This proves nothing" in looked_up(portal, json.dumps(altered))


def test_every_entry_is_on_some_page(portal: Portal) -> None:
    person = portal.house.people.operator()
    for n in range(NEWEST):
        portal.house.people.add(person, f"someone{n}@lab.example")
    size, seen, path = portal.size(), set(), "/log"
    while path:
        text = portal.visit().get(path).text
        seen |= {each.split('"')[0] for each in text.split('id="entry-')[1:]}
        older = [each.split('"')[0] for each in text.split('href="') if each.startswith("/log?before=")]
        path = older[-1].split("#")[0] if "Older" in text else ""
    assert seen == {str(n) for n in range(size)}


@pytest.mark.parametrize("before", ["x", "-3", "9" * 5000, "0", "1"])
def test_an_odd_page_number_breaks_nothing(portal: Portal, before: str) -> None:
    assert portal.visit().get(f"/log?before={before}").status_code == 200
