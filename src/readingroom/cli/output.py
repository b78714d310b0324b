"""What a command prints: one JSON document on stdout with --json, else text; notes and progress on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from readingroom.core.clock import rfc3339
from readingroom.core.errors import BadInput, Broken
from readingroom.core.refusal import Refusal

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def shown(text: object) -> Text:
    """Return a text as it may reach a terminal: no markup in it counts, and no control character gets through."""
    return Text(_UNSEEN.sub("\N{REPLACEMENT CHARACTER}", "" if text is None else str(text)))


class Output:
    """The two ways to print, chosen once."""

    def __init__(self, *, as_json: bool = False) -> None:
        """Choose JSON or text."""
        self.as_json = as_json
        self.out = Console(highlight=False, soft_wrap=True)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def result(self, document: Any, text: RenderableType | None = None) -> None:  # noqa: ANN401 - any JSON
        """Print a command's result: the document with --json, else the text (or the document, pretty)."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, indent=2, default=_plain) + "\n")
        elif isinstance(text, str):
            self.out.print(shown(text))
        elif text is not None:
            self.out.print(text)
        else:
            self.out.print(json.dumps(document, indent=2, default=_plain), markup=False)

    def rows(self, document: Any, title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:  # noqa: ANN401
        """Print a list as a table, or as JSON; an empty one in a word, for there a head says nothing."""
        rows = list(rows)
        if not rows:
            self.result(document, f"{title}: nothing yet.")
            return
        table = Table(title=shown(title), title_justify="left", header_style="bold")
        for head in heads:
            table.add_column(head, overflow="fold")
        for row in rows:
            table.add_row(*map(shown, row))
        self.result(document, table)

    def note(self, text: str) -> None:
        """Print a note on stderr."""
        self.err.print(shown(text))

    def refusal(self, refusal: Refusal) -> None:
        """Print a refusal."""
        facts = dict(refusal.facts)
        if self.as_json:
            error = {"code": refusal.code, "message": refusal.reason, "facts": facts}
            sys.stdout.write(json.dumps({"error": error}, indent=2, default=_plain) + "\n")
        self.err.print(shown(f"refused ({refusal.code}): {refusal.reason}"))

    def usage(self, message: str) -> None:
        """Print as JSON that the command line itself is wrong; its text is on stderr already."""
        problem = {"where": "command line", "what": message, "cure": "See --help"}
        self.result({"error": {"code": "app/bad-usage", "message": message, "problems": [problem]}})

    def fault(self, fault: BadInput | Broken) -> None:
        """Print what is wrong with an input or with the house, each with its place and cure."""
        problems = fault.problems if isinstance(fault, BadInput) else (fault.problem,)
        if self.as_json:
            listed = [{"where": p.where, "what": p.what, "cure": p.cure} for p in problems]
            code = "app/bad-input" if isinstance(fault, BadInput) else "app/broken"
            error = {"code": code, "message": str(problems[0]), "problems": listed}
            sys.stdout.write(json.dumps({"error": error}, indent=2) + "\n")
        for problem in problems:
            self.err.print(shown(problem))


def _plain(value: object) -> str:
    """Spell what JSON has no word for; moments as everywhere outside, in RFC 3339."""
    return rfc3339(value) if isinstance(value, datetime) else str(value)
