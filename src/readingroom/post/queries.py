"""Reads of the post room, open to the rooms on its left."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.post.model import Standing, State
from readingroom.post.tables import letter

MOST = 500


def is_due(tx: Connection, now: datetime) -> bool:
    """Tell whether any letter is to be tried now."""
    due = sa.select(letter.c.id).where(letter.c.state == State.WAITING.value, letter.c.next_at <= now).limit(1)
    return tx.execute(due).first() is not None


def unsent(tx: Connection) -> list[Standing]:
    """Return the letters that are on their way or stuck: the stuck ones first, then the oldest; at most 500."""
    rows = tx.execute(
        sa.select(letter)
        .where(letter.c.state != State.SENT.value)
        .order_by(letter.c.state, letter.c.made_at, letter.c.id)
        .limit(MOST)
    )
    return [
        Standing(r.id, r.event, r.recipient, State(r.state), r.attempts, r.made_at, r.next_at, r.problem) for r in rows
    ]


def counts(tx: Connection) -> dict[State, int]:
    """Return how many letters are in each state."""
    rows = tx.execute(sa.select(letter.c.state, sa.func.count().label("n")).group_by(letter.c.state))
    return dict.fromkeys(State, 0) | {State(row.state): row.n for row in rows}


def failing_since(tx: Connection) -> datetime | None:
    """Return since when the oldest letter waits that was tried in vain; None where none was."""
    tried = (letter.c.state == State.WAITING.value) & (letter.c.problem != "")
    return tx.execute(sa.select(sa.func.min(letter.c.made_at, type_=letter.c.made_at.type)).where(tried)).scalar()
