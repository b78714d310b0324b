"""Works: what rests on one's own grant is taken, shown once a steward has looked, and no link of it runs anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.access.model import Amounts, Award
from readingroom.app.founding import default_plan, found
from readingroom.app.house import House
from readingroom.app.lending import issue_discretionary
from readingroom.core.canonical import canonical
from readingroom.core.clock import FixedClock
from readingroom.core.document import read
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.core.settings import Settings
from readingroom.gateway import usage
from readingroom.gateway.model import Amount, Usage
from readingroom.oversight.citing import bibtex, csl, line
from readingroom.oversight.work import Entry, Kind, Work, WorkState, problems, together
from readingroom.people.model import Actor, Role

NOW = FixedClock().now()
GOOD = Work(Kind.PAPER, "How small models read", ("Ada Example", "Bo Example"), 2026, url="https://a.example/x?y=1#z")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = Settings(home=tmp_path_factory.mktemp("works") / "home", dev=True, engine="echo")
    made = found(settings, default_plan(settings))
    yield made
    made.close()


def reader(house: House, name: str) -> tuple[Actor, str]:
    """Return a reader and their grant."""
    ends = house.clock.now() + timedelta(days=30)
    award = Award("", "", "text", Amounts(passes=1000), ends, "purpose")
    by, email = house.people.operator(), f"{name}@x.example"
    grant = issue_discretionary(house, by, email, award, accept_terms=True)[0]
    return house.people.actor(grant.holder), grant.id


def steward(house: House) -> Actor:
    made = house.people.add(house.people.operator(), "steward@lab.example", roles=[Role.STEWARD])
    return house.people.actor(made.id)


def receipt(house: House, grant: str, name: str) -> str:
    made = Usage(name, grant, canonical({"id": name}), b"s" * 32, Amount(), house.clock.now(), b"")
    with house.db.write() as tx:
        usage.put(tx, [made])
    return name


def test_a_work_is_shown_once_a_steward_has_looked_and_until_it_is_taken_off(house: House) -> None:
    (ada, grant), lab = reader(house, "ada"), steward(house)
    size = house.log.size()
    made = house.works.submit(ada, grant, GOOD)
    assert house.works.shown() == []
    assert [each.id for each in house.works.waiting(lab)] == [made.id]
    assert house.works.publish(lab, made.id).state is WorkState.PUBLISHED
    assert [each.work for each in house.works.shown()] == [GOOD]
    house.works.withdraw(ada, made.id)
    assert house.works.shown() == []
    events = [house.log.entry(size + n) for n in range(3)]
    assert [each.event for each in events if each] == [
        "oversight.work.submitted", "oversight.work.published", "oversight.work.withdrawn"
    ]  # fmt: skip
    assert not any("Ada" in str(each.leaf()) or "small models" in str(each.leaf()) for each in events if each)


def test_a_work_that_is_declined_says_why_and_the_reason_is_needed(house: House) -> None:
    (ada, grant), lab = reader(house, "ada"), steward(house)
    made = house.works.submit(ada, grant, GOOD)
    with pytest.raises(BadInput, match="reason"):
        house.works.decline(lab, made.id, " ")
    house.works.decline(lab, made.id, "The link is dead.")
    (mine,) = [each for each in house.works.mine(ada) if each.id == made.id]
    assert (mine.state, mine.reason) == (WorkState.DECLINED, "The link is dead.")
    with pytest.raises(Refused, match="oversight/work-not-there"):
        house.works.publish(lab, made.id)


def test_nobody_hands_in_or_changes_what_is_not_theirs(house: House) -> None:
    (ada, grant), (eve, _) = reader(house, "ada"), reader(house, "eve")
    with pytest.raises(Refused, match="access/no-such-grant"):
        house.works.submit(eve, grant, GOOD)
    made = house.works.submit(ada, grant, GOOD)
    for act in (house.works.publish, house.works.withdraw):
        with pytest.raises(Refused):
            act(eve, made.id)
    with pytest.raises(Refused, match="people/not-allowed"):
        house.works.publish(ada, made.id)
    with pytest.raises(Refused, match="people/not-allowed"):
        house.works.waiting(ada)
    assert made.id not in {each.id for each in house.works.mine(eve)}


def test_a_receipt_is_of_that_grant_and_a_facsimile_is_on_show(house: House) -> None:
    (ada, grant), (_, other) = reader(house, "ada"), reader(house, "eve")
    own = receipt(house, grant, "receipt_0123456789abcdef")
    foreign = receipt(house, other, "receipt_fedcba9876543210")
    house.samples.add(house.people.operator(), read("[{prompt: p, output: o, model: m}]", "s.yaml"))
    sample = house.samples.all()[0].id
    made = house.works.submit(ada, grant, replace(GOOD, receipts=(own,), facsimiles=(sample,)))
    assert made.work.receipts == (own,)
    told = []
    for bad in (foreign, "receipt_0000000000000000"):
        with pytest.raises(BadInput) as fault:
            house.works.submit(ada, grant, replace(GOOD, receipts=(own, bad)))
        told.append(str(fault.value).replace(bad, "X"))
    assert told[0] == told[1], "another's receipt is answered like one that is unknown"
    with pytest.raises(BadInput, match="not on show"):
        house.works.submit(ada, grant, replace(GOOD, facsimiles=("sample_0000000000000000",)))


BAD_URLS = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "http://a.example/", "//a.example/x", "/my",
    "https://", "https:///x", "https://ada@evil.example/", "https://a.example:secret@evil.example/",
    "https://a.example/\u202egnp", "https://a.example/ x", 'https://a.example/"onmouseover=x', "https://a.example/<b>",
    "https://a.example\\@evil.example/", "https://127.0.0.1/", "https://localhost/", "https://[::1]/",
    "https://a.example:0/", "https://a.example:99999/", "\thttps://a.example/", "https://\u0430.example/",
    "https://a.example/\nx", "vbscript:x", "https://a..example/", "ftp://a.example/", "https://2130706433/",
    "https://-a.example/", "https://A.EXAMPLE`/",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD_URLS)
def test_no_link_leads_anywhere_but_to_a_named_host_by_https(url: str) -> None:
    assert any(each.where == "url" for each in problems(replace(GOOD, url=url), 2026)), url


@pytest.mark.parametrize("url", ["https://a.example", "https://sub.a-b.example:8443/x/y.pdf?q=%20a&b=1#c", ""])
def test_plain_links_are_taken(url: str) -> None:
    assert problems(replace(GOOD, url=url), 2026) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""), ("title", "a\nb"), ("title", "x" * 301), ("authors", ()), ("authors", ("",)),
        ("authors", ("a\u202eb",)), ("authors", ("a",) * 101), ("year", 1999), ("year", 2028), ("doi", "https://doi.org/10.1/x"),
        ("doi", '10.1234/"><script>'), ("licence", "<b>"), ("abstract", "x" * 5001), ("abstract", "\x00"),
        ("receipts", ("../etc",)), ("facsimiles", ("x' or 1=1",)), ("receipts", ("receipt_00000000",) * 201),
    ],
)  # fmt: skip
def test_whatever_is_wrong_is_told_with_its_field(field: str, value: Any) -> None:
    assert {each.where for each in problems(replace(GOOD, **{field: value}), 2026)} == {field}


def entry(work: Work = GOOD, name: str = "work_0123456789abcdef") -> Entry:
    return Entry(name, "person_1", "grant_1", WorkState.PUBLISHED, work, NOW)


@given(st.text(min_size=1, max_size=60), st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=4))
def test_nothing_breaks_out_of_a_bibtex_field(title: str, authors: list[str]) -> None:
    made = bibtex([entry(replace(GOOD, title=title, authors=tuple(authors)))])
    bare = re.sub(r"\\[{}\\]", "", made)  # an escaped brace is a character
    depth, lowest = 0, 1
    for c in bare.strip()[:-1]:
        depth += (c == "{") - (c == "}")
        lowest = min(lowest, depth) if depth or c == "}" else lowest
    assert depth == 1, "the entry's own brace alone is open until its end"
    assert lowest >= 1
    assert made.count("\n") == 2 + len(re.findall(r"(?m)^  [a-z]+ = ", made))


def test_a_work_can_be_cited_in_every_form() -> None:
    full = entry(replace(GOOD, doi="10.1234/ab_c", licence="CC-BY-4.0", title="50% of {it} & more"))
    made = bibtex([full])
    assert made.startswith("@article{example2026bcdef,\n")
    assert r"title = {{50\% of \{it\} \& more}}" in made
    assert "doi = {10.1234/ab_c}" in made
    (item,) = csl([full])
    assert (item["type"], item["DOI"], item["issued"]) == ("article", "10.1234/ab_c", {"date-parts": [[2026]]})
    assert json.loads(json.dumps(item))["author"] == [{"literal": "Ada Example"}, {"literal": "Bo Example"}]
    assert line(full) == "Ada Example, Bo Example (2026). 50% of {it} & more. https://doi.org/10.1234/ab_c"


def test_readings_of_one_facsimile_are_set_side_by_side() -> None:
    one = entry(replace(GOOD, facsimiles=("sample_1", "sample_2")), "work_1")
    two = entry(replace(GOOD, facsimiles=("sample_1", "sample_1")), "work_2")
    assert together([one, two]) == {"sample_1": [one, two]}
    assert together([one]) == {}
