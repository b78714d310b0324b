"""The terms as prose: headings, lists, emphasis and paragraphs of Markdown, and not a tag that we did not write."""

from __future__ import annotations

import re
from itertools import groupby

from markupsafe import Markup, escape

_HEADING = re.compile(r"(#{1,4}) +(.+)")
_STRONG = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
_EMPHASIS = re.compile(r"\*(?=\S)([^*]+?)(?<=\S)\*")
_TOP = 3  # a page has its own first and second heading above


def prose(text: str) -> Markup:
    """Return a text as HTML, all escaped first; its lines stay lines, as in a contract."""
    blocks = re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip())
    return Markup("\n").join(part for block in blocks for part in _block(block))


def _block(block: str) -> list[Markup]:
    made = []
    for kind, lines in groupby(block.splitlines(), _kind):
        if kind == "heading":
            made += [_heading(line) for line in lines]
        elif kind == "item":
            items = [Markup("<li>{}</li>").format(_inline(line.strip()[2:])) for line in lines]
            made.append(Markup("<ul>{}</ul>").format(Markup("").join(items)))
        else:
            made.append(Markup("<p>{}</p>").format(Markup("<br>").join(map(_inline, lines))))
    return made


def _kind(line: str) -> str:
    if _HEADING.fullmatch(line.strip()):
        return "heading"
    return "item" if line.strip().startswith(("- ", "* ")) else "line"


def _heading(line: str) -> Markup:
    found = _HEADING.fullmatch(line.strip())
    marks, words = found.groups() if found else ("#", line)
    level = str(min(len(marks) + _TOP - 1, 6))
    return Markup("<h{}>{}</h{}>").format(level, _inline(words), level)


def _inline(line: str) -> Markup:
    shown = _STRONG.sub(r"<strong>\1</strong>", str(escape(line.strip())))
    return Markup(_EMPHASIS.sub(r"<em>\1</em>", shown))  # noqa: S704 - escaped on the line above
