from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from admissions.world import ANSWERS, CALL
from readingroom.admissions import call_file
from readingroom.admissions.differing import MOST_WORDS, Mark, changes, pieces
from readingroom.admissions.model import Draft

WORDS = st.lists(st.sampled_from(["a", "b", "c", " ", "\n", "longer"]), max_size=40).map("".join)


@settings(max_examples=100, deadline=None)
@given(before=WORDS, after=WORDS)
def test_both_spellings_can_be_read_off_what_differs(before: str, after: str) -> None:
    found = pieces(before, after)
    assert "".join(text for mark, text in found if mark is not Mark.NEW) == before
    assert "".join(text for mark, text in found if mark is not Mark.GONE) == after
    assert all(text for _, text in found)


def test_texts_too_long_to_compare_are_shown_whole() -> None:
    long = " ".join(f"w{n}" for n in range(MOST_WORDS))
    assert pieces(long, long + " x") == ((Mark.GONE, long), (Mark.NEW, long + " x"))


def test_only_what_differs_is_listed_in_the_forms_order() -> None:
    file = call_file.parse(CALL)
    old = Draft(ANSWERS, 5_000, "text")
    new = replace(old, answers={**ANSWERS, "risks": "Few", "purpose": "Other"}, passes=6_000, team=("b@b.example",))
    assert [each.name for each in changes(file, old, new)] == ["purpose", "risks", "passes", "team"]
    assert changes(file, old, old) == []
