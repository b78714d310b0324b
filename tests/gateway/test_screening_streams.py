"""Promise 3: nothing leaves unscreened, however a text is cut into pieces."""

# ruff: noqa: RUF001 - look-alikes are what is tested

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readingroom.core.errors import BadInput
from readingroom.gateway.screening import patterns
from readingroom.gateway.screening.characters import IGNORABLE, bases, born_of_marks, stands_alone
from readingroom.gateway.screening.load import load_text
from readingroom.gateway.screening.model import Action, Form, RuleSet, Side
from readingroom.gateway.screening.normal import fold
from readingroom.gateway.screening.stream import MARK, Screen, StreamScreen

ALL = frozenset(Form)
NFKC_CASEFOLD = frozenset({Form.NFKC, Form.CASEFOLD, Form.ZERO_WIDTH})

RULES = """
rules:
  - {id: no, side: exit, literal: ["swordfish"], normalize: [nfkc, casefold, zero-width], action: refuse, clause: "1"}
"""
# Few letters and short rules, so that matches, near matches and overlaps are common.
MANY = r"""
rules:
  - {id: abc, side: both, literal: [abc, bcab], normalize: [nfkc, casefold, zero-width], action: ACTION, clause: "1"}
  - {id: accent, side: both, literal: ["áb", "ßa", "ﬁ", "ιa"], normalize: [nfkc, casefold], action: ACTION, clause: "2"}
  - {id: raw, side: both, literal: ["ca"], action: redact, clause: "3"}
  - {id: word, side: both, regex: '\bcab\b', normalize: [nfkc, casefold, zero-width], action: ACTION, clause: "4"}
  - {id: runs, side: both, regex: 'ab{2,4}(?:c|d{1,2})', action: redact, clause: "5"}
  - {id: last, side: both, regex: 'b\.$', action: ACTION, clause: "6"}
  - {id: first, side: both, regex: '^d?c', normalize: [casefold], action: redact, clause: "7"}
  - {id: seen, side: both, regex: 'a.{0,3}a', normalize: [zero-width], action: flag, clause: "8"}
  - {id: alike, side: both, literal: ["add"], normalize: [nfkc, casefold, homoglyph], action: redact, clause: "9"}
"""
LETTERS = "aaabbbccddABC.  ßﬁáÁéιᾳ\u0345\u0301\u0323\u0307İſ\u200b\u200d\u00ad\ufe0fа각\u1100\u1161\u11a8😀\n"
texts = st.text(alphabet=LETTERS, max_size=40) | st.text(max_size=20)
long_runs = st.builds(
    "".join,
    st.lists(st.sampled_from(["a", "b", "c", "ab", "\u200b" * 30, "\u200b" * 31, "\u0301" * 33, "\u200b", "\u0323"])),
)
cuts = st.lists(st.integers(0, 60), max_size=8)


def many(action: str) -> Screen:
    return Screen([load_text(MANY.replace("ACTION", action), "rules.yaml")], Side.EXIT)


SCREENS = {action: many(action) for action in ("refuse", "redact", "flag")}


def in_pieces(screen: Screen, text: str, places: list[int]) -> tuple[str, StreamScreen]:
    borders = sorted({0, len(text), *(place for place in places if place < len(text))})
    stream = screen.stream()
    left = "".join(stream.push(text[a:b]).text for a, b in pairwise(borders))
    return left + stream.finish().text, stream


@pytest.mark.parametrize("action", ["refuse", "redact", "flag"])
@given(text=texts | long_runs, places=cuts)
@settings(max_examples=400, deadline=None)
def test_cutting_a_text_otherwise_changes_neither_what_leaves_nor_what_is_found(
    action: str, text: str, places: list[int]
) -> None:
    screen = SCREENS[action]
    slowly, one_by_one = in_pieces(screen, text, list(range(len(text))))
    for chosen in ([], places):
        left, stream = in_pieces(screen, text, chosen)
        assert left == slowly
        assert stream.refused == one_by_one.refused
        assert stream.hits == one_by_one.hits
        assert stream.taken_out == one_by_one.taken_out


