"""`python -m benchmarks.pages`: how long pages take on the server, with 10,000 applications, each funded.

    python -m benchmarks.pages [--applications N] [--rounds N]

In this process, without a network: what is measured is ours. Each row is the median and the worst of some requests,
after one that warms up; then the number of SQL statements. The bound is 300 ms for each.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
import warnings
from collections.abc import Iterator
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
from readingroom.web.app import create_web
from readingroom.web.browser import COOKIE

BOUND = 300  # ms


@dataclass(frozen=True, slots=True)
class Measured:
    """One page: times in ms, and the SQL statements of one request."""

    path: str
    status: int
    typical: float
    worst: float
    statements: int


def measure(house: House, call: str, rounds: int) -> Iterator[Measured]:
    """Ask for the pages that have most to show, and each list of the API, as the steward."""
    operator = house.people.operator()
    secret = house.people.sign_in(house.people.make_link_for(operator, "steward@lab.example"))
    with warnings.catch_warnings():  # of Litestar 3, which asks for another way to name what is injected
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        client = TestClient(create_web(house, [create_control(house)], OPENAPI), base_url="https://reading.example")
    client.cookies.set(COOKIE, secret)
    headers = {"authorization": f"Bearer {secret}"}
    with house.db.read() as tx:
        first = queries.listed(tx, call, limit=1)[0].id
    for path in paths(call, first):
        seen: list[str] = []
        listener = partial(_note, seen)
        sa.event.listen(house.db.engine, "before_cursor_execute", listener)
        status = client.get(path, headers=headers if path.startswith("/api") else {}).status_code
        sa.event.remove(house.db.engine, "before_cursor_execute", listener)
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            client.get(path, headers=headers if path.startswith("/api") else {})
            times.append((time.perf_counter() - began) * 1000)
        yield Measured(path, status, median(times or [0]), max(times, default=0), len(seen))


def _note(seen: list[str], _connection: object, _cursor: object, statement: str, *_: object) -> None:
    seen.append(statement)


def paths(call: str, application: str) -> list[str]:
    """Return what is asked for."""
    at = f"/desk/calls/{call}"
    one = f"/applications/{application}"
    return [
        "/", "/my", "/steward", "/steward?only=active&from=5000", "/people", "/people?from=5000",
        "/people?find=place-77", "/readers", "/appeals", f"{at}/review", f"{at}/panel", f"{at}/account",
        "/desk", at, f"{at}?from=9950", f"{at}?only=submitted&from=5000", one, "/apply",
        f"/desk{one}/ineligible/why", f"/desk{one}/return", f"{at}/allocation",
        "/api/calls", f"/api/calls/{call}", f"/api/calls/{call}/desk", f"/api/calls/{call}/desk?limit=1000&offset=9000",
        f"/api/calls/{call}/applications?limit=100", f"/api/calls/{call}/overdue",
    ]  # fmt: skip


def main() -> int:
    """Measure, print; 1 if any page is over the bound or fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--applications", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    bad = False
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with many.house() as house:
        call = many.bulk_call(house)
        many.field(house, call, chosen.applications)
        many.grants(house, chosen.applications)
        print(f"{'page':64}{'status':>7}{'median ms':>11}{'worst ms':>10}{'SQL':>5}")
        for each in measure(house, call, chosen.rounds):
            over = each.typical > BOUND or each.status != HTTPStatus.OK
            bad |= over
            path = each.path.replace(call, "CALL")
            print(f"{path:64}{each.status:7}{each.typical:11.1f}{each.worst:10.1f}{each.statements:5}{' !' * over}")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
