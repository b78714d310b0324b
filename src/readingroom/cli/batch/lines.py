"""The questions: JSON lines, checked wholly before the first is asked. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from readingroom.api.wire.requests import read
from readingroom.core.canonical import Json, canonical, parse
from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refused
from readingroom.gateway.ask import Kind

ROUTES = {"/v1/chat/completions": Kind.CHAT, "/v1/completions": Kind.COMPLETION}
MAX_BODY = 1_000_000  # bytes that a house takes
_ENVELOPE = {"custom_id", "method", "url", "body"}
_TEMPLATE = 256  # tokens that a chat template may add of its own, system prompt included
_SHOWN = 20  # problems told; the others are counted
_MAXIMA = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True, slots=True)
class Line:
    """One question.

    Attributes:
        number: its line in the file, from 1.
        custom_id: the reader's own name for it, unique in the file; `line-N` where he gave none.
        path: where it is asked.
        body: the bytes that are sent.
        passes: it can need at most.
        prompt: tokens that its prompt has at most.
    """

    number: int
    custom_id: str
    path: str
    body: bytes
    passes: int
    prompt: int

    @property
    def name(self) -> str:
        """What its files are called: `000042.json`."""
        return f"{self.number:06d}.json"


def read_lines(text: str, file: str, maximum: int) -> list[Line]:
    """Read a file of questions; empty lines are left out.

    Args:
        text: its contents: a request body per line, or OpenAI's `{custom_id, method, url, body}`.
        file: its name, for messages.
        maximum: `max_tokens` for lines that state none, so that what they can need is known.

    Raises:
        BadInput: with every line that cannot be asked, as `file:line`.
    """
    found: list[Line] = []
    problems: list[Problem] = []
    ids: dict[str, int] = {}
    for number, each in enumerate(text.split("\n"), 1):
        if not each.strip():
            continue
        try:
            line = _line(number, each, maximum)
        except _Bad as bad:
            problems.append(Problem(f"{file}:{number}", bad.what, bad.cure))
            continue
        first = ids.setdefault(line.custom_id, number)
        if first != number:
            told = f"the custom_id {line.custom_id!r} is that of line {first} as well"
            problems.append(Problem(f"{file}:{number}", told, "Give each its own"))
        found.append(line)
    if not found and not problems:
        problems.append(Problem(file, "holds no question", "Write one JSON object on each line"))
    if problems:
        more = len(problems) - _SHOWN
        rest = [Problem(file, f"{more} more lines cannot be asked", "Mend those above first")] if more > 0 else []
        raise BadInput([*problems[:_SHOWN], *rest])
    return found


class _Bad(Exception):  # noqa: N818 - carries what is wrong with a line
    def __init__(self, what: str, cure: str) -> None:
        self.what, self.cure = what, cure


def _line(number: int, text: str, maximum: int) -> Line:
    try:
        raw = parse(text)
    except (ValueError, RecursionError) as fault:
        raise _Bad(f"is not JSON ({fault})", "Write one JSON object on one line") from None
    if not isinstance(raw, dict):
        raise _Bad("is not a JSON object", "Write a request body, or {custom_id, method, url, body}")
    custom_id, path, body = _opened(number, raw)
    if not any(body.get(each) is not None for each in _MAXIMA):
        body = {**body, "max_tokens": maximum}
    if body.get("stream"):
        raise _Bad("asks for a stream", "Leave `stream` out: a batch keeps whole answers")
    try:
        sent = canonical(body)
        asked = read(sent, ROUTES[path])
    except Refused as refused:
        raise _Bad(f"cannot be asked: {refused.refusal.reason.rstrip('.')}", "Mend the line") from None
    except (ValueError, RecursionError) as fault:
        raise _Bad(f"cannot be asked: {fault}", "Mend the line") from None
    if len(sent) > MAX_BODY:
        raise _Bad(f"is longer than {MAX_BODY:,} bytes", "Ask for less in one request")
    said = {each: body[each] for each in ("messages", "prompt", "tools") if each in body}
    prompt = len(json.dumps(said, ensure_ascii=False).encode()) + _TEMPLATE
    return Line(number, custom_id, path, sent, asked.ask.choices * (asked.ask.maximum or maximum), prompt)


def _opened(number: int, raw: Mapping[str, Json]) -> tuple[str, str, dict[str, Json]]:
    """Return a line's name, route and body, whichever of the two shapes it has."""
    if "body" not in raw:
        return f"line-{number}", "/v1/completions" if "prompt" in raw else "/v1/chat/completions", dict(raw)
    odd = sorted(set(raw) - _ENVELOPE)
    if odd:
        raise _Bad(f"has the unknown field {odd[0]!r}", "Beside `body` there may be custom_id, method and url")
    custom_id, body = raw.get("custom_id", f"line-{number}"), raw["body"]
    if not isinstance(custom_id, str) or not custom_id:
        raise _Bad("custom_id is no text", "Give a text, or leave it out")
    if raw.get("method", "POST") != "POST":
        raise _Bad(f"method is {raw['method']!r}", "Questions are asked with POST")
    if not isinstance(body, dict):
        raise _Bad("body is not an object", "Write the request's body there")
    path = raw.get("url", "/v1/completions" if "prompt" in body else "/v1/chat/completions")
    if path not in ROUTES:
        raise _Bad(f"url is {path!r}", f"It may be {' or '.join(ROUTES)}")
    return custom_id, path, body
