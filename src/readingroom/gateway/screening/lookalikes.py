"""Letters that look like others."""

# ruff: noqa: RUF001 - telling look-alikes apart is what this table is for

from __future__ import annotations

# Letters of other scripts that look like a Latin letter in common fonts (from UTS #39 confusables, by hand).
_LOOK_ALIKE = {
    # Cyrillic
    "аАӐ": "a", "вВ": "b", "сСϲ": "c", "ԁ": "d", "еЕєЄ": "e", "ғ": "f", "ԍ": "g", "һНн": "h", "іІ": "i",
    "јЈ": "j", "кКԟ": "k", "ӏӀ": "l", "мМ": "m", "пП": "n", "оО": "o", "рР": "p", "ԛԚ": "q", "г": "r",
    "ѕЅ": "s", "тТ": "t", "ѵѴ": "v", "ԝԜ": "w", "хХ": "x", "уУүҮ": "y",
    # Greek
    "αΑ": "a", "Β": "b", "Ϲ": "c", "εΕ": "e", "ηΗ": "n", "ιΙ": "i", "ϳͿ": "j", "κΚ": "k", "Μ": "m",
    "Ν": "n", "οΟ": "o", "ρΡ": "p", "τΤ": "t", "υΥ": "u", "ν": "v", "ω": "w", "χΧ": "x", "γ": "y", "ζΖ": "z",
    # Latin letters and signs
    "ıɩ": "i", "ɑ": "a", "ɡ": "g", "ʀ": "r", "ꜱ": "s", "ᴄ": "c", "ᴏ": "o", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w",
    "ᴢ": "z",
    # Armenian
    "օՕ": "o", "ս": "u", "հ": "h", "ո": "n", "զ": "q", "յ": "j",
}  # fmt: skip
LOOK_ALIKE = {ord(each): latin for letters, latin in _LOOK_ALIKE.items() for each in letters}
