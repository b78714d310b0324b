"""Long lists come a page at a time: in as many statements whatever their length, and each item on one page."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from functools import partial

import pytest
import sqlalchemy as sa
from benchmarks import many
from litestar.exceptions import LitestarDeprecationWarning
from sqlalchemy.engine import Connection

from portal import Portal
from readingroom.access import queries as access
from readingroom.admissions import queries, tables
from readingroom.people import queries as people
from readingroom.people.model import Role
from readingroom.people.tables import role as roles
from readingroom.web.app import create_web
from readingroom.web.pages import chair, desk, register, review

FEW, MORE = 3, 60
PAGES = {
    "steward": [
        "/desk/calls/{call}", "/desk/calls/{call}/review", "/desk/calls/{call}/panel", "/steward/register", "/readers",
        "/desk", "/my", "/desk/calls/{call}/account",
    ],
    "reviewer": ["/reviews", "/reviews/{review}", "/desk", "/my"],
    "safety": ["/reviews", "/my"],
}  # fmt: skip


class Filled:
    """A house in which calls follow one another, each reviewed and before its panel."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.house = portal.house
        self.call = ""
        self.statements: list[str] = []
        self.first = 0

    def go_on(self, count: int) -> None:
        """Publish the last call, and bring one of so many applications before its panel; of each there is a grant."""
        with self.house.db.write() as tx:
            tx.execute(tables.application.update().values(state="refused"))
            tx.execute(tables.call.update().values(state="published"))
        self.call = many.bulk_call(self.house, with_panel=True)
        many.field(self.house, self.call, count, self.first)
        many.grants(self.house, count, self.first)
        many.reviewed(self.house, self.call)
        self.first += count

    def review(self) -> str:
        with self.house.db.read() as tx:
            return queries.reviews_asked(tx, self.reviewer(tx))[0].id

    @staticmethod
    def reviewer(tx: Connection) -> str:
        found = people.by_email(tx, "reviewer@reviewer.example")
        assert found is not None
        return found.id

    def counted(self) -> dict[tuple[str, str], int]:
        """Return how many statements each page takes, once it is warm."""
        found = {}
        for role, paths in PAGES.items():
            visit = self.portal.visit(role)
            for path in paths:
                asked = path.format(call=self.call, review=self.review())
                assert visit.get(asked).status_code == 200, asked
                self.statements.clear()
                visit.get(asked)
                found[role, path] = len(self.statements)
        return found

    def there(self, item: str) -> list[str]:
        """Return the ids of all that a list is of."""
        with self.house.db.read() as tx:
            if "(review" in item:
                return [each.id for each in queries.reviews_asked(tx, self.reviewer(tx))]
            return list(queries.cases(tx, self.call).values()) if "case" in item else [e.id for e in access.grants(tx)]

    def reached(self, role: str, path: str, item: str) -> list[str]:
        """Follow a list's pages from the first, and return what is on them."""
        found: list[str] = []
        at: str | None = path
        while at:
            text = self.portal.visit(role).get(at).text
            found += re.findall(item, text)
            after = re.search(r'href="([^"]+)">After<', text)
            at = after[1] if after else None
        return found


@pytest.fixture(scope="module")
def filled() -> Iterator[Filled]:
    with many.house() as house, warnings.catch_warnings():
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        made = Filled(Portal(house, create_web(house, [])))
        listener = partial(_note, made.statements)
        sa.event.listen(house.db.engine, "before_cursor_execute", listener)
        with house.db.write() as tx:  # one reviewer has all that there is to review
            tx.execute(roles.delete().where(roles.c.role == Role.REVIEWER.value))
        made.portal.visit("reviewer")
        yield made


def _note(seen: list[str], _connection: object, _cursor: object, statement: str, *_: object) -> None:
    seen.append(statement)


def test_a_page_takes_as_many_statements_for_many_as_for_few(filled: Filled) -> None:
    filled.go_on(FEW)
    few = filled.counted()
    filled.go_on(MORE)
    assert filled.counted() == few


@pytest.mark.parametrize(
    ("role", "path", "item"),
    [
        ("steward", "/desk/calls/{call}/panel", r'id="(case_\w+)"'),
        ("steward", "/steward/register", r"<code>(grant_\w+)</code>"),
        ("reviewer", "/reviews", r'href="/reviews/(review_\w+)"'),
        ("safety", "/reviews", r'href="/reviews/risks/(case_\w+)"'),
        ("reviewer", "/desk", r'href="/reviews/(review_\w+)"'),
    ],
)
def test_each_item_is_on_exactly_one_page(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, role: str, path: str, item: str
) -> None:
    if not filled.call:
        filled.go_on(MORE)
    for each in (chair, desk, register, review):
        monkeypatch.setattr(each, "PAGE", 7)
    reached = filled.reached(role, path.format(call=filled.call), item)
    assert len(reached) > 7
    assert sorted(reached) == sorted(filled.there(item))
