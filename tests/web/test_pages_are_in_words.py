"""No page that somebody reaches by links has on it what only a program can read: commands, codes, ids, raw moments."""

from __future__ import annotations

from collections import Counter

import pytest

from admissions.world import ANSWERS, judged
from crawl import LIKE, links_of, shape
from portal import Portal
from readingroom.admissions.model import Draft
from readingroom.people.model import Role
from spoken import unspoken


@pytest.fixture(scope="module")
def furnished(portal: Portal) -> Portal:
    """Give a house with a call in its review, a refusal that can be appealed, and a reader who was warned."""
    house, desk = portal.house, portal.house.admissions
    steward = portal.visit("steward").person
    assert steward is not None
    by = house.people.actor(steward.id)
    portal.visit("auditor")
    call = portal.new_call()
    for name in ("reader", "other"):
        person = portal.visit(name).person
        assert person is not None
        actor = house.people.actor(person.id)
        desk.submit(actor, desk.start(actor, call, Draft(dict(ANSWERS), 5_000)).id)
    desk.close_call(by, call)
    reviewers = [house.people.add(by, f"{n}@n.example", name=n, roles=[Role.REVIEWER]) for n in ("one", "two")]
    desk.assign_reviewers(by, call, [each.id for each in reviewers])
    for each in reviewers:
        actor = house.people.actor(each.id)
        for task in desk.reviews_to_do(actor):
            desk.review(actor, task.view.review, judged(1, 1))
    grant = portal.grant("reader").id
    warned = {"kind": "suspend", "reason": "key-leaked", "person": "all", "notice": "Your key was seen."}
    assert portal.visit("steward").post(f"/steward/grants/{grant}/impose", warned).status_code == 303
    panel = portal.visit("panel").person
    assert panel is not None
    decider = house.people.actor(panel.id)
    desk.allocate(decider, call)
    desk.publish(decider, call)
    return portal


def _page(link: str) -> str:
    return link.partition("#")[0]


@pytest.mark.parametrize("who", ["", "reader", "steward", "panel", "auditor"])
def test_every_page_speaks_to_people(furnished: Portal, who: str) -> None:
    visit, said, shapes = furnished.visit(who), [], Counter[str]()
    waiting, seen = ["/"], {"/"}
    while waiting:
        path = waiting.pop(0)
        shapes[shape(path)] += 1
        if shapes[shape(path)] > LIKE or path.startswith("/log"):  # the ledger is shown as it is
            continue
        text = visit.get(path).text
        apart = path == "/my/data"  # letters are shown there as they were sent
        said += [f"{path}: {each}" for each in unspoken(text) if not (apart and each.startswith("a code"))]
        found = [each for each in map(_page, links_of(text)) if each not in seen]
        seen.update(found)
        waiting += found
    assert len(seen) >= (12 if who else 5)
    assert said == [], "\n".join(said)
