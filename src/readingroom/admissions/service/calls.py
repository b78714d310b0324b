"""The desk: opening and closing calls, returning an application for correction, and reading what came in."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.engine import Connection

from readingroom.admissions import account, call_file, distributed, planning, queries, rules, tables
from readingroom.admissions.account import Balance, Cause
from readingroom.admissions.call import Call, CallFile
from readingroom.admissions.model import Application, ApplicationState, CallState
from readingroom.admissions.service.base import as_submitted
from readingroom.admissions.service.funding import Funding
from readingroom.core.canonical import Json, digest, sha256
from readingroom.core.errors import BadInput
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import require
from readingroom.core.text import needed_problem
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check
from readingroom.strategy.model import StageFact

_DIVIDED = {ApplicationState.SUBMITTED, ApplicationState.RETURNED}


class Calls(Funding):
    """Use cases of whoever runs a call."""

    def open_call(
        self, by: Actor, text: str, stage: StageFact | None, name: str = "call.yaml", terms: str = ""
    ) -> Call:
        """Open a call from its file's text; the ledger gets the file's digest and a commitment to the seed.

        A file with rounds, or with applicants who review one another, opens a call for each round or half, at once:
        each has an account of its own, and their budgets add up to the file's. The first of them is returned.

        Args:
            by: who opens it.
            text: the call file.
            stage: the stage that the file names, as it stands now; None where there is none.
            name: the file's name, for errors.
            terms: the digest of the terms in force.

        Raises:
            BadInput: the file is not a call; every problem with line and column.
            Refused: the stage cannot be lent, the window is over, or other terms are in force than the file pins.
        """
        require(check(by, Permission.CALL_OPEN))
        file = call_file.parse(text, name)
        require(rules.check_opening(file, stage, self._clock.now()))
        require(planning.check_terms(file, terms))
        series = new_id("call")
        with self._db.decide() as tx:
            for number, part in enumerate(file.parts):
                self._open(tx, by, text, part, number=number, series=series, terms=terms)
            return self._call(tx, series)

    def _open(  # noqa: PLR0913 - what a row of a call holds
        self, tx: Connection, by: Actor, text: str, file: CallFile, *, number: int, series: str, terms: str
    ) -> None:
        """Open one call: the whole of a file, or one of its parts."""
        seed, made = random_bytes(32), series if number == 0 else new_id("call")
        # The second half waits, closed, until the first is: only then is it known who is in it.
        state = CallState.CLOSED if file.distributed and number else CallState.OPEN
        values = {"id": made, "digest": sha256(text.encode()), "seed_commitment": sha256(seed)}
        rest = {"state": state.value, "file": text, "seed": seed, "opened_at": self._clock.now(), "opened_by": by.id}
        place = {"series": series, "part": number, "terms_digest": terms}
        tx.execute(tables.call.insert().values(values | rest | place))
        self._fund(tx, by, made, file)
        opening = account.postings(file.budget, Cause.OPENED)
        opening += account.postings(file.reserved(), Cause.RESERVED)
        self._post(tx, made, opening)
        data: dict[str, Json] = {
            "call": made,
            "digest": values["digest"],
            "seed_commitment": values["seed_commitment"],
            "stage": file.stage,
            "budget": file.budget.to_json(),
            "reserve": file.reserved().to_json(),
            "series": series,
            "part": number,
            "terms": terms,
            "postings": len(opening),  # from the first on, every movement of the account is in the log
        }
        self._say(tx, by, "admissions.call.opened", data)

    def close_call(self, by: Actor, call: str) -> Call:
        """End submission. No application is decided: what is half-finished is kept as late, and its applicant told.

        A call whose applicants review one another is divided into its halves now.
        """
        require(check(by, Permission.CALL_OPEN))
        now = self._clock.now()
        with self._db.decide() as tx:
            found = self._call(tx, call)
            require(rules.check_closing(found, now))
            self._impartial(tx, by, call)
            self._move_call(tx, found, "close")
            for each in queries.applications(tx, call):
                if each.state is ApplicationState.DRAFT:
                    self._move(tx, each, "miss")
                    self._tell_late(tx, by, each, finished=False)
            if found.file.distributed:
                self._divide(tx, by, found)
            for each_call in queries.series(tx, found)[:2] if found.file.distributed else [found]:
                self._fix_tickets(tx, by, each_call)
            return self._call(tx, call)

    def _fix_tickets(self, tx: Connection, by: Actor, found: Call) -> None:
        """Close a call, and tell the ledger which tickets draw in it: from here on nobody can choose one."""
        now, tickets = self._clock.now(), sorted(queries.tickets(tx, found.id).values())
        tx.execute(tables.call.update().where(tables.call.c.id == found.id).values(closed_at=now, tickets=tickets))
        data: dict[str, Json] = {"call": found.id, "early": now < found.file.window.closes, "tickets": digest(tickets)}
        self._say(tx, by, "admissions.call.closed", data)

    def _divide(self, tx: Connection, by: Actor, first: Call) -> None:
        """Move one half of the applications into the second half's call; the seed, revealed later, says which."""
        second = queries.series(tx, first)[1]
        going = [each for each in queries.applications(tx, first.id) if each.state in _DIVIDED]
        people = {each.id: frozenset({each.person, *queries.members(tx, each.id)}) for each in going}
        moved = distributed.halves(people, distributed.dividing_seed(queries.seed(tx, first.id)))[1]
        for each in going:
            if each.id in moved:
                where = tables.application.c.id == each.id
                tx.execute(tables.application.update().where(where).values(call_id=second.id))
                checks = tables.desk_check.update().where(tables.desk_check.c.application_id == each.id)
                tx.execute(checks.values(call_id=second.id))
        data: dict[str, Json] = {"call": first.id, "into": second.id, "stay": len(going) - len(moved)}
        self._say(tx, by, "admissions.call.divided", data | {"moved": len(moved)})

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

    def calls_page(self, limit: int = 50, offset: int = 0) -> tuple[list[Call], int]:
        """Return some calls, the newest first, and how many there are."""
        with self._db.read() as tx:
            return queries.calls_page(tx, limit, offset)

    def series(self, call: str) -> list[Call]:
        """Return the rounds or halves that were opened with a call, in order; itself where it stands alone."""
        with self._db.read() as tx:
            return queries.series(tx, self._call(tx, call))

    def submitted_counts(self, calls: Collection[str]) -> dict[str, int]:
        """Return how many applications were submitted to each of some calls; calls are public, and so is this."""
        with self._db.read() as tx:
            return queries.counts_by_call(tx, calls)

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

    def applications(self, by: Actor, call: str, limit: int = 100_000, offset: int = 0) -> list[Application]:
        """List what was submitted to a call, with who applies; drafts are their applicants' own."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            self._unblinded(tx, by, self._call(tx, call))
            return [as_submitted(each) for each in queries.submitted(tx, call, limit, offset)]

    def application(self, by: Actor, application: str) -> Application:
        """Return one application: one's own or one's team's with its draft, or as submitted for who may see names."""
        with self._db.read() as tx:
            return self._readable(tx, by, application)
