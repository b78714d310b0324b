"""The table of endings is total, and nothing in it is dead."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from readingroom.app.refusals import ENDINGS

SOURCE = Path(__file__).parents[2] / "src" / "readingroom"
RESERVED = {  # named by the outside contract; the part that says them is a later issue's
    "access/machine-not-enrolled",
    "access/throttled",
}
_CODE = re.compile(r"(gateway|screening|access|releases|engine|ledger|people|admissions|stress|dossier"
                   r"|publication|strategy|oversight|post|web)/[a-z][a-z-]+")  # fmt: skip


def codes_in_source() -> set[str]:
    found = set()
    for path in SOURCE.rglob("*.py"):
        if path == SOURCE / "app" / "refusals.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
                found.add(node.value)
    return found


def test_every_code_that_the_source_can_say_has_an_ending() -> None:
    assert codes_in_source() - set(ENDINGS) == set()


def test_no_ending_is_for_a_code_that_nothing_says() -> None:
    assert set(ENDINGS) - codes_in_source() - RESERVED == set()