@given(text=texts | long_runs, places=cuts)
@settings(max_examples=400, deadline=None)
def test_what_has_left_is_never_taken_back_and_never_part_of_a_later_match(text: str, places: list[int]) -> None:
    screen = SCREENS["redact"]
    stream = screen.stream()
    borders = sorted({0, len(text), *(place for place in places if place < len(text))})
    released = 0
    for a, b in pairwise(borders):
        known = len(stream.hits)
        before = released
        stream.push(text[a:b])
        released = stream.released
        for hit in stream.hits[known:]:
            assert hit.action is Action.FLAG or hit.start >= before or _was_run(hit.start, hit.end, text)


def _was_run(start: int, end: int, text: str) -> bool:
    """A run of invisible characters goes on being taken out for as long as it lasts."""
    return set(text[start:end]) <= IGNORABLE


@given(text=texts)
@settings(max_examples=500, deadline=None)
def test_a_literal_is_found_exactly_where_the_whole_text_normalised_at_once_holds_it(text: str) -> None:
    literal = "áb"
    rules = RuleSet("one", _rules(literal))
    _, stream = Screen([rules], Side.EXIT).whole(text)
    visible = "".join(each for each in text if each not in IGNORABLE)
    nfkc = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
    runs = any(IGNORABLE.issuperset(text[i : i + 31]) and len(text[i : i + 31]) == 31 for i in range(len(text)))
    assert bool(stream.hits) == (literal in nfkc or runs)


