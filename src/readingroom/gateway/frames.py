"""What flows out of the gateway towards a reader, after screening. Doors spell it; nothing else leaves."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from readingroom.core.refusal import Refusal
from readingroom.gateway.model import Amount, Ended, Reading


class Finish(StrEnum):
    """Why an answer ended, in OpenAI's words."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


class Token(Struct, frozen=True):
    """A token and its log probability."""

    text: str
    logprob: float


class Position(Struct, frozen=True):
    """One place of an answer: the token that was chosen, and the likeliest ones."""

    chosen: Token
    top: tuple[Token, ...] = ()


class ToolCall(Struct, frozen=True):
    """A piece of a tool call; its whole `name` stands in its first piece only."""

    index: int
    name: str = ""
    arguments: str = ""


class Delta(Struct, frozen=True):
    """A piece of one choice, free to leave."""

    choice: int
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    positions: tuple[Position, ...] = ()
    finish: Finish | None = None

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing in it."""
        return not (self.text or self.reasoning or self.tool_calls or self.positions or self.finish)


class InLine(Struct, frozen=True):
    """Nothing yet: the request waits in line, and this is its place; 1 is next."""

    place: int


class End(Struct, frozen=True):
    """The last thing of every flow.

    Attributes:
        ended: how.
        refusal: what ended it early; None after a proper end (also one by the exit screen or the maximum).
        prompt: tokens of the prompt.
        generated: tokens of all answers.
        charged: what the grant was charged.
        reading: the meter afterwards; None where it could not be read.
        last: the answer's last piece, which leaves once the call is on record; None where the answer was cut.
    """

    ended: Ended
    refusal: Refusal | None
    prompt: int
    generated: int
    charged: Amount
    reading: Reading | None
    last: Delta | None = None


class Pause(Struct, frozen=True):
    """Nothing more comes for the moment: whoever gathers pieces sends them now."""


PAUSE = Pause()
Frame = Pause | Delta | InLine | End
