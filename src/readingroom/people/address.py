"""E-mail addresses: one spelling per mailbox, and none that means something else in a letter's header. Pure."""

from __future__ import annotations

import re

from readingroom.core.errors import Problem

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@)(?!.*=\?){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_MOST = 254


def fold(email: str) -> str:
    """Spell an address the one way it is stored and looked up: case does not matter, every other difference does."""
    return email.strip().lower()


def address_problem(email: str) -> Problem | None:
    """Say that this is no address to which a letter could be written; None where it is one."""
    plain = email.strip()
    if len(plain) <= _MOST and _ADDRESS.fullmatch(plain):
        return None
    cure = "Write it as name@example.org; a domain in other letters as its mail program spells it (xn--...)"
    return Problem("email", f"{email[:80]!r} is not an e-mail address", cure)
