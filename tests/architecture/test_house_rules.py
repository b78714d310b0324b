"""What reviewers would otherwise have to look for."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from migration import import_tables
from readingroom.store.db import metadata

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "readingroom"
ROOMS = sorted(path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists())
FILES = [
    path
    for folder in ("src", "tests", "tools", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
]
_EVENT = re.compile(r'"([a-z]+\.[a-z-]+\.[a-z-]+)"')


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    long = {str(path.relative_to(ROOT)): n for path in FILES if (n := len(path.read_text().splitlines())) > 400}
    assert long == {}


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > 60:
                    long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = lines
    assert long == {}


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_carries_its_door_plate(room: str) -> None:
    plate = ast.get_docstring(ast.parse((SOURCE / room / "__init__.py").read_text())) or ""
    for entry in ("Owns:", "Hears:", "Says:", "Never:"):
        assert f"\n{entry}" in plate, f"{room} does not say what it {entry}"


def test_every_table_is_named_after_its_room() -> None:
    import_tables()
    strays = [name for name in metadata.tables if name.split("_", 1)[0] not in ROOMS]
    assert strays == []


def test_every_event_is_named_after_the_room_that_says_it() -> None:
    strays = []
    for room in ROOMS:
        for path in (SOURCE / room).rglob("service*.py"):
            said = {event for event in _EVENT.findall(path.read_text()) if event.split(".")[0] in ROOMS}
            strays += [(path.name, event) for event in said if event.split(".")[0] != room]
    assert strays == []


def test_every_folder_of_tests_is_a_rooms_or_a_known_kind() -> None:
    kinds = {"architecture", "journeys"}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert folders - set(ROOMS) - kinds == set()


def test_every_link_and_every_test_that_the_docs_name_exists() -> None:
    missing = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text()
        targets = re.findall(r"\]\((?!http|#)([^)#]+)", text)
        missing += [f"{page.name}: {target}" for target in targets if not (page.parent / target).exists()]
        for name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text):
            path = ROOT / name[0]
            if not path.exists() or (name[1] and f"def {name[1]}(" not in path.read_text()):
                missing.append(f"{page.name}: {'::'.join(name)}")
    assert missing == []
