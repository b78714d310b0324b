"""The how-to on Python screens does what it says, with the package that it shows, really installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from served import PROGRAM

PAGE = Path(__file__).parents[2] / "docs/howto/add-a-screen.md"


def block(kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return textwrap.dedent(f"   {found.lstrip()}")


def test_the_package_of_the_page_is_installed_asked_and_found_right(tmp_path: Path) -> None:
    source, site = tmp_path / "package", tmp_path / "site"
    source.mkdir()
    (source / "our_screens.py").write_text(block("python"))
    (source / "pyproject.toml").write_text(block("toml"))
    uv = Path(sys.executable).with_name("uv")
    install = [
        str(uv),
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        str(site),
    ]
    subprocess.run([*install, "--python", sys.executable, str(source)], check=True)
    (tmp_path / "rules.yaml").write_text(block("yaml"))
    (tmp_path / "good").write_text("call 4111 1111 1111 1112 " * 20)
    (tmp_path / "bad").write_text("some words first, and then 4111 1111 1111 1111, and no more " * 20)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    for name, refused in (("good", False), ("bad", True)):
        command = [*PROGRAM, "--json", "screen", "try", str(tmp_path / "rules.yaml"), str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        entrance, leaving = json.loads(done.stdout)
        assert not entrance["refused"]
        assert leaving["refused"] == refused
        assert "1111, and" not in leaving["text"] if refused else leaving["text"] == (tmp_path / name).read_text()


def test_without_the_package_the_rule_is_refused_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(block("yaml"))
    (tmp_path / "text").write_text("x")
    command = [*PROGRAM, "screen", "try", str(tmp_path / "rules.yaml"), str(tmp_path / "text")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no Python screen 'card-number'" in done.stderr
    assert "Install the package that brings it" in done.stderr
