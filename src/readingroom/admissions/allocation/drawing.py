"""Lots: what breaks ties and draws, from the committed seed and a later public value. Pure."""

from __future__ import annotations

import hashlib

TICKET = b"readingroom ticket"


def combine(seed: bytes, public: bytes) -> bytes:
    """Return the draw: SHA-256 over seed and public value, so neither alone tells it; without the latter, the seed."""
    return hashlib.sha256(b"readingroom draw" + seed + public).digest() if public else seed


def tie_break(lots: bytes, ticket: str) -> bytes:
    """Return what orders equal scores: SHA-256 over the draw, then the application's ticket; the smaller goes first."""
    return hashlib.sha256(lots + ticket.encode()).digest()


def ticket(salt: bytes) -> str:
    """Return the name under which an application takes part in a draw.

    It is made from the salt of the first version that was submitted: fixed by the ledger from that moment, tied to
    nothing else that is public, and no one's to choose once it is known how lots fall.
    """
    return "ticket-" + hashlib.sha256(TICKET + salt).hexdigest()[:32]
