"""Rules that look at text through the same normalisation, as one machine over a stream."""

from __future__ import annotations

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
from readingroom.gateway.screening.normal import Normaliser, Piece, fold, fold_segment, simple
from readingroom.gateway.screening.patterns import Pattern, Patterns, Quick
from readingroom.gateway.screening.places import Places

SLACK = 64  # characters of the tail that are not worth forgetting yet
Certain = tuple[Sequence[int], int]  # for each new character, how many of the original were seen when it was certain
Kept = tuple[int, str, int, list[tuple[int, int, int]], bool, int | None, tuple[int, str, int, int, int, int]]


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
        self.patterns = Patterns([(i, Pattern.of(r.regex, folds=folds)) for i, r in enumerate(rules) if r.regex])
        self._folds, self._quick = folds, Quick([text for text, _ in literals], self.patterns)
        self.reach = max(self.automaton.longest, self.patterns.widest + 2)
        self.composes = Form.NFKC in forms
        self.simple = simple(forms)
        self._ascii = all(self.simple[each] == (each.lower() if folds else each) for each in map(chr, range(128)))
        firsts = frozenset(each for literal, _ in literals for each in beginnings(literal[0]))
        plain = all(stands_alone(each) and each not in born_of_marks() for each in firsts)
        self._firsts = firsts if plain and not self.patterns.all else None
        self.outlook = lru_cache(maxsize=1 << 14)(self._outlook)

    @property
    def anchored(self) -> bool:
        """Tell whether some rule may match in a text and not in a longer one in which its lines stand."""
        return self._quick.anchored

    def may_match(self, text: str) -> bool:
        """Tell whether some rule may match in a whole text: a quick no for plain ones, which nearly all are."""
        if not (self._ascii and text.isascii()):
            return True
        return self._quick.may_match((text.lower() if self._folds else text).encode())

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


