"""The screens of a stage, loaded once, and the entrance: everything that goes to the engine is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from readingroom.core.canonical import Json
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refusal, Refused
from readingroom.gateway.ask import Ask
from readingroom.gateway.screening.load import load_sets, sets_digest
from readingroom.gateway.screening.model import Side
from readingroom.gateway.screening.stream import Screen


@dataclass(frozen=True, slots=True)
class Screens:
    """Both sides of a stage's rule sets; `digest` names the version for the usage record."""

    entrance: Screen
    exit: Screen
    digest: str

    def check(self, ask: Ask) -> Refusal | None:
        """Refuse a request in which an entrance rule finds a match; the rule's text is never told.

        The parts are screened one by one and, since a model reads them as one, all in one text too.
        """
        parts = [text for text in texts(ask.body) if text]
        for text in [*parts, "\n".join(parts)]:
            _, screen = self.entrance.whole(text)
            if screen.refused:
                hit = screen.refused
                reason = f"The request matches a rule of this reading room (clause {hit.clause} of the terms)."
                return Refusal("screening/entrance", reason, {"clause": hit.clause})
        return None


class Entrance:
    """Loads rule sets when they are first needed, and keeps them for the life of the process."""

    def __init__(self, home: Path) -> None:
        """Take the folder that rule sets are named from."""
        self._home = home
        self._loaded: dict[tuple[str, ...], Screens] = {}

    def screens(self, names: tuple[str, ...]) -> Screens:
        """Return the screens of some rule sets.

        Raises:
            Refused: one of them cannot be used; a stage without its screens is not served.
        """
        if names not in self._loaded:
            try:
                sets = load_sets(self._home, names)
            except BadInput:
                reason = "The screening rules of this stage cannot be used at the moment, so nothing is served."
                raise Refused(Refusal("screening/failed", reason)) from None
            entrance, exit_ = Screen(sets, Side.ENTRANCE), Screen(sets, Side.EXIT)
            self._loaded[names] = Screens(entrance, exit_, sets_digest(sets))
        return self._loaded[names]


_OURS = frozenset({"role", "type"})  # closed lists of words that the gateway has checked


def texts(value: Json) -> Iterator[str]:
    """Yield every text of a request's body that a reader could have chosen."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in _OURS:
                yield from texts(each)
        if "properties" in value and isinstance(value["properties"], dict):
            yield from map(str, value["properties"])  # names within a tool's schema are the reader's own
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from texts(each)
