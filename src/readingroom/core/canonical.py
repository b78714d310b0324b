"""One spelling for whatever is hashed or signed (RFC 8785, JSON Canonicalization Scheme)."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import rfc8785

_EXACT = 2**53
_PLAIN = (0.001, 1e9)  # between these, nobody writes an exponent
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
Json = Any  # JSON has no narrower static type that a reader would thank us for


def canonical(value: Json) -> bytes:
    """Return the RFC 8785 form of a JSON value.

    Raises:
        ValueError: the value has no canonical form (NaN, an integer beyond 2^53, bytes ...).
    """
    return _encode(value).encode() if _is_plain(value) else rfc8785.dumps(value)


def _is_plain(value: Json) -> bool:
    """Tell whether any encoder that sorts keys writes this as RFC 8785 asks: most that is hashed here is such.

    Odd characters are escaped in ways of their own, other keys ordered so, whole and very small or great floats spelled
    so; an integer beyond 2^53 is an error.
    """
    kind = type(value)
    if kind is str:
        return _ODD.search(value) is None
    if kind is float:
        return bool(_PLAIN[0] < abs(value) < _PLAIN[1] and not value.is_integer())
    if kind is int:
        return bool(-_EXACT < value < _EXACT)
    if kind is dict:
        return all(type(key) is str and key.isascii() and _is_plain(key) and _is_plain(value[key]) for key in value)
    return value is None or kind is bool or (kind is list and all(map(_is_plain, value)))


def sha256(data: bytes) -> str:
    """Return `sha256:<hex>` of bytes: the one way a digest is written here."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest(value: Json) -> str:
    """Return the digest of a JSON value's canonical form."""
    return sha256(canonical(value))


def commitment(salt: bytes, data: bytes) -> str:
    """Commit to `data` without showing it: SHA-256 over salt then data; `salt` is 32 random bytes.

    Without the salt a short prompt could be guessed from its hash; with the salt erased, nobody can tell.
    """
    return sha256(salt + data)


def parse(data: bytes | str) -> Json:
    """Parse JSON strictly: a repeated key is an error, since two readers could take different values."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("a key stands twice in one JSON object")
        return made

    return json.loads(data, object_pairs_hook=once)
