"""Reading an application file; whether it answers a call's form is judged against that call."""

from __future__ import annotations

from datetime import date

from readingroom.admissions.call_file.fields import (
    BLANK,
    MAX_AMOUNT,
)
from readingroom.admissions.form import YES_NO
from readingroom.admissions.model import Answer, Draft
from readingroom.core import document
from readingroom.core.document import Node


def parse(text: str | bytes, name: str = "application.yaml") -> Draft:
    """Read an application file; whether it answers a call's form is judged against that call.

    Raises:
        BadInput: with every problem found, each at `file:line:column`.
    """
    root = document.read(text, name)
    fields = root.fields(["passes", "tier", "answers"], ["team"])
    answers = fields["answers"].fields([], None) if "answers" in fields else BLANK
    draft = Draft(
        answers={key: _answer(value) for key, value in answers.items()},
        passes=fields["passes"].integer(1, MAX_AMOUNT) if "passes" in fields else 0,
        tier=fields["tier"].text() if "tier" in fields else "",
        team=fields["team"].texts() if "team" in fields else (),
    )
    root.document.finish()
    return draft


def _answer(node: Node) -> Answer:
    if node.is_list():
        return node.texts()
    value = node.plain()
    if isinstance(value, bool) and not node.is_text():  # `true` for a yes
        return YES_NO[0] if value else YES_NO[1]
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, date):  # YAML's own type for a day; kept as it is written
        return str(node.raw.value)
    return node.text()
