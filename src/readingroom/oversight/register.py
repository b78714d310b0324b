"""The register of readers: who may read, since when, on whose decision, for what, awarded and used. Pure.

The public form has no persons: no names, addresses, pseudonyms or grant ids, no purpose (people write names into it),
an institution only where at least `SMALL_CELL` readers share it, and what was used to two digits or to tens, since an
exact count next to a date would let a colleague recognise a reader.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from readingroom.core.clock import rfc3339

SMALL_CELL = 5
SUPPRESSED = "(fewer than five)"
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # full width: where typed so


@dataclass(frozen=True, slots=True)
class Row:
    """One grant in the whole register."""

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
    since: datetime
    until: datetime
    ended_for: str
    awarded_passes: int | None
    used_passes: int
    used_tokens: int
    used_calls: int


@dataclass(frozen=True, slots=True)
class PublicRow:
    """One grant as the public may see it; a type that cannot hold a person."""

    institution: str
    stage: str
    tier: str
    state: str
    on_decision: str
    since: str
    until: str
    awarded_passes: int | None
    used_passes: int


def public(rows: Sequence[Row]) -> list[PublicRow]:
    """Return the public form, in an order that says nothing about who came first."""
    shared = Counter(institution for institution, _ in {(row.institution, row.email.casefold()) for row in rows})
    made = [
        PublicRow(
            institution=row.institution if row.institution and shared[row.institution] >= SMALL_CELL else SUPPRESSED,
            stage=row.stage,
            tier=row.tier,
            state=row.state,
            on_decision="award of a call" if row.award else "discretionary",
            since=f"{row.since:%Y-%m}",
            until=f"{row.until:%Y-%m}",
            awarded_passes=row.awarded_passes,
            used_passes=two_digits(row.used_passes),
        )
        for row in rows
    ]
    return sorted(made, key=lambda row: tuple(map(str, asdict(row).values())))


def two_digits(count: int) -> int:
    """Round to two significant digits, and to no less than tens, half up: 12,345 is 12,000, and 73 is 70."""
    unit = int(10 ** max(1, len(str(count)) - 2))
    return (count + unit // 2) // unit * unit


def as_json(row: Row | PublicRow) -> dict[str, object]:
    """Return a row as JSON."""
    return {name: rfc3339(value) if isinstance(value, datetime) else value for name, value in asdict(row).items()}


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
    if isinstance(value, str) and value.startswith(_RUN):
        return "'" + value
    return "" if value is None else value


def counts(rows: Sequence[Row]) -> Mapping[str, int]:
    """Return how many grants are in each state."""
    return dict(sorted(Counter(row.state for row in rows).items()))
