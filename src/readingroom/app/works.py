"""Works as the doors take them in and show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readingroom.core.clock import rfc3339
from readingroom.core.document import Node
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole
from readingroom.oversight.citing import key, line
from readingroom.oversight.work import Entry, Kind, Work

_TEXTS = ("title", "doi", "url", "licence", "abstract")
_LISTS = ("authors", "facsimiles", "receipts")


def from_form(typed: Mapping[str, str]) -> Work:
    """Read a work from a form's fields; lists have one thing on a line.

    Raises:
        BadInput: it is of no kind, or the year is no number. All else is judged with the work.
    """
    lists = {name: tuple(each.strip() for each in typed.get(name, "").splitlines() if each.strip()) for name in _LISTS}
    texts = {name: typed.get(name, "").strip().replace("\r\n", "\n") for name in _TEXTS}
    problems, year = [], whole(typed.get("year", "").strip())
    if typed.get("kind") not in set(Kind):
        problems.append(Problem("kind", "is not chosen", f"Choose one of: {', '.join(Kind)}"))
    if year is None:
        problems.append(Problem("year", "is no year", "Write it as 2026"))
    if problems:
        raise BadInput(problems)
    return Work(kind=Kind(typed["kind"]), year=year or 0, **texts, **lists)  # type: ignore[arg-type]


def from_file(root: Node) -> tuple[str, Work]:
    """Read a work's file (YAML): its grant, and the work.

    Raises:
        BadInput: with line and column of everything that is wrong.
    """
    optional = ("doi", "url", "licence", "abstract", "facsimiles", "receipts")
    given = root.fields(("grant", "kind", "title", "authors", "year"), optional)
    texts = {name: given[name].text().strip() for name in _TEXTS if name in given}
    lists = {name: given[name].texts() for name in _LISTS if name in given}
    kind = given["kind"].choice(list(Kind), Kind.NOTE) if "kind" in given else Kind.NOTE
    year = given["year"].integer(0, 9999) if "year" in given else 0
    grant = given["grant"].text() if "grant" in given else ""
    root.document.finish()
    return grant, Work(kind=Kind(kind), year=year, **texts, **lists)  # type: ignore[arg-type]


def public_json(entry: Entry) -> dict[str, Any]:
    """Return a published work as everyone may see it: neither its grant nor who handed it in."""
    return {"id": entry.id, **entry.work.to_json(), "call": entry.call, "key": key(entry), "cite": line(entry)}


def own_json(entry: Entry) -> dict[str, Any]:
    """Return a work as its own person and the stewards see it."""
    more = {"grant": entry.grant, "state": entry.state.value, "reason": entry.reason}
    return public_json(entry) | more | {"submitted_at": rfc3339(entry.submitted_at)}
