"""Revoking many grants in one act: a tier, a stage, a call or a version of the terms, after a dry run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy.engine import Connection

from readingroom.access import many, queries
from readingroom.access.many import By, Choice, Shown
from readingroom.access.model import Grant, GrantState, Kind, Reason
from readingroom.access.rules import check_reason
from readingroom.access.sanctions import Wanted
from readingroom.access.service.sanctioning import Sanctioning, sanction_row, set_state
from readingroom.access.tables import sanction as sanction_table
from readingroom.core.canonical import commitment
from readingroom.core.errors import BadInput
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import require
from readingroom.core.text import prose_problem
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check

Streams = Callable[[Connection, Sequence[str]], int]


class Many(Sanctioning):
    """One act on many grants."""

    def look_at_many(self, by: Actor, choice: Choice, reason: Reason, streams: Streams) -> Shown:
        """Say what revoking would do, and do nothing. Its digest is what the act must be given."""
        require(check(by, Permission.GRANT_REVOKE_MANY))
        with self._db.read() as tx:
            found = self._chosen(tx, choice)
            ids = [each.id for each in found]
            return many.shown(choice, reason, ids, _readers(tx, found), streams(tx, ids))

    def revoke_many(self, by: Actor, choice: Choice, reason: Reason, note: str, digest: str) -> tuple[str, Shown]:
        """Revoke all of them in one transaction, with one ledger entry, if they are those that were shown.

        Returns:
            The act's id, by which its sanctions are found, and what was done.
        """
        require(check(by, Permission.GRANT_REVOKE_MANY))
        require(check_reason(reason, note))
        if problem := prose_problem("note", note):
            raise BadInput([problem])
        with self._deciding(by, Permission.GRANT_REVOKE_MANY) as tx:
            found = self._chosen(tx, choice)
            done = many.shown(choice, reason, [each.id for each in found], _readers(tx, found), 0)
            require(many.check_shown(done, digest))
            now, batch = self._clock.now(), new_id("act")
            salted = [(random_bytes(32), grant) for grant in done.grants]
            by_id = {each.id: each for each in found}
            for salt, grant in salted:
                row = sanction_row(Wanted(Kind.REVOKE, reason, grant, note=note), by, now)
                row |= {"id": new_id("sanction"), "salt": salt, "holder": by_id[grant].holder, "batch": batch}
                row["collective"] = len(queries.persons_of(tx, by_id[grant])) > 1
                tx.execute(sanction_table.insert().values(row))
                set_state(tx, grant, GrantState.REVOKED, now, (reason.value, note))
            words = commitment(salted[0][0], note.encode()) if note else None
            said = {**choice.to_json(), "act": batch, "reason": reason.value, "count": len(salted), "finding": words}
            self._say(tx, by, "access.grants.revoked", {**said, "shown": digest, "grants": many.root(salted)})
            return batch, done

    @staticmethod
    def _chosen(tx: Connection, choice: Choice) -> list[Grant]:
        """Return the grants that are meant and not revoked yet."""
        if choice.by is By.TERMS:
            choice = replace(choice, among=frozenset(queries.reading_under(tx, choice.name)))
        return [each for each in queries.grants(tx) if each.state is not GrantState.REVOKED and choice.holds(each)]


def _readers(tx: Connection, grants: Sequence[Grant]) -> int:
    return len({person for each in grants for person in queries.persons_of(tx, each)})
