from __future__ import annotations

import pytest

from readingroom.core.text import LINE, PROSE, line_problem, needed_problem, prose_problem


@pytest.mark.parametrize("text", ["", "Ada Lovelace", "Łódź Мария 李", "a\N{ZERO WIDTH JOINER}b", "x" * LINE])
def test_a_name_in_any_script_is_a_line(text: str) -> None:
    assert line_problem("name", text) is None


@pytest.mark.parametrize(
    "text", ["a\x00", "a\nb", "a\tb", "\x1b[31m", "a\x85b", "a\u2028b", "\ud800", "\u202eabc", "x" * 201]
)
def test_what_cannot_be_shown_on_one_line_is_told_with_its_place(text: str) -> None:
    problem = line_problem("name", text)
    assert problem is not None
    assert problem.where == "name"


def test_prose_has_lines_and_no_nul() -> None:
    assert prose_problem("reason", "one\r\n\ttwo") is None
    assert "U+0000 at place 4" in str(prose_problem("reason", "one\x00"))
    assert prose_problem("reason", "\udfff") is not None
    assert prose_problem("reason", "x" * (PROSE + 1)) is not None


@pytest.mark.parametrize(("text", "told"), [("", "required"), (" \n", "required"), ("a\x00b", "cannot be shown")])
def test_a_text_that_must_be_there_is_and_can_be_shown(text: str, told: str) -> None:
    problem = needed_problem("note", text, "Say why")
    assert problem is not None
    assert told in problem.what
    assert needed_problem("note", "why not\nindeed", "Say why") is None
