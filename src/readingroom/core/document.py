"""YAML documents in which every value knows its line and column.

A `Node` wraps one YAML value. Reading it as the wrong type, or meeting an unknown key, is noted as a
`Problem`; parsing goes on, so that one run shows all problems. `Document.finish` raises them together.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from readingroom.core.errors import BadInput, Problem

MAX_BYTES = 1_000_000  # a plan, call or rule set larger than this is a mistake or an attack
MAX_DEPTH = 50  # lists and mappings within each other; reading takes the square of it
# What neither a terminal nor JSON can show as it stands: control characters but tab and line end, lone surrogates.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# YAML 1.1 takes 1:30 for 90, and 0132 for 90 as well.
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")


@dataclass
class Document:
    """One YAML text and the problems found in it so far."""

    name: str
    problems: list[Problem] = field(default_factory=list)

    def note(self, mark: yaml.Mark | None, what: str, cure: str) -> None:
        """Note a problem at a place in the text."""
        where = f"{self.name}:{mark.line + 1}:{mark.column + 1}" if mark else f"{self.name}:1:1"
        self.problems.append(Problem(where, what, cure))

    def finish(self) -> None:
        """Raise `BadInput` with all problems, if there are any."""
        if self.problems:
            raise BadInput(self.problems)


@dataclass(frozen=True)
class Node:
    """A value in a document, with the readers that turn it into plain Python."""

    document: Document
    raw: yaml.Node
    path: str = ""

    def problem(self, what: str, cure: str) -> None:
        """Note that this value is wrong."""
        self.document.note(self.raw.start_mark, what, cure)

    @property
    def where(self) -> str:
        """The place of this value as `file:line:column`."""
        mark = self.raw.start_mark
        return f"{self.document.name}:{mark.line + 1}:{mark.column + 1}"

    def plain(self) -> Any:  # noqa: ANN401 - YAML holds anything
        """Return the value as plain lists, dicts and scalars; what has no value (`!!int x`) reads as its text."""
        constructor = yaml.constructor.SafeConstructor()
        try:
            return constructor.construct_document(self.raw)
        except (yaml.YAMLError, ValueError):
            return str(self.raw.value)[:80]

    def is_mapping(self) -> bool:
        """Tell whether this is a mapping."""
        return isinstance(self.raw, yaml.MappingNode)

    def is_list(self) -> bool:
        """Tell whether this is a list."""
        return isinstance(self.raw, yaml.SequenceNode)

    def is_text(self) -> bool:
        """Tell whether this is a text scalar; `no`, `on` and their kin are words, as in YAML 1.2."""
        if not isinstance(self.raw, yaml.ScalarNode):
            return False
        word = self.raw.tag.endswith(":bool") and self.raw.value.lower() not in {"true", "false"}
        return word or self.raw.tag.endswith(":str")

    def text(self, default: str = "") -> str:
        """Read a non-empty text."""
        if self.is_text() and isinstance(self.raw, yaml.ScalarNode) and self.raw.value.strip():
            if not _UNSEEN.search(self.raw.value):
                return str(self.raw.value)
            self.problem(f"{self.path or 'this'} holds a character that cannot be shown", "Take it out")
            return default
        self.problem(f"{self.path or 'this'} must be text", "Write a non-empty text, in quotes if needed")
        return default

    def choice(self, options: Iterable[str], default: str = "") -> str:
        """Read one of a closed list of words."""
        value = self.text(default)
        known = list(options)
        if value and value not in known:
            self.problem(f"{self.path} {value!r} is not known", _suggest(value, known))
            return default
        return value

    def integer(self, low: int = 0, high: int = 2**53 - 1) -> int:
        """Read an integer within bounds (inclusive)."""
        value = self.plain()
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.problem(f"{self.path} must be a whole number from {low} to {high}", f"Found {value!r}")
            return low
        if not _INTEGER.fullmatch(self.raw.value):
            self.problem(f"{self.path} is not written as a plain number", f"Write {value}, if that is what is meant")
            return low
        return value

    def number(self, low: float, high: float) -> float:
        """Read a number within bounds (inclusive); NaN and infinities are refused."""
        value = self.plain()
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            self.problem(f"{self.path} must be a number from {low} to {high}", f"Found {value!r}")
            return low
        if not _NUMBER.fullmatch(self.raw.value):
            self.problem(f"{self.path} is not written as a plain number", f"Write {value}, if that is what is meant")
            return low
        return float(value)

    def flag(self) -> bool:
        """Read true or false."""
        value = self.plain()
        if not isinstance(value, bool):
            self.problem(f"{self.path} must be true or false", f"Found {value!r}")
            return False
        return value

    def items(self) -> list[Node]:
        """Read a list; anything else is a problem and reads as empty."""
        if isinstance(self.raw, yaml.SequenceNode):
            return [Node(self.document, each, f"{self.path}[{i}]") for i, each in enumerate(self.raw.value)]
        self.problem(f"{self.path or 'this'} must be a list", "Write it as lines that start with '- '")
        return []

    def texts(self) -> tuple[str, ...]:
        """Read a list of texts."""
        return tuple(each.text() for each in self.items())

    def fields(self, required: Iterable[str] = (), optional: Iterable[str] | None = ()) -> dict[str, Node]:
        """Read a mapping whose keys are known; `optional=None` allows any further key.

        A missing, unknown or repeated key is a problem.
        """
        if not isinstance(self.raw, yaml.MappingNode):
            self.problem(f"{self.path or 'this'} must be a mapping", "Write it as lines of 'key: value'")
            return {}
        needed = list(required)
        known = None if optional is None else [*needed, *optional]
        found: dict[str, Node] = {}
        for key, value in self._pairs():
            if key in found:
                self.document.note(value.start_mark, f"{key!r} stands twice", "Keep one of the two")
            elif known is not None and key not in known:
                self.document.note(_key_mark(self.raw, key), f"unknown key {key!r}", _suggest(key, known))
            else:
                found[key] = Node(self.document, value, f"{self.path}.{key}" if self.path else key)
        for key in needed:
            if key not in found:
                self.problem(f"{self.path or 'the document'} lacks {key!r}", f"Add '{key}: ...'")
        return found

    def _pairs(self) -> Iterator[tuple[str, yaml.Node]]:
        assert isinstance(self.raw, yaml.MappingNode)  # noqa: S101 - callers have looked
        for key, value in self.raw.value:
            if not isinstance(key, yaml.ScalarNode):
                self.document.note(key.start_mark, "a key must be a plain word", "Quote it")
            elif _UNSEEN.search(key.value):
                self.document.note(key.start_mark, "a key holds a character that cannot be shown", "Take it out")
            else:
                yield str(key.value), value


def _key_mark(mapping: yaml.MappingNode, name: str) -> yaml.Mark | None:
    return next((k.start_mark for k, _ in mapping.value if getattr(k, "value", None) == name), None)


def _suggest(value: str, known: list[str]) -> str:
    close = difflib.get_close_matches(value, known, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known here: {', '.join(known)}" if known else "Nothing is allowed here"


def read(text: str | bytes, name: str) -> Node:
    """Parse one YAML document into its root node.

    Raises:
        BadInput: it is not UTF-8, not YAML, empty, too large, or uses aliases.
    """
    if len(text) > MAX_BYTES:
        raise BadInput([Problem(f"{name}:1:1", f"the file is larger than {MAX_BYTES} bytes", "Make it smaller")])
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        _check_tokens(decoded, name)
        root = yaml.compose(decoded, Loader=yaml.SafeLoader)
    except UnicodeDecodeError as fault:
        raise BadInput([Problem(f"{name}:1:1", f"not UTF-8 at byte {fault.start}", "Save it as UTF-8")]) from None
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else f"{name}:1:1"
        raise BadInput([Problem(where, f"not YAML: {fault.problem}", "Mind quotes and indentation")]) from None
    except (yaml.YAMLError, RecursionError, ValueError) as fault:
        raise BadInput([Problem(f"{name}:1:1", f"not YAML: {fault}", "Mind quotes and indentation")]) from None
    if root is None:
        raise BadInput([Problem(f"{name}:1:1", "the file is empty", "Fill it in")])
    return Node(Document(name), root)


def read_file(path: Path) -> Node:
    """Read a YAML file; an unreadable one is a `BadInput` that names it."""
    try:
        return read(path.read_bytes(), str(path))
    except OSError as fault:
        raise BadInput([Problem(str(path), f"cannot be read: {fault.strerror}", "Check the path")]) from None


_OPENS = (
    yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken, yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken,
)  # fmt: skip
_CLOSES = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


def _check_tokens(text: str, name: str) -> None:
    """Refuse what a few bytes make huge: aliases, which expand to gigabytes, and nesting, which takes for ever."""
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        depth += isinstance(token, _OPENS) - isinstance(token, _CLOSES)
        mark = token.start_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}"
        if isinstance(token, yaml.AliasToken):
            raise BadInput([Problem(where, "aliases (*name) are not allowed", "Write the value out")])
        if depth > MAX_DEPTH:
            raise BadInput([Problem(where, f"nested more than {MAX_DEPTH} deep", "Make it flatter")])
