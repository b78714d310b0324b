"""Stored XSS, through every column that holds words: all of them are poisoned, and every page that anyone reaches read.

The columns are those that the tables declare as personal, and the few others that a person fills in; so a new field is
tried as soon as it is declared. Text that Chromium would take for markup is looked for in what is served.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from admissions.world import ANSWERS
from crawl import links_of
from portal import Portal, Visit
from readingroom.admissions.model import Draft, Judgement, Outcome, Reason, Ruling
from readingroom.people.model import Claim, FactKind
from readingroom.store.db import metadata
from readingroom.store.personal import columns

POISON = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
MARKS = ("<script", "<img src=x", "\"'><")
OTHERS = {"access_terms": ("text", "reason"), "admissions_decision": ("differ", "appeal")}
ROLES = ("", "wulfric", "steward", "panel", "reviewer", "auditor", "safety", "tester")


def lived_in(portal: Portal) -> None:
    """Give every kind of page something to show."""
    house, steward = portal.house, portal.visit("steward")
    reader = portal.visit("wulfric")
    assert reader.person is not None
    assert steward.person is not None
    me, lab = house.people.actor(reader.person.id), house.people.actor(steward.person.id)
    portal.grant("wulfric")
    house.people.claim_fact(me, Claim(FactKind.TRAINING, "An institute"))
    for name in ("panel", "reviewer", "auditor", "safety", "tester"):
        portal.visit(name)
    second = portal.visit("reviewer2")
    assert second.person is not None
    house.people.change_role(lab, second.person.email, next(iter(_role("reviewer"))), add=True)
    competitive, ticket = portal.new_call(), portal.new_call(by_person=True)
    for call in (competitive, ticket):
        made = house.admissions.start(me, call, Draft(dict(ANSWERS), 5_000))
        house.admissions.submit(me, made.id)
    ruling = Ruling(Outcome.AWARDED, Reason.SUITABLE, "Good.")
    house.admissions.decide(lab, made.id, ruling)
    house.admissions.close_call(lab, competitive)
    house.admissions.assign_reviewers(lab, competitive)
    by = house.people.actor(second.person.id)
    for task in house.admissions.reviews_to_do(by):
        house.admissions.review(by, task.view.review, Judgement({"merit": 4, "need": 4}, "Sound."))


def _role(name: str) -> Any:
    from readingroom.people.model import Role

    return {Role(name)}


def poisoned(value: Any) -> Any:
    """Put the poison into every text of a value; keys and figures stay."""
    if isinstance(value, dict):
        return {name: poisoned(each) for name, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each) for each in value]
    return POISON if isinstance(value, str) else value


def poison(portal: Portal) -> int:
    """Write the poison into every column of words, where there is a row."""
    done = 0
    with portal.house.db.write() as tx:
        for table in metadata.sorted_tables:
            for name in (*columns(table), *OTHERS.get(table.name, ())):
                done += _poison(tx, table, table.c[name])
    return done


def _poison(tx: Any, table: sa.Table, column: sa.Column[Any]) -> int:
    if isinstance(column.type, sa.LargeBinary):
        return 0
    done = 0
    for number, (*key, stood) in enumerate(tx.execute(sa.select(*table.primary_key.columns, column)).all()):
        if stood in {None, ""} if isinstance(stood, str | None) else False:
            continue
        value = poisoned(stood)
        if column.name == "risk" or column.unique or column.primary_key:
            value = f"{number}{POISON}@x.example"
        if isinstance(value, dict) and "risk" in value:
            value["risk"] = stood["risk"]
        where = sa.and_(*(each == part for each, part in zip(table.primary_key.columns, key, strict=True)))
        tx.execute(table.update().where(where).values({column.name: value}))
        done += 1
    return done


def reached(visit: Visit) -> dict[str, str]:
    """Return every page that can be reached by links from the first, with what it says."""
    found: dict[str, str] = {}
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        answer = visit.get(path)
        assert answer.status_code < 500, (path, answer.text[-400:])
        found[path] = answer.text if "html" in answer.headers.get("content-type", "") else ""
        waiting += [each for each in links_of(found[path]) if each not in found]
    return found


def test_no_text_that_anyone_wrote_is_ever_markup_on_a_page(portal: Portal) -> None:
    lived_in(portal)
    assert poison(portal) > 20
    pages = {(role, path): text for role in ROLES for path, text in reached(portal.visit(role)).items()}
    assert len(pages) > 60
    shown = [at for at, text in pages.items() if "&lt;script&gt;alert(1)" in text]
    assert {re.sub(r"_\w{10,}", "_*", path) for _, path in shown} >= {"/my", "/desk", "/people", "/my/data"}
    assert [(at, mark) for at, text in pages.items() for mark in MARKS if mark in text] == []
