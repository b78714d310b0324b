"""Reading a release plan: strategy's parser, told which suites exist here. Needs no house."""

from __future__ import annotations

from pathlib import Path

from readingroom.core.document import read, read_file
from readingroom.strategy.model import Plan
from readingroom.strategy.parse import parse
from readingroom.stress.suites import known


def parse_plan(text: str, name: str) -> Plan:
    """Read a release plan, with the suites that exist here."""
    return parse(read(text, name), known())


def parse_plan_file(path: Path) -> Plan:
    """Read a release plan from a file."""
    return parse(read_file(path), known())
