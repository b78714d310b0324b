"""Whole numbers as people type them."""

from __future__ import annotations

_DIGITS = 16  # 2^53 has as many; beyond them int() itself takes long, and refuses at 4,300


def whole(text: str) -> int | None:
    """Read a whole number of plain digits, zero or greater; None if it is none, or too long to be meant."""
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= _DIGITS else None
