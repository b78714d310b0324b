"""After a restoring: no grant is in force until somebody answers for what was decided after the backup.

Else a restore would bring a revoked grant back to life, and refund what was used. There are two ways out:

- **matched**: a person shows the newest checkpoint that left the house, and it is the very one that the backup was made
  at. The house cannot know what left it after a backup that it was made from; so this is that person's word, on record.
  A checkpoint that is newer proves the contrary. It is put on record, too, and closes this way for good.
- **confirmed**: two persons say, each for themselves and with a reason, that they know of the gap.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from readingroom.access import queries
from readingroom.access.restored import Restoration
from readingroom.access.rules import RESTORE_QUORUM, check_match, check_word
from readingroom.access.tables import restoration as restoration_table
from readingroom.access.tables import restoration_word as word_table
from readingroom.core.canonical import commitment
from readingroom.core.clock import Clock, rfc3339
from readingroom.core.errors import BadInput, Problem
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import needed_problem
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.merkle import EMPTY
from readingroom.ledger.note import Unproven, encode
from readingroom.ledger.queries import checkpoint as stored_checkpoint
from readingroom.ledger.service import Ledger
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may
from readingroom.store.db import Database


class Restorations:
    """What holds after a restoring, and who lifts it."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        """Take the database, the ledger and the clock."""
        self._db = db
        self._ledger = ledger
        self._clock = clock

    def pending(self) -> Restoration | None:
        """Return the restoring that is not lifted yet; None where every grant stands by itself."""
        with self._db.read() as tx:
            return queries.restoration(tx)

    def mark_within(self, tx: Connection, by: Actor, backup_at: datetime, came_back: Checkpoint) -> None:
        """Suspend every grant: this house was restored from a backup made at that moment and checkpoint."""
        made, root = new_id("restore"), encode(came_back.root)
        values = {"size": came_back.size, "root": root, "backup_at": backup_at, "restored_at": self._clock.now()}
        tx.execute(restoration_table.insert().values(id=made, **values))
        data = {"restore": made, "backup_at": rfc3339(backup_at), "size": came_back.size, "root": root}
        self._ledger.append(tx, "access.restore.made", data, by=by.id)
        queries.bump(tx)

    def match(self, by: Actor, note: bytes, reason: str) -> None:
        """Lift it by the newest checkpoint that left the house; that it is the newest is this person's word.

        Args:
            by: a person who may.
            note: the signed checkpoint.
            reason: where it was kept, and how it is known that none newer left.

        Raises:
            Refused: it is not the one that the backup was made at. A newer one is on record from then on.
            BadInput: it is no checkpoint of this log, or the reason is missing.
        """
        require(check(by, Permission.RESTORE_LIFT))
        _need(reason)
        with self._db.decide() as tx:
            known = self._open(tx, by)
            try:
                shown = Checkpoint.open(note, self._ledger.verifier)
            except Unproven as fault:
                cure = "Give a checkpoint of this log as it was kept: a page's, or the old house's ledger.checkpoint"
                raise BadInput([Problem("checkpoint", f"proves nothing: {fault}", cure)]) from None
            refusal = check_match(known, shown.size, same=self._is_ours(tx, shown))
            if refusal is None:
                data = {"restore": known.id, "size": shown.size, "reason": self._keep_word(tx, by, known, reason)}
                self._ledger.append(tx, "access.restore.matched", data, by=by.id)
                self._lift(tx, by, known, "matched")
            elif shown.size > max(known.size, known.newer or 0):
                found = restoration_table.update().where(restoration_table.c.id == known.id)
                tx.execute(found.values(newer=shown.size))
                data = {"restore": known.id, "size": shown.size, "root": encode(shown.root)}
                self._ledger.append(tx, "access.restore.gap-found", data, by=by.id)
        require(refusal)  # once what the checkpoint proves is on record

    def confirm(self, by: Actor, reason: str) -> Restoration | None:
        """Confirm, for oneself, that the gap is known; with the second person's word it is lifted.

        Returns:
            What is still open; None once it is lifted.
        """
        require(check(by, Permission.RESTORE_LIFT))
        _need(reason)
        with self._db.decide() as tx:
            known = self._open(tx, by)
            require(check_word(known, by.id))
            data = {"restore": known.id, "reason": self._keep_word(tx, by, known, reason)}
            self._ledger.append(tx, "access.restore.confirmed", data, by=by.id)
            given = [each.person for each in known.words] + [by.id]
            # Who lost the role since then answers for nothing any more.
            if sum(_still_may(tx, person, by) for person in given) >= RESTORE_QUORUM:
                self._lift(tx, by, known, "confirmed")
            return queries.restoration(tx)

    def _open(self, tx: Connection, by: Actor) -> Restoration:
        require(check(people.actor_now(tx, by), Permission.RESTORE_LIFT))
        known = queries.restoration(tx)
        if known is None:
            raise Refused(Refusal("access/not-restored", "Nothing is to be confirmed: no restoring is open."))
        return known

    def _is_ours(self, tx: Connection, shown: Checkpoint) -> bool:
        note = stored_checkpoint(tx, shown.size)
        root = Checkpoint.open_own(note, self._ledger.verifier).root if note else EMPTY
        return root == shown.root

    def _keep_word(self, tx: Connection, by: Actor, known: Restoration, reason: str) -> str:
        """Keep somebody's reason here, and return the commitment to it that goes into the ledger."""
        salt, said = random_bytes(32), reason.strip()
        tx.execute(word_table.delete().where(word_table.c.restoration_id == known.id, word_table.c.person == by.id))
        values = {"restoration_id": known.id, "person": by.id, "reason": said, "salt": salt, "at": self._clock.now()}
        tx.execute(word_table.insert().values(values))
        return commitment(salt, said.encode())

    def _lift(self, tx: Connection, by: Actor, known: Restoration, how: str) -> None:
        still = restoration_table.c.lifted_at.is_(None)
        tx.execute(restoration_table.update().where(still).values(lifted_at=self._clock.now(), lifted_how=how))
        data = {"restore": known.id, "how": how, "size": known.size, "newer": known.newer}
        self._ledger.append(tx, "access.restore.lifted", data, by=by.id)
        queries.bump(tx)


def _need(reason: str) -> None:
    if problem := needed_problem("reason", reason, "Say what is known of the time after the backup: it is on record"):
        raise BadInput([problem])


def _still_may(tx: Connection, person: str, by: Actor) -> bool:
    return may(people.actor_now(tx, Actor(person, dev=by.dev)), Permission.RESTORE_LIFT)
