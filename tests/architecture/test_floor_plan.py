"""Each import contract catches the violation that it is for: planted in a copy of the package, it is found."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
PLANTS = [
    ("floor-plan", "access/rules.py", "import readingroom.admissions.rules"),
    ("floor-plan", "people/rules.py", "import readingroom.strategy.model"),
    ("services", "oversight/service.py", "import readingroom.access.service"),
    ("services", "gateway/rules.py", "import readingroom.admissions.service.awarding"),
    ("services", "web/plot.py", "import readingroom.people.service"),
    ("pure", "releases/rules.py", "import sqlalchemy"),
    ("pure", "admissions/policies/base.py", "import readingroom.store.db"),
    ("pure", "ledger/merkle.py", "import httpx"),
    ("sql", "web/plot.py", "import sqlalchemy"),
    ("sql", "app/views.py", "from sqlalchemy import select"),
    ("sql", "gateway/flow.py", "import sqlalchemy.exc"),
    ("http", "oversight/register.py", "import litestar"),
    ("clients", "app/mail.py", "import httpx"),
    ("traces", "gateway/flow.py", "import opentelemetry.trace"),
    ("verifiers", "publication/manifest.py", "import readingroom.store.db"),
    ("verifiers", "publication/verify.py", "import readingroom.ledger.service"),
    ("verifiers", "ledger/receipt.py", "import readingroom.ledger.tables"),
    ("no-cycles", "web/plot.py", "import readingroom.web.app"),
]


def lint(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    # No cache: it goes by a file's time, and two plants in one file are written within the same moment.
    call = "lint_imports(limit_to_contracts=tuple(sys.argv[1:]), no_cache=True)"
    code = f"import sys; from importlinter.cli import lint_imports; sys.exit({call})"
    return subprocess.run(
        [sys.executable, "-c", code, *contracts],
        cwd=folder,
        env={"PYTHONPATH": str(folder / "src"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize(("contract", "name", "line"), PLANTS)
def test_a_planted_violation_is_caught(copy: Path, contract: str, name: str, line: str) -> None:
    victim = copy / "src" / "readingroom" / name
    good = victim.read_text()
    start = "from __future__ import annotations\n"
    assert start in good
    victim.write_text(good.replace(start, f"{start}{line}\n", 1))
    try:
        done = lint(copy, contract)
    finally:
        victim.write_text(good)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout
    assert f".{victim.stem} -> " in done.stdout


def test_every_contract_has_its_plant() -> None:
    assert {each["id"] for each in CONTRACTS} == {contract for contract, _, _ in PLANTS}


@pytest.mark.parametrize(("contract", "key", "pattern"), [
    ("services", "protected_modules", "service*"),
    ("pure", "source_modules", "rules.py"),
    ("pure", "source_modules", "model.py"),
])  # fmt: skip
def test_no_room_is_forgotten_in_a_list(contract: str, key: str, pattern: str) -> None:
    listed = next(each[key] for each in CONTRACTS if each["id"] == contract)
    exempt = {"readingroom.ledger.service", "readingroom.cli.model"}  # open to all who decide; a command's name
    found = {
        f"readingroom.{path.parent.name}.{path.stem}" for path in (ROOT / "src" / "readingroom").glob(f"*/{pattern}")
    }
    missing = [name for name in found - exempt if not any(
        fnmatch(name, known) or name.startswith(f"{known}.") for known in listed
    )]  # fmt: skip
    assert missing == []


def test_a_room_that_is_not_on_the_plan_is_caught(copy: Path) -> None:
    attic = copy / "src" / "readingroom" / "attic"
    attic.mkdir()
    (attic / "__init__.py").write_text('"""A room nobody planned."""\n')
    try:
        done = lint(copy, "floor-plan")
    finally:
        shutil.rmtree(attic)
    assert done.returncode == 1
    assert "attic" in done.stdout


def test_the_contracts_hold_today(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr
