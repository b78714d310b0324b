"""Terms as clauses: each numbered, and linked to the checks that enforce it or marked as unenforced. Pure.

A text of terms is either plain, as it always could be, or a YAML document with `clauses:`; its hash names the version
either way.

    title: Terms of the reading room
    clauses:
      - number: "3.2"
        text: Do not ask for launch codes.
        enforced_by: [screening]
      - number: "5"
        text: Cite the receipt of every answer that you publish.
        unenforced: Nobody can see a publication from here; the closing report asks for it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from readingroom.access.checks import NAMES
from readingroom.core import document
from readingroom.core.canonical import Json
from readingroom.core.document import Node

MAX_CLAUSES = 200
_STRUCTURED = re.compile(r"^clauses:", re.MULTILINE)
_NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}")


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause.

    Attributes:
        enforced_by: names of checks; empty where it is unenforced.
        unenforced: why nothing enforces it; empty where something does.
    """

    number: str
    text: str
    enforced_by: tuple[str, ...] = ()
    unenforced: str = ""
    where: str = ""

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON."""
        links: dict[str, Json] = {"enforced_by": list(self.enforced_by), "unenforced": self.unenforced or None}
        return {"number": self.number, "text": self.text, **links}


@dataclass(frozen=True, slots=True)
class TermsText:
    """A text of terms, read; a plain one has no clauses."""

    title: str = ""
    clauses: tuple[Clause, ...] = ()


def is_structured(text: str) -> bool:
    """Tell whether a text is a document of clauses."""
    return _STRUCTURED.search(text) is not None


def parse(text: str, name: str = "terms.yaml") -> TermsText:
    """Read a text of terms.

    Raises:
        BadInput: it has clauses, and something is wrong with them: every problem at `file:line:column`.
    """
    if not is_structured(text):
        return TermsText()
    root = document.read(text, name)
    fields = root.fields(["clauses"], ["title"])
    title = fields["title"].text() if "title" in fields else ""
    nodes = fields["clauses"].items() if "clauses" in fields else []
    if "clauses" in fields and not 1 <= len(nodes) <= MAX_CLAUSES:
        fields["clauses"].problem(f"there are {len(nodes)} clauses", f"Write 1 to {MAX_CLAUSES}")
    clauses = [_clause(each) for each in nodes]
    seen: set[str] = set()
    for node, clause in zip(nodes, clauses, strict=True):
        if clause.number and clause.number in seen:
            node.problem(f"the clause {clause.number} stands twice", "Give each clause a number of its own")
        seen.add(clause.number)
    root.document.finish()
    return TermsText(title, tuple(clauses))


@lru_cache(maxsize=64)
def parse_stored(text: str) -> TermsText:
    """Read a text that was good when it was published; it never changes, so it is kept."""
    return parse(text)


def _clause(node: Node) -> Clause:
    fields = node.fields(["number", "text"], ["enforced_by", "unenforced"])
    number = _number(fields["number"]) if "number" in fields else ""
    text = fields["text"].text() if "text" in fields else ""
    if ("enforced_by" in fields) == ("unenforced" in fields):
        cure = "Write 'enforced_by: [check, ...]', or 'unenforced: why', and not both"
        node.problem(f"the clause {number or '?'} does not say what enforces it", cure)
    checks = _checks(fields["enforced_by"]) if "enforced_by" in fields else ()
    why = fields["unenforced"].text() if "unenforced" in fields else ""
    return Clause(number, text, checks, why, node.where)


def _number(node: Node) -> str:
    written = str(getattr(node.raw, "value", ""))  # YAML takes 3.10 for 3.1: the scalar's own spelling counts
    if not _NUMBER.fullmatch(written):
        node.problem(f"{written[:20]!r} is no number of a clause", 'Write it as "3" or "3.2"')
        return ""
    return written


def _checks(node: Node) -> tuple[str, ...]:
    each = node.items() if node.is_list() else [node]
    found = tuple(name for one in each if (name := one.choice(NAMES)))
    if not each:
        node.problem("enforced_by names no check", f"Known here: {', '.join(NAMES)}; or write 'unenforced: why'")
    if len(set(found)) < len(found):
        node.problem("a check stands twice", "Name each once")
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one clause.

    Attributes:
        words: for a changed one, its words in order: what stayed (` `), went (`-`) or came (`+`).
    """

    kind: str  # added, removed, changed, relinked
    number: str
    words: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON."""
        return {"change": self.kind, "clause": self.number, "words": [list(each) for each in self.words]}


def changes(old: str, new: str) -> list[Change]:
    """Compare two texts of terms clause by clause, in the order of the new one; a plain text is one clause, `all`."""
    before, after = _by_number(old), _by_number(new)
    found = [_change(number, before.get(number), clause) for number, clause in after.items()]
    found += [_change(number, clause, None) for number, clause in before.items() if number not in after]
    return [each for each in found if each is not None]


def _by_number(text: str) -> Mapping[str, Clause]:
    clauses = parse_stored(text).clauses
    if clauses:
        return {each.number: each for each in clauses}
    return {"all": Clause("all", text)} if text.strip() else {}


def _change(number: str, old: Clause | None, new: Clause | None) -> Change | None:
    if old is None or new is None:
        kind, sign, clause = ("added", "+", new) if new else ("removed", "-", old)
        return Change(kind, number, ((sign, clause.text.strip() if clause else ""),))
    if old.text.split() != new.text.split():
        return Change("changed", number, tuple(_words(old.text.split(), new.text.split())))
    if (old.enforced_by, old.unenforced) != (new.enforced_by, new.unenforced):
        return Change("relinked", number, (("-", _link(old)), ("+", _link(new))))
    return None


def _words(old: list[str], new: list[str]) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            made.append((" ", " ".join(old[a:b])))
            continue
        made += [(sign, " ".join(words)) for sign, words in (("-", old[a:b]), ("+", new[c:d])) if words]
    return made


def _link(clause: Clause) -> str:
    return f"enforced by {', '.join(clause.enforced_by)}" if clause.enforced_by else f"unenforced: {clause.unenforced}"
