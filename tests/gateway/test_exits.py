"""Every channel of a choice is screened: text, reasoning, tool arguments, log-probabilities (promise 3)."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from readingroom.engines.model import Chunk, Kind
from readingroom.gateway.exits import ChoiceExit
from readingroom.gateway.frames import Delta, Finish
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


def choice() -> ChoiceExit:
    return ChoiceExit(0, SCREEN, Kind.CHAT)


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


def entry(token: str, *others: str) -> dict[str, object]:
    tops = [{"token": each, "logprob": -1.0} for each in (token, *others)]
    return {"token": token, "logprob": -0.5, "top_logprobs": tops}


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
