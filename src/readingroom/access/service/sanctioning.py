"""Sanctions: imposing, lifting, acknowledging. What each does to an entitlement stands in `access.sanctions`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.engine import Connection

from readingroom.access import queries
from readingroom.access.model import Grant, GrantState, KeyState, Kind, Lifting, Reason, Sanction, Subject
from readingroom.access.rules import change_grant, check_bar, check_reason, key_state
from readingroom.access.sanctions import (
    RULES,
    Wanted,
    check_acknowledged,
    check_lift,
    check_lifting,
    check_wanted,
    lift_reasons,
)
from readingroom.access.service.base import Base, found_grant, found_sanction
from readingroom.access.tables import grant as grant_table
from readingroom.access.tables import sanction as sanction_table
from readingroom.core.canonical import Json, commitment
from readingroom.core.clock import rfc3339
from readingroom.core.errors import BadInput, Problem
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import prose_problem
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may

EVIDENCE = re.compile(r"sha256:[0-9a-f]{64}|entry:[0-9]{1,15}")
_DONE = {"suspend": "access.grant.suspended", "revoke": "access.grant.revoked"}
_ACTS = {Kind.SUSPEND: ("suspend", GrantState.SUSPENDED), Kind.REVOKE: ("revoke", GrantState.REVOKED)}


class Sanctioning(Base):
    """What may be done to who breaks the terms, and taken back."""

    def suspend(self, by: Actor, grant_id: str, reason: Reason, note: str = "") -> Grant:
        """Stop a grant for now. Returns once the decision is committed; `changed_at` says when."""
        return self._of_grant(by, Wanted(Kind.SUSPEND, reason, grant_id, note=note))

    def revoke(self, by: Actor, grant_id: str, reason: Reason, note: str = "") -> Grant:
        """End a grant for good. Returns once the decision is committed; `changed_at` says when."""
        return self._of_grant(by, Wanted(Kind.REVOKE, reason, grant_id, note=note))

    def reinstate(self, by: Actor, grant_id: str, reason: Reason, note: str = "") -> Grant:
        """Put a suspended grant back in force: the suspension that its state says is lifted."""
        require(check(by, Permission.GRANT_SANCTION))
        _check_why(reason, note)
        with self._deciding(by, Permission.GRANT_SANCTION) as tx:
            grant = found_grant(tx, grant_id)
            _may_become(grant, "reinstate")
            self._reinstate(tx, by, grant, reason.value, note)
            return found_grant(tx, grant_id)

    def bar(self, by: Actor, person: str, until: datetime, reason: Reason, note: str = "") -> Sanction:
        """Bar a person from all access until a date; `error-corrected` puts right a bar that stands."""
        return self._bar(by, Wanted(Kind.BAR, reason, person=person, until=until, note=note), person)

    def impose(self, by: Actor, wanted: Wanted) -> Sanction:
        """Impose a sanction, as its rule has it. Returns once the decision is committed."""
        if wanted.kind is Kind.BAR and wanted.person is not None and wanted.grant_id is None:
            return self._bar(by, wanted, wanted.person)
        with self._deciding(by, RULES[wanted.kind].permission) as tx:
            return self._impose(tx, by, wanted)

    def lift(self, by: Actor, sanction_id: str, reason: str, note: str = "") -> Sanction:
        """Lift a sanction: it was cured, an error, or an appeal was upheld."""
        with self._db.decide() as tx:
            sanction = found_sanction(tx, sanction_id)
            require(check(people.actor_now(tx, by), RULES[sanction.kind].permission))
            require(check_lifting(reason))
            return self._lift(tx, by, sanction, (reason, note))

    def lift_within(self, tx: Connection, by: Actor, sanction_id: str) -> Sanction:
        """Lift a sanction whose appeal was upheld, in the transaction of its panel's conclusion, whatever it is."""
        upheld, sanction = (Lifting.APPEAL_UPHELD.value, ""), found_sanction(tx, sanction_id)
        if sanction.kind is Kind.REVOKE and sanction.reason is Reason.KEY_LEAKED:
            self._end_leaked(tx, by, sanction)
        return self._lift(tx, by, sanction, upheld, appealed=True)

    def _end_leaked(self, tx: Connection, by: Actor, sanction: Sanction) -> None:
        """End the keys that a revocation stopped: else whoever has the leaked one would come back with the reader."""
        now = self._clock.now()
        for key in queries.keys(tx, sanction.grant_id or ""):
            meant = sanction.subject is Subject.GRANT or key.person == sanction.person
            if meant and key_state(key, now) is not KeyState.ENDED:
                self._end_key(tx, by, key.id, now, "access.key.revoked")

    def _lift(
        self, tx: Connection, by: Actor, sanction: Sanction, why: tuple[str, str], *, appealed: bool = False
    ) -> Sanction:
        reason, note = why
        if reason not in lift_reasons():
            cure = f"Choose one of: {', '.join(each.value for each in Lifting)}"
            raise BadInput([Problem("reason", f"{reason[:40]!r} is no reason to lift a sanction", cure)])
        _check_note(note, needed=reason == Lifting.OTHER.value)
        require(check_lift(sanction, self._clock.now(), appealed=appealed))
        if sanction.is_state and sanction.grant_id is not None and sanction.kind is Kind.REVOKE:
            self._restore(tx, by, found_grant(tx, sanction.grant_id), sanction)
        elif sanction.is_state and sanction.grant_id is not None:
            self._reinstate(tx, by, found_grant(tx, sanction.grant_id), reason, note)
        else:
            self._close(tx, by, sanction, reason, note)
            self._say(tx, by, "access.sanction.lifted", _said(sanction) | {"reason": reason})
        return found_sanction(tx, sanction.id)

    def acknowledge(self, by: Actor, sanction_id: str, reply: str = "") -> Sanction:
        """Say, as whom it is about, that one has read it, and if one likes what one has done about it."""
        if problem := prose_problem("reply", reply):
            raise BadInput([problem])
        with self._db.decide() as tx:
            sanction = queries.sanction(tx, sanction_id)
            if sanction is None or not self._is_told(tx, by, sanction):
                raise Refused(Refusal("access/no-such-sanction", "No such sanction is about you."))
            require(check_acknowledged(sanction))
            values = {"acknowledged_at": self._clock.now(), "reply": reply.strip()}
            tx.execute(sanction_table.update().where(sanction_table.c.id == sanction_id).values(values))
            self._say(tx, by, "access.sanction.acknowledged", {"sanction": sanction_id})
            return found_sanction(tx, sanction_id)

    def sanction(self, by: Actor, sanction_id: str) -> Sanction:
        """Return a sanction to whom it is about, or to who may read grants; the lab's own note to the latter alone."""
        with self._db.read() as tx:
            found = queries.sanction(tx, sanction_id)
            if found is not None and may(by, Permission.GRANT_READ):
                return found
            if found is None or not self._is_told(tx, by, found):
                raise Refused(Refusal("access/no-such-sanction", "No such sanction is about you."))
            return found

    def sanctions(self, by: Actor, grant_id: str | None = None, *, batch: str = "") -> list[Sanction]:
        """Return sanctions, newest first: all of the house, those of a grant, or those of one act on many."""
        require(check(by, Permission.GRANT_READ))
        with self._db.read() as tx:
            return queries.sanctions(tx, grant_id, batch=batch)

    def my_sanctions(self, by: Actor) -> list[Sanction]:
        """Return the sanctions that are about the actor or a project of theirs, newest first."""
        with self._db.read() as tx:
            return queries.sanctions_about(tx, by.id, [each.id for each in queries.grants_with(tx, by.id)])

    @staticmethod
    def _is_told(tx: Connection, by: Actor, sanction: Sanction) -> bool:
        """Tell whether a sanction is about somebody. Of a whole project its holder answers, and each member is told."""
        if sanction.person is not None:
            return sanction.person == by.id
        grant = queries.grant(tx, sanction.grant_id or "")
        return grant is not None and by.id in queries.persons_of(tx, grant)

    @contextmanager
    def _deciding(self, by: Actor, permission: Permission) -> Iterator[Connection]:
        require(check(by, permission))
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), permission))
            yield tx

    def _of_grant(self, by: Actor, wanted: Wanted) -> Grant:
        with self._deciding(by, Permission.GRANT_SANCTION) as tx:
            made = self._impose(tx, by, wanted)
            return found_grant(tx, made.grant_id or "")

    def _impose(self, tx: Connection, by: Actor, wanted: Wanted) -> Sanction:
        _check_words(wanted)
        now, members = self._clock.now(), 1
        if wanted.grant_id is not None:
            grant = found_grant(tx, wanted.grant_id)
            persons = queries.persons_of(tx, grant)
            members = len(persons)
            if wanted.person is not None and wanted.person not in persons:
                raise Refused(Refusal("access/no-such-member", "That person is not a member of this grant's project."))
            _may_be_stopped(grant, wanted)
        require(check_wanted(wanted, now, members))
        return self._keep(tx, by, wanted, now, collective=wanted.subject is Subject.GRANT and members > 1)

    def _keep(self, tx: Connection, by: Actor, wanted: Wanted, now: datetime, *, collective: bool = False) -> Sanction:
        """Keep a sanction, with the grant's state where it is the state's to say, and put it on record."""
        salt, sanction_id = random_bytes(32), new_id("sanction")
        holder = None if wanted.person or not wanted.grant_id else found_grant(tx, wanted.grant_id).holder
        row = sanction_row(wanted, by, now) | {"id": sanction_id, "salt": salt, "collective": collective}
        row["holder"] = holder
        tx.execute(sanction_table.insert().values(row))
        made = found_sanction(tx, sanction_id)
        if made.is_state and made.grant_id is not None:
            act, state = _ACTS[made.kind]
            set_state(tx, made.grant_id, state, now, (made.reason.value, made.note))
            event = _DONE[act]
        else:
            event = "access.person.barred" if made.kind is Kind.BAR else "access.sanction.imposed"
        said = wanted.notice or wanted.note
        sealed = commitment(salt, said.encode()) if said else None
        told = {"person": holder} if holder else {}
        words = {"finding": sealed, "evidence": made.evidence or None}
        self._say(tx, by, event, _said(made) | told | _dates(made) | words)
        return made

    def _reinstate(self, tx: Connection, by: Actor, grant: Grant, reason: str, note: str) -> None:
        _may_become(grant, "reinstate")
        set_state(tx, grant.id, GrantState.ACTIVE, self._clock.now(), (reason, note))
        for each in queries.standing(tx, [grant.id], []):
            if each.is_state:
                self._close(tx, by, each, reason, note)
        self._say(tx, by, "access.grant.reinstated", {"grant": grant.id, "reason": reason, "person": grant.holder})

    def _restore(self, tx: Connection, by: Actor, grant: Grant, revoked: Sanction) -> None:
        """Undo a revocation whose appeal was upheld; a suspension that stood before it stands again."""
        _may_become(grant, "restore")
        reason, now = Lifting.APPEAL_UPHELD.value, self._clock.now()
        self._close(tx, by, revoked, reason, "")
        stands = [each for each in queries.standing(tx, [grant.id], []) if each.is_state]
        state = GrantState.SUSPENDED if stands else GrantState.ACTIVE
        set_state(tx, grant.id, state, now, (stands[-1].reason.value, stands[-1].note) if stands else (reason, ""))
        said: dict[str, Json] = {"grant": grant.id, "reason": reason, "person": grant.holder, "state": state.value}
        self._say(tx, by, "access.grant.reinstated", said)

    def _bar(self, by: Actor, wanted: Wanted, person: str) -> Sanction:
        with self._deciding(by, Permission.GRANT_SANCTION) as tx:
            _check_words(wanted)
            now, until = self._clock.now(), wanted.until
            if wanted.reason is not Reason.ERROR_CORRECTED or until is None:  # that one may end what stands at once
                require(check_wanted(wanted, now))
            assert until is not None  # noqa: S101 - a bar's rule says that it must have an end
            require(check_bar(queries.barred_until(tx, person), until, wanted.reason, now))
            if wanted.reason is Reason.ERROR_CORRECTED:
                for each in queries.standing(tx, [], [person]):
                    if each.kind is Kind.BAR:
                        self._close(tx, by, each, wanted.reason.value, wanted.note)
            return self._keep(tx, by, wanted, now)

    def _close(self, tx: Connection, by: Actor, sanction: Sanction, reason: str, note: str) -> None:
        values = {"lifted_at": self._clock.now(), "lifted_by": by.id, "lifted_reason": reason, "lifted_note": note}
        tx.execute(sanction_table.update().where(sanction_table.c.id == sanction.id).values(values))


