"""Applicants: fill in, submit, amend, withdraw. An application is its person's own; no role is needed."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.engine import Connection

from readingroom.admissions import answers, queries, requests, rules, tables
from readingroom.admissions.call import Call, CallFile
from readingroom.admissions.model import Application, Decision, Draft, Version
from readingroom.admissions.service.base import Base
from readingroom.core.canonical import canonical, commitment
from readingroom.core.errors import BadInput, Problem
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import require
from readingroom.people import queries as people
from readingroom.people.address import fold
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, may


class Applying(Base):
    """Use cases of applicants."""

    def start(self, by: Actor, call: str, draft: Draft | None = None) -> Application:
        """Begin an application; one living application per person and call."""
        require(rules.check_person(by))
        now = self._clock.now()
        with self._db.decide() as tx:
            found = self._call(tx, call)
            mine = queries.of_person(tx, by.id)
            require(rules.check_window(found, None, now))
            require(rules.check_first([each for each in mine if each.call == call]))
            require(requests.check_holder(found, queries.family_awards(tx, call, by.id)))
            refused = queries.last_refusal(tx, by.id)
            require(rules.check_reapplying(refused.reapply_from if refused else None, now))
            kept = _tidy(draft or self._prefilled(tx, by, found), found.file)
            _solve(answers.saving_problems(found.file, kept))
            made = new_id("application")
            values = {"id": made, "call_id": call, "person_id": by.id, "state": "draft", "draft": kept.to_json()}
            tx.execute(tables.application.insert().values(**values, created_at=now, updated_at=now))
            self._say(tx, by, "admissions.application.started", {"application": made, "call": call})
            return self._application(tx, made)

    def save(self, by: Actor, application: str, draft: Draft) -> Application:
        """Keep the draft as it is, complete or not. What was submitted before counts until submitted again.

        Raises:
            BadInput: with what cannot be kept, field by field.
        """
        now = self._clock.now()
        with self._db.write() as tx:
            found = self._own(tx, by, application)
            call = self._call(tx, found.call)
            require(rules.check_saving(found) or rules.check_window(call, found, now))
            kept = _tidy(draft, call.file)
            _solve(answers.saving_problems(call.file, kept))
            values = {"draft": kept.to_json(), "updated_at": now}
            tx.execute(tables.application.update().where(tables.application.c.id == application).values(values))
            return self._application(tx, application)

    def submit(self, by: Actor, application: str) -> Application:
        """Freeze the draft as a new version, which from now on is the one that counts.

        Raises:
            BadInput: with everything that is missing or wrong, field by field.
        """
        with self._db.decide() as tx:
            found = self._own(tx, by, application)
            call = self._call(tx, found.call)
            require(rules.check_saving(found) or rules.check_window(call, found, self._clock.now()))
            person = people.by_id(tx, by.id)
            identity = (person.email, person.name) if person else ()
            _solve(answers.submitting_problems(call.file, found.draft, identity))
            frozen = self._freeze(tx, found)
            self._move(tx, found, "submit")
            clear = {"note": "", "correct_until": None}
            tx.execute(tables.application.update().where(tables.application.c.id == application).values(clear))
            data = {"application": application, "call": found.call, "version": frozen.number}
            self._say(tx, by, "admissions.application.submitted", data | {"commitment": frozen.commitment})
            return self._application(tx, application)

    def withdraw(self, by: Actor, application: str) -> Application:
        """Take an application back, at any time before it is decided."""
        with self._db.decide() as tx:
            found = self._own(tx, by, application)
            self._move(tx, found, "withdraw")
            self._say(tx, by, "admissions.application.withdrawn", {"application": application, "call": found.call})
            return self._application(tx, application)

    def my_applications(self, by: Actor) -> list[Application]:
        """Return one's own applications."""
        with self._db.read() as tx:
            return queries.of_person(tx, by.id)

    def versions(self, by: Actor, application: str) -> list[Version]:
        """Return every submitted version of one's own application."""
        with self._db.read() as tx:
            return queries.versions(tx, self._own(tx, by, application).id)

    def decision(self, by: Actor, application: str) -> Decision | None:
        """Return what was decided, with reasons: to the applicant, and to who may read applications."""
        with self._db.read() as tx:
            found = self._application(tx, application) if may(by, Permission.APPLICATION_READ) else None
            if found is None or found.person == by.id:
                self._own(tx, by, application)
            else:
                self._unblinded(tx, by, self._call(tx, found.call))
            return queries.decision(tx, application)

    def prefilled(self, by: Actor, call: str) -> Draft:
        """Return what a new application to a call begins with: for a renewal, what the old one said."""
        with self._db.read() as tx:
            return self._prefilled(tx, by, self._call(tx, call))

    def _prefilled(self, tx: Connection, by: Actor, call: Call) -> Draft:
        held = queries.family_awards(tx, call.id, by.id) if call.file.after.kind.for_holders else []
        if not held:
            return Draft()
        newest = queries.application(tx, max(held, key=lambda each: (each.made_at, each.id)).application)
        return requests.prefilled(call.file, newest.submitted.draft) if newest and newest.submitted else Draft()

    def _freeze(self, tx: Connection, found: Application) -> Version:
        number = found.submitted.number + 1 if found.submitted else 1
        salt = random_bytes(32)
        sealed = commitment(salt, canonical(found.draft.to_json()))
        made = Version(number, found.draft, salt, sealed, self._clock.now())
        values = {
            "application_id": found.id,
            "number": number,
            "draft": found.draft.to_json(),
            "salt": salt,
            "commitment": sealed,
            "submitted_at": made.submitted_at,
        }
        tx.execute(tables.version.insert().values(values))
        return made


def _tidy(draft: Draft, file: CallFile) -> Draft:
    """Spell addresses one way, and take the only tier where there is no choice."""
    team = tuple(dict.fromkeys(fold(each) for each in draft.team))
    tier = draft.tier or (file.tiers[0] if len(file.tiers) == 1 else "")
    return replace(draft, team=team, tier=tier)


def _solve(problems: list[Problem]) -> None:
    if problems:
        raise BadInput(problems)
