"""The house's codes and moments in a reader's words. Programs get the codes themselves. Pure."""

from __future__ import annotations

import re
from datetime import datetime

from markupsafe import Markup, escape

SANCTIONS = {"warn": "warning", "throttle": "throttle", "suspend": "suspension", "revoke": "revocation", "bar": "bar"}
_RULES = {"below-floor": "below the floor", "in-part": "in part: what was left of the budget"}
_BRACKETED = re.compile(r"\(([a-z]+(?:-[a-z]+)+)\)")
_CODE = re.compile(r"[a-z]+(?:-[a-z]+)+")
_COPIED = r"\b[a-z]+_(?=[0-9a-z]*\d)[0-9a-z]{12,}\b|\bsha256:[0-9a-f]{12,}|\b(?=\d*[a-f])[0-9a-f]{32,}\b"
_CODED = re.compile(rf"`([^`\n]+)`|{_COPIED}")
_IMPOSED = re.compile(r"(\w+): ([\w-]+), (\d{4}-\d\d-\d\d)")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:00)")


def words(code: object) -> str:
    """Spell a code as words: `under-review` is "under review"."""
    return _RULES.get(str(code), str(code).replace("-", " "))


def sanction(kind: object) -> str:
    """Name a sanction by a noun: the page of a `revoke` is about a revocation."""
    return SANCTIONS.get(str(kind), str(kind))


def reviewer(person: str) -> str:
    """Call a reviewer who is not named here; the end of a pseudonym tells one from another, on every page alike."""
    return f"Reviewer {person[-4:]}" if person.startswith("person_") else person


def coded(text: object) -> Markup:
    """Return a sentence as HTML, all escaped first; what is copied and not read stands as code.

    That is what stands between backticks, a command or a name, and any id or digest.
    """
    return Markup(_CODED.sub(_as_code, str(escape(text))))  # noqa: S704 - escaped on this line


def _as_code(found: re.Match[str]) -> str:
    return f"<code>{found[1] or found[0]}</code>"


def imposed(line: str) -> str:
    """Spell a sanction as the register has it: its kind, reason and day."""
    if not (found := _IMPOSED.fullmatch(line)):
        return line
    kind, reason, day = found.groups()
    return f"{sanction(kind)}: {words(reason)}, {datetime.fromisoformat(day):%-d %B %Y}"


def moment(at: datetime) -> str:
    """Spell a moment to the minute, in UTC."""
    return f"{at:%-d %B %Y, %H:%M} UTC"


def precise(at: datetime | str) -> str:
    """Spell a moment to the millisecond, in UTC; also one that a program wrote (RFC 3339)."""
    at = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return f"{at:%-d %B %Y, %H:%M:%S}.{at.microsecond // 1000:03d} UTC"


def dated(text: str) -> str:
    """Spell every moment in a text that was made for programs, and every code: in brackets, or all that the text is."""
    if _CODE.fullmatch(text):
        return words(text)
    text = _BRACKETED.sub(lambda found: f"({words(found[1])})", text)
    return _MOMENT.sub(lambda found: moment(datetime.fromisoformat(found[0])), text)
