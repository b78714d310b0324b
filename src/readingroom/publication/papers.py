"""A facsimile's papers: the receipt of the call that made it, the request and the answer. Pure.

A facsimile that is shown with a receipt is what the model said: the receipt proves that exactly this request got
exactly this answer from the model of that digest, and the texts on show are those of the request and the answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from readingroom.core.canonical import Json
from readingroom.ledger.note import Unproven, Verifier
from readingroom.ledger.receipt import Receipt, events, verify_receipt

NAMES = ("receipt", "request", "answer")


@dataclass(frozen=True, slots=True)
class Papers:
    """The three files as they were, all empty where a facsimile has none."""

    receipt: str = ""
    request: str = ""
    answer: str = ""

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self.receipt)

    @property
    def record(self) -> dict[str, Json]:
        """What the receipt says of the call; only of papers that were found good."""
        return dict(Receipt.from_json(self.receipt.encode()).record)


@dataclass(frozen=True, slots=True)
class Sample:
    """One facsimile."""

    id: str
    prompt: str
    output: str
    model: str
    note: str
    papers: Papers
    signed_by: str
    signed_at: datetime

    @property
    def receipt(self) -> str:
        """The id of the receipt that it came with; empty where it was curated by hand."""
        return str(self.papers.record.get("id", "")) if self.papers else ""


def problems(papers: Papers, prompt: str, output: str, digest: str, verifier: Verifier) -> Iterator[tuple[str, str]]:
    """Find why papers do not prove a facsimile: each as the field that it is about, and what is wrong.

    Args:
        papers: all three of them.
        prompt: what is shown as asked.
        output: what is shown as answered.
        digest: of the model that is named.
        verifier: the log's public key.
    """
    report = verify_receipt(papers.receipt.encode(), verifier, papers.request.encode(), papers.answer.encode())
    for each in report.problems:
        yield "receipt", each
    try:
        model = Receipt.from_json(papers.receipt.encode()).record.get("model")
    except Unproven:
        return
    if model != digest:
        yield "model", "is another than the receipt's, or is not registered"
    if prompt.strip() not in {each.strip() for each in asked(papers.request)}:
        yield "prompt", "is not what the request asks"
    if output.strip() != answered(papers.answer).strip():
        yield "output", "is not what the answer says"


def asked(request: str) -> list[str]:
    """Return what a request asks: its prompt, or its only message by the user; nothing where more shaped the answer."""
    body = _read(request)
    messages = body.get("messages", [])
    if not isinstance(messages, list) or len(messages) > 1:
        return []
    said = [each.get("content") for each in messages if isinstance(each, dict) and each.get("role") == "user"]
    return [each for each in [body.get("prompt"), *said] if isinstance(each, str)]


def answered(answer: str) -> str:
    """Return the text of an answer's first choice: of a JSON body, or of the events of a stream."""
    streamed = [_read(each) for each in events(answer.encode()) if each != "[DONE]"]
    return "".join(_first(each) for each in streamed or [_read(answer)])


def _first(body: dict[str, Json]) -> str:
    choices = body.get("choices")
    if not isinstance(choices, list):
        return ""
    for each in choices:
        if isinstance(each, dict) and each.get("index", 0) == 0:
            held = each.get("message") or each.get("delta") or {"content": each.get("text")}
            text = held.get("content") if isinstance(held, dict) else None
            return text if isinstance(text, str) else ""
    return ""


def _read(text: str) -> dict[str, Json]:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
