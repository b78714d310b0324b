"""Works: what readers made of the model. Types, and what can be put on the public page. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from readingroom.core.canonical import Json
from readingroom.core.errors import Problem
from readingroom.core.refusal import Refusal
from readingroom.core.text import line_problem, needed_problem, prose_problem

MOST_AUTHORS = 100
MOST_RECEIPTS = 200
_ABSTRACT = 5_000  # characters
_TITLE = 300
_URL = 1_000
_FIRST_YEAR = 2020  # no work on a model that is lent here is older
_DOI = re.compile(r"10\.[0-9]{4,9}/[A-Za-z0-9._;()/:+-]{1,200}")
_LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+ -]{0,59}")
_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_IN_URL = re.compile(r"https://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+")
_ID = re.compile(r"[a-z_]{1,20}_[0-9a-z]{8,40}")


class Kind(StrEnum):
    """What a work is."""

    PAPER = "paper"
    NOTE = "note"
    DATA = "data"
    SOFTWARE = "software"


class WorkState(StrEnum):
    """Where a work stands."""

    SUBMITTED = "submitted"
    PUBLISHED = "published"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


_NEXT = {
    "publish": ({WorkState.SUBMITTED}, WorkState.PUBLISHED),
    "decline": ({WorkState.SUBMITTED}, WorkState.DECLINED),
    "withdraw": ({WorkState.SUBMITTED, WorkState.PUBLISHED}, WorkState.WITHDRAWN),
}


@dataclass(frozen=True, slots=True)
class Work:
    """A work as whoever hands it in says it.

    Attributes:
        authors: names, in the order of the work.
        doi: as `10.1234/abc`; empty for none.
        url: where it is, by https; empty for none.
        licence: by its SPDX name, such as `CC-BY-4.0`; empty where it has none.
        facsimiles: ids of those that it reads.
        receipts: ids of the answers that it rests on, all of the same grant.
    """

    kind: Kind
    title: str
    authors: tuple[str, ...]
    year: int
    doi: str = ""
    url: str = ""
    licence: str = ""
    abstract: str = ""
    facsimiles: tuple[str, ...] = ()
    receipts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON: what is stored, and committed to."""
        made = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in made.items()} | {
            "kind": self.kind.value
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Json]) -> Work:
        """Read what `to_json` wrote."""
        made: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in raw.items()}
        made["kind"] = Kind(raw["kind"])
        return cls(**made)


@dataclass(frozen=True, slots=True)
class Entry:
    """A work on record.

    Attributes:
        reason: why it was declined or taken off, in words; for its person and the stewards.
        call: the title of the call in which its grant was awarded; empty for a grant outside one.
    """

    id: str
    person: str
    grant: str
    state: WorkState
    work: Work
    submitted_at: datetime
    reason: str = ""
    decided_at: datetime | None = None
    call: str = ""


def problems(work: Work, this_year: int) -> list[Problem]:
    """Return everything that keeps a work from being shown to anybody."""
    return list(_problems(work, this_year))


def _problems(work: Work, this_year: int) -> Iterator[Problem]:
    checks = [
        needed_problem("title", work.title, "Give the work's title") or line_problem("title", work.title, _TITLE),
        prose_problem("abstract", work.abstract, _ABSTRACT),
        *(line_problem("authors", each) for each in work.authors),
    ]
    yield from (each for each in checks if each)
    if not work.authors or not all(each.strip() for each in work.authors) or len(work.authors) > MOST_AUTHORS:
        yield Problem("authors", f"are {len(work.authors)}", f"Name 1 to {MOST_AUTHORS}, each on a line of their own")
    if not _FIRST_YEAR <= work.year <= this_year + 1:
        yield Problem(
            "year", f"is {work.year}", f"Give the year in which it came out, {_FIRST_YEAR} to {this_year + 1}"
        )
    if work.doi and not _DOI.fullmatch(work.doi):
        yield Problem("doi", f"{work.doi[:80]!r} is no DOI", "Write it without an address before it: 10.1234/abc")
    if work.url and (found := _url_problem(work.url)):
        yield Problem("url", found, "Give an address that begins with https://")
    if work.licence and not _LICENCE.fullmatch(work.licence):
        yield Problem("licence", f"{work.licence[:80]!r} is no licence's name", "Use its SPDX name, such as CC-BY-4.0")
    for name, ids in (("facsimiles", work.facsimiles), ("receipts", work.receipts)):
        if len(ids) > MOST_RECEIPTS:
            yield Problem(name, f"are {len(ids)}", f"Name at most {MOST_RECEIPTS}: those that the work rests on")
        yield from (
            Problem(name, f"{each[:60]!r} is no id", "Write ids as this house gives them, one on a line")
            for each in ids
            if not _ID.fullmatch(each)
        )


def _url_problem(url: str) -> str:
    """Say why a link is not put on a page; empty where it may be: nothing but https, to a host by its name."""
    if len(url) > _URL or not _IN_URL.fullmatch(url):
        return f"{url[:80]!r} is no plain https address"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return f"{url[:80]!r} cannot be read as an address"
    if parts.username is not None or parts.password is not None:
        return "holds a user's name, which hides where it leads"
    if not _HOST.fullmatch(host) or (port is not None and port == 0):
        return f"{host[:80]!r} is no host's name"
    return ""


def check_change(state: WorkState, act: str) -> Refusal | None:
    """Refuse an act that does not fit where a work stands."""
    if state in _NEXT[act][0]:
        return None
    words = {"publish": "published", "decline": "declined", "withdraw": "withdrawn"}
    reason = f"This work is {state.value}, so it cannot be {words[act]}."
    return Refusal("oversight/work-not-there", reason, {"state": state.value})


def after(act: str) -> WorkState:
    """Return where a work stands after an act."""
    return _NEXT[act][1]


def together(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Return the works that read the same facsimile, by facsimile, where there are two or more: to set side by side."""
    read: dict[str, list[Entry]] = {}
    for each in entries:
        for name in dict.fromkeys(each.work.facsimiles):
            read.setdefault(name, []).append(each)
    return {name: found for name, found in read.items() if len(found) > 1}