def sanction_row(wanted: Wanted, by: Actor, now: datetime) -> dict[str, object]:
    """Return what a sanction's row holds, but its id, its salt and whether it is collective."""
    return {
        "kind": wanted.kind.value,
        "reason": wanted.reason.value,
        "subject": wanted.subject.value,
        "grant_id": wanted.grant_id,
        "person": wanted.person,
        "decided_by": by.id,
        "decided_at": now,
        "begins_at": wanted.cure_by or now,
        "until": wanted.until,
        "cure_by": wanted.cure_by,
        "per_minute": wanted.per_minute,
        "evidence": wanted.evidence,
        "note": wanted.note,
        "notice": wanted.notice,
        "reply": "",
        "lifted_by": "",
        "lifted_reason": "",
        "lifted_note": "",
        "batch": "",
    }


def set_state(tx: Connection, grant_id: str, state: GrantState, now: datetime, why: tuple[str, str]) -> None:
    """Write a grant's state, with the code and the note of why."""
    values = {"state": state.value, "changed_at": now, "changed_reason": why[0], "note": why[1]}
    tx.execute(grant_table.update().where(grant_table.c.id == grant_id).values(values))


def _said(made: Sanction) -> dict[str, Json]:
    """Return a sanction as the ledger has it: pseudonyms, codes and dates."""
    known = {"sanction": made.id, "kind": made.kind.value, "reason": made.reason.value, "subject": made.subject.value,
             "grant": made.grant_id, "person": made.person, "collective": made.collective}  # fmt: skip
    return {name: value for name, value in known.items() if value is not None}


