"""When a letter is tried again, and when a person must look. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

LEASE = timedelta(minutes=10)  # longer than any try: each step of the protocol waits at most half a minute
TRIED_FOR = timedelta(days=3)
_FIRST = timedelta(minutes=1)
_LONGEST = timedelta(hours=6)
_FACTOR = 4
_ENOUGH = 8  # 4 ** 8 minutes are more than the longest pause


def pause(attempts: int) -> timedelta:
    """Return how long to wait after so many tries: a minute, four, sixteen, at most six hours."""
    longer: int = _FACTOR ** min(max(attempts - 1, 0), _ENOUGH)
    return min(_FIRST * longer, _LONGEST)


def next_try(made_at: datetime, attempts: int, now: datetime, *, final: bool) -> datetime | None:
    """Return when a letter that was not taken is tried again; None where it is stuck.

    Args:
        made_at: when the letter was written, or when a person had it tried anew.
        attempts: tries so far, this one included.
        now: when the last one failed.
        final: the server refused this very letter.
    """
    if final or now - made_at >= TRIED_FOR:
        return None
    return now + pause(attempts)
