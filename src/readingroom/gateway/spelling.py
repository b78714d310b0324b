"""Canonical JSON, quickly: for what a call writes, of which nearly all is plain."""

from __future__ import annotations

import contextlib

import msgspec

from readingroom.core.canonical import Json, canonical

sorted_json = msgspec.json.Encoder(order="sorted").encode


def is_plain(spelt: bytes) -> bool:
    """Tell whether what the quick encoder wrote has only characters that RFC 8785 spells in the same way."""
    return b"\\u" not in spelt and b"\x7f" not in spelt


def spelled(value: Json) -> bytes:
    """Return the canonical form (RFC 8785) of a value without floats, or whole numbers beyond 2^53, or odd names.

    The quick encoder writes it too, but for odd characters, which it escapes in another way.
    """
    with contextlib.suppress(UnicodeEncodeError):
        quick = sorted_json(value)
        if is_plain(quick):
            return quick
    return canonical(value)
