"""Keys: 256 random bits in a spelling that scanners find.

A key is `rr_`, 43 characters of base62 (256 bits), and 6 characters of base62 CRC-32 over what stands before:

    rr_[0-9A-Za-z]{49}

The checksum lets a scanner tell a leaked key from a look-alike without asking us. A key is stored only as its
SHA-256: 256 random bits need no slow hash, and none belongs on the hot path.
"""

from __future__ import annotations

import re
import zlib

from readingroom.core.canonical import sha256
from readingroom.core.ids import random_bytes

PREFIX = "rr_"
HINT = 7
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY, _CHECK = 43, 6
_SHAPE = re.compile(rf"rr_[0-9A-Za-z]{{{_BODY + _CHECK}}}")


class Secret:
    """A key's plaintext, shown once: it does not show itself in logs, tracebacks or f-strings."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Wrap the plaintext."""
        self._text = text

    def reveal(self) -> str:
        """Return the plaintext, for the one time that it is shown."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({self._text[:HINT]}...)"

    __str__ = __repr__


def make() -> Secret:
    """Make a new key."""
    body = PREFIX + _base62(int.from_bytes(random_bytes(32)), _BODY)
    return Secret(body + _checksum(body))


def is_wellformed(text: str) -> bool:
    """Tell whether a text is spelled as a key, checksum included; says nothing about whether it is in force."""
    return _SHAPE.fullmatch(text) is not None and text.endswith(_checksum(text[:-_CHECK]))


def key_hash(text: str) -> str:
    """Return the form in which a key is stored and looked up."""
    return sha256(text.encode())


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
