"""The screens of a stage, loaded once, and the entrance: everything that goes to the engine is looked at."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from readingroom.core.canonical import Json
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.gateway.ask import Ask
from readingroom.gateway.screening.load import load_sets, sets_digest
from readingroom.gateway.screening.model import Action, Side
from readingroom.gateway.screening.stream import Screen
from readingroom.gateway.verdicts import Verdicts
from readingroom.strategy.model import StageFact


@dataclass(frozen=True, slots=True)
class Screens:
    """Both sides of a stage's rule sets; `digest` names the version for the usage record."""

    entrance: Screen
    exit: Screen
    digest: str

    def check(self, ask: Ask) -> Seen:
        """Look at all that goes to the engine.

        The parts are screened one by one and, since a model reads them as one, also joined in each way in which a
        template may join them: so a text that is cut over messages, over parts of one, or over lines, is found, too.
        The contents are joined by themselves as well, for many templates leave out what may stand between them.
        """
        parts = [each for each in texts(ask.body) if each]
        shown = [each for each in contents(ask.body) if each]
        seen = Seen(None, Verdicts(sum(map(len, parts))))
        lines = "\n".join(parts)
        # What is found in a part is found in its line as well, unless it must stand at a text's beginning or end.
        alone = parts if self.entrance.anchored or self.entrance.may_match(lines) else []
        for text in dict.fromkeys([*alone, *_joined(parts), *_joined(shown)]):
            if not self.entrance.may_match(text):
                continue
            found: Counter[str] = Counter()
            for hit in self.entrance.hits(text):
                if hit.action is not Action.FLAG:
                    return seen.stopped(refused(hit.clause), hit.rule, hit.action.value)
                found[hit.rule] += 1
            seen.verdicts.flags |= found  # the same matches are seen in several texts: the most in one of them counts
        return seen


@dataclass(frozen=True, slots=True)
class Seen:
    """What the entrance found: why the request is refused, if it is, and what goes on record of it."""

    refusal: Refusal | None
    verdicts: Verdicts

    @property
    def flags(self) -> dict[str, int]:
        """How often each flagging rule matched."""
        return dict(self.verdicts.flags)

    def stopped(self, refusal: Refusal, rule: str, action: str) -> Seen:
        """Return the same, refused by a rule."""
        self.verdicts.stopped_by = rule, action
        return Seen(refusal, self.verdicts)


def refused(clause: str) -> Refusal:
    """Refuse; the rule's text is never told."""
    reason = f"The request matches a rule of this reading room (clause {clause} of the terms)."
    return Refusal("screening/entrance", reason, {"clause": clause})


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

    def of(self, stage: StageFact) -> Screens:
        """Return the screens of a stage, if they are those that it was opened with; refuses otherwise."""
        found = self.screens(stage.screening)
        require(check_screens(stage, found))
        return found

    def load(self, stages: Iterable[StageFact]) -> None:
        """Read the rule sets of stages now; one that cannot be used refuses its stage's calls, not the others'."""
        for stage in stages:
            with contextlib.suppress(Refused):
                self.screens(stage.screening)


_CHECKED = frozenset({"role", "type"})  # their values are words of closed lists, checked at the door
_FREE = frozenset({"parameters", "schema"})  # JSON of the reader's own: every name and every value in it is his


def contents(body: Mapping[str, Json]) -> list[str]:
    """Return what a template certainly shows, in its order."""
    return [body.get("prompt") or "", *(message.get("content") or "" for message in body.get("messages") or ())]


def _joined(parts: list[str]) -> tuple[str, ...]:
    lines = "\n".join(parts)
    return lines, lines.replace("\n", " "), lines.replace("\n", "")


def texts(value: Json) -> Iterator[str]:
    """Yield every text of a request's body that a reader could have chosen."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            if name in _FREE:
                yield from _everything(each)
            elif not isinstance(each, str):
                yield from texts(each)
            elif name not in _CHECKED:
                yield each
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from texts(each)


def _everything(value: Json) -> Iterator[str]:
    if isinstance(value, (str, int, float)):
        yield str(value)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield str(name)
            yield from _everything(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _everything(each)


def check_screens(stage: StageFact, screens: Screens) -> Refusal | None:
    """Serve a stage with the rule sets that it was opened with, and with no others."""
    if not stage.screens or stage.screens == screens.digest:
        return None
    reason = f"The screening rules of {stage.name} are not those that it was opened with, so nothing is served."
    return Refusal("releases/stage-not-open", reason, {"stage": stage.name})
