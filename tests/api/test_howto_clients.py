"""The how-to on clients, run as it stands: each block by the program that it is for, in a house where it is true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.clients.installed import OFFLINE, node_modules, python_clients
from served import Served

PAGE = (Path(__file__).parents[2] / "docs/howto/use-your-client.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


def blocks(kind: str, naming: str = "") -> list[str]:
    return [text for language, text in BLOCKS if language == kind and naming in text]


def here(house: Served, text: str) -> str:
    """Put this house and a key for it in the place of the page's."""
    return text.replace("http://127.0.0.1:8000", house.url).replace("rr_...", house.grant(passes=1000)["key"])


def promised(text: str) -> list[str]:
    return re.findall(r"(?:#|//) -> (.*)", text)


def run(command: list[str], folder: Path, **more: str) -> list[str]:
    env = {**os.environ, **OFFLINE, "HOME": str(folder), **more}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_block_of_the_page_is_run() -> None:
    assert sorted(language for language, _ in BLOCKS) == sorted(["python"] * 6 + ["js", "yaml", "sh"])
    assert len(blocks("python", "import openai")) == 4


@pytest.mark.parametrize("text", blocks("python", "import openai"), ids=["answers", "headers", "again", "refusals"])
def test_the_official_python_client(house: Served, tmp_path: Path, text: str) -> None:
    assert run([sys.executable, "-c", here(house, text)], tmp_path) == promised(text)


@pytest.mark.deep
@pytest.mark.parametrize("name", ["langchain_openai", "litellm"])
def test_langchain_and_litellm(house: Served, tmp_path: Path, name: str) -> None:
    (text,) = blocks("python", name)
    assert run([str(python_clients() / "bin/python"), "-c", here(house, text)], tmp_path) == promised(text)


@pytest.mark.deep
def test_the_official_node_client(house: Served, tmp_path: Path) -> None:
    (text,) = blocks("js")
    (tmp_path / "page.mjs").write_text(here(house, text))
    (tmp_path / "node_modules").symlink_to(node_modules() / "node_modules")
    assert run(["node", "page.mjs"], tmp_path) == promised(text)


@pytest.mark.deep
def test_llm_at_the_terminal(house: Served, tmp_path: Path) -> None:
    (names,), (lines,) = blocks("yaml"), blocks("sh")
    (tmp_path / "extra-openai-models.yaml").write_text(here(house, names))
    path = f"{python_clients() / 'bin'}:{os.environ['PATH']}"
    shell = shutil.which("sh") or "/bin/sh"
    said = run([shell, "-ec", here(house, lines)], tmp_path, LLM_USER_PATH=str(tmp_path), PATH=path)
    assert [line for line in said if line] == promised(lines)
