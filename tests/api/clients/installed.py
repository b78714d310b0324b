"""The clients as their makers ship them, each in a program of its own; what the house itself does not need is
installed at the first use, from hashes that are pinned here, into `.venv/clients`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FOLDER = Path(sys.prefix) / "clients"
LOCK = ROOT / "requirements" / "clients.txt"
OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LANGSMITH_TRACING": "false", "PYTHONWARNINGS": "ignore"}


@dataclass
class Client:
    """One client's program."""

    name: str
    process: subprocess.Popen[str]

    def ask(self, do: str, **asked: Any) -> dict[str, Any]:
        """Do an operation; see `driver.py` for what it tells."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **asked}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"{self.name} ended"
        return dict(json.loads(line))


@contextlib.contextmanager
def started(name: str, folder: Path) -> Iterator[Client]:
    """Start a client's program, with a folder for what it keeps."""
    env = {
        **os.environ,
        **OFFLINE,
        "LLM_USER_PATH": str(folder),
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT / "tests"),
    }
    process = subprocess.Popen(command(name), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
    try:
        yield Client(name, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)
        assert process.stdout is not None
        process.stdout.close()


def command(name: str) -> list[str]:
    """Return how a client's program is run."""
    if name == "node":
        return ["node", str(node_modules() / "use_openai.mjs")]
    python = sys.executable if name == "openai" else str(python_clients() / "bin" / "python")
    return [python, str(HERE / f"use_{name}.py")]


def python_clients() -> Path:
    """Return the environment of the Python clients."""
    uv = shutil.which("uv", path=f"{sys.prefix}/bin") or "uv"

    def install(folder: Path) -> None:
        run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        run(uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(folder / "bin/python"), str(LOCK))

    return made(FOLDER / "python", [LOCK], install)


def node_modules() -> Path:
    """Return the folder with the Node client and the program that drives it; skips where there is no Node or npm."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"the official Node client needs {program}, which is not on the PATH")
    files = [HERE / name for name in ("package.json", "package-lock.json", "use_openai.mjs")]

    def install(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for each in files:
            shutil.copy(each, folder)
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder))

    return made(FOLDER / "node", files, install)


def made(folder: Path, sources: list[Path], install: Any) -> Path:
    """Install into a folder unless it holds what the sources ask for; one process of a test run does, others wait."""
    FOLDER.mkdir(exist_ok=True)
    wanted = hashlib.sha256(b"".join(each.read_bytes() for each in sources)).hexdigest()
    stamp = folder.with_suffix(".made")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            stamp.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            install(folder)
            stamp.write_text(wanted)
    return folder


def run(*arguments: str) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
