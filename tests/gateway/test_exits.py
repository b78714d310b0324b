"""Every channel of a choice is screened: text, reasoning, tool arguments, log-probabilities (promise 3)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.engines.model import Chunk, Kind
from readingroom.gateway.exits import ChoiceExit
from readingroom.gateway.frames import Delta, Finish, ToolCall
from readingroom.gateway.screening.load import load_text
from readingroom.gateway.screening.model import Side
from readingroom.gateway.screening.stream import Screen

RULES = """
rules:
  - {id: a, side: exit, literal: ["swordfish protocol"], normalize: [casefold, zero-width], action: refuse, clause: "1"}
  - {id: b, side: exit, literal: ["heron"], action: redact, clause: "2"}
"""
SCREEN = Screen([load_text(RULES, "r")], Side.EXIT)
TEXT = "now the heron says swordfish protocol loudly"


def choice(top: int | None = 5) -> ChoiceExit:
    return ChoiceExit(0, SCREEN, Kind.CHAT, top)


def entry(token: str, *others: str) -> dict[str, object]:
    tops = [{"token": each, "logprob": -1.0} for each in (token, *others)]
    return {"token": token, "logprob": -0.5, "top_logprobs": tops}


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def cut(text: str, places: set[int]) -> list[str]:
    ends = [0, *sorted(places), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


@given(st.sets(st.integers(1, len(TEXT) - 1)))
def test_text_is_cut_before_the_match_however_it_comes(places: set[int]) -> None:
    out = choice()
    deltas = [out.push(Chunk(text=piece, tokens=1)) for piece in cut(TEXT, places)]
    assert text_of(deltas) == "now the [redacted] says "
    assert out.finished is Finish.CONTENT_FILTER
    assert out.push(Chunk(text="more")).empty


@given(st.sets(st.integers(1, len(TEXT) - 1)))
def test_tool_arguments_and_reasoning_are_cut_too(places: set[int]) -> None:
    for channel in ("tool", "reasoning"):
        out = choice()
        passed = ""
        for piece in cut(TEXT, places):
            call = {"index": 0, "function": {"name": "", "arguments": piece}}
            chunk = Chunk(tool_calls=(call,)) if channel == "tool" else Chunk(reasoning=piece)
            delta = out.push(chunk)
            passed += delta.reasoning + "".join(each.arguments for each in delta.tool_calls)
        assert "swordfish" not in passed
        assert "heron" not in passed
        assert out.finished is Finish.CONTENT_FILTER


def test_a_tools_name_is_screened() -> None:
    out = choice()
    delta = out.push(Chunk(tool_calls=({"index": 0, "function": {"name": "swordfish protocol", "arguments": "{}"}},)))
    assert delta.tool_calls == ()
    assert out.finished is Finish.CONTENT_FILTER


def test_a_log_probability_waits_for_its_text_and_never_shows_what_did_not_leave() -> None:
    out = choice()
    tokens = ["the ", "sword", "fish ", "protocol", " end"]
    shown = []
    for token in tokens:
        delta = out.push(Chunk(text=token, tokens=1, logprobs=(entry(token),)))
        shown += [each.chosen.text for each in delta.positions]
    assert shown == ["the "]


def test_an_alternative_that_would_complete_a_match_is_left_out() -> None:
    out = choice()
    out.push(Chunk(text="a swordfish ", tokens=1, logprobs=(entry("a swordfish "),)))
    delta = out.push(Chunk(text="swims away", tokens=1, logprobs=(entry("swims away", "protocol", "heron", "jumps"),)))
    assert [each.chosen.text for each in delta.positions] == ["a swordfish ", "swims away"]
    assert [token.text for token in delta.positions[1].top] == ["swims away", "jumps"]


@pytest.mark.parametrize("top", [None, 0, 1, 5])
def test_no_more_log_probabilities_leave_than_were_asked_for(top: int | None) -> None:
    out = choice(top)
    others = [f"w{n}" for n in range(60)]
    delta = out.push(Chunk(text="ab", tokens=1, logprobs=(entry("ab", *others),)))
    assert [len(each.top) for each in delta.positions] == ([] if top is None else [top])


def test_an_alternative_is_tried_at_its_own_tokens_place_however_many_come_in_one_frame() -> None:
    out = choice()
    entries = entry("a swordfish "), entry("swims", "protocol"), entry(" by", "!")
    delta = out.push(Chunk(text="a swordfish swims by", tokens=3, logprobs=entries))
    tops = [[token.text for token in each.top] for each in delta.positions]
    assert tops == [["a swordfish "], ["swims"], [" by", "!"]]


@pytest.mark.parametrize(
    "chunk",
    [
        Chunk(reasoning="the heron is", tokens=1, logprobs=(entry("the heron is"),)),
        Chunk(text="fine", tokens=1, logprobs=(entry("swordfish protocol"),)),
        Chunk(text="fine", tokens=1, logprobs=(entry("fi"), entry("ne"), entry("swordfish protocol"))),
        Chunk(tool_calls=({"index": 0, "function": {"arguments": "heron"}},), logprobs=(entry("heron"),)),
        Chunk(logprobs=(entry("swordfish protocol"),)),
        Chunk(reasoning="the heron is", tokens=1, logprobs=(entry("", "heron"),)),
        Chunk(text="fine", reasoning="swordfish", tokens=1, logprobs=(entry("fine", " protocol"),)),
    ],
)
def test_entries_that_do_not_spell_their_text_do_not_leave(chunk: Chunk) -> None:
    out = choice()
    delta, ending = out.push(chunk), out.finish(Finish.STOP)
    assert (*delta.positions, *ending.positions) == ()


@given(st.sets(st.integers(1, len(TEXT) - 1)), st.sets(st.integers(1, len(TEXT) - 1)))
def test_log_probabilities_show_the_tokens_that_left_and_nothing_else_however_they_are_cut(
    places: set[int], ends_of_frames: set[int]
) -> None:
    out, shown, frame, at = choice(), [], Chunk(), 0
    left = []
    for token in cut(TEXT, places):
        start, at = at, at + len(token)
        others = TEXT[start : TEXT.index(" loudly")], "heron"  # each would complete a match in this place
        frame = Chunk(text=frame.text + token, tokens=1, logprobs=(*frame.logprobs, entry(token, *others)))
        if at <= TEXT.index("swordfish") and not (start < TEXT.index(" says") and TEXT.index("heron") < at):
            left.append((token, [token]))
        if at in ends_of_frames or at == len(TEXT):
            delta, frame = out.push(frame), Chunk()
            shown += [(each.chosen.text, [token.text for token in each.top]) for each in delta.positions]
    assert shown == left


@given(st.sets(st.integers(1, len(TEXT) - 1)), st.booleans())
def test_a_tools_name_is_screened_whole_however_it_comes(places: set[int], ends: bool) -> None:  # noqa: FBT001
    out = choice()
    for piece in cut(TEXT, places):
        assert out.push(Chunk(tool_calls=({"index": 0, "function": {"name": piece}},))).empty
    last = {"index": 0, "function": {"arguments": "{}"}}
    delta = out.push(Chunk(finish_reason="tool_calls") if ends else Chunk(tool_calls=(last,)))
    assert delta.tool_calls == ()
    assert out.finished is Finish.CONTENT_FILTER


def test_a_tools_name_is_redacted_and_leaves_once() -> None:
    out = choice()
    calls: list[ToolCall] = []
    for function in ({"name": "ask_he"}, {"name": "ron"}, {"arguments": "{}"}, {"name": "more", "arguments": " "}):
        calls += out.push(Chunk(tool_calls=({"index": 0, "function": function},))).tool_calls
    calls += out.push(Chunk(finish_reason="tool_calls")).tool_calls
    assert "".join(each.name for each in calls) == "ask_[redacted]"
    assert "".join(each.arguments for each in calls) == "{} "


def test_a_tool_without_arguments_has_its_name_at_the_end() -> None:
    out = choice()
    out.push(Chunk(tool_calls=({"index": 0, "function": {"name": "look"}},)))
    assert [each.name for each in out.push(Chunk(finish_reason="tool_calls")).tool_calls] == ["look"]


def test_text_that_comes_with_the_end_is_text_that_left() -> None:
    out = choice()
    assert out.push(Chunk(text="all of it", finish_reason="stop")).text == out.text == "all of it"


def test_what_is_only_flagged_leaves_and_is_counted_by_rule() -> None:
    rules = 'rules: [{id: f, side: exit, literal: ["owl"], action: flag, clause: "1"}]'
    out = ChoiceExit(0, Screen([load_text(rules, "r")], Side.EXIT), Kind.CHAT)
    assert out.push(Chunk(text="owl and owl", reasoning="owl")).text == "owl and owl"
    assert out.flags == {"f": 3}


def test_what_was_redacted_shows_no_log_probability() -> None:
    out = choice()
    shown = []
    for token in ("a ", "her", "on", " flies"):
        delta = out.push(Chunk(text=token, tokens=1, logprobs=(entry(token),)))
        shown += [each.chosen.text for each in delta.positions]
    ending = out.push(Chunk(finish_reason="stop"))
    shown += [each.chosen.text for each in ending.positions]
    assert shown == ["a ", " flies"]


def test_what_was_held_and_is_no_match_leaves_at_the_end() -> None:
    out = choice()
    first = out.push(Chunk(text="a swordfish prot", tokens=1))
    last = out.push(Chunk(finish_reason="length"))
    assert first.text == "a "
    assert (last.text, last.finish) == ("swordfish prot", Finish.LENGTH)


@given(
    st.text(st.sampled_from("swordfish SWORD\n"), max_size=40) | st.sampled_from(["swordfish", "a swordfish b", "é"])
)
def test_a_choice_that_comes_whole_leaves_as_one_that_comes_in_pieces(text: str) -> None:
    rules = "rules: [{id: no, side: exit, literal: [swordfish], normalize: [casefold], action: refuse, clause: '1'}]"
    screen = Screen([load_text(rules, "r")], Side.EXIT)
    whole, pieces = (ChoiceExit(0, screen, Kind.CHAT) for _ in range(2))
    one = whole.push(Chunk(text=text, tokens=9, finish_reason="stop"))
    several = [pieces.push(Chunk(text=each, tokens=1)) for each in text] + [pieces.push(Chunk(finish_reason="stop"))]
    assert one.text == "".join(each.text for each in several) == whole.text == pieces.text
    assert (one.finish, whole.verdicts) == (several[-1].finish or pieces.finished, pieces.verdicts)
