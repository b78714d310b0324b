"""What each Python client's program has in common: a request per line of stdin, an answer per line of stdout.

Every program knows the same operations and answers in the same words, so that one suite can ask them all:
`{"texts", "finishes", "usage", "logprobs", "calls", "pieces"}` as far as the client shows them, or
`{"raised": {"kinds", "status", "code"}}` with the names of the exception's classes.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Answer = dict[str, Any]


@dataclass(frozen=True)
class Room:
    """Where to ask, with whose key, for which model."""

    url: str
    key: str
    model: str


def serve(operations: Mapping[str, Callable[..., Answer]]) -> None:
    """Answer until stdin ends. What a library prints goes to stderr."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        for line in sys.stdin:
            asked = json.loads(line)
            try:
                room = Room(asked.pop("url"), asked.pop("key"), asked.pop("model"))
                answer = operations[asked.pop("do")](room, **asked)
            except Exception as fault:  # noqa: BLE001 - which one it is, is what is asked
                answer = {"raised": raised(fault)}
            out.write(json.dumps(answer) + "\n")
            out.flush()


def raised(fault: Exception) -> Answer:
    """Tell what was raised."""
    kinds = [each.__name__ for each in type(fault).__mro__]
    told = {name: getattr(fault, name, None) for name in ("status_code", "code")}
    return {"kinds": kinds, "status": told["status_code"], "code": told["code"], "message": str(fault)}


def shown(answer: Any) -> Answer:
    """Tell what an answer in OpenAI's shape holds: of the official client, or of one that has taken over its shape."""
    chat = hasattr(answer.choices[0], "message")
    told = {
        "texts": [(each.message.content if chat else each.text) or "" for each in answer.choices],
        "finishes": [each.finish_reason for each in answer.choices],
        "usage": [answer.usage.prompt_tokens, answer.usage.completion_tokens] if answer.usage else None,
    }
    if chat:
        told["calls"] = [called(call) for each in answer.choices for call in each.message.tool_calls or ()]
        shown = [getattr(each, "logprobs", None) for each in answer.choices]
        told["logprobs"] = [listed(entry) for each in shown if each for entry in each.content or ()]
    return told


def listed(entry: Any) -> list[Any]:
    """Give an entry of log-probabilities: token, its value, the likeliest tokens."""
    return [entry.token, entry.logprob, [each.token for each in entry.top_logprobs or ()]]


def called(call: Any) -> list[Any]:
    """Give a tool call: name, arguments."""
    return [call.function.name, json.loads(call.function.arguments)]


def collected(chunks: Any) -> Answer:
    """Tell what a stream in OpenAI's shape held."""
    texts: dict[int, str] = {}
    finishes: dict[int, str] = {}
    usage, pieces = None, 0
    for chunk in chunks:
        usage = getattr(chunk, "usage", None) or usage
        for each in chunk.choices:
            said = (each.delta.content if hasattr(each, "delta") else each.text) or ""
            pieces += bool(said)
            texts[each.index] = texts.get(each.index, "") + said
            if each.finish_reason:
                finishes[each.index] = each.finish_reason
    return {
        "texts": [texts[n] for n in sorted(texts)],
        "finishes": [finishes[n] for n in sorted(finishes)],
        "usage": [usage.prompt_tokens, usage.completion_tokens] if usage else None,
        "pieces": pieces,
    }
