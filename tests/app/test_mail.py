"""Letters: what is in them can be read from the file as it stands."""

from __future__ import annotations

from pathlib import Path

from readingroom.app.mail import Post
from readingroom.core.clock import SystemClock


def test_a_long_link_stands_whole_on_one_line_of_a_letter(tmp_path: Path) -> None:
    link = f"https://reading.example.org/sign-in?link={'x' * 43}&next=/apply/call_{'y' * 16}"
    written = Post(tmp_path, SystemClock()).send("ada@lab.example", "Sign in", f"Open this:\n\n{link}\n")
    assert link in written.read_text().splitlines()
