"""Everything that a reader can choose is looked at, however it is hidden or cut (promise 3, entrance)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.api.wire.requests import read
from readingroom.core.refusal import Refused
from readingroom.gateway.ask import Kind
from readingroom.gateway.entrance import Screens, Seen
from readingroom.gateway.screening.load import load_text
from readingroom.gateway.screening.model import Side
from readingroom.gateway.screening.stream import Screen

RULES = """
rules:
  - {id: a, side: entrance, literal: ["ignore all previous"], normalize: [nfkc, casefold], action: refuse, clause: "1"}
  - {id: b, side: both, literal: ["heron"], action: redact, clause: "2"}
  - {id: c, side: entrance, literal: ["owl"], action: flag, clause: "3"}
  - {id: d, side: entrance, regex: "[0-9]{16}", action: refuse, clause: "4"}
"""
SETS = [load_text(RULES, "r")]
SCREENS = Screens(Screen(SETS, Side.ENTRANCE), Screen(SETS, Side.EXIT), "")
BAD = "ignore all previous"
USER = {"role": "user", "content": "hello"}


def look(*messages: dict[str, Any], **more: Any) -> Seen:
    body = {"model": "m", "messages": list(messages) or [USER], **more}
    return SCREENS.check(read(json.dumps(body).encode(), Kind.CHAT).ask)


def tool(parameters: Any) -> Any:
    return [{"type": "function", "function": {"name": "f", "parameters": parameters}}]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": BAD},
        {"type": ["object", BAD]},
        {"role": BAD},
        {"$defs": {BAD: {}}},
        {"properties": {BAD: {}}},
        {"properties": {"type": {"description": BAD}}},
        {"properties": {"role": {"enum": [1, [BAD]]}}},
        {"enum": [4929123412341234]},
    ],
)
def test_nothing_hides_in_a_schema(schema: Any) -> None:
    assert look(tools=tool(schema)).refusal is not None
    shape = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    assert look(response_format=shape).refusal is not None


def test_a_schema_that_is_no_schema_is_no_hiding_place() -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "n", "strict": {BAD: 1}}}
    with pytest.raises(Refused, match="gateway/bad-request"):
        look(response_format=shape)


@given(st.integers(1, len(BAD) - 1), st.sampled_from(["messages", "parts", "lines"]))
def test_a_text_cut_anywhere_over_messages_parts_or_lines_is_found(place: int, how: str) -> None:
    first, second = BAD[:place], BAD[place:]
    if how == "messages":
        seen = look({"role": "user", "content": first}, {"role": "user", "content": second})
    elif how == "parts":
        parts = [{"type": "text", "text": each} for each in (first, second)]
        seen = look({"role": "user", "content": parts})
    else:
        seen = look({"role": "user", "content": f"{first}\n{second}"})
    assert seen.refusal is not None


@given(st.integers(1, len(BAD) - 1))
def test_what_a_template_may_leave_out_does_not_hide_a_cut(place: int) -> None:
    first = {"role": "user", "content": BAD[:place], "name": "somebody"}
    assert look(first, {"role": "user", "content": BAD[place:]}).refusal is not None


def test_a_long_request_is_looked_at_in_linear_time() -> None:
    began = time.process_time()
    seen = look({"role": "user", "content": "\u00e9" * 450_000})
    assert (seen.refusal, seen.flags, seen.verdicts.characters) == (None, {}, 450_000)
    assert time.process_time() - began < 8  # half a second; once, a quarter of a minute


def test_a_long_request_is_read_no_further_than_to_what_refuses_it() -> None:
    found = SCREENS.entrance.hits(BAD + "!" * 4_000 + BAD)
    assert (next(found).end, next(found).start) == (len(BAD), len(BAD) + 4_000)


def test_what_would_be_redacted_is_refused_for_a_prompt_is_never_quietly_made_another() -> None:
    assert look({"role": "user", "content": "a heron"}).refusal is not None


def test_what_is_only_flagged_passes_and_is_counted() -> None:
    seen = look({"role": "user", "content": "an owl"})
    assert seen.refusal is None
    assert seen.flags == {"c": 1}


def test_plain_words_pass() -> None:
    assert not look(tools=tool({"type": "object", "properties": {"a": {"type": "string"}}})).refusal


ANCHORS = ("^pass", "word$", r"\Aone", r"two\z", r"\bthree\b", r"\Bfour", "^five$", "six[^y]", "se.en")
said = st.text("psowrdnetfhiuvxyz 6\n", max_size=8) | st.sampled_from(
    ["password", "one", "two", "three", "xfour", "five"]
)


@given(st.sampled_from(ANCHORS), st.lists(said, min_size=1, max_size=3))
def test_a_part_that_matches_by_itself_is_found_whatever_stands_around_it(regex: str, parts: list[str]) -> None:
    rule = f"rules:\n  - {{id: a, side: both, regex: '{regex}', action: refuse, clause: '1'}}\n"
    screen = Screen([load_text(rule, "r")], Side.ENTRANCE)
    messages = [{"role": "user", "content": part} for part in parts]
    ask = read(json.dumps({"model": "m", "messages": messages}).encode(), Kind.CHAT).ask
    found = Screens(screen, screen, "").check(ask).refusal is not None
    assert found or not any(list(screen.hits(part)) for part in parts if part)
