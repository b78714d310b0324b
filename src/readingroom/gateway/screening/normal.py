"""Normalisation of a text that arrives in pieces, with a map from the result back to the original.

The normal form of a text is defined as the concatenation of the normal forms of its *segments*. A segment begins
at each character that nothing before it can combine with, so this equals normalising the whole text; only after
32 characters without such a border one is forced, so that a pile of marks cannot hold the stream for ever. As
segments depend on the text alone, the result is the same however the text is cut into pieces.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import cache, lru_cache

from readingroom.gateway.screening.characters import (
    IGNORABLE,
    MAX_IGNORABLE_RUN,
    MAX_SEGMENT,
    stands_alone,
)
from readingroom.gateway.screening.lookalikes import LOOK_ALIKE
from readingroom.gateway.screening.model import Form


@dataclass(slots=True)
class Piece:
    """Normalised characters and where each came from.

    Attributes:
        parts: the normalised characters, as they came; `text` joins them.
        spans: for each segment, how many characters it became, and where it starts and ends in the original.
        ats: for each character, how many original characters had been seen when it was certain.
        run: part of a run of too many invisible characters after the text, `(start, end)`: a match by itself,
            and nothing matches across it.
    """

    parts: list[str] = field(default_factory=list)
    spans: list[tuple[int, int, int]] = field(default_factory=list)
    ats: list[int] = field(default_factory=list)
    run: tuple[int, int] | None = None

    @property
    def text(self) -> str:
        """The normalised characters."""
        return "".join(self.parts)

    def add(self, text: str, start: int, end: int, at: int) -> None:
        """Add the normal form of one segment."""
        self.parts.append(text)
        if text:
            self.spans.append((len(text), start, end))
            self.ats.extend([at] * len(text))


@lru_cache(maxsize=1 << 16)
def fold_segment(segment: str, forms: frozenset[Form]) -> str:
    """Return the normal form of one segment, from which invisible characters are already gone."""
    text = segment
    for again in (False, True):  # folding can undo composition ("İ"), so both are done twice
        if Form.NFKC in forms:
            text = unicodedata.normalize("NFKC", text)
        if Form.HOMOGLYPH in forms:
            text = text.translate(LOOK_ALIKE)
        if Form.CASEFOLD in forms and not again:
            text = text.casefold()
    return text


class _Simple(dict[str, str]):
    """For each character that is always a segment of its own and is folded to one character: that character."""

    def __init__(self, forms: frozenset[Form]) -> None:
        super().__init__()
        self._forms = forms

    def __missing__(self, character: str) -> str:
        hides = Form.ZERO_WIDTH in self._forms and character in IGNORABLE
        joins = Form.NFKC in self._forms and not stands_alone(character)
        folded = "" if hides or joins else fold_segment(character, self._forms)
        self[character] = folded = folded if len(folded) == 1 else ""
        return folded


@cache
def simple(forms: frozenset[Form]) -> _Simple:
    """Return the table of a normalisation's simple characters; the others are empty in it."""
    return _Simple(forms)


def fold(text: str, forms: frozenset[Form]) -> str:
    """Return the normal form of a whole text."""
    normaliser = Normaliser(forms)
    pieces = [*normaliser.push(text), *normaliser.finish()]
    return "".join(piece.text for piece in pieces)


@dataclass(slots=True)
class Normaliser:
    """Normalises a stream. All state is in plain values, so `copy.copy` takes a snapshot."""

    forms: frozenset[Form]
    seen: int = 0
    segment: str = ""
    segment_start: int = 0
    segment_end: int = 0
    run: int = 0
    run_start: int = 0

    def push(self, text: str) -> list[Piece]:
        """Take text in and return what is certain; the last segment stays open, for a mark may follow."""
        pieces = [Piece()]
        invisible = IGNORABLE if Form.ZERO_WIDTH in self.forms else frozenset()
        for character in text:
            self.seen += 1
            if character in invisible:
                self._count(pieces)
            else:
                self.run = 0
                self._take(pieces[-1], character)
        return pieces

    def finish(self) -> list[Piece]:
        """Close the last segment."""
        piece = Piece()
        self._close(piece)
        return [piece]

    def open(self, character: str) -> None:
        """Begin a segment with the last character that was seen."""
        self.segment, self.segment_start, self.segment_end = character, self.seen - 1, self.seen

    def _take(self, piece: Piece, character: str) -> None:
        if Form.NFKC not in self.forms:
            piece.add(fold_segment(character, self.forms), self.seen - 1, self.seen, self.seen)
            return
        if self.segment and (stands_alone(character) or len(self.segment) >= MAX_SEGMENT):
            self._close(piece)
        if not self.segment:
            self.segment_start = self.seen - 1
        self.segment += character
        self.segment_end = self.seen

    def _count(self, pieces: list[Piece]) -> None:
        """Count an invisible character; one too many is a match, and what follows starts afresh."""
        self.run += 1
        if self.run == 1:
            self.run_start = self.seen - 1
        if self.run > MAX_IGNORABLE_RUN:
            self._close(pieces[-1])
            first = self.run == MAX_IGNORABLE_RUN + 1
            pieces[-1].run = (self.run_start if first else self.seen - 1, self.seen)
            pieces.append(Piece())

    def _close(self, piece: Piece) -> None:
        if self.segment:
            folded = fold_segment(self.segment, self.forms)
            piece.add(folded, self.segment_start, self.segment_end, self.seen)
            self.segment = ""
