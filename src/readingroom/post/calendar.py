"""Dates as a calendar file (RFC 5545), for whatever calendar a person keeps. Pure.

Each date has a UID of its own that never changes, and a SEQUENCE that grows when the date is moved, so that a file that
is opened again moves what is in the calendar and adds nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from readingroom.post.spelling import one_line

PRODUCT = "-//Reading Room//EN"
_LINE = 75  # octets, without the line end (RFC 5545, 3.1)
_MOST_SEQUENCE = 2**31 - 1
_ESCAPED = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"}


@dataclass(frozen=True, slots=True)
class Date:
    """One moment in a calendar.

    Attributes:
        uid: of this date in this house, such as `call_x/closes`; the same for ever.
        title: one line.
        made_at: when the date was set first.
        changed_at: when it was set last; later than `made_at` where it was moved.
        url: the page that it is about; empty for none.
    """

    uid: str
    at: datetime
    title: str
    made_at: datetime
    changed_at: datetime
    text: str = ""
    url: str = ""

    @property
    def sequence(self) -> int:
        """How often it was moved, or more: the seconds between the first setting and the last, which only grow."""
        seconds = int((self.changed_at - self.made_at).total_seconds())
        return min(max(seconds, 1 if self.changed_at > self.made_at else 0), _MOST_SEQUENCE)


def calendar(dates: Iterable[Date], domain: str) -> str:
    """Spell dates as an iCalendar file, its lines ended by CRLF and folded at 75 octets.

    Args:
        dates: in any order; they are told in that of time.
        domain: of the house, for UIDs that are unique in the world.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    for each in sorted(dates, key=lambda date: (date.at, date.uid)):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_text(each.uid)}@{domain}",
            f"DTSTAMP:{_moment(each.changed_at)}",
            f"LAST-MODIFIED:{_moment(each.changed_at)}",
            f"SEQUENCE:{each.sequence}",
            f"DTSTART:{_moment(each.at)}",
            f"SUMMARY:{_text(one_line(each.title))}",
            *([f"DESCRIPTION:{_text(each.text)}"] if each.text else []),
            *([f"URL:{one_line(each.url, 2_000)}"] if each.url else []),
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    return "".join(f"{fold(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def fold(line: str) -> str:
    """Break a line that is longer than 75 octets, never inside a character."""
    parts, part, room = [], "", _LINE
    for character in line:
        size = len(character.encode())
        if size > room:
            parts.append(part)
            part, room = "", _LINE - 1  # the space that a folded line begins with
        part, room = part + character, room - size
    return "\r\n ".join([*parts, part])


def _text(text: str) -> str:
    """Escape a text (RFC 5545, 3.3.11); control characters cannot be told and are left out."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    shown = (c for c in plain if c == "\n" or (c >= " " and c != "\x7f" and not "\ud800" <= c <= "\udfff"))
    return "".join(_ESCAPED.get(c, c) for c in shown)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
