"""What differs between two versions of an application, question by question and word by word. Pure."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum

from readingroom.admissions.call import CallFile
from readingroom.admissions.model import Answer, Draft

MOST_WORDS = 1_500  # of both together; more is shown as a whole, for comparing takes the square of it
_PIECES = re.compile(r"\s+|\S+")


class Mark(StrEnum):
    """What became of a piece of text."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Change:
    """One answer that is not as it was: its question, and its pieces in order."""

    name: str
    label: str
    pieces: tuple[tuple[Mark, str], ...]


def changes(file: CallFile, old: Draft, new: Draft) -> list[Change]:
    """Return every answer that differs between two versions, in the form's order."""
    found = [(each.name, each.label, _shown(old, each.name), _shown(new, each.name)) for each in file.form]
    found += [
        ("passes", "Passes wanted", f"{old.passes:,}", f"{new.passes:,}"),
        ("tier", "Tier", old.tier, new.tier),
        ("team", "Team", ", ".join(old.team), ", ".join(new.team)),
    ]
    return [Change(name, label, pieces(before, after)) for name, label, before, after in found if before != after]


def _shown(draft: Draft, name: str) -> str:
    answer: Answer = draft.answers.get(name, "")
    return ", ".join(answer) if isinstance(answer, (tuple, list)) else str(answer)


def pieces(before: str, after: str) -> tuple[tuple[Mark, str], ...]:
    """Return a text's way from one spelling to another: what stayed, what went and what came; both can be read off."""
    old, new = _PIECES.findall(before), _PIECES.findall(after)
    if len(old) + len(new) > 2 * MOST_WORDS:
        return tuple((mark, text) for mark, text in ((Mark.GONE, before), (Mark.NEW, after)) if text)
    found: list[tuple[Mark, str]] = []
    for _, a, b, c, d in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if old[a:b] == new[c:d]:
            found.append((Mark.SAME, "".join(new[c:d])))
        else:
            found += [
                (mark, text) for mark, text in ((Mark.GONE, "".join(old[a:b])), (Mark.NEW, "".join(new[c:d]))) if text
            ]
    return tuple(found)
