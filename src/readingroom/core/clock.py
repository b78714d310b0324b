"""The one source of time. Everything else is given a `Clock`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Says what time it is, always in UTC."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware, in UTC."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


@dataclass
class FixedClock:
    """A clock that stands still until it is told to move; for tests and rehearsals."""

    moment: datetime = field(default_factory=lambda: datetime(2026, 1, 5, 9, 0, tzinfo=UTC))

    def now(self) -> datetime:
        """Return the moment it was set to."""
        return self.moment

    def advance(self, **amount: float) -> None:
        """Move forward by `timedelta(**amount)`."""
        self.moment += timedelta(**amount)


def rfc3339(moment: datetime) -> str:
    """Spell a moment as RFC 3339 in UTC with microseconds: one spelling per moment, sortable as text."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone has no meaning here; pass an aware datetime")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_rfc3339(text: str) -> datetime:
    """Read what `rfc3339` wrote, or any RFC 3339 timestamp with an offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it with Z or an offset")
    return moment.astimezone(UTC)
