"""The one source of ids and secrets."""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base32: nothing to misread aloud

_SHIFTS = range(0, 80, 5)


def new_id(prefix: str) -> str:
    """Make an id such as `grant_8k2m...`: the kind, then 80 random bits, so ids tell nothing about order."""
    bits = int.from_bytes(secrets.token_bytes(10))
    return f"{prefix}_" + "".join([_ALPHABET[bits >> shift & 31] for shift in _SHIFTS])


def random_bytes(count: int) -> bytes:
    """Return `count` bytes fit for keys and salts."""
    return secrets.token_bytes(count)


def url_secret() -> str:
    """Return 256 random bits as URL-safe text, for sign-in links and sessions."""
    return secrets.token_urlsafe(32)
