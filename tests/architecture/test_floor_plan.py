"""Each import contract catches the violation that it is for: planted in a copy of the package, it is found."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLANTS = {
    "floor-plan": ("access/rules.py", "import readingroom.admissions.rules"),
    "services": ("gateway/rules.py", "import readingroom.access.service"),
    "pure": ("releases/rules.py", "import sqlalchemy"),
    "sql": ("web/plot.py", "import sqlalchemy"),
    "http": ("oversight/register.py", "import litestar"),
    "verifiers": ("publication/manifest.py", "import readingroom.store.db"),
    "no-cycles": ("web/plot.py", "import readingroom.web.app"),
}


def lint(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(limit_to_contracts=sys.argv[1:]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, contract],
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


@pytest.mark.parametrize("contract", PLANTS)
def test_a_planted_violation_is_caught(copy: Path, contract: str) -> None:
    name, line = PLANTS[contract]
    victim = copy / "src" / "readingroom" / name
    good = victim.read_text()
    victim.write_text(
        good.replace("from __future__ import annotations\n", f"from __future__ import annotations\n{line}\n", 1)
    )
    try:
        done = lint(copy, contract)
    finally:
        victim.write_text(good)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout


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
    done = lint(copy, "floor-plan")
    assert done.returncode == 0, done.stdout + done.stderr
