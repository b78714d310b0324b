"""One spelling for whatever is hashed or signed (RFC 8785, JSON Canonicalization Scheme)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import rfc8785

Json = Any  # JSON has no narrower static type that a reader would thank us for


def canonical(value: Json) -> bytes:
    """Return the RFC 8785 form of a JSON value.

    Raises:
        ValueError: the value has no canonical form (NaN, an integer beyond 2^53, bytes ...).
    """
    return rfc8785.dumps(value)


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
