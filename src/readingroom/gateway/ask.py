"""A reader's request after its fields were checked against the allow-list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from readingroom.core.canonical import Json
from readingroom.engines import model as engines
from readingroom.engines.model import ForwardRequest


class Kind(StrEnum):
    """Which of the two routes was asked."""

    CHAT = "chat"
    COMPLETION = "completion"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for answers.

    Attributes:
        kind: chat or completion.
        model: the model's public name.
        body: the fields that go to the engine, as OpenAI spells them; nothing else of the request does.
        committed: the bytes by which the usage record commits to the request.
        choices: how many answers (`n`).
        maximum: tokens per answer as stated, or None.
        top_logprobs: alternatives per token; 0 for the chosen token alone; None for no logprobs.
        streamed: whether pieces go out as they come, so that a broken answer was partly delivered.
    """

    kind: Kind
    model: str
    body: Mapping[str, Json]
    committed: bytes
    choices: int = 1
    maximum: int | None = None
    top_logprobs: int | None = None
    streamed: bool = False

    def for_engine(self) -> ForwardRequest:
        """Return what goes on to the engine."""
        body, is_chat = dict(self.body), self.kind is Kind.CHAT
        if self.choices > 1:
            body["n"] = self.choices
        if self.top_logprobs is not None:
            # Never left to the engine, whose own default may be twenty; where none is asked for, none goes on.
            top = max(1, self.top_logprobs)
            body |= {"logprobs": True, "top_logprobs": top} if is_chat else {"logprobs": top}
        return ForwardRequest(engines.Kind(self.kind.value), body, self.streamed)
