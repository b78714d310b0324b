"""The form: what applicants are asked."""

from __future__ import annotations

from readingroom.admissions.call import (
    Kind,
    Question,
)
from readingroom.admissions.call_file.fields import (
    MAX_WORDS,
    distinct,
)
from readingroom.core.document import Node


def question(node: Node) -> Question:
    """Read one question."""
    fields = node.fields(["name", "label", "type"], ["required", "words", "options", "shown_to_reviewers"])
    kinds = [each.value for each in Kind]
    kind = Kind(fields["type"].choice(kinds, Kind.TEXT.value)) if "type" in fields else Kind.TEXT
    options = distinct(fields["options"]) if "options" in fields else ()
    if (kind is Kind.CHOICE) != ("options" in fields):
        node.problem("options go with the type 'choice', and only with it", "Add or remove 'options'")
    if (kind is Kind.TEXT) != ("words" in fields):
        node.problem("words goes with the type 'text', and only with it", "Add or remove 'words'")
    return Question(
        name=fields["name"].text() if "name" in fields else "",
        label=fields["label"].text() if "label" in fields else "",
        kind=kind,
        required=fields["required"].flag() if "required" in fields else True,
        words=fields["words"].integer(1, MAX_WORDS) if "words" in fields else 0,
        options=options,
        shown=fields["shown_to_reviewers"].flag() if "shown_to_reviewers" in fields else True,
    )
