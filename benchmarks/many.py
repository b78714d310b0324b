"""A house with many applications, made by the row: what lists and calls are measured on."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from readingroom.access import tables as access
from readingroom.admissions import queries, tables
from readingroom.admissions.conflicts import Party
from readingroom.admissions.model import Judgement, Risk
from readingroom.app import founding
from readingroom.app.calls import template
from readingroom.app.desk import open_call
from readingroom.app.house import House
from readingroom.core.canonical import canonical, commitment
from readingroom.core.clock import Clock
from readingroom.core.ids import new_id
from readingroom.core.settings import Settings, load
from readingroom.gateway import tables as gateway
from readingroom.people import queries as people
from readingroom.people.model import Role
from readingroom.people.tables import person as person_table

REVIEWS = 2  # of each application, where a panel reads them
ANSWERS = {
    "purpose": "How small models handle negation",
    "asks": "Short prompts with and without negation",
    "why": "600 prompts of 20 passes",
    "egress": "text only",
    "risks": "None beyond ordinary text",
    "machine": "A laptop",
}


@contextlib.contextmanager
def house(clock: Clock | None = None) -> Iterator[House]:
    """Give a house for trials on the echo engine, with a steward, a panel and 20 reviewers, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "house"
        settings = Settings(home=home, dev=True, engine="echo")
        founding.found(settings, founding.default_plan(settings)).close()
        made = House(load(home), clock)
        operator = made.people.operator()
        made.people.add(operator, "steward@lab.example", roles=[Role.STEWARD])
        made.people.add(operator, "safety@lab.example", roles=[Role.SAFETY])
        made.people.add(operator, "panel@lab.example", roles=[Role.PANEL])
        for n in range(20):
            made.people.add(operator, f"reviewer@elsewhere-{n}.example", roles=[Role.REVIEWER])
        try:
            yield made
        finally:
            made.close()


def bulk_call(made: House, *, with_panel: bool = False) -> str:
    """Open the shipped bulk call on whatever stage lends; `with_panel`, as one that a panel reads after its review."""
    stage = next(each.stage for each in made.releases.status() if each.stage.channel.value == "api")
    text = template("bulk", made.clock.now()).replace("stage: reading-room", f"stage: {stage.name}")
    text = text.replace("tiers: [text]", f"tiers: [{next(iter(stage.tiers))}]")
    if with_panel:
        text = text.replace("distributed: true\n", "").replace("sift: {reviews: 1, criterion: merit, line: 2}\n", "")
        text = text.replace(
            "  per_application: 4\n",
            f"  per_application: {REVIEWS}\n  phases: [independent, panel]\n  safety_opinions: 1\n",
        )
    return open_call(made, made.people.operator(), text, "bulk.yaml").id


def person_id(name: str) -> str:
    """Return the id of a synthetic person."""
    return f"person_many{name.replace('-', '').casefold()}"


def persons(made: House, known: Sequence[tuple[str, Party]]) -> None:
    """Write synthetic persons as rows."""
    rows = [
        {"id": person_id(name), "email": party.email, "name": "", "affiliation": party.affiliation,
         "created_at": made.clock.now()}
        for name, party in known
    ]  # fmt: skip
    with made.db.write() as tx:
        if rows:
            tx.execute(person_table.insert(), rows)


def applications(made: House, call: str, known: Sequence[tuple[str, int]]) -> dict[str, str]:
    """Write submitted applications as rows, as use cases would have left them (without their entries).

    Returns:
        The name of each synthetic person to the application's id.
    """
    now, tier = made.clock.now(), made.admissions.call(call).file.tiers[0]
    rows, versions, ids = [], [], {}
    for n, (name, passes) in enumerate(known):
        ids[name] = person_id(name).replace("person", "application")
        draft = {"answers": ANSWERS, "passes": passes, "tier": tier, "team": []}
        at = now + timedelta(seconds=n)
        rows.append(
            {"id": ids[name], "call_id": call, "person_id": person_id(name), "state": "submitted", "draft": draft,
             "created_at": at, "updated_at": at, "arrived_at": at}
        )  # fmt: skip
        salt = bytes(32)
        versions.append(
            {"application_id": ids[name], "number": 1, "draft": draft, "salt": salt, "submitted_at": at,
             "commitment": commitment(salt, canonical(draft))}
        )  # fmt: skip
    with made.db.write() as tx:
        tx.execute(tables.application.insert(), rows)
        tx.execute(tables.version.insert(), versions)
    return ids


