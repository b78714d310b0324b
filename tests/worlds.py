"""Two worlds that differ in one hidden thing, and everything that somebody can fetch in each.

A world is a house in a folder. The other world is a copy of the folder, keys, ids and sessions with it, in which the
hidden thing was done as well. Every route that answers to GET is asked, with every id there is, whoever it belongs to.
"""

from __future__ import annotations

import itertools
import re
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml
from litestar import Litestar
from litestar.exceptions import LitestarDeprecationWarning
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from admissions.world import ANSWERS, judged
from readingroom.admissions.model import Draft, Risk
from readingroom.api.control import create_control
from readingroom.app.desk import open_call
from readingroom.app.founding import template
from readingroom.app.house import House
from readingroom.cli.portal import OPENAPI
from readingroom.core.clock import FixedClock
from readingroom.core.settings import load
from readingroom.people.model import Actor, Role
from readingroom.store.db import metadata
from readingroom.web.app import create_web
from readingroom.web.browser import COOKIE
from served import found

PEOPLE: dict[str, tuple[Role, ...]] = {
    "steward": (Role.STEWARD,),
    "panel": (Role.PANEL,),
    "safety": (Role.SAFETY,),
    "watch": (Role.SAFETY,),
    "auditor": (Role.AUDITOR,),
    "one": (Role.REVIEWER,),
    "two": (Role.REVIEWER,),
    "idle": (Role.REVIEWER,),
    "ada": (),
    "bea": (),
}
# The log is public, and tells that something was decided: the number of its entries and its root stand on every page.
# What it says is sealed; that it grows is not hidden, and is written in docs/explanation/review.md.
# The register of readers changes by being looked at: each look is an entry of the log, and is shown on it.
LOG = re.compile(r"^/(log|ledger|static|steward/register)|^/api/(openapi|log|register)")
FOOT = re.compile(r"in a log that you can verify: \d+ entries, root\s+<code>[^<]*</code>")


@dataclass
class World:
    """One of the worlds."""

    home: Path
    house: House
    app: Litestar
    sessions: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def actor(self, name: str) -> Actor:
        return self.house.people.actor(self.ids[name])

    def review_of(self, name: str, application: str) -> str:
        """Return the id of somebody's review of an application."""
        table = metadata.tables["admissions_review"]
        where = (table.c.reviewer_id == self.ids[name]) & (table.c.application_id == self.ids[application])
        with self.house.db.read() as tx:
            return str(tx.execute(sa.select(table.c.id).where(where)).scalar_one())

    def apply(self, name: str, call: str) -> str:
        by, desk = self.actor(name), self.house.admissions
        return desk.submit(by, desk.start(by, self.ids[call], Draft(dict(ANSWERS), 5_000)).id).id

    def rename(self, name: str) -> None:
        """Make somebody another person altogether, under the same id."""
        person = metadata.tables["people_person"]
        other = {"name": f"Other {name.title()}", "email": f"q@{name}-other.example", "affiliation": f"New {name}"}
        with self.house.db.write() as tx:
            tx.execute(person.update().where(person.c.id == self.ids[name]).values(other))


@contextmanager
def opened(home: Path, old: World | None = None) -> Iterator[World]:
    """Open the house of a folder, at the one moment at which all worlds stand still."""
    house = House(load(home), FixedClock(FixedClock().now() + timedelta(days=200)))
    with warnings.catch_warnings():  # of Litestar 3, which asks for another way to name what is injected
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        app = create_web(house, [create_control(house)], OPENAPI)
    yield World(home, house, app, dict(old.sessions) if old else {}, dict(old.ids) if old else {})
    house.close()


def furnish(world: World, **review: Any) -> None:
    """Bring a call into its independent phase: two applications, two reviewers of both, one review given."""
    people, desk = world.house.people, world.house.admissions
    for name, roles in PEOPLE.items():
        made = people.add(people.operator(), f"{name}@{name}.example", name=name.title(), affiliation=name, roles=roles)
        world.ids[name] = made.id
        world.sessions[name] = people.sign_in(people.make_link_for(people.operator(), made.email))
    steward = world.actor("steward")
    raw = yaml.safe_load(template("call.yaml"))
    raw["review"] |= {"phases": ["independent", "consolidation", "panel"], "safety_opinions": 1} | review
    raw["window"] = {"opens": "2026-01-01T00:00:00Z", "closes": "2099-12-31T23:59:59Z", "may_close_early": True}
    world.ids["call"] = open_call(world.house, steward, yaml.safe_dump(raw), "call.yaml").id
    ticket = {key: value for key, value in raw.items() if key != "review"} | {"allocation": {"policy": "by-person"}}
    world.ids["elsewhere"] = open_call(world.house, steward, yaml.safe_dump(ticket), "call.yaml").id
    world.ids["ada's"], world.ids["bea's"] = world.apply("ada", "call"), world.apply("bea", "call")
    desk.close_call(steward, world.ids["call"])
    desk.assign_reviewers(steward, world.ids["call"], [world.ids["one"], world.ids["two"]])
    desk.review(world.actor("one"), world.review_of("one", "ada's"), judged(2, 3))
    desk.review(world.actor("two"), world.review_of("two", "ada's"), judged(1, 1, Risk.CONCERN))


def other(world: World, home: Path, *acts: Callable[[World], Any]) -> Path:
    """Copy a world that is closed, and do the hidden things in the copy."""
    shutil.copytree(world.home, home)
    with opened(home, world) as made:
        for act in acts:
            act(made)
    return home


def fetched(world: World, name: str) -> dict[str, tuple[int, str]]:
    """Return what somebody gets at every address, whether or not it is theirs."""
    client = TestClient(world.app, base_url="https://reading.example", raise_server_exceptions=False)
    client.cookies.set(COOKIE, world.sessions[name])
    client.headers["authorization"] = f"Bearer {world.sessions[name]}"
    found = {}
    for path in addresses(world):
        answer = client.get(path, follow_redirects=False)
        assert answer.status_code < 500, (name, path)
        found[path] = (answer.status_code, FOOT.sub("", answer.text) + answer.headers.get("location", ""))
    return found


def addresses(world: World) -> Iterable[str]:
    """Return every address that answers to GET, with every id that could stand in it."""
    for route in world.app.routes:
        if isinstance(route, HTTPRoute) and "GET" in route.methods and not LOG.search(route.path_format):
            names = list(route.path_parameters)
            for chosen in itertools.product(*(_fitting(world, each) for each in names)):
                yield _fill(route.path_format, dict(zip(names, chosen, strict=True)))


def _fill(path: str, values: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: values[found[1]], path)


_KINDS = {"call": "call_", "application": "application_", "review_id": "review_", "case": "case_", "person": "person_"}


def _fitting(world: World, name: str) -> list[str]:
    """Return the ids that fit a parameter: all of the kind that its name says, else one that fits nothing."""
    known = sorted(each for each in world.ids.values() if each.startswith(_KINDS.get(name, "?")))
    return known or ["none"]


def note_ids(world: World) -> None:
    """Remember the ids of reviews and cases, so that they are asked for in every world."""
    with world.house.db.read() as tx:
        for name in ("admissions_review", "admissions_case"):
            for row in tx.execute(sa.select(metadata.tables[name].c.id)):
                world.ids[row.id] = row.id


__all__ = ["World", "addresses", "fetched", "found", "furnish", "note_ids", "opened", "other"]
