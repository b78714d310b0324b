"""Readers of single fields that the parts of a call file share, and the bounds of what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import yaml

from readingroom.core.clock import parse_rfc3339
from readingroom.core.document import Node

MAX_WORDS = 3_000


MAX_DAYS = 3_650


MAX_AMOUNT = 2**53 - 1


NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


BLANK: Mapping[str, Node] = {}


def once(node: Node, names: list[str], what: str) -> None:
    """Note a problem for each name that stands twice."""
    for name in sorted({each for each in names if each and names.count(each) > 1}):
        node.problem(f"the {what} {name!r} stands twice", "Keep one of the two")


def distinct(node: Node) -> tuple[str, ...]:
    """Read a list of different names, at least one."""
    names = node.texts()
    if not names:
        node.problem(f"{node.path} is empty", "Name at least one")
    once(node, list(names), "name")
    return names


def moment(node: Node | None) -> datetime:
    """Read a timestamp; YAML's own type for it drops the offset's spelling, so the scalar's text is read."""
    if node is None:
        return NO_TIME
    if isinstance(node.raw, yaml.ScalarNode):
        try:
            return parse_rfc3339(str(node.raw.value))
        except (ValueError, OverflowError):
            pass
    node.problem(f"{node.path} must be a moment with a time zone", "Write it as 2026-03-01T12:00:00Z")
    return NO_TIME


def integer(fields: Mapping[str, Node], name: str, missing: int) -> int:
    """Read a whole number of at least 1, or return what a missing field means."""
    if name not in fields:
        return missing
    return fields[name].integer(1, MAX_DAYS if "days" in name else MAX_AMOUNT)
