"""Screens: many rules over one text, whole or in pieces.

What a screen finds is defined character by character: as soon as a match is certain it counts, every possible
match counts, and a text ends at the first that refuses or cuts. Other pieces of the same text cannot change that.
Held back is only what may still become part of a match: from the first place where some match may have begun.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence

from readingroom.core.canonical import digest
from readingroom.gateway.screening.lens import Lens, View
from readingroom.gateway.screening.model import ENDS, Action, Form, Hit, Release, Rule, RuleSet, Side

MARK = "[redacted]"
NEVER = 2**63
_NOTHING = Release("")
BLOCK = 1024  # characters of a whole text that are looked at together


class Screen:
    """The rules of one side, compiled. Shared by all streams."""

    def __init__(self, sets: Sequence[RuleSet], side: Side) -> None:
        """Compile the rules of these sets that stand at this side."""
        self.side = side
        standing = [rule for each in sets for rule in each.rules if rule.stands_at(side)]
        self.rules: tuple[Rule, ...] = tuple(rule for rule in standing if not rule.judged)
        self.judged: tuple[Rule, ...] = tuple(rule for rule in standing if rule.judged)  # by others, elsewhere
        self.lenses = tuple(Lens(forms, rules) for forms, rules in _by_lens(self.rules))
        self.ends = any(rule.action in ENDS for rule in self.rules)
        self.anchored = any(lens.anchored for lens in self.lenses)
        self.order = {rule.id: place for place, rule in enumerate(self.rules)}
        self.digest = digest([each.digest for each in sets])

    def stream(self) -> StreamScreen:
        """Begin to screen one text."""
        return StreamScreen(self)

    def hits(self, text: str) -> Iterator[Hit]:
        """Yield what is found in a whole text, block by block, for those who pass nothing on and may stop early."""
        if not self.may_match(text):
            return
        views = [View(lens) for lens in self.lenses]
        for start in range(0, len(text), BLOCK):
            block = text[start : start + BLOCK]
            yield from sorted(hit for view in views for hit in view.push(block))
        yield from sorted(hit for view in views for hit in view.finish())

    def may_match(self, text: str) -> bool:
        """Tell whether there may be a hit in a whole text: a quick no for plain ones without any."""
        for lens in self.lenses:  # noqa: SIM110 - a generator costs as much as the look
            if lens.may_match(text):
                return True
        return False

    def whole(self, text: str) -> tuple[str, StreamScreen]:
        """Screen a whole text; return what may pass, and the screen with its hits."""
        stream = self.stream()
        first = stream.push(text)
        return first.text + stream.finish().text, stream


def _by_lens(rules: Iterable[Rule]) -> list[tuple[frozenset[Form], list[Rule]]]:
    """Group rules by what they look through; those that hold nothing back apart from those that do."""
    grouped: dict[tuple[bool, frozenset[Form]], list[Rule]] = {}
    for rule in rules:
        grouped.setdefault((rule.action is Action.FLAG, rule.forms), []).append(rule)
    return [(forms, group) for (_, forms), group in grouped.items()]


class StreamScreen:
    """One text on its way through a screen.

    Attributes:
        hits: what was found, in the order in which it became certain.
        refused: the hit that ended the text, if one did.
        released: how many characters of the original have been let go (or taken out).
        seen: how many characters were screened.
    """

    def __init__(self, screen: Screen) -> None:
        """Begin before the first character."""
        self._screen = screen
        self._views = [View(lens) for lens in screen.lenses]
        self._held = ""
        self._marked = False  # the last released character was part of a redaction
        self._redactions: list[tuple[int, int]] = []  # sorted, merged, not yet wholly released
        self.taken_out: list[tuple[int, int]] = []
        self.hits: list[Hit] = []
        self.refused: Hit | None = None
        self._cut = NEVER
        self.released = 0
        self.seen = 0

    def push(self, text: str) -> Release:
        """Take more text in and return what may leave. After a refusal nothing leaves any more."""
        if self.refused or not text:
            return Release("", self.refused)
        before = [view.kept() for view in self._views] if self._screen.ends and len(text) > 1 else []
        hits = [hit for view in self._views for hit in view.push(text)]
        if hits and before and any(hit.action in ENDS for hit in hits):
            for view, kept in zip(self._views, before, strict=True):
                view.back(kept)
            return self._push_in_halves(text)
        self._held += text
        self.seen += len(text)
        if hits:
            self._note(hits)
        if self._redactions or self.refused:
            return self._release(self._hold())
        base, upto = self.released, self._hold()
        if upto <= base:
            return _NOTHING
        left, self._held = self._held[: upto - base], self._held[upto - base :]
        self.released, self._marked = upto, False
        return Release(left)

    def let_by(self, text: str) -> None:
        """Count a whole text that cannot match."""
        self.seen = self.released = len(text)

    def finish(self) -> Release:
        """See the end of the text and return the rest that may leave."""
        if self.refused:
            return Release("", self.refused)
        self._note([hit for view in self._views for hit in view.finish()])
        return self._release(self.seen)

    def may_end_with(self, text: str) -> bool:
        """Tell whether the text could go on like this and end there, with no match that must not leave."""
        if self.refused:
            return False
        for view in self._views:
            if not view.lens.holds:
                continue
            kept = view.kept()
            hits = view.push(text) + view.finish()
            view.back(kept)
            if hits:
                return False
        return True

    def fork(self) -> StreamScreen:
        """Return a copy that goes its own way: what if the text went on like this?"""
        twin = copy.copy(self)
        twin._views = [view.fork() for view in self._views]  # noqa: SLF001 - its own kind
        twin.hits, twin.taken_out = list(self.hits), list(self.taken_out)
        return twin

    def _push_in_halves(self, text: str) -> Release:
        """Go to the very character of the refusal, so that what left before it depends on no pieces."""
        left = self.push(text[: len(text) // 2])
        if left.refused:
            return left
        right = self.push(text[len(text) // 2 :])
        return Release(left.text + right.text, right.refused)

    def _note(self, hits: list[Hit]) -> None:
        """Put hits on record. A refusing hit is noted together with all that became certain with it."""
        order = self._screen.order
        hits.sort(key=lambda hit: (hit.at, order[hit.rule], hit.start, hit.end))
        self.hits += hits
        refusing = [hit for hit in hits if hit.action in ENDS]
        if refusing:
            self.refused = refusing[0]
            self._cut = min(hit.start for hit in refusing)
        taken = [(hit.start, hit.end) for hit in hits if hit.action is Action.REDACT]
        if taken:
            self._redactions = merged([*self._redactions, *taken])

    def _hold(self) -> int:
        """Return the place up to which text may leave."""
        lowest = self.seen
        for view in self._views:
            if view.lens.holds:
                place = view.held_from()
                if place is not None and place < lowest:
                    lowest = place
        return lowest

    def _release(self, upto: int) -> Release:
        """Let go of text up to a place, with every redaction replaced by one mark."""
        upto = min(upto, self._cut)
        parts, at, base = [], self.released, self.released
        for start, end in self._redactions:
            low, high = max(start, at), min(end, upto)
            if low >= high:
                continue
            if low > at:
                parts.append(self._held[at - base : low - base])
                self._marked = False
            if not self._marked:
                parts.append(MARK)
            self.taken_out[-1:] = merged([*self.taken_out[-1:], (low, high)])
            self._marked, at = True, high
        if upto > at:
            parts.append(self._held[at - base : upto - base])
            self._marked, at = False, upto
        self._held = self._held[max(at, base) - base :]
        self.released = max(at, base)
        self._redactions = [(start, end) for start, end in self._redactions if end > self.released]
        return Release("".join(parts), self.refused)


def merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that overlap or touch."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
