"""What the exit screen costs a stream: microseconds per piece, and characters that a piece waits for.

    python -m benchmarks.screens [--pieces N] [--json]

Processor time of one core, on rule sets made up from a fixed seed; a piece is about as long as a token. Compare rows of
one run only. "Held" is how many characters have been screened and not yet let go, after each piece: what a reader is
behind the engine.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from readingroom.gateway.screening.load import load_text
from readingroom.gateway.screening.model import Side
from readingroom.gateway.screening.stream import Screen

SEED = 7
LATIN, CYRILLIC = "etaoinshrdlucmfwyp", "оеаинтсрвлкмдпуяыь"
ALL = "[nfkc, casefold, zero-width]"


@dataclass(frozen=True, slots=True)
class Row:
    """One measured rule set."""

    rules: str
    load_seconds: float
    microseconds: float
    held_mean: float
    held_most: int

    def __str__(self) -> str:
        """Spell it as a line of the table."""
        return (
            f"{self.rules:<62} {self.load_seconds:>6.2f} s {self.microseconds:>8.1f} us"
            f" {self.held_mean:>8.1f} {self.held_most:>6}"
        )


class Maker:
    """Makes up words, texts and rules."""

    def __init__(self, letters: str) -> None:
        """Take the letters."""
        self._dice = random.Random(SEED)  # noqa: S311 - a benchmark repeats itself
        self._words = ["".join(self._dice.choices(letters, k=self._dice.randint(3, 9))) for _ in range(3000)]

    def text(self, words: int) -> str:
        """Make up a text."""
        return " ".join(self._dice.choices(self._words, k=words))

    def pieces(self, count: int) -> list[str]:
        """Cut a text into pieces of two to six characters."""
        text, at = self.text(count), 0
        made: list[str] = []
        while len(made) < count:
            size = self._dice.randint(2, 6)
            made.append(text[at : at + size])
            at += size
        return made

    def screen(self, literals: int, patterns: int, forms: Sequence[str] = (ALL,)) -> tuple[Screen, float]:
        """Make up and load a rule set; tell how many seconds loading took."""
        lines = ["rules:" if literals + patterns else "rules: []"]
        for number in range(literals + patterns):
            what = f"literal: ['{self.text(3)}']" if number < literals else f"regex: '{self._pattern(number)}'"
            form = forms[number % len(forms)]
            lines.append(f"  - {{id: r{number}, side: exit, {what}, normalize: {form}, action: refuse, clause: '1'}}")
        began = time.process_time()
        screen = Screen([load_text("\n".join(lines), "rules")], Side.EXIT)
        return screen, time.process_time() - began

    def _pattern(self, number: int) -> str:
        one, other = self._dice.choices(self._words, k=2)
        shapes = (rf"\b{one}[ -]{{0,3}}{other}\b", f"{one} [0-9]{{2,4}}", f"(?:{one}|{other})-[a-z]{{3}}")
        return shapes[number % len(shapes)]


def measure(rules: str, made: tuple[Screen, float], pieces: Sequence[str]) -> Row:
    """Push pieces through a screen, five times over; the median counts."""
    screen, load = made
    taken, held = [], [0]
    for _ in range(5):
        stream, held = screen.stream(), []
        began = time.process_time()
        for piece in pieces:
            stream.push(piece)
            held.append(stream.seen - stream.released)
        taken.append((time.process_time() - began) / len(pieces) * 1e6)
        if stream.refused:
            raise RuntimeError("a made-up text matched a made-up rule; choose another seed")
    return Row(rules, load, statistics.median(taken), statistics.mean(held), max(held))


def rows(count: int) -> list[Row]:
    """Measure every rule set."""
    latin, cyrillic = Maker(LATIN), Maker(CYRILLIC)
    pieces = latin.pieces(count)
    two = ("[]", ALL, "[casefold]")
    return [
        measure("no rule", latin.screen(0, 0), pieces),
        measure("1 literal", latin.screen(1, 0), pieces),
        measure("1,000 literals", latin.screen(1000, 0), pieces),
        measure("1,000 literals, Cyrillic text and rules", cyrillic.screen(1000, 0), cyrillic.pieces(count)),
        measure("100 patterns", latin.screen(0, 100), pieces),
        measure("1,000 literals and 10 patterns", latin.screen(1000, 10), pieces),
        measure("1,000 literals and 100 patterns", latin.screen(1000, 100), pieces),
        measure("1,000 literals and 100 patterns, in three normal forms", latin.screen(1000, 100, two), pieces),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screens", description=__doc__)
    parser.add_argument("--pieces", type=int, default=3000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = rows(chosen.pieces)
    if chosen.json:
        print(json.dumps([{name: getattr(row, name) for name in Row.__slots__} for row in found], indent=2))
    else:
        print(f"{'rules':<62} {'loading':>8} {'a piece':>11} {'held':>8} {'most':>6}", *found, sep="\n")


if __name__ == "__main__":
    main()
