"""What reviewers would otherwise have to look for."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from migration import import_tables
from readingroom.ledger import receipt
from readingroom.store.db import metadata

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "readingroom"
ROOMS = sorted(path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists())
FILES = [path for folder in ("src", "tests", "tools", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]
RULED = [path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts]
OTHER_CODES = {"screening", "engine"}  # parts of gateway and of engines, named by the outside contract
_EVENT = re.compile(r"([a-z]+)\.[a-z-]+\.[a-z-]+")
_ON_PLATE = re.compile(r"([a-z]+\.[a-z-]+\.)([a-z-]+(?:\|[a-z-]+)*)")
_NAIVE = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK", "WI" + "P")) + r")\b")


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
    strays = []
    for path in SOURCE.glob("*/tables.py"):
        module = importlib.import_module(f"readingroom.{path.parent.name}.tables")
        tables = [each for each in vars(module).values() if isinstance(each, sa.Table)]
        strays += [each.name for each in tables if not each.name.startswith(f"{path.parent.name}_")]
    assert strays == []
    assert {name.split("_", 1)[0] for name in metadata.tables} <= set(ROOMS)


def test_every_refusal_code_is_a_literal_that_begins_with_a_room() -> None:
    strays = []
    for path in RULED:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Refusal":
                code = ast.unparse(node.args[0]) if node.args else ""
                if not re.fullmatch(rf"'({'|'.join([*ROOMS, *OTHER_CODES])})/[a-z]+(-[a-z]+)*'", code):
                    strays.append(f"{path.relative_to(ROOT)}:{node.lineno} {code}")
    assert strays == []


def plate(room: str, entry: str, following: str) -> str:
    """Give one entry of a room's door plate."""
    text = ast.get_docstring(ast.parse((SOURCE / room / "__init__.py").read_text())) or ""
    return text.partition(f"\n{entry}:")[2].partition(f"\n{following}:")[0]


def events(text: str) -> set[str]:
    """Spell out `room.thing.this|that`."""
    return {start + word for start, words in _ON_PLATE.findall(text) for word in words.split("|")}


def said(room: str) -> set[str]:
    """Give every event that stands in a room's code; they are literals, so that they can be searched for."""
    found = set()
    for path in (SOURCE / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and (match := _EVENT.fullmatch(str(node.value))) and match[1] in ROOMS:
                found.add(match[0])
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_its_door_plate_says_and_nothing_in_anothers_name(room: str) -> None:
    spoken = said(room)
    if room == "ledger":  # it holds one of the gateway's, so that an outsider can check a receipt without the gateway
        spoken -= {receipt.BATCH_EVENT}
    if room == "gateway":
        spoken |= {receipt.BATCH_EVENT}
    if room == "app":  # it listens
        spoken = set()
    assert spoken == events(plate(room, "Says", "Never"))


def test_no_event_is_put_together_from_parts() -> None:
    strays = []
    for path in RULED:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("ledger.append", "._say")):
                strays += [f"{path.name}:{node.lineno}" for each in node.args if isinstance(each, ast.JoinedStr)]
    assert strays == []


def test_app_listens_to_events_that_some_room_says() -> None:
    assert said("app") <= set().union(*(events(plate(room, "Says", "Never")) for room in ROOMS))


def test_nothing_is_left_for_later_without_an_issue() -> None:
    files = [*FILES, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "Makefile"]
    files += [path for path in SOURCE.rglob("*") if path.suffix in {".html", ".css", ".js", ".yaml", ".md"}]
    found = [f"{path.relative_to(ROOT)}: {match[0]}" for path in files for match in _NAIVE.finditer(path.read_text())]
    assert found == []


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
