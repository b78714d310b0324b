"""Rules that look at text through the same normalisation, as one machine over a stream."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from readingroom.gateway.screening.characters import (
    MAX_IGNORABLE_RUN,
    bases,
    beginnings,
    born_of_marks,
    stands_alone,
)
from readingroom.gateway.screening.literals import Automaton
from readingroom.gateway.screening.model import Action, Form, Hit, Rule
from readingroom.gateway.screening.normal import Normaliser, Piece, fold
from readingroom.gateway.screening.patterns import Pattern, compiled
from readingroom.gateway.screening.regex import BadPattern


class Lens:
    """The rules of one normalisation, compiled; shared by all streams, and never changed."""

    def __init__(self, forms: frozenset[Form], rules: Sequence[Rule]) -> None:
        """Compile the rules. Those that only flag stand in another lens, as they hold nothing back."""
        self.forms = forms
        self.rules = tuple(rules)
        self.holds = any(rule.action is not Action.FLAG for rule in rules)
        literals = [(fold(text, forms), i) for i, rule in enumerate(rules) for text in rule.literals]
        self.automaton = Automaton(literals)
        folds = Form.CASEFOLD in forms
        self.patterns = [(i, Pattern.of(r.regex, folds=folds)) for i, r in enumerate(rules) if r.regex]
        self.widest = max((pattern.width for _, pattern in self.patterns), default=0)
        self.reach = max(self.automaton.longest, self.widest + 2)
        self._union = _union([pattern for _, pattern in self.patterns])
        firsts = frozenset(each for literal, _ in literals for each in beginnings(literal[0]))
        lets_go_early = not self.patterns and all(stands_alone(each) and each not in born_of_marks() for each in firsts)
        self._firsts = firsts if lets_go_early else None
        self.outlook = lru_cache(maxsize=1 << 14)(self._outlook)

    def may_match(self, text: str) -> bool:
        """Tell whether some pattern may match in `text`; a quick no saves the exact search."""
        return self._union is None or self._union.search(text) is not None

    def _outlook(self, state: int, segment: str) -> tuple[int, bool]:
        """Look past an open segment: `(depth, possible)`.

        `depth` is how far back a literal reaches that the segment may continue; `possible`, whether a match may
        begin or go on in it. Marks may still join the segment, so letters are compared without their marks.
        """
        automaton = self.automaton
        if not segment:
            return automaton.depth[state], False
        if self._firsts is None or not stands_alone(segment[0]):
            return automaton.depth[state], True
        letters = bases(segment[0])
        while state and letters.isdisjoint(automaton.continuations(state)):
            state = automaton.shorter(state)
        return automaton.depth[state], bool(state) or not self._firsts.isdisjoint(bases(segment))


def _union(patterns: list[Pattern]):  # type: ignore[no-untyped-def]  # noqa: ANN202 - re2 ships no types
    try:
        return compiled("|".join(pattern.source for pattern in patterns))
    except BadPattern:  # too large in one: the exact search runs each time
        return None


@dataclass(slots=True)
class View:
    """How far one stream has been seen through a lens. Plain values only, so that `fork` is cheap."""

    lens: Lens
    normaliser: Normaliser = field(init=False)
    state: int = 0
    tail: str = ""
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    whole: bool = True

    def __post_init__(self) -> None:
        """Begin before the first character."""
        self.normaliser = Normaliser(self.lens.forms)

    def fork(self) -> View:
        """Return a copy that goes its own way; lists are replaced and never changed in place."""
        twin = copy.copy(self)
        twin.normaliser = copy.copy(self.normaliser)
        return twin

    def push(self, text: str) -> list[Hit]:
        """See more text; return the hits that are certain now."""
        return [hit for piece in self.normaliser.push(text) for hit in self._see(piece)]

    def finish(self) -> list[Hit]:
        """See the end of the text."""
        return [hit for piece in self.normaliser.finish() for hit in self._see(piece, finished=True)]

    def held_from(self) -> int | None:
        """Return the first place, in the original, from which a match may still come about; None if none can."""
        normaliser, candidates = self.normaliser, []
        depth, possible = self.lens.outlook(self.state, normaliser.segment)
        if depth:
            candidates.append(self.starts[-depth])
        for _, pattern in self.lens.patterns:
            since = pattern.open_since(self.tail)
            if since is not None:
                candidates.append(self.starts[since])
        if normaliser.segment and possible:
            candidates.append(normaliser.segment_start)
        if 0 < normaliser.run <= MAX_IGNORABLE_RUN:
            candidates.append(normaliser.run_start)
        return min(candidates, default=None)

    def _see(self, piece: Piece, *, finished: bool = False) -> list[Hit]:
        before = len(self.tail)
        self.tail += piece.text
        self.starts = self.starts + piece.starts
        self.ends = self.ends + piece.ends
        hits = self._literal_hits(piece, before)
        hits += self._pattern_hits(piece, before, finished=finished or piece.run is not None)
        if piece.run is not None:
            hits += [self._hit(i, piece.run[1], *piece.run) for i in range(len(self.lens.rules))]
            self.state, self.tail, self.starts, self.ends, self.whole = 0, "", [], [], True
        elif len(self.tail) > self.lens.reach:
            cut = len(self.tail) - self.lens.reach
            self.tail, self.starts, self.ends = self.tail[cut:], self.starts[cut:], self.ends[cut:]
            self.whole = False
        return hits

    def _literal_hits(self, piece: Piece, before: int) -> list[Hit]:
        automaton, state, hits = self.lens.automaton, self.state, []
        if automaton.longest:
            for offset, character in enumerate(piece.text):
                state = automaton.step(state, character)
                for length, owner in automaton.found[state]:
                    end = before + offset + 1
                    place = self.starts[end - length], self.ends[end - 1]
                    hits.append(self._hit(owner, piece.ats[offset], *place))
        self.state = state
        return hits

    def _pattern_hits(self, piece: Piece, before: int, *, finished: bool) -> list[Hit]:
        lens = self.lens
        hits: list[Hit] = []
        if not lens.patterns or not lens.may_match(self.tail[max(0, before - lens.widest - 1) :]):
            return hits
        last = len(self.tail)
        closed = piece.run[1] if piece.run else self.normaliser.seen
        for owner, pattern in lens.patterns:
            ends = range(before + 1 - pattern.waits, last + 1 - (pattern.waits and not finished))
            for end in ends:
                start = pattern.match_ending_at(self.tail, end, whole=self.whole, finished=finished)
                if start is not None:
                    certain = end - before - (0 if pattern.waits else 1)
                    at = piece.ats[certain] if certain < len(piece.ats) else closed
                    hits.append(self._hit(owner, at, self.starts[start], self.ends[end - 1]))
        return hits

    def _hit(self, owner: int, at: int, start: int, end: int) -> Hit:
        rule = self.lens.rules[owner]
        return Hit(at, start, end, rule.id, rule.action, rule.clause)