@dataclass(slots=True)
class View:
    """How far one stream has been seen through a lens.

    Attributes:
        state: the automaton's, after `tail`.
        tail: the last normalised characters: as many as a match may still need, and some more.
        base: how many normalised characters stood before `tail`.
        places: where the characters of `tail` came from.
        whole: `tail` begins where the text began, or where a run of too many invisible characters ended.
        since: index in `tail` from which a pattern may have begun to match; -1 where that is not known.
    """

    lens: Lens
    normaliser: Normaliser = field(init=False)
    state: int = 0
    tail: str = ""
    base: int = 0
    places: Places = field(default_factory=Places)
    whole: bool = True
    since: int | None = -1

    def __post_init__(self) -> None:
        """Begin before the first character."""
        self.normaliser = Normaliser(self.lens.forms)

    def fork(self) -> View:
        """Return a copy that goes its own way."""
        twin = View(self.lens)
        twin.back(self.kept())
        return twin

    def kept(self) -> Kept:
        """Return all that `push` changes, to go back to it; copies of objects cost more than the screening."""
        each = self.normaliser
        within = each.seen, each.segment, each.segment_start, each.segment_end, each.run, each.run_start
        return self.state, self.tail, self.base, self.places.runs.copy(), self.whole, self.since, within

    def back(self, kept: Kept) -> None:
        """Go back to what was kept."""
        self.state, self.tail, self.base, self.places.runs, self.whole, self.since, within = kept
        each = self.normaliser
        each.seen, each.segment, each.segment_start, each.segment_end, each.run, each.run_start = within

    def push(self, text: str) -> list[Hit]:
        """See more text; return the hits that are certain now."""
        table = self.lens.simple
        folded = [table[each] for each in text]
        if "" in folded or self.normaliser.run or not folded:
            hits = [hit for piece in self.normaliser.push(text) for hit in self._see(piece)]
        else:
            hits = self._push_simple(text, "".join(folded))
        self.since = self.lens.patterns.open_since(self.tail)
        return hits

    def finish(self) -> list[Hit]:
        """See the end of the text."""
        return [hit for piece in self.normaliser.finish() for hit in self._see(piece, finished=True)]

    def held_from(self) -> int | None:
        """Return the first place, in the original, from which a match may still come about; None if none can."""
        normaliser, lowest = self.normaliser, None
        depth, possible = self.lens.outlook(self.state, normaliser.segment)
        if depth:
            lowest = self.places.start(self.base + len(self.tail) - depth)
        if self.since is not None:
            place = self.places.start(self.base + self.since)
            lowest = place if lowest is None else min(lowest, place)
        if normaliser.segment and possible and lowest is None:
            lowest = normaliser.segment_start
        if lowest is None and 0 < normaliser.run <= MAX_IGNORABLE_RUN:
            lowest = normaliser.run_start
        return lowest

    def _push_simple(self, text: str, folded: str) -> list[Hit]:
        """Do what `push` does for text that the normaliser maps one to one; nearly every text is such."""
        normaliser, places = self.normaliser, self.places
        index, seen = self.base + len(self.tail), normaliser.seen
        normaliser.seen = now = seen + len(text)
        if not self.lens.composes:
            places.one_by_one(index, seen)
            return self._look(folded, (range(seen + 1, now + 1), now))
        opened, closed = normaliser.segment, ""
        if opened:  # the new text stands alone, so what was open is whole
            closed = (len(opened) == 1 and self.lens.simple[opened]) or fold_segment(opened, self.lens.forms)
            if len(opened) == len(closed) == 1 and normaliser.segment_end - normaliser.segment_start == 1:
                places.one_by_one(index, normaliser.segment_start)
            else:
                places.segment(index, normaliser.segment_start, normaliser.segment_end)
        if len(folded) > 1:
            places.one_by_one(index + len(closed), seen)
        normaliser.open(text[-1])  # a mark may follow it
        ats = (
            range(seen + 2 - len(closed), now + 1)
            if len(closed) <= 1
            else [seen + 1] * len(closed) + [*range(seen + 2, now + 1)]
        )
        return self._look(closed + folded[:-1], (ats, now))

    def _look(self, new: str, certain: Certain, *, finished: bool = False) -> list[Hit]:
        """Look at new characters; those of the tail that may still matter are looked at again."""
        before, patterns = len(self.tail), self.lens.patterns
        self.tail += new
        hits = self._literal_hits(new, before, certain) if self.lens.automaton.longest else []
        if patterns.all and patterns.may_match(self.tail, before, self.since):
            hits += self._pattern_hits(before, certain, finished=finished)
        if len(self.tail) > 2 * self.lens.reach + SLACK:
            self._forget(len(self.tail) - self.lens.reach)
        return hits

    def _see(self, piece: Piece, *, finished: bool = False) -> list[Hit]:
        """Look at what the normaliser gave."""
        index = self.base + len(self.tail)
        for length, start, end in piece.spans:
            if length == 1 and end - start == 1:
                self.places.one_by_one(index, start)
            else:
                self.places.segment(index, start, end)
            index += length
        closed = piece.run[1] if piece.run else self.normaliser.seen
        hits = self._look(piece.text, (piece.ats, closed), finished=finished or piece.run is not None)
        if piece.run is not None:
            hits += [self._hit(i, piece.run[1], *piece.run) for i in range(len(self.lens.rules))]
            self._forget(len(self.tail))
            self.state, self.whole = 0, True
        self.since = -1
        return hits

    def _forget(self, cut: int) -> None:
        """Drop the first characters of the tail."""
        self.tail, self.base, self.whole = self.tail[cut:], self.base + cut, False
        self.places.forget(self.base)

    def _literal_hits(self, new: str, before: int, certain: Certain) -> list[Hit]:
        automaton, state, hits = self.lens.automaton, self.state, []
        found, step = automaton.found, automaton.step
        for offset, character in enumerate(new):
            state = step(state, character)
            if found[state]:
                for length, owner in found[state]:
                    end = before + offset + 1
                    hits.append(self._found(owner, end - length, end, offset, certain))
        self.state = state
        return hits

    def _pattern_hits(self, before: int, certain: Certain, *, finished: bool) -> list[Hit]:
        last, hits = len(self.tail), []
        for owner, pattern in self.lens.patterns.matching(self.tail, before, self.since):
            for end in range(before + 1 - pattern.waits, last + 1 - (pattern.waits and not finished)):
                start = pattern.match_ending_at(self.tail, end, whole=self.whole, finished=finished)
                if start is not None:
                    hits.append(self._found(owner, start, end, end - before - (not pattern.waits), certain))
        return hits

    def _found(self, owner: int, start: int, end: int, offset: int, certain: Certain) -> Hit:
        """Make a hit of a match in the tail that was certain with the new character at `offset`."""
        first, past = self.places.start(self.base + start), self.places.end(self.base + end - 1)
        ats, closed = certain
        return self._hit(owner, ats[offset] if offset < len(ats) else closed, first, past)

    def _hit(self, owner: int, at: int, start: int, end: int) -> Hit:
        rule = self.lens.rules[owner]
        return Hit(at, start, end, rule.id, rule.action, rule.clause)