def _rules(literal: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    text = RULES.replace("swordfish", literal)
    return load_text(text, "one.yaml").rules


@given(before=st.text(alphabet="xyz .", max_size=10), after=st.text(alphabet="xyz ", max_size=10), places=cuts,
       hidden=st.lists(st.sampled_from("\u200b\u00ad\u2060\ufe0f\U000e0041"), max_size=30))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_a_word_cannot_leave_by_hiding_invisible_characters_or_capitals_in_it(
    before: str, after: str, places: list[int], hidden: list[str]
) -> None:
    word = "Ｓw" + "".join(hidden) + "ORDf" + "i\u00adSh"
    screen = Screen([load_text(RULES, "r")], Side.EXIT)
    left, stream = in_pieces(screen, before + word + after, places)
    assert stream.refused is not None
    assert left == before


@pytest.mark.parametrize("forms", [NFKC_CASEFOLD, ALL, frozenset({Form.NFKC})])
@given(text=st.text(max_size=30) | st.text(alphabet=LETTERS, max_size=30))
@settings(max_examples=300, deadline=None)
def test_normalising_segment_by_segment_equals_normalising_the_whole(forms: frozenset[Form], text: str) -> None:
    visible = "".join(c for c in text if c not in IGNORABLE) if Form.ZERO_WIDTH in forms else text
    if Form.HOMOGLYPH in forms:
        return
    whole = unicodedata.normalize("NFKC", visible)
    if Form.CASEFOLD in forms:
        whole = unicodedata.normalize("NFKC", whole.casefold())
    assert fold(text, forms) == whole


def test_thirty_invisible_characters_are_passed_over_and_thirty_one_are_a_match() -> None:
    screen = Screen([load_text(RULES, "r")], Side.EXIT)
    left, stream = screen.whole("one" + "\u200b" * 30 + "two")
    assert (left, stream.refused) == ("one" + "\u200b" * 30 + "two", None)
    left, stream = screen.whole("one" + "\u200b" * 31 + "two")
    assert left == "one"
    assert stream.refused is not None


def test_only_what_may_still_become_a_match_is_held_back() -> None:
    stream = Screen([load_text(RULES, "r")], Side.EXIT).stream()
    assert stream.push("hello").text == "hello"
    assert stream.push(" sword").text == " "
    assert stream.push("s").text == "sword"
    assert stream.push(" and pla").text == "s and pla"
    assert stream.push("y").text == "y"
    assert stream.finish().text == ""


@given(text=st.text(alphabet="swordfish ", max_size=200))
def test_never_more_than_one_literal_is_held_back(text: str) -> None:
    stream = Screen([load_text(RULES, "r")], Side.EXIT).stream()
    for character in text:
        stream.push(character)
        assert stream.refused or stream.seen - stream.released < len("swordfish") + 1


def test_the_hold_back_is_bounded_under_piles_of_marks_and_invisible_characters() -> None:
    stream = SCREENS["redact"].stream()
    for character in ("\u0301" * 5_000) + ("\u200b" * 5_000) + ("a\u0301\u200b" * 5_000):
        stream.push(character)
        assert stream.seen - stream.released < 33 * 31 * 2


def test_a_rule_at_the_very_end_is_decided_by_the_end() -> None:
    screen = SCREENS["refuse"]
    left, stream = in_pieces(screen, "x b.", [2, 3])
    assert (left, stream.refused and stream.refused.rule) == ("x ", "last")
    left, stream = in_pieces(screen, "x b.x", [2, 3, 4])
    assert (left, stream.refused) == ("x b.x", None)


def test_a_word_border_waits_for_one_more_character() -> None:
    text = r"rules: [{id: w, side: exit, regex: '\bcab\b', action: refuse, clause: '1'}]"
    screen = Screen([load_text(text, "r")], Side.EXIT)
    stream = screen.stream()
    assert stream.push("x cab").text == "x "
    assert stream.push("s").text == "cabs"  # another word
    for ending in (" y", ""):
        stream = screen.stream()
        assert stream.push("x cab").text == "x "
        stream.push(ending)
        stream.finish()
        assert stream.refused is not None


def test_overlapping_redactions_leave_one_mark() -> None:
    text = """
rules:
  - {id: one, side: exit, literal: [abcd], action: redact, clause: "1"}
  - {id: two, side: exit, literal: [cdef], action: redact, clause: "1"}
"""
    left, _ = Screen([load_text(text, "r")], Side.EXIT).whole("xxabcdefyy")
    assert left == f"xx{MARK}yy"


def test_a_pile_of_marks_does_not_hide_a_word_behind_it() -> None:
    left, stream = Screen([load_text(RULES, "r")], Side.EXIT).whole("e" + "\u0301" * 100 + "swordfish")
    assert stream.refused is not None
    assert left == "e" + "\u0301" * 100


def test_after_a_refusal_nothing_leaves() -> None:
    stream = Screen([load_text(RULES, "r")], Side.EXIT).stream()
    assert stream.push("a swordfish b").text == "a "
    assert stream.push("more").text == ""
    assert stream.finish().text == ""


def test_a_fork_does_not_disturb_the_stream() -> None:
    stream = Screen([load_text(RULES, "r")], Side.EXIT).stream()
    stream.push("a sword")
    fork = stream.fork()
    assert fork.push("fish!").refused is not None
    assert stream.refused is None
    assert stream.push("s").text == "sword"


def test_no_composition_can_begin_with_a_letter_that_was_not_looked_for() -> None:
    """What lets text go early: whatever marks join a letter, the result begins with a letter of `bases`."""
    for code in range(0xA0, 0x30000):
        character = chr(code)
        parts = unicodedata.normalize("NFD", character)
        if len(parts) < 2:
            continue
        folded = unicodedata.normalize("NFKD", fold(character, NFKC_CASEFOLD))
        letters = {each for each in folded if stands_alone(each)}
        assert letters <= bases(parts[0]) | born_of_marks(), hex(code)


@pytest.mark.deep
def test_no_compatibility_form_hides_an_invisible_character() -> None:
    for code in range(0x110000):
        if 0xD800 <= code < 0xE000 or chr(code) in IGNORABLE:
            continue
        assert not IGNORABLE.intersection(fold(chr(code), NFKC_CASEFOLD)), hex(code)


PATTERNS = [
    r"\bcab\b", r"a.{0,9}b", r"(?:ab|ba){2,3}", r"\Bb", r"^a", r"c$", r"[^a]b", r"a{3}", r"b c", r"(?i)CC", r"é.{1,2}é",
    r"a.{20,40}a",
]  # fmt: skip


def flagging(*numbers: int) -> Screen:
    rules = [f"  - {{id: r{n}, side: exit, regex: '{PATTERNS[n]}', action: flag, clause: '1'}}" for n in numbers]
    return Screen([load_text("rules:\n" + "\n".join(rules), "r")], Side.EXIT)


ALONE = [flagging(n) for n in range(len(PATTERNS))]
TOGETHER = flagging(*range(len(PATTERNS)))


@given(text=st.text(alphabet="aaabbbccC é\n", max_size=120), places=st.lists(st.integers(0, 120), max_size=20))
@settings(max_examples=500, deadline=None)
def test_patterns_asked_together_find_what_each_finds_alone(text: str, places: list[int]) -> None:
    _, together = in_pieces(TOGETHER, text, places)
    for ways in ([], places):
        alone = [hit for screen in ALONE for hit in in_pieces(screen, text, ways)[1].hits]
        assert sorted(together.hits) == sorted(alone)


def test_patterns_too_large_for_one_program_are_asked_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_MEMORY", 20_000)
    wide = [f"{letter}[a-z]{{200,300}}{letter}" for letter in "abcdefgh"]
    rules = [f"  - {{id: r{n}, side: exit, regex: '{each}', action: cut, clause: '1'}}" for n, each in enumerate(wide)]
    screen = Screen([load_text("rules:\n" + "\n".join(rules), "r")], Side.EXIT)
    assert len(screen.lenses[0].patterns.any) > 1
    for letter in "ah":
        left, stream = in_pieces(screen, "1 " + letter + "x" * 250 + letter, list(range(260)))
        assert (left, stream.refused is not None) == ("1 ", True)


@pytest.mark.parametrize("letters", ["abc ", "где ", "的一是 ", "e\u0301x ", "ﬁß "])
def test_a_literal_is_found_in_any_script_at_its_own_place(letters: str) -> None:
    word = "".join(letters[::-1].split()) * 3
    screen = Screen([load_text(RULES.replace("swordfish", word), "r")], Side.EXIT)
    before = letters * 40
    left, stream = in_pieces(screen, before + word + " after", list(range(0, 400, 3)))
    assert stream.refused is not None
    assert before.startswith(left)
    assert len(before) - len(left) <= len(word)


def test_a_cut_ends_an_answer_as_a_refusal_does_and_has_no_place_at_the_entrance() -> None:
    cutting = load_text(RULES.replace("refuse", "cut"), "r")
    left, stream = Screen([cutting], Side.EXIT).whole("a swordfish b")
    assert left == "a "
    assert stream.refused is not None
    assert stream.refused.action is Action.CUT
    for side in ("entrance", "both"):
        with pytest.raises(BadInput, match="a prompt is none"):
            load_text(RULES.replace("refuse", "cut").replace("side: exit", f"side: {side}"), "r")


@pytest.mark.parametrize("action", ["refuse", "redact", "flag"])
@given(text=texts, more=texts, rest=texts)
@settings(max_examples=300, deadline=None)
def test_asking_how_a_text_might_go_on_is_right_and_changes_nothing(
    action: str, text: str, more: str, rest: str
) -> None:
    stream, undisturbed = SCREENS[action].stream(), SCREENS[action].stream()
    assert stream.push(text) == undisturbed.push(text)
    twin, known = stream.fork(), len(stream.hits)
    twin.push(more)
    twin.finish()
    harmless = twin.refused is None and all(hit.action is Action.FLAG for hit in twin.hits[known:])
    assert stream.may_end_with(more) == harmless
    assert stream.push(rest) == undisturbed.push(rest)
    assert (stream.finish(), stream.hits) == (undisturbed.finish(), undisturbed.hits)


@given(st.text(st.sampled_from("abcdABC. \n1é"), max_size=40))
def test_the_quick_no_for_a_whole_text_is_right(text: str) -> None:
    screen = SCREENS["flag"]
    stream = screen.stream()
    stream.push(text)
    stream.finish()
    if not screen.may_match(text):
        assert not stream.hits
    assert sorted(screen.hits(text)) == sorted(stream.hits)
    if text.isascii() and not stream.hits:
        assert not screen.may_match(text), "a plain text without a match is let by quickly"
