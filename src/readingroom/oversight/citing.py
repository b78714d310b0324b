"""Works as others cite them: BibTeX, CSL-JSON, and a line to read. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from readingroom.oversight.work import Entry, Kind

_BIBTEX = {Kind.PAPER: "article", Kind.NOTE: "misc", Kind.DATA: "misc", Kind.SOFTWARE: "misc"}
_CSL = {Kind.PAPER: "article", Kind.NOTE: "document", Kind.DATA: "dataset", Kind.SOFTWARE: "software"}
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip
_NAMED_BEFORE = 3  # authors that a line names before it says "and others"


def key(entry: Entry) -> str:
    """Return a citation key that is the work's own for ever: the first author's last name, the year, and the id."""
    last = (entry.work.authors[0].split() or [""])[-1]
    plain = unicodedata.normalize("NFKD", last).encode("ascii", "ignore").decode()
    return f"{re.sub(r'[^a-z]', '', plain.lower()) or 'work'}{entry.work.year}{entry.id[-5:]}"


def bibtex(entries: Sequence[Entry]) -> str:
    """Return works as a BibTeX file, in UTF-8."""
    return "\n".join(map(_bibtex, entries))


def _bibtex(entry: Entry) -> str:
    work = entry.work
    # Braces around each name: a consortium is not split into first and last name.
    values = {
        "title": "{" + _plain(work.title) + "}",
        "author": " and ".join("{" + _plain(each) + "}" for each in work.authors),
        "year": str(work.year),
        "doi": work.doi,
        "url": work.url.replace("%", r"\%").replace("#", r"\#"),
        "note": _plain(f"Licence: {work.licence}") if work.licence else "",
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in values.items() if value)
    return f"@{_BIBTEX[work.kind]}{{{key(entry)},\n{lines}\n}}\n"


def _plain(text: str) -> str:
    return "".join(_SPECIAL.get(c, c) for c in " ".join(text.split()))


def csl(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return works as CSL-JSON items, which reference managers read."""
    made = []
    for entry in entries:
        work = entry.work
        item: dict[str, Any] = {
            "id": key(entry),
            "type": _CSL[work.kind],
            "title": work.title,
            "author": [{"literal": each} for each in work.authors],
            "issued": {"date-parts": [[work.year]]},
        }
        item |= {name: value for name, value in (("DOI", work.doi), ("URL", work.url)) if value}
        made.append(item | ({"abstract": work.abstract} if work.abstract else {}))
    return made


def csl_text(entries: Sequence[Entry]) -> str:
    """Return works as a CSL-JSON file."""
    return json.dumps(csl(entries), ensure_ascii=False, indent=1) + "\n"


def line(entry: Entry) -> str:
    """Return a work as one cites it in running text."""
    work = entry.work
    first = ", ".join(work.authors[:_NAMED_BEFORE])
    names = f"{first} and others" if len(work.authors) > _NAMED_BEFORE else first
    where = f" https://doi.org/{work.doi}" if work.doi else f" {work.url}" if work.url else ""
    return f"{names} ({work.year}). {work.title.rstrip('.')}.{where}"
