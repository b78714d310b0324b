"""What people give a command: files, dates, durations; each read within bounds, or told what is wrong with it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from readingroom.core.clock import parse_rfc3339
from readingroom.core.errors import BadInput, Problem

_MOST = 64_000_000  # bytes of a file that a command names
_DURATION = re.compile(r"([1-9]\d{0,4})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def contents(path: Path) -> bytes:
    """Read a file that a command names.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            read = file.read(_MOST + 1)
    except OSError as fault:
        raise BadInput([Problem(str(path), f"cannot be read: {fault.strerror}", "Check the path")]) from None
    if len(read) > _MOST:
        raise BadInput([Problem(str(path), f"is larger than {_MOST:,} bytes", "Check the path")])
    return read


def text_of(path: Path) -> str:
    """Read a text that a command names.

    Raises:
        BadInput: it cannot be read, or is not UTF-8.
    """
    try:
        return contents(path).decode()
    except UnicodeDecodeError as fault:
        told = f"is not UTF-8 at byte {fault.start + 1}"
        raise BadInput([Problem(str(path), told, "Save the file as UTF-8; nothing was changed")]) from None


def moment(text: str, option: str) -> datetime:
    """Read a date or an RFC 3339 moment.

    Raises:
        BadInput: it is neither.
    """
    try:
        return parse_rfc3339(text) if "T" in text else datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        cure = "Write 2026-12-31, or 2026-12-31T12:00:00Z"
        raise BadInput([Problem(option, f"{text!r} is no date", cure)]) from None


def duration(text: str) -> timedelta:
    """Read 12h, 30d or 8w.

    Raises:
        BadInput: it is none of these.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise BadInput([Problem("--expires", f"{text!r} is no duration", "Write 12h, 30d or 8w")])
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
