"""Facts about characters that `unicodedata` does not give."""

from __future__ import annotations

import unicodedata
from functools import cache

from readingroom.gateway.screening.lookalikes import LOOK_ALIKE

# Default_Ignorable_Code_Point (Unicode 16.0, DerivedCoreProperties.txt): what a reader cannot see.
_IGNORABLE_RANGES = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
IGNORABLE = frozenset(chr(code) for low, high in _IGNORABLE_RANGES for code in range(low, high + 1))
MAX_IGNORABLE_RUN = 30  # one more is itself a match: else the hold-back would have no bound
MAX_SEGMENT = 32  # characters that are composed together; the Stream-Safe Text Format (UAX #15) stops at 30


@cache
def _joins_backwards() -> frozenset[str]:
    """Return the characters that composition may merge into what stands before them (NFC_Quick_Check=Maybe)."""
    found = {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}  # Hangul vowels, finals
    for code in range(0xA0, 0x30000):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):  # noqa: PLR2004 - canonical pairs
            found.add(chr(int(parts[1], 16)))
    return frozenset(found)


@cache
def stands_alone(character: str) -> bool:
    """Tell whether text may be normalised separately before and from this character on.

    True if its full decomposition, before and after case folding, starts with a character of combining class 0
    that composes with nothing before it (UAX #15, section 9.1: such a character is a normalisation boundary).
    """
    for text in (character, character.casefold()):
        first = unicodedata.normalize("NFKD", text)[:1] or character
        if unicodedata.combining(first) or first in _joins_backwards():
            return False
    return True


def bases(text: str) -> frozenset[str]:
    """Return every character that normalising can make of `text`, taken apart into letters and marks."""
    return frozenset("".join(_spellings(text)))


def beginnings(text: str) -> frozenset[str]:
    """Return every letter with which a normalised spelling of `text` may begin, taken apart from its marks."""
    return frozenset(each[:1] for each in _spellings(text))


def _spellings(text: str) -> list[str]:
    apart = unicodedata.normalize("NFKD", text)
    spellings = (apart, apart.casefold(), apart.translate(LOOK_ALIKE), apart.casefold().translate(LOOK_ALIKE))
    return [unicodedata.normalize("NFKD", each) for each in spellings]


@cache
def born_of_marks() -> frozenset[str]:
    """Return the letters that a mark can turn into when it is case folded (U+0345 becomes an iota)."""
    marks = (chr(code) for code in range(0x300, 0x30000) if not stands_alone(chr(code)))
    return frozenset(each for mark in marks for each in bases(mark))
