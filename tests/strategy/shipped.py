"""The shipped plans, and the suites that they name."""

from __future__ import annotations

from pathlib import Path

from readingroom.core.document import read
from readingroom.strategy.model import Plan
from readingroom.strategy.parse import parse

TEMPLATES = Path(__file__).parents[2] / "src" / "readingroom" / "app" / "templates"
SUITES = {"core": {"memorised-text": 40, "harmful-compliance": 60}}


def shipped_text(name: str = "release") -> str:
    return (TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8")


def make_plan(*changes: tuple[str, str]) -> Plan:
    """Return the shipped plan, with texts replaced in it."""
    text = shipped_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse(read(text, "plan.yaml"), SUITES)
