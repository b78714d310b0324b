"""What holders ask for after the award: the next tranche, a supplement; and what they give up or pass on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from readingroom.admissions import account, queries, requests, rules, tables
from readingroom.admissions.account import Cause, Place
from readingroom.admissions.call import Call
from readingroom.admissions.model import Amounts, Award
from readingroom.admissions.requests import REQUEST, Answer, Request, RequestKind
from readingroom.admissions.service.base import Base
from readingroom.core.canonical import Json, canonical, commitment
from readingroom.core.errors import BadInput
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import prose_problem
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a holder asks, with what they asked before."""

    award: Award
    kind: RequestKind
    answers: dict[str, str]
    earlier: list[Request]


class Requesting(Base):
    """Use cases of who holds a grant, and of who answers them."""

    def file_report(self, by: Actor, award: str, answers: Mapping[str, str]) -> Request:
        """File a progress report; a person then releases what is held of the award, or some of it, or none.

        Raises:
            BadInput: with what is missing, field by field.
        """
        with self._db.decide() as tx:
            asked = self._asking(tx, by, award, RequestKind.REPORT, answers)
            held = account.at(queries.postings(tx, asked.award.call), award, Place.HELD)
            require(requests.check_reporting(held))
            return self._file(tx, by, asked, held.get("passes", 0))

    def ask_supplement(self, by: Actor, award: str, answers: Mapping[str, str], passes: int) -> Request:
        """Ask for more than was awarded, as far as the call allows it.

        Raises:
            BadInput: with what is missing, field by field.
        """
        with self._db.decide() as tx:
            asked = self._asking(tx, by, award, RequestKind.SUPPLEMENT, answers)
            call = self._call(tx, asked.award.call)
            require(requests.check_supplement(call, asked.award, asked.earlier, passes))
            return self._file(tx, by, asked, passes)

    def withdraw_request(self, by: Actor, request: str) -> Request:
        """Take a request back that nobody has answered."""
        with self._db.decide() as tx:
            found = self._request(tx, request)
            if found.person != by.id:
                raise Refused(_unknown())
            require(REQUEST.check(found.state, "withdraw"))
            state = REQUEST.after(found.state, "withdraw").value
            tx.execute(tables.request.update().where(tables.request.c.id == request).values(state=state))
            self._say(tx, by, "admissions.request.withdrawn", {"request": request, "call": found.call})
            return self._request(tx, request)

    def decide_request(self, by: Actor, request: str, answer: Answer) -> Request:
        """Answer a request: all that was asked for, less, or nothing, with reasons.

        Whoever hears `admissions.request.decided` lets the grant grow, in the same transaction. What of a tranche is
        withheld goes back to the call.
        """
        if problem := prose_problem("note", answer.note):
            raise BadInput([problem])
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.CALL_DECIDE))
            found = self._request(tx, request)
            award, call = self._known(tx, found.award), self._call(tx, found.call)
            self._impartial(tx, by, found.call, award.application)
            require(requests.check_answer(found, answer))
            given, withheld = self._given(tx, call, found, award, answer)
            state = REQUEST.after(found.state, "grant" if answer.passes else "refuse").value
            values = {"state": state, "given": answer.passes, "note": answer.note.strip(), "decided_by": by.id}
            when = {"decided_at": self._clock.now()}
            tx.execute(tables.request.update().where(tables.request.c.id == request).values(values | when))
            data: dict[str, Json] = {"request": request, "kind": found.kind.value, "call": found.call}
            data |= {"award": found.award, "person": found.person, "outcome": state}
            data |= {"given": given.to_json(), "withheld": withheld.to_json()}
            self._say(tx, by, "admissions.request.decided", data)
            return self._request(tx, request)

    def requests(self, by: Actor, call: str = "") -> list[Request]:
        """Return a call's requests; of all calls, those that wait for an answer."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            return queries.requests(tx, self._call(tx, call).id) if call else queries.requests_waiting(tx)

    def request(self, by: Actor, request: str) -> Request:
        """Return one request: one's own, or any for who may read applications."""
        with self._db.read() as tx:
            found = self._request(tx, request)
        if found.person != by.id and not may(by, Permission.APPLICATION_READ):
            raise Refused(_unknown())
        return found

    def requests_under(self, by: Actor, award: str) -> list[Request]:
        """Return what was asked for under an award: to its holder, and to who may read applications."""
        with self._db.read() as tx:
            found = self._known(tx, award)
            if found.person != by.id and not may(by, Permission.APPLICATION_READ):
                require(rules.check_awardee(by, found))
            return queries.requests_of_award(tx, award)

    def held_under(self, award: str) -> dict[str, int]:
        """Return what is held back of an award, by unit."""
        with self._db.read() as tx:
            found = self._known(tx, award)
            return account.at(queries.postings(tx, found.call), award, Place.HELD)

    # Given up, and passed on: by the process of the app that knows what the grant has left

    def give_up_held_within(self, tx: Connection, award: str) -> Amounts:
        """Give back what is held of an award and was never released: its project has ended."""
        found = self._known(tx, award)
        call = self._call(tx, found.call)
        held = account.at(queries.postings(tx, found.call), award, Place.HELD)
        amounts = account.of_units(held, found.amounts)
        second = call.file.after.second_chance
        self._post(tx, found.call, account.freed(amounts, Cause.WITHHELD, award, second_chance=second))
        return amounts

    def transfer_within(self, tx: Connection, by: Actor, source: str, target: str, amounts: Amounts) -> None:
        """Move amounts from one of one's own awards to another that lives from the same budget.

        For the process that knows what the source has unused: it runs in that decision's transaction; whoever hears
        `admissions.award.transferred` shrinks the one grant and lets the other grow.
        """
        one, other = self._award(tx, by, source), self._award(tx, by, target)
        files = (self._call(tx, one.call).file, self._call(tx, other.call).file)
        roots = (queries.root(tx, one.call), queries.root(tx, other.call))
        for each in (one, other):
            require(requests.check_accepted(each))
        require(requests.check_transfer(one, other, files, roots))
        now = account.granted(queries.postings(tx, other.call), target)
        require(requests.check_receiving(files[1], other.tier, now.get("passes", 0), amounts.passes))
        self._check_granted(tx, one, amounts)
        self._post(tx, one.call, account.postings(amounts, Cause.PASSED, source))
        self._carry(tx, one.call, other.call, amounts)
        self._post(tx, other.call, account.postings(amounts, Cause.RECEIVED, target))
        data: dict[str, Json] = {"award": source, "to": target, "call": one.call, "to_call": other.call}
        self._say(tx, by, "admissions.award.transferred", data | {"person": by.id, "amounts": amounts.to_json()})

    def _carry(self, tx: Connection, source: str, target: str, amounts: Amounts) -> None:
        """Carry an amount from the rest of one call to that of another of its family: up to the root, and down."""
        if source == target:
            return
        of, to = queries.parent(tx, source), queries.parent(tx, target)
        if of:
            self._post(tx, source, account.postings(amounts, Cause.GIVEN_BACK, of))
            self._post(tx, of, account.postings(amounts, Cause.REGAINED, source))
        if to:
            self._post(tx, to, account.postings(amounts, Cause.FUNDED, target))
            self._post(tx, target, account.postings(amounts, Cause.OPENED, to))

    def _check_granted(self, tx: Connection, award: Award, amounts: Amounts) -> None:
        held = account.granted(queries.postings(tx, award.call), award.id)
        if any(not 0 <= amount <= held.get(unit, 0) for unit, amount in amounts.units().items()):
            reason = "More cannot be passed on than is granted under this award."
            raise Refused(Refusal("admissions/not-granted", reason, {"granted": held, "asked": amounts.to_json()}))

    def _asking(self, tx: Connection, by: Actor, award: str, kind: RequestKind, answers: Mapping[str, str]) -> _Asked:
        require(rules.check_person(by))
        found = self._award(tx, by, award)
        require(requests.check_accepted(found))
        if wrong := requests.problems(kind, answers):
            raise BadInput(wrong)
        earlier = queries.requests_of_award(tx, award)
        require(requests.check_waiting(earlier, kind))
        return _Asked(found, kind, {name: answers[name].strip() for name in requests.ASKED[kind]}, earlier)

    def _file(self, tx: Connection, by: Actor, asked: _Asked, passes: int) -> Request:
        made, salt, award = new_id("request"), random_bytes(32), asked.award
        named = {"id": made, "kind": asked.kind.value, "call_id": award.call, "award_id": award.id}
        rest = {"state": "filed", "filed_at": self._clock.now(), "answers": asked.answers, "salt": salt}
        tx.execute(tables.request.insert().values(**named, **rest, person_id=by.id, passes=passes))
        data: dict[str, Json] = {"request": made, "kind": asked.kind.value, "call": award.call, "award": award.id}
        data |= {"person": by.id, "passes": passes, "commitment": commitment(salt, canonical(asked.answers))}
        self._say(tx, by, "admissions.request.filed", data)
        return self._request(tx, made)

    def _given(
        self, tx: Connection, call: Call, found: Request, award: Award, answer: Answer
    ) -> tuple[Amounts, Amounts]:
        """Move what is given; return it, and what of a tranche is withheld."""
        nothing = account.of_units({}, award.amounts)
        if found.kind is RequestKind.REPORT:
            held = account.at(queries.postings(tx, call.id), award.id, Place.HELD)
            require(requests.check_held(held, answer.passes))
            given = requests.released(held, answer.passes, award.amounts)
            withheld = account.less(account.of_units(held, award.amounts), given)
            second = call.file.after.second_chance
            kept = account.freed(withheld, Cause.WITHHELD, award.id, second_chance=second)
            self._post(tx, call.id, [*account.postings(given, Cause.RELEASED, award.id), *kept])
            return given, withheld
        given = call.file.amounts(answer.passes)
        balance = queries.budget(tx, call.id)
        if not account.covers(balance, given):
            left = {unit: each.rest for unit, each in balance.items()}
            reason = "The rest of the call's budget does not cover this supplement."
            raise Refused(Refusal("admissions/budget-exhausted", reason, {"left": left, "asked": given.to_json()}))
        self._post(tx, call.id, account.postings(given, Cause.SUPPLEMENTED, award.id))
        return given, nothing

    def _request(self, tx: Connection, request: str) -> Request:
        found = queries.request(tx, request)
        if found is None:
            raise Refused(_unknown())
        return found

    # What the house has seen used, handed in by who can read the meters

    def observe_request_within(self, tx: Connection, request: str, used: Json) -> None:
        """Keep with a request what was used of its grant as it was filed."""
        tx.execute(tables.request.update().where(tables.request.c.id == request).values(observed=used))

    def observe_application_within(self, tx: Connection, application: str, used: Json) -> None:
        """Keep with a renewal what was used of the applicant's grants as it was submitted."""
        T = tables.observed  # noqa: N806 - a table
        tx.execute(T.delete().where(T.c.application_id == application))
        tx.execute(T.insert().values(application_id=application, usage=used, at=self._clock.now()))

    def observed(self, by: Actor, application: str) -> Json:
        """Return what was used as a renewal was submitted: to its applicant, and to who may read applications."""
        with self._db.read() as tx:
            found = queries.application(tx, application)
            if found is None or (found.person != by.id and not may(by, Permission.APPLICATION_READ)):
                self._own(tx, by, application)
            return queries.observed(tx, application)

    def observed_of(self, by: Actor, applications: Collection[str]) -> dict[str, Json]:
        """Return likewise, by application, of several: to who may read applications."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            return queries.observed_of(tx, applications)


def _unknown() -> Refusal:
    return Refusal("admissions/request-unknown", "You have no request by this id.")
