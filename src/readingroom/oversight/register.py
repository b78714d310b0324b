"""The register of readers: who may read, since when, on whose decision, for what, awarded and used. Pure.

The public form is made for those who compare: with what they know of a reader, with another row, with an earlier copy.

- It has no persons: no names, addresses, pseudonyms or grant ids; no purpose but a call's own title (people write names
  into theirs); no date.
- Its unit is the *batch*. Under each purpose, grants stand in the order in which they were issued, and are cut into
  batches of five different readers. A batch that is not full is not shown. So every figure is a sum over at least five
  readers, the difference of two copies is one too, and what has been shown is never cut anew.
- Institutions have a number of readers in fives, and no amounts: two tables of amounts over the same readers could be
  set against each other.
- Nothing is a total over more than is shown, so no total gives away what is held back.
- Amounts are rounded to two digits.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from readingroom.core.canonical import canonical
from readingroom.core.clock import rfc3339

SMALL_CELL = 5
DISCRETION = "At the lab's discretion, outside a call"
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # full width: where typed so


@dataclass(frozen=True, slots=True)
class Row:
    """One grant in the whole register.

    Attributes:
        call: the title of the call that it was awarded in; empty for one at discretion.
        sanctions: every one, as kind, reason and day, the oldest first.
    """

    grant: str
    reader: str
    email: str
    institution: str
    stage: str
    tier: str
    state: str
    purpose: str
    decided_by: str
    award: str
    call: str
    since: datetime
    until: datetime
    ended_for: str
    awarded_passes: int | None
    awarded_tokens: int | None
    awarded_calls: int | None
    used_passes: int
    used_tokens: int
    used_calls: int
    sanctions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublicRow:
    """One line of the public register; a type that cannot hold a person.

    Attributes:
        kind: `purpose`, with amounts; or `institution`, with a number of readers only.
        name: a call's title, or `DISCRETION`; or an institution.
        readers: in fives; None for fewer than five.
        projects: grants in full batches; None where none is full.
        awarded_passes: rounded; None where it is held back, or unmetered.
    """

    kind: str
    name: str
    stage: str
    readers: int | None
    projects: int | None = None
    awarded_passes: int | None = None
    used_passes: int | None = None


class Line(NamedTuple):
    """What the public register counts of a grant; of these, names and addresses are counted and never shown."""

    grant: str
    email: str
    institution: str
    stage: str
    call: str
    since: str  # sorts as time does
    awarded_passes: int | None
    used_passes: int
    issued_to: str = ""  # the pseudonym of then, where its account has become one with another since


def public(rows: Sequence[Row | Line], calls: Sequence[tuple[str, str]] = ()) -> list[PublicRow]:
    """Return the public form.

    Args:
        rows: the whole register.
        calls: title and stage of every call: it is public itself, and has its line whether or not anybody reads.
    """
    purposes: dict[tuple[str, str], list[Row | Line]] = {each: [] for each in calls}
    for row in sorted(rows, key=lambda row: (row.since, row.grant)):
        purposes.setdefault((row.call or DISCRETION, row.stage), []).append(row)
    lines = [_purpose(name, stage, found) for (name, stage), found in purposes.items()]
    shared: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        if row.institution.strip():
            shared.setdefault((" ".join(row.institution.split()), row.stage), set()).add(row.email.casefold())
    lines += [
        PublicRow("institution", name, stage, _in_fives(len(who)))
        for (name, stage), who in shared.items()
        if len(who) >= SMALL_CELL
    ]
    return sorted(lines, key=lambda line: (line.kind != "purpose", line.name.casefold(), line.name, line.stage))


def _purpose(name: str, stage: str, rows: Sequence[Row | Line]) -> PublicRow:
    full = full_batches(rows)
    readers = _in_fives(len({_reader(row) for row in full}))
    if readers is None:
        return PublicRow("purpose", name, stage, None)
    awarded = [row.awarded_passes for row in full]
    metered = [each for each in awarded if each is not None]
    return PublicRow(
        "purpose",
        name,
        stage,
        readers,
        projects=len(full),
        awarded_passes=two_digits(sum(metered)) if len(metered) == len(awarded) else None,
        used_passes=two_digits(sum(row.used_passes for row in full)),
    )


def full_batches(rows: Sequence[Row | Line]) -> list[Row | Line]:
    """Return the grants that are in full batches: each batch ends with the grant of its fifth reader.

    Args:
        rows: of one purpose, in the order in which they were issued.
    """
    shown: list[Row | Line] = []
    batch: list[Row | Line] = []
    readers: set[str] = set()
    for row in rows:
        batch.append(row)
        readers.add(_reader(row))
        if len(readers) == SMALL_CELL:
            shown += batch
            batch, readers = [], set()
    return shown


def _reader(row: Row | Line) -> str:
    """Return what tells readers apart in batches: it must stay as it was when a batch was shown."""
    return (row.issued_to if isinstance(row, Line) else "") or row.email.casefold()


def _in_fives(count: int) -> int | None:
    return count // SMALL_CELL * SMALL_CELL or None


def summary(rows: Sequence[PublicRow]) -> tuple[int, int]:
    """Return how many readers and passes read the public register shows under all purposes."""
    purposes = [row for row in rows if row.kind == "purpose"]
    return sum(row.readers or 0 for row in purposes), sum(row.used_passes or 0 for row in purposes)


def two_digits(count: int) -> int:
    """Round to two significant digits, and to no less than tens, half up: 12,345 is 12,000, and 73 is 70."""
    unit = int(10 ** max(1, len(str(count)) - 2))
    return (count + unit // 2) // unit * unit


def as_json(row: Row | PublicRow) -> dict[str, object]:
    """Return a row as JSON."""
    return {
        name: rfc3339(value) if isinstance(value, datetime) else list(value) if isinstance(value, tuple) else value
        for name, value in ((name, getattr(row, name)) for name in row.__dataclass_fields__)
    }


def document(rows: Sequence[Row]) -> bytes:
    """Return the register as canonical JSON: what the record of a look commits to, whatever form was given out."""
    return canonical([as_json(row) for row in rows])


def to_csv(rows: Sequence[Row | PublicRow], kind: type[Row | PublicRow]) -> str:
    """Spell rows as CSV (RFC 4180), with its heads even where there is no row."""
    text = io.StringIO()
    heads = list(kind.__dataclass_fields__)
    writer = csv.DictWriter(text, heads, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in as_json(row).items()} for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    """Keep a spreadsheet from running what a reader wrote as a formula."""
    if isinstance(value, list):
        value = "; ".join(value)
    if isinstance(value, str) and value.lstrip(" \xa0").startswith(_RUN):
        return "'" + value
    return "" if value is None else value
