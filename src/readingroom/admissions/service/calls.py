"""The desk: opening and closing calls, returning an application for correction, and reading what came in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from readingroom.admissions import account, call_file, queries, rules, tables
from readingroom.admissions.account import Balance, Cause
from readingroom.admissions.call import Call
from readingroom.admissions.model import Application
from readingroom.admissions.service.funding import Funding
from readingroom.core.canonical import Json, digest, sha256
from readingroom.core.errors import BadInput
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import require
from readingroom.core.text import needed_problem
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may
from readingroom.strategy.model import StageFact


class Calls(Funding):
    """Use cases of whoever runs a call."""

    def open_call(self, by: Actor, text: str, stage: StageFact | None, name: str = "call.yaml") -> Call:
        """Open a call from its file's text; the ledger gets the file's digest and a commitment to the seed.

        Args:
            by: who opens it.
            text: the call file.
            stage: the stage that the file names, as it stands now; None where there is none.
            name: the file's name, for errors.

        Raises:
            BadInput: the file is not a call; every problem with line and column.
            Refused: the stage cannot be lent, or the window is over.
        """
        require(check(by, Permission.CALL_OPEN))
        file = call_file.parse(text, name)
        now = self._clock.now()
        require(rules.check_opening(file, stage, now))
        seed = random_bytes(32)
        made = {"id": new_id("call"), "digest": sha256(text.encode()), "seed_commitment": sha256(seed)}
        with self._db.decide() as tx:
            rest = {"state": "open", "file": text, "seed": seed, "opened_at": now, "opened_by": by.id}
            tx.execute(tables.call.insert().values(made | rest))
            self._fund(tx, by, made["id"], file)
            opening = account.postings(file.budget, Cause.OPENED)
            self._post(tx, made["id"], [*opening, *account.postings(file.reserved(), Cause.RESERVED)])
            data = {
                "call": made["id"],
                "digest": made["digest"],
                "seed_commitment": made["seed_commitment"],
                "stage": file.stage,
                "budget": file.budget.to_json(),
                "reserve": file.reserved().to_json(),
            }
            self._say(tx, by, "admissions.call.opened", data)
            return self._call(tx, made["id"])

    def close_call(self, by: Actor, call: str) -> Call:
        """End submission. Nothing else happens to any application, finished or not."""
        require(check(by, Permission.CALL_OPEN))
        now = self._clock.now()
        with self._db.decide() as tx:
            found = self._call(tx, call)
            require(rules.check_closing(found, now))
            self._impartial(tx, by, call)
            self._move_call(tx, found, "close")
            tickets = sorted(queries.tickets(tx, call).values())
            values = {"closed_at": now, "tickets": tickets}
            tx.execute(tables.call.update().where(tables.call.c.id == call).values(values))
            # From here on nobody can choose a ticket with the draw in sight.
            data: dict[str, Json] = {"call": call, "early": now < found.file.window.closes, "tickets": digest(tickets)}
            self._say(tx, by, "admissions.call.closed", data)
            return self._call(tx, call)

    def return_application(self, by: Actor, application: str, note: str, until: datetime) -> Application:
        """Ask for a correction until a date; no refusal, and what was submitted is kept."""
        require(check(by, Permission.CALL_OPEN))
        if problem := needed_problem("note", note, "Say what is to be corrected"):
            raise BadInput([problem])
        with self._db.decide() as tx:
            found = self._application(tx, application)
            call = self._call(tx, found.call)
            require(rules.check_returnable(call, found, until, self._clock.now()))
            self._unblinded(tx, by, call)
            self._impartial(tx, by, found.call, application)
            self._move(tx, found, "return")
            values = {"note": note.strip(), "correct_until": until}
            tx.execute(tables.application.update().where(tables.application.c.id == application).values(values))
            self._say(tx, by, "admissions.application.returned", {"application": application, "call": found.call})
            return self._application(tx, application)

    def calls(self) -> list[Call]:
        """Return all calls, the newest first; calls are public."""
        with self._db.read() as tx:
            return queries.calls(tx)

    def call(self, call: str) -> Call:
        """Return one call."""
        with self._db.read() as tx:
            return self._call(tx, call)

    def call_text(self, call: str) -> str:
        """Return a call's file byte for byte, so that anyone can compare it with the digest in the ledger."""
        with self._db.read() as tx:
            return queries.call_text(tx, self._call(tx, call).id)

    def budget(self, call: str) -> dict[str, Balance]:
        """Return where each unit of a call's budget is; it always adds up."""
        with self._db.read() as tx:
            self._call(tx, call)
            return queries.budget(tx, call)

    def applications(self, by: Actor, call: str) -> list[Application]:
        """List what was submitted to a call, with who applies; drafts are their applicants' own."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            self._unblinded(tx, by, self._call(tx, call))
            return [_as_submitted(each) for each in queries.applications(tx, call) if each.submitted]

    def application(self, by: Actor, application: str) -> Application:
        """Return one application: one's own with its draft, or as submitted for who may read applications."""
        with self._db.read() as tx:
            found = queries.application(tx, application)
            if found is not None and found.person == by.id:
                return found
            if found is None or not found.submitted or not may(by, Permission.APPLICATION_READ):
                return self._own(tx, by, application)
            self._unblinded(tx, by, self._call(tx, found.call))
            return _as_submitted(found)


def _as_submitted(found: Application) -> Application:
    """Hide what the applicant has not submitted: the draft shown is the version that counts."""
    return replace(found, draft=found.submitted.draft) if found.submitted else found
