"""Use cases of the post room: a letter is put, claimed, handed over and marked; or stays, and says why.

Sending is at least once: a process that dies between a server's yes and the mark leaves the letter claimed, and once
the claim has run out it is sent again, byte for byte and with the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.clock import Clock
from readingroom.core.ids import new_id
from readingroom.core.refusal import Refusal, Refused
from readingroom.post.model import Letter, Standing, State, Undelivered
from readingroom.post.queries import counts, is_due, unsent
from readingroom.post.rules import LEASE, next_try
from readingroom.post.tables import letter
from readingroom.store.db import Database, scrub

_WAITING = letter.c.state == State.WAITING.value


class Outbox:
    """The letters of a house."""

    def __init__(self, db: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._db = db
        self.clock = clock

    def put_within(self, tx: Connection, letters: Iterable[Letter]) -> int:
        """Put letters into the outbox in a transaction that is open; return how many were new.

        Of those with a key (`once`) that is known already, none is put.
        """
        put = 0
        for each in letters:
            known = sa.select(letter.c.id).where(letter.c.once == each.once)
            if each.once and tx.execute(known).first():
                continue
            tx.execute(letter.insert().values(_row(each)))
            put += 1
        return put

    def put(self, letters: Iterable[Letter]) -> int:
        """Put letters that tell of no decision: reminders."""
        with self._db.write() as tx:
            return self.put_within(tx, letters)

    def claim(self) -> tuple[Letter, str] | None:
        """Take one letter that is due, with the claim on it; None if there is none, or another process has it.

        While claimed it is nobody else's; a claim that was never answered runs out after ten minutes.
        """
        now = self.clock.now()
        with self._db.read() as tx:
            if not is_due(tx, now):
                return None
        due = (
            sa.select(letter.c.id)
            .where(_WAITING, letter.c.next_at <= now)
            .order_by(letter.c.next_at, letter.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)  # Postgres; SQLite lets one write at a time
        )
        with self._db.write() as tx:
            found = tx.execute(due).scalar()
            if found is None:
                return None
            claim = new_id("claim")
            take = letter.update().where(letter.c.id == found).values(lease=claim, next_at=now + LEASE)
            row = tx.execute(take.returning(letter)).one()
        return _letter(row), claim

    def sent(self, letter_id: str, claim: str) -> None:
        """Mark a letter as taken by the server, if the claim still holds."""
        values = {"state": State.SENT.value, "sent_at": self.clock.now(), "next_at": None, "problem": "", "lease": ""}
        with self._db.write() as tx:
            tx.execute(letter.update().where(letter.c.id == letter_id, letter.c.lease == claim).values(values))

    def not_sent(self, letter_id: str, claim: str, why: Undelivered) -> State:
        """Mark a letter as not taken: it is tried again later, or stuck until a person looks; return which."""
        now = self.clock.now()
        with self._db.write() as tx:
            held = sa.select(letter).where(letter.c.id == letter_id, letter.c.lease == claim)
            row = tx.execute(held.with_for_update()).first()
            if row is None:
                return State.WAITING  # the claim ran out, and another process has it
            again = next_try(row.since, row.attempts + 1, now, final=why.final)
            state = State.STUCK if again is None else State.WAITING
            values = {"state": state.value, "attempts": row.attempts + 1, "next_at": again, "problem": why.said}
            tx.execute(letter.update().where(letter.c.id == letter_id).values(values | {"lease": ""}))
        return state

    def release(self, letter_id: str, claim: str) -> None:
        """Give a claim back without a try: the sender ends."""
        with self._db.write() as tx:
            held = letter.update().where(letter.c.id == letter_id, letter.c.lease == claim)
            tx.execute(held.values(lease="", next_at=self.clock.now()))

    def retry(self, letter_id: str = "") -> int:
        """Have a letter tried anew at once, or all that were tried in vain; return how many.

        Raises:
            Refused: there is no such letter on its way.
        """
        now = self.clock.now()
        which = letter.c.id == letter_id if letter_id else letter.c.problem != ""
        with self._db.write() as tx:
            again = letter.update().where(which, letter.c.state != State.SENT.value, letter.c.lease == "")
            values = {"state": State.WAITING.value, "attempts": 0, "since": now, "next_at": now}
            found = tx.execute(again.values(values)).rowcount
            if letter_id and not found:
                raise Refused(_unknown(letter_id))
        return found

    def drop(self, letter_id: str) -> None:
        """Remove a letter that was tried in vain: a person has looked, and it will not be sent."""
        with self._db.write() as tx:
            scrub(tx)
            tried = (letter.c.state != State.SENT.value) & (letter.c.problem != "") & (letter.c.lease == "")
            if not tx.execute(letter.delete().where(letter.c.id == letter_id, tried)).rowcount:
                raise Refused(_unknown(letter_id))

    def clear(self, keep_days: int) -> int:
        """Remove sent letters after so many days: they hold what concerns persons; return how many.

        Of one with a key (`once`) the row stays, without address and words: what was told is not told again.
        """
        until = self.clock.now() - timedelta(days=keep_days)
        over = (letter.c.state == State.SENT.value) & (letter.c.sent_at <= until) & (letter.c.recipient != "")
        with self._db.read() as tx:
            if tx.execute(sa.select(letter.c.id).where(over).limit(1)).first() is None:
                return 0
        with self._db.write() as tx:
            scrub(tx)
            blank = dict.fromkeys(("recipient", "subject", "text", "html", "calendar"), "")
            kept = tx.execute(letter.update().where(over, letter.c.once.is_not(None)).values(blank)).rowcount
            return kept + tx.execute(letter.delete().where(over)).rowcount

    def unsent(self) -> list[Standing]:
        """Return what is on its way or stuck, without texts."""
        with self._db.read() as tx:
            return unsent(tx)

    def counts(self) -> dict[State, int]:
        """Return how many letters are in each state."""
        with self._db.read() as tx:
            return counts(tx)


def _unknown(letter_id: str) -> Refusal:
    return Refusal("post/letter-unknown", f"No letter {letter_id[:80]!r} is stuck or waits; `mail list` shows them.")


def _row(each: Letter) -> dict[str, object]:
    return {
        "id": each.id,
        "event": each.event,
        "entry": each.entry,
        "person": each.person,
        "once": each.once or None,
        "recipient": each.to,
        "subject": each.subject,
        "text": each.text,
        "html": each.html,
        "calendar": each.calendar,
        "made_at": each.made_at,
        "state": State.WAITING.value,
        "attempts": 0,
        "since": each.made_at,
        "next_at": each.made_at,
    }


def _letter(row: sa.Row[tuple[object, ...]]) -> Letter:
    got = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name
    same = ("id", "event", "entry", "person", "subject", "text", "html", "made_at", "calendar")
    return Letter(**{name: got[name] for name in same}, to=got["recipient"], once=got["once"] or "")
