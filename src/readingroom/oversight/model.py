"""Texts that are kept for investigations, as they may be listed and shown; looks at the register."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from readingroom.core.canonical import Json
from readingroom.core.clock import rfc3339

MOST = 100  # texts that are read at a time


@dataclass(frozen=True, slots=True)
class Listed:
    """A text that is kept, without the text.

    Attributes:
        until: when it is gone.
        ended: how the call ended.
        found: the rules that flagged or stopped it.
    """

    receipt: str
    grant: str
    at: str
    until: datetime
    ended: str
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """One choice of an answer.

    Attributes:
        said: what the engine said, before the exit screens.
        left: what left of it to the reader; None where that is not known, since the call was lost.
    """

    said: str
    left: str | None
    reasoning: str = ""
    tool_calls: Json = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A kept text, opened.

    Attributes:
        request: the reader's request, as canonical JSON.
        record: the usage record, which is in the ledger by its digest.
        proven: whether request and answer are those that the record commits to.
    """

    receipt: str
    grant: str
    until: datetime
    request: str
    answers: tuple[Said, ...]
    record: Json
    proven: bool


@dataclass(frozen=True, slots=True)
class Read:
    """One reading or erasing, as it is on record."""

    at: datetime
    person: str
    act: str
    grant: str
    receipt: str
    reason: str


def as_json(text: Text) -> dict[str, Json]:
    """Return an opened text as JSON."""
    answers = [{**asdict(each), "tool_calls": list(each.tool_calls)} for each in text.answers]
    return {
        "receipt": text.receipt,
        "grant": text.grant,
        "until": rfc3339(text.until),
        "proven": text.proven,
        "request": json.loads(text.request),
        "answers": answers,
        "record": text.record,
    }


class Shape(StrEnum):
    """In which form the register is given out."""

    PAGE = "page"
    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the whole register, on record."""

    at: datetime
    person: str
    form: Shape
    rows: int
    digest: str
