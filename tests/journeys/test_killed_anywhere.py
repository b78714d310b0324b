"""Every write path is killed before each of its touches of the disk; afterwards the house is whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CRASH = Path(__file__).with_name("crash.py")
KILLED = -9
MANY = 400  # touches; more than any command makes


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "readingroom", "--home", str(home), "--json", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def killed_at(touch: int, home: Path, *arguments: str) -> bool:
    """Run a command that dies at a touch; tell whether it came so far."""
    command = [sys.executable, str(CRASH), str(touch), "--home", str(home), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1, KILLED}, done.stderr
    return done.returncode == KILLED


def is_whole(home: Path) -> None:
    verified = run(home, "ledger", "verify")
    assert verified.returncode == 0, verified.stdout
    for grant in json.loads(run(home, "grant", "list").stdout):
        for unit, limit in grant["allocation"].items():
            taken = grant["used"][unit] + grant["reserved"][unit]
            assert limit is None or taken <= limit


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    assert run(made, "init", "--dev", "--engine", "echo").returncode == 0
    return made


def write_paths(home: Path) -> list[tuple[str, ...]]:
    issued = json.loads(run(home, "grant", "issue", "--to", "a@b.example", "--passes", "9", "--reason", "x").stdout)
    grant, key = issued["id"], issued["key_id"]
    return [
        ("grant", "issue", "--to", "c@d.example", "--passes", "10", "--accept-terms", "--reason", "x"),
        ("grant", "suspend", grant, "--reason", "security"),
        ("grant", "reinstate", grant, "--reason", "error-corrected"),
        ("key", "issue", grant),
        ("key", "rotate", key),
        ("grant", "revoke", grant, "--reason", "security"),
        ("person", "add", "e@f.example", "--role", "reviewer"),
        ("person", "role", "e@f.example", "+tester"),
        ("stage", "hold", "reading-room", "--reason", "incident"),
        ("plan", "adopt", str(home / "release.yaml"), "--reason", "again"),
        ("stage", "sign", "reading-room"),
        ("stage", "open", "reading-room"),
        ("stress", "run", "--model", "echo", "--suite", "core"),
    ]


@pytest.mark.deep
def test_a_kill_before_any_touch_of_the_disk_leaves_the_house_whole(home: Path) -> None:
    points = 0
    for arguments in write_paths(home):
        stride = 7 if arguments[0] == "stress" else 2
        for touch in range(1, MANY, stride):
            if not killed_at(touch, home, *arguments):
                break
            points += 1
        is_whole(home)
    assert points >= 50, f"only {points} points were tried"


@pytest.mark.deep
def test_a_founding_that_is_killed_can_be_run_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    points = 0
    for touch in range(1, MANY, 5):
        if not killed_at(touch, home, "init", "--dev", "--engine", "echo"):
            break
        points += 1
    assert points >= 10
    is_whole(home)
    assert run(home, "init", "--dev", "--engine", "echo").returncode == 2, "a finished house is not overwritten"