def grants(made: House, count: int, start: int = 0) -> None:
    """Write a grant for each of so many synthetic persons as rows, with its meter, as if all had been funded."""
    now, stage = (
        made.clock.now(),
        next(each.stage for each in made.releases.status() if each.stage.channel.value == "api"),
    )
    rows, meters = [], []
    for n in range(start, start + count):
        holder = person_id(f"A-{n:06}")
        rows.append(
            {"id": holder.replace("person", "grant"), "holder": holder, "stage": stage.name,
             "tier": next(iter(stage.tiers)), "state": "active", "passes": 10_000, "issued_at": now,
             "expires_at": now + timedelta(days=90), "issued_by": "person_steward", "purpose": ANSWERS["purpose"],
             "changed_at": now, "dev": True}
        )  # fmt: skip
        meters.append({"grant_id": rows[-1]["id"], "limit_passes": 10_000})
    with made.db.write() as tx:
        tx.execute(access.grant.insert(), rows)
        tx.execute(gateway.meter.insert(), meters)


def looks(made: House, given: Sequence[tuple[str, int]]) -> None:
    """Write the scores of first looks as rows."""
    now = made.clock.now()
    with made.db.write() as tx:
        for look, score in given:
            values = {"score": score, "comment": "A first look.", "submitted_at": now}
            tx.execute(tables.sift.update().where(tables.sift.c.id == look).values(values))


def reviewed(made: House, call: str) -> None:
    """Write reviews of each application, all handed in, by the house's reviewers in turn, and begin the panel phase."""
    now, operator = made.clock.now(), made.people.operator()
    said = Judgement({"merit": 4, "need": 3}, "Sound, and worth its passes. " * 8, Risk.OK, "").to_json()
    wanted = tables.application.c.call_id == call
    rows: list[dict[str, object]] = []
    with made.db.write() as tx:
        reviewers = sorted(each.id for each in people.persons(tx).values() if Role.REVIEWER in each.roles)
        ids = list(
            tx.execute(sa.select(tables.application.c.id).where(wanted).order_by(tables.application.c.id)).scalars()
        )
        for n, each in enumerate(ids):
            for k in range(min(REVIEWS, len(reviewers))):
                who = reviewers[(n + k * 7) % len(reviewers)]
                rows.append({"id": new_id("review"), "call_id": call, "application_id": each, "reviewer_id": who,
                             "state": "submitted", "assigned_salt": bytes(32), "judgement": said, "salt": bytes(32),
                             "submitted_at": now})  # fmt: skip
        tx.execute(tables.application.update().where(wanted).values(state="under-review"))
        tx.execute(tables.case.insert(), [{"application_id": each, "id": new_id("case")} for each in ids])
        tx.execute(tables.review.insert(), rows)
        first = {
            "number": 1,
            "phase": "independent",
            "why": "",
            "judgement": said,
            "salt": bytes(32),
            "submitted_at": now,
        }
        tx.execute(tables.review_version.insert(), [{"review_id": each["id"], **first} for each in rows])
        moved = {"call_id": call, "moved_at": now, "moved_by": operator.id}
        tx.execute(
            tables.phase.insert(), [{**moved, "number": n, "phase": p} for n, p in ((1, "independent"), (2, "panel"))]
        )
        tx.execute(tables.call.update().where(tables.call.c.id == call).values(state="closed", closed_at=now))


def opinions(made: House, call: str) -> None:
    """Write an opinion on the risk of misuse of each application of a call, each without a worry."""
    said = {"person_id": person_id("safety"), "opinion": Risk.OK.value, "reason": "", "salt": bytes(32)}
    with made.db.write() as tx:
        rows = [{"application_id": each, **said, "given_at": made.clock.now()} for each in queries.cases(tx, call)]
        tx.execute(tables.risk.insert(), rows)


def judgements(made: House, given: Sequence[tuple[str, Judgement]]) -> None:
    """Write reviews as rows."""
    now = made.clock.now()
    with made.db.write() as tx:
        for review, judgement in given:
            values = {"state": "submitted", "judgement": judgement.to_json(), "submitted_at": now}
            tx.execute(tables.review.update().where(tables.review.c.id == review).values(values))


def field(made: House, call: str, count: int, start: int = 0) -> None:
    """Write so many persons with an application each: `application_manya000001` and on."""
    names = [f"A-{n:06}" for n in range(start, start + count)]
    persons(made, [(name, Party(name, f"a@place-{n}.example", f"Place {n}")) for n, name in enumerate(names, start)])
    applications(made, call, [(name, 10_000 + 37 * (n % 1000)) for n, name in enumerate(names, start)])
