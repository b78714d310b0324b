"""The words of letters: one text per step, from which both the plain form and the HTML are made.

So both have the same words. Whatever a person wrote is one line by the time that it stands in a letter, or is quoted
line by line; it can be no header, no paragraph of ours and no link.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from readingroom.post.spelling import one_line

TEMPLATES = Path(__file__).parents[1] / "templates" / "letters"
_SCHEME = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*)://")
_QUOTED_LINES = 60
_QUOTED_WIDTH = 1_000  # characters; a line of mail may have 998
_HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{subject}</title>
</head><body style="margin:0;background:#faf8f3;color:#1f1b16">
<div style="max-width:36rem;margin:0 auto;padding:1.5rem;font:16px/1.5 Georgia,serif">
{body}
</div></body></html>
"""


class Ours(str):
    """A text of this program's own making, which stands as it is."""

    __slots__ = ()


@cache
def _environment() -> Environment:
    made = Environment(  # noqa: S701 - it makes plain text; `as_html` escapes every character of it
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=_shown,
    )  # fmt: skip
    made.filters["quoted"] = quoted
    made.filters["plain"] = plain
    made.filters["day"] = lambda moment: Ours(f"{moment.astimezone(UTC):%-d %B %Y}")
    made.filters["moment"] = lambda moment: Ours(f"{moment.astimezone(UTC):%-d %B %Y, %H:%M} UTC")
    made.filters["count"] = lambda number: Ours("unmetered" if number is None else f"{number:,}")
    made.filters["indented"] = lambda text: Ours("".join(f"    {line}\n" for line in text.splitlines()))
    return made


def _shown(value: object) -> str:
    return value if isinstance(value, Ours) else harmless(value)


def harmless(value: object) -> Ours:
    """Return what somebody wrote as one line in which no mail program finds a link."""
    return Ours(_SCHEME.sub(r"\1[:]//", one_line(value)))


def quoted(text: str) -> Ours:
    """Return what somebody wrote, line by line, marked as theirs."""
    lines = re.split(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]", text.strip())[:_QUOTED_LINES]
    return Ours("\n".join("> " + _SCHEME.sub(r"\1[:]//", one_line(line, _QUOTED_WIDTH)) for line in lines))


def plain(text: str) -> Ours:
    """Return a sentence of ours as one paragraph; what pages show as code has no marks in a letter."""
    return Ours(_SCHEME.sub(r"\1[:]//", one_line(text.replace("`", ""), _QUOTED_WIDTH)))


def write(name: str, base: str, **facts: Any) -> tuple[str, str, str]:  # noqa: ANN401 - whatever the template tells
    """Write a letter; returns its subject, its plain text and its HTML.

    Args:
        name: of the template.
        base: where readers reach this house.
        facts: what it tells.
    """
    link = lambda path: Ours(f"{base}{path}")  # noqa: E731 - it is given to the template by this name
    made = _environment().get_template(f"{name}.txt").render(link=link, house=Ours(base), **facts)
    head, _, body = made.partition("\n")
    subject = one_line(head.removeprefix("Subject:"))
    text = re.sub(r"\n{3,}", "\n\n", body).strip() + "\n"
    return subject, text, as_html(subject, text, base)


def as_html(subject: str, text: str, base: str) -> str:
    """Return a letter's text as HTML: the same words, every one escaped; only lines that are ours become links."""
    blocks = "\n".join(_block(block.split("\n"), base) for block in re.split(r"\n\n+", text.strip("\n")))
    return _HTML.format(subject=html.escape(subject), body=blocks)


def _block(lines: list[str], base: str) -> str:
    if all(line.startswith("    ") for line in lines):
        inner = html.escape("\n".join(line[4:] for line in lines))
        return f'<pre style="font-size:12px;white-space:pre-wrap;overflow-wrap:anywhere">{inner}</pre>'
    if all(line.startswith("> ") or line == ">" for line in lines):
        inner = "<br>\n".join(html.escape(line[2:]) for line in lines)
        return f'<blockquote style="margin:0 0 1em;padding-left:1em;border-left:3px solid #b5a48a">{inner}</blockquote>'
    if all(line.startswith("- ") for line in lines):
        return "<ul>" + "".join(f"<li>{html.escape(line[2:])}</li>" for line in lines) + "</ul>"
    return "<p>" + "<br>\n".join(_lines(lines, base)) + "</p>"


def _lines(lines: list[str], base: str) -> Iterator[str]:
    for line in lines:
        safe = html.escape(line)
        ours = base and line.startswith(f"{base}/") and not any(c.isspace() for c in line)
        yield f'<a href="{safe}">{safe}</a>' if ours else safe


def in_words(moment: datetime) -> str:
    """Return a moment as letters spell it."""
    return f"{moment.astimezone(UTC):%-d %B %Y, %H:%M} UTC"
