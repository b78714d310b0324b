"""Texts that people hand in: what can be stored and shown everywhere, on both databases. Pure."""

from __future__ import annotations

import re

from readingroom.core.errors import Problem

LINE = 200  # characters in a name or a title
PROSE = 20_000  # characters in a reason or a comment
# Control characters, line ends of every kind, lone surrogates, and what turns the direction of the text around it.
_NOT_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NOT_IN_PROSE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def line_problem(where: str, text: str, most: int = LINE) -> Problem | None:
    """Say what is wrong with a text of one line; None where nothing is."""
    return _problem(where, text, most, _NOT_IN_A_LINE)


def prose_problem(where: str, text: str, most: int = PROSE) -> Problem | None:
    """Say what is wrong with a text of several lines; None where nothing is."""
    return _problem(where, text, most, _NOT_IN_PROSE)


def needed_problem(where: str, text: str, cure: str) -> Problem | None:
    """Say what is wrong with a text that must be there; None where nothing is."""
    return prose_problem(where, text) if text.strip() else Problem(where, "is required", cure)


def _problem(where: str, text: str, most: int, unseen: re.Pattern[str]) -> Problem | None:
    if len(text) > most:
        return Problem(where, f"is longer than {most} characters", "Make it shorter")
    if found := unseen.search(text):
        at = f"U+{ord(found[0]):04X} at place {found.start() + 1}"
        return Problem(where, f"holds a character that cannot be shown ({at})", "Take it out")
    return None


def many(count: int, noun: str) -> str:
    """Count things in words: 1 review, 2 reviews."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
