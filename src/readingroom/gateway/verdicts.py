"""What screening leaves on record of one call: who looked, at how much, and what came of it; never a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from readingroom.core.canonical import Json


@dataclass(slots=True)
class Verdicts:
    """Of one side of a call.

    Attributes:
        characters: that went through the screens of this side.
        flags: how often each flagging rule matched.
        judged: characters that each judge was shown and gave a verdict of, context not counted.
        failed: how often each judge gave no verdict.
        stopped_by: the rule that stopped the call, and its action, or `failed`; None if none did.
    """

    characters: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    stopped_by: tuple[str, str] | None = None

    def as_json(self) -> dict[str, Json]:
        """Return what the usage record holds besides the flags, which have places of their own there."""
        return {
            "characters": self.characters,
            **({"judged": dict(self.judged)} if self.judged else {}),
            **({"failed": dict(self.failed)} if self.failed else {}),
            **({"stopped_by": self.stopped_by[0], "action": self.stopped_by[1]} if self.stopped_by else {}),
        }


def added(each: Sequence[Verdicts]) -> Verdicts:
    """Add up the verdicts of several choices; the first that stopped one names who stopped the call."""
    if len(each) == 1:
        return each[0]
    total = Verdicts()
    for one in each:
        total.characters += one.characters
        total.flags += one.flags
        total.judged += one.judged
        total.failed += one.failed
        total.stopped_by = total.stopped_by or one.stopped_by
    return total
