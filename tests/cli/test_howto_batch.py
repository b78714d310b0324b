"""The how-to on batches, run as it stands by a shell, in a house where it is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from served import found, served

PAGE = (Path(__file__).parents[2] / "docs/howto/ask-many-questions.md").read_text()


@pytest.mark.deep
def test_the_commands_of_the_page_do_what_it_says(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 5
    with served(found(tmp_path / "home")) as house:
        key = house.grant(passes=100)["key"]
        text = "".join(blocks).replace("http://127.0.0.1:8000", house.url).replace("rr_...", key)
        env = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
        done = subprocess.run(
            ["sh", "-ec", text], capture_output=True, text=True, check=False, cwd=tmp_path, env=env, timeout=120
        )
    assert done.returncode == 0, done.stderr
    assert "16 passes, of 100 left" in done.stdout
    assert "2 of 2 done: 2 answered, 0 refused" in done.stdout
    assert "The collection is good" in done.stdout
    folder = tmp_path / "questions.jsonl.answers"
    named = re.findall(r"^\| (`.*?) \|", PAGE.split("What is in the folder")[1], re.MULTILINE)
    told = {name.rstrip("/") for row in named for name in re.findall(r"`([^`]+)`", row)}
    assert told == {each.name for each in folder.iterdir() if each.name != ".lock"}
