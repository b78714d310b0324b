"""What stands on a page in words: nothing that only a program, or who wrote the program, can read."""

from __future__ import annotations

import html
import re

# What is meant for copying or for programs stands in one of these, and says so by its type face.
_APART = re.compile(r"<(code|pre|textarea|script|style|svg|title|select)\b.*?</\1>|<option.*?</option>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_RAW = {
    "a command's marks": r"`",
    "a moment as programs write it": r"\d{4}-\d\d-\d\dT\d\d:\d\d",
    "an id": r"\b[a-z]+_(?=[0-9a-z]*\d)[0-9a-z]{12,}\b",
    "a table or a field": r"\b(?:people|admissions|access|gateway|oversight|post|releases)_[a-z_]+\b",
    "a value as Python writes it": r"\{'|\['|datetime\.|&lt;[A-Z]\w+ ",
    "a plural left to the reader": r"\w\((?:s|es)\)",
    "a code": r"\b(?:under-review|below-floor|in-full|\w+-leaked|\w+-breach|\w+-ended|\w+-corrected|appeal-upheld)\b",
}


def unspoken(page: str) -> list[str]:
    """Return what a page says to people that is not said in words, each with what it is."""
    text = html.unescape(_TAG.sub(" ", _APART.sub(" ", page)))
    return [
        f"{what}: …{text[max(0, found.start() - 40) : found.end() + 20]!r}"
        for what, raw in _RAW.items()
        for found in re.finditer(raw, text)
    ]