def _dates(made: Sanction) -> dict[str, Json]:
    """Return when it begins and ends, as far as that is not at once and never."""
    given = {"begins": made.cure_by, "until": made.until}
    return {name: rfc3339(at) for name, at in given.items() if at is not None}


def _may_be_stopped(grant: Grant, wanted: Wanted) -> None:
    """Refuse to stop what is stopped for good, and, for a whole project at once, what the table of states refuses."""
    if grant.state is GrantState.REVOKED:
        _may_become(grant, "revoke")
    if wanted.kind in _ACTS and wanted.person is None and wanted.until is None and wanted.cure_by is None:
        _may_become(grant, _ACTS[wanted.kind][0])


def _may_become(grant: Grant, act: str) -> None:
    after = change_grant(grant.state, act)
    if isinstance(after, Refusal):
        raise Refused(after)


def _check_why(reason: Reason, note: str) -> None:
    require(check_reason(reason, note))
    _check_note(note, needed=False)


def _check_note(note: str, *, needed: bool) -> None:
    if needed and not note.strip():
        raise Refused(Refusal("access/note-missing", "The reason `other` needs a note that says what it is."))
    if problem := prose_problem("note", note):
        raise BadInput([problem])


def _check_words(wanted: Wanted) -> None:
    problems = [prose_problem("note", wanted.note), prose_problem("notice", wanted.notice)]
    if wanted.evidence and not EVIDENCE.fullmatch(wanted.evidence):
        cure = "Give the file's SHA-256 as sha256:… (64 hexadecimal digits), or a ledger entry as entry:12"
        problems.append(Problem("evidence", f"{wanted.evidence[:80]!r} is no hash and no entry", cure))
    if found := [each for each in problems if each]:
        raise BadInput(found)
