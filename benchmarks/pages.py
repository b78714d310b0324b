"""`python -m benchmarks.pages`: how long pages take, with 10,000 applications, two reviews of each, 10,000 grants.

    python -m benchmarks.pages [--applications N] [--rounds N]

In this process, without a network: what is measured is ours. Each row is the median and the worst of some requests,
after one that warms up; then the number of SQL statements. The bound is 300 ms for each.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from statistics import median

import sqlalchemy as sa
from litestar.exceptions import LitestarDeprecationWarning
from litestar.testing import TestClient

from benchmarks import many
from readingroom.admissions import queries
from readingroom.api.control import create_control
from readingroom.app.house import House
from readingroom.cli.portal import OPENAPI
from readingroom.people import queries as people
from readingroom.web.app import create_web
from readingroom.web.browser import COOKIE

BOUND = 300  # ms
EXPORTS = ["/steward/register.csv", "/steward/register.json"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One page: times in ms, and the SQL statements of one request."""

    path: str
    status: int
    typical: float
    worst: float
    statements: int


class Visits:
    """A portal in this process, and who looks at it."""

    def __init__(self, house: House, rounds: int) -> None:
        """Begin one, in which each page is asked for so often."""
        self._house = house
        self._rounds = rounds
        with warnings.catch_warnings():  # of Litestar 3, which asks for another way to name what is injected
            warnings.simplefilter("ignore", LitestarDeprecationWarning)
            app = create_web(house, [create_control(house)], OPENAPI)
        self._client = TestClient(app, base_url="https://reading.example")

    def measure(self, email: str, paths: Sequence[str]) -> Iterator[Measured]:
        """Ask for pages, and for lists of the API, as somebody."""
        people = self._house.people
        secret = people.sign_in(people.make_link_for(people.operator(), email))
        self._client.cookies.set(COOKIE, secret)
        for path in paths:
            headers = {"authorization": f"Bearer {secret}"} if path.startswith("/api") else {}
            seen: list[str] = []
            listener = partial(_note, seen)
            sa.event.listen(self._house.db.engine, "before_cursor_execute", listener)
            status = self._client.get(path, headers=headers).status_code
            sa.event.remove(self._house.db.engine, "before_cursor_execute", listener)
            times = []
            for _ in range(self._rounds):
                began = time.perf_counter()
                self._client.get(path, headers=headers)
                times.append((time.perf_counter() - began) * 1000)
            yield Measured(path, status, median(times or [0]), max(times, default=0), len(seen))


def _note(seen: list[str], _connection: object, _cursor: object, statement: str, *_: object) -> None:
    seen.append(statement)


def while_open(call: str, application: str) -> list[str]:
    """Return what a steward asks for while a call takes applications."""
    at = f"/desk/calls/{call}"
    one = f"/applications/{application}"
    return [
        "/", "/my", "/steward", "/steward?only=active&from=5000", "/people", "/people?from=5000",
        "/people?find=place-77", "/readers", "/appeals", "/steward/register", "/steward/register?from=9950",
        "/steward/reports", f"{at}/review", f"{at}/panel", f"{at}/account",
        "/desk", "/desk/calls/new", at, f"{at}?from=9950", f"{at}?only=submitted&from=5000", one, "/apply",
        f"/desk{one}/ineligible/why", f"/desk{one}/return", f"{at}/allocation",
        "/api/calls", f"/api/calls/{call}", f"/api/calls/{call}/desk", f"/api/calls/{call}/desk?limit=1000&offset=9000",
        f"/api/calls/{call}/applications?limit=100", f"/api/calls/{call}/overdue",
    ]  # fmt: skip


def while_judged(call: str) -> list[str]:
    """Return what a steward asks for once every review is given, and again once it is allocated."""
    at = f"/desk/calls/{call}"
    return ["/desk", at, f"{at}?from=9950", f"{at}/review", f"{at}/panel", f"{at}/panel?from=9950", f"{at}/allocation"]


def of_reviewer(review: str) -> list[str]:
    """Return what a reviewer asks for."""
    return ["/my", "/desk", "/reviews", "/reviews?from=950", f"/reviews/{review}"]


def of_safety(house: House, call: str) -> list[str]:
    """Return what somebody asks for who judges the risk of misuse."""
    with house.db.read() as tx:
        case = next(iter(queries.cases(tx, call, 1).values()))
    return ["/my", "/reviews", "/reviews?risks=9950", f"/reviews/risks/{case}"]


def states(house: House, applications: int, rounds: int) -> Iterator[tuple[str, Iterator[Measured]]]:
    """Bring a call from state to state, and give the pages of each."""
    call = many.bulk_call(house, with_panel=True)
    many.field(house, call, applications)
    many.grants(house, applications)
    visits, steward, reviewer = Visits(house, rounds), "steward@lab.example", "reviewer@elsewhere-0.example"
    with house.db.read() as tx:
        first = queries.listed(tx, call, limit=1)[0].id
    yield "the window is open", visits.measure(steward, while_open(call, first))
    many.reviewed(house, call)
    with house.db.read() as tx:
        person = people.by_email(tx, reviewer)
        review = queries.reviews_by(tx, person.id if person else "")[0].id
    yield "every review is given, the panel reads", visits.measure(steward, while_judged(call))
    yield "likewise, for a reviewer", visits.measure(reviewer, of_reviewer(review))
    yield "likewise, for who judges the risk of misuse", visits.measure("safety@lab.example", of_safety(house, call))
    many.opinions(house, call)
    house.admissions.allocate(house.people.operator(), call)
    yield "the allocation is fixed", visits.measure(steward, while_judged(call))
    # Whole files, which are not pages: every grant is in them.
    yield "exports of the register", visits.measure(steward, EXPORTS)


def main() -> int:
    """Measure, print; 1 if any page is over the bound or fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--applications", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    bad = False
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with many.house() as house:
        for state, pages in states(house, chosen.applications, chosen.rounds):
            print(f"{state:64}{'status':>7}{'median ms':>11}{'worst ms':>10}{'SQL':>5}")
            for each in pages:
                slow = each.typical > BOUND and each.path not in EXPORTS
                bad |= slow or each.status != HTTPStatus.OK
                path = re.sub(r"(call|review|case)_[^/?]+", lambda named: named[1].upper(), each.path)
                told = f"{path:64}{each.status:7}{each.typical:11.1f}{each.worst:10.1f}{each.statements:5}"
                print(told + " !" * (slow or each.status != HTTPStatus.OK), flush=True)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
