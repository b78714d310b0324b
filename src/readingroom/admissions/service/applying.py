"""Applicants: fill in, submit, amend, withdraw. An application is its person's own; no role is needed."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.engine import Connection

from readingroom.admissions import answers, eligibility, history, queries, requests, rules, tables, timing
from readingroom.admissions.call import Call, CallFile
from readingroom.admissions.history import Facts, Step, Waiting
from readingroom.admissions.model import Application, Decision, Draft, Version
from readingroom.admissions.service.attaching import filled
from readingroom.admissions.service.base import Base
from readingroom.core.canonical import Json, canonical, commitment
from readingroom.core.errors import BadInput, Problem
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import require
from readingroom.people import queries as people
from readingroom.people.address import fold
from readingroom.people.model import Actor


class Applying(Base):
    """Use cases of applicants."""

    def start(self, by: Actor, call: str, draft: Draft | None = None) -> Application:
        """Begin an application; one living application per person and call."""
        require(rules.check_person(by))
        now = self._clock.now()
        with self._db.decide() as tx:
            found = self._call(tx, call)
            mine = queries.of_person(tx, by.id)
            self._not_barred(tx, by.id)
            require(rules.check_window(found, None, now))
            require(self._has_room(tx, found))
            require(rules.check_first([each for each in mine if each.call == call]))
            require(requests.check_holder(found, queries.family_awards(tx, call, by.id)))
            refused = queries.last_refusal(tx, by.id)
            require(rules.check_reapplying(refused.reapply_from if refused else None, now))
            kept = filled(tx, "", found.file, _tidy(draft or self._prefilled(tx, by, found), found.file))
            _solve(answers.saving_problems(found.file, kept))
            made = new_id("application")
            values = {"id": made, "call_id": call, "person_id": by.id, "state": "draft", "draft": kept.to_json()}
            tx.execute(tables.application.insert().values(**values, created_at=now, updated_at=now))
            self._say(tx, by, "admissions.application.started", {"application": made, "call": call})
            return self._application(tx, made)

    def save(self, by: Actor, application: str, draft: Draft, revision: int | None = None) -> Application:
        """Keep the draft as it is, complete or not. What was submitted before counts until submitted again.

        Args:
            by: the applicant.
            application: its id.
            draft: all of it; files are attached on their own, and may be left out.
            revision: on what it was based; None does not ask whether somebody else has changed it meanwhile.

        Raises:
            BadInput: with what cannot be kept, field by field.
        """
        now = self._clock.now()
        with self._db.write() as tx:
            found = self._own(tx, by, application)
            call = self._call(tx, found.call)
            late = timing.comes_late(call, found, now)
            require(rules.check_saving(found) or (None if late else rules.check_window(call, found, now)))
            require(rules.check_unchanged(found, revision))
            kept = filled(tx, application, call.file, _tidy(draft, call.file))
            _solve(answers.saving_problems(call.file, kept))
            self._keep(tx, found, kept)
            return self._application(tx, application)

    def submit(self, by: Actor, application: str, revision: int | None = None) -> Application:
        """Freeze the draft as a new version, which from now on is the one that counts.

        Answers to what is not asked of this applicant are left out of it. What was begun in time and is finished after
        the window is kept as `late`: it was not refused, and does not count until a person admits it, or its applicant
        moves it into the next round.

        Raises:
            BadInput: with everything that is missing or wrong, field by field.
        """
        with self._db.decide() as tx:
            found = self._own(tx, by, application)
            call = self._call(tx, found.call)
            self._not_barred(tx, by.id)
            now = self._clock.now()
            late = timing.comes_late(call, found, now)
            require(rules.check_saving(found) or (None if late else rules.check_window(call, found, now)))
            require(rules.check_unchanged(found, revision))
            require(eligibility.check_eligible(call.file.eligibility, queries.standing_of(tx, by.id), now))
            person = people.by_id(tx, by.id)
            identity = (person.email, person.name) if person else ()
            _solve(answers.submitting_problems(call.file, found.draft, identity))
            found = replace(found, draft=answers.without_unasked(call.file, found.draft))
            self._keep(tx, found, found.draft)
            frozen = self._freeze(tx, found)
            self._move(tx, found, "miss" if late else "submit")
            self._unmark(tx, application)  # the desk looked at another version
            clear: dict[str, Json] = {"note": "", "correct_until": None}
            if found.state in timing.UNSUBMITTED:
                clear["arrived_at"] = now
            tx.execute(tables.application.update().where(tables.application.c.id == application).values(clear))
            data = {"application": application, "call": found.call, "version": frozen.number}
            self._say(tx, by, "admissions.application.submitted", data | {"commitment": frozen.commitment})
            if late:
                self._tell_late(tx, by, found, finished=True)
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
        """Return every submitted version of an application, to its team and to who may see names."""
        with self._db.read() as tx:
            return queries.versions(tx, self._readable(tx, by, application).id)

    def decision(self, by: Actor, application: str) -> Decision | None:
        """Return what was decided, with reasons: to the applicant's team, and to who may see names."""
        with self._db.read() as tx:
            return queries.decision(tx, self._readable(tx, by, application).id)

    def history(self, by: Actor, application: str) -> tuple[list[Step], list[Waiting]]:
        """Return what happened to an application, and who has it now; nothing that reviewers do shows in either."""
        with self._db.read() as tx:
            found = self._readable(tx, by, application)
            award = next((each for each in queries.awards_of(tx, found.person) if each.application == found.id), None)
            call, now = self._call(tx, found.call), self._clock.now()
            facts = Facts(
                call,
                found,
                queries.told(tx, application),
                queries.invitations(tx, application),
                queries.counting(tx, call.file, found, now),
                award,
            )
            return history.steps(facts), history.waiting(facts, now)

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
