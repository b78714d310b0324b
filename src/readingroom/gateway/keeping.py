"""Answers that can be asked for again: who answers which name, and what is kept (`Idempotency-Key`).

A name is claimed before the meter and the engine are touched, by writing its row; of many who claim at once the
database lets one through. An answer that came to its own end is kept, sealed, before its last bytes are sent. Of any
other end nothing is kept and the name is free again: so is that of a worker which is no longer in the register, since
its leases were ended before it was taken out of there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.core.clock import Clock
from readingroom.core.ids import new_id
from readingroom.core.refusal import Refused
from readingroom.gateway import kept
from readingroom.gateway.ask import Ask
from readingroom.gateway.kept import KEPT_FOR, Found, Question
from readingroom.gateway.tables import kept as table
from readingroom.gateway.tables import worker as workers
from readingroom.gateway.watch import CANNOT_CONFIRM
from readingroom.store.db import FAILED, Database

_TRIES = 5  # against others who claim the same name at the same moment
Change = TypeVar("Change", sa.Update, sa.Delete)
_Row = Row[tuple[object, ...]]
_ANSWERS = sa.select(workers.c.id)  # who may be answering something

log = logging.getLogger("readingroom.gateway")


class Stands(Protocol):
    """Names what a question would be answered under now, or refuses."""

    async def __call__(self, *, anew: bool) -> bytes:
        """Answer; `anew` asks also whether it would be let in."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer a question, of one call; `id` tells it from a later one on the same name."""

    question: Question
    id: str


class Keeping:
    """One worker's hand on what is kept."""

    def __init__(self, db: Database, clock: Clock, worker: Callable[[], str]) -> None:
        """Take the database, the clock, and what this worker is called in the register."""
        self._db = db
        self._clock = clock
        self._worker = worker
        self._late: dict[str, tuple[Claim, tuple[bytes | None] | None]] = {}  # ends that could not be written yet

    async def begin(self, key: str, name: str, ask: Ask, stands: Stands) -> Claim | bytes:
        """Claim a reader's name for a question, or return the answer that is kept under it.

        Args:
            key: the reader's.
            name: what the header says.
            ask: the question.
            stands: returns what it would be answered under now, or refuses; with `anew`, also if it could not be let
                in now. It is asked before anything is looked up, before a name is claimed, and again before what was
                kept is given away: what was decided meanwhile holds for it as for a new answer.

        Raises:
            Refused: `gateway/idempotency-conflict`, or as `stands` refuses, or the database cannot be reached.
        """
        question = Question.of(key, name, ask, await stands(anew=False))
        try:
            found: Claim | bytes | None = await asyncio.to_thread(self._find, question)
            if found is None:
                await stands(anew=True)  # who is refused anyway writes nothing
                found = await asyncio.to_thread(self._begin, question)
        except FAILED:
            raise Refused(CANNOT_CONFIRM) from None
        if isinstance(found, bytes):
            await stands(anew=False)
        return found

    async def keep(self, claim: Claim, answer: bytes | None) -> None:
        """Keep a whole answer, or that there was one which is too long (None); if not now, then soon."""
        await asyncio.to_thread(self._keep, claim, answer)

    async def drop(self, claim: Claim) -> None:
        """Let the name go: there was no whole answer."""
        await asyncio.to_thread(self._finish, claim, None)

    def sweep(self) -> None:
        """Write down what had to wait, and forget what nobody can ask for again; blocks on the database."""
        for claim, end in list(self._late.values()):
            self._finish(claim, end)
        over = table.c.expires_at <= self._clock.now()
        lost = table.c.worker.is_not(None) & table.c.worker.not_in(_ANSWERS)
        with self._db.write() as tx:
            tx.execute(table.delete().where(over | lost))

    def _find(self, question: Question) -> bytes | None:
        """Return what is kept, None if the name is free; without a word to the writers, who have their own to do."""
        with self._db.read() as tx:
            return self._look(tx, question)[0]

    def _begin(self, question: Question) -> Claim | bytes:
        for _ in range(_TRIES):
            with contextlib.suppress(sa.exc.IntegrityError), self._db.write() as tx:
                answer, row = self._look(tx, question)
                if answer is not None:
                    return answer
                claim = Claim(question, new_id("claim"))
                if self._claim(tx, claim, row):
                    return claim
        raise Refused(kept.refusal(Found.RUNNING))

    def _look(self, tx: Connection, question: Question) -> tuple[bytes | None, _Row | None]:
        """Return the answer that is kept under a name, if one is, and the name's row; refuse if it is in use."""
        alive = sa.exists().where(workers.c.id == table.c.worker).label("alive")
        row = tx.execute(sa.select(table, alive).where(table.c.id == question.id)).first()
        found = kept.find(_facts(row), question, self._clock.now())
        if found not in {Found.FREE, Found.KEPT}:
            raise Refused(kept.refusal(found))
        # A seal that does not open is no answer: the question is asked anew.
        return kept.unseal(question, row.sealed) if found is Found.KEPT and row is not None else None, row

    def _claim(self, tx: Connection, claim: Claim, row: _Row | None) -> bool:
        """Write down who answers from now on; tell whether nobody was quicker."""
        question, until = claim.question, self._clock.now() + KEPT_FOR
        said = {"claim": claim.id, "worker": self._worker(), "body": question.body, "under": question.under}
        values = {**said, "sealed": None, "expires_at": until}
        if row is None:
            tx.execute(table.insert().values(id=question.id, **values))
            return True
        return tx.execute(_of(question.id, row.claim, table.update()).values(**values)).rowcount == 1

    def _keep(self, claim: Claim, answer: bytes | None) -> None:
        self._finish(claim, (None if answer is None else kept.seal(claim.question, answer),))

    def _finish(self, claim: Claim, end: tuple[bytes | None] | None) -> None:
        """Write down an end: what is kept of it, or None where nothing is; one that cannot be written waits."""
        name = claim.question.id
        try:
            with self._db.write() as tx:
                if end is None:
                    tx.execute(_of(name, claim.id, table.delete()))
                else:
                    until = self._clock.now() + KEPT_FOR
                    change = table.update().values(worker=None, sealed=end[0], expires_at=until)
                    tx.execute(_of(name, claim.id, change))
        except FAILED as fault:
            log.warning("what an Idempotency-Key keeps waits: %s", type(fault).__name__)
            self._late[claim.id] = claim, end
        else:
            self._late.pop(claim.id, None)


def _facts(row: _Row | None) -> kept.Row | None:
    if row is None:
        return None
    running, whole = row.worker is not None, row.sealed is not None
    return kept.Row(row.body, row.under, running, bool(row.alive), whole, row.expires_at)


def _of(name: str, claim: str, change: Change) -> Change:
    return change.where(table.c.id == name, table.c.claim == claim)
