"""Deciding: allocation by the call's published rule, in two steps so that a person decides; or one by one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.admissions import account, dossier, notices, queries, rules, tables, teams, timing
from readingroom.admissions.account import Cause, Posting
from readingroom.admissions.allocation import Allocation, Candidate, Sheet, allocate
from readingroom.admissions.call import Call
from readingroom.admissions.dividing import counted
from readingroom.admissions.drawing_rules import check_public_value
from readingroom.admissions.model import Amounts, Application, Award, Decision, Outcome, Review, Ruling
from readingroom.admissions.service.panel import Panel
from readingroom.admissions.service.teams import unvouched
from readingroom.core.canonical import Json
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check


class Deciding(Panel):
    """Use cases of whoever decides."""

    def allocate(self, by: Actor, call: str, *, public_value: str = "", dry_run: bool = False) -> Allocation:
        """Fix how a competitive call's budget is divided, and reveal the seed; `publish` makes it binding.

        `public_value` is the one that the call names, in hex; it is entered here, once.

        A dry run has no effect, is possible at any time, and takes an application without reviews as below the
        floor. Its ties fall by a seed of their own: a rehearsal tells nobody the real one.
        """
        with self._db.read() if dry_run else self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.CALL_DECIDE))
            found = self._call(tx, call)
            require(rules.check_competitive(found))
            self._impartial(tx, by, call)
            in_play = self._reviewed(tx, call)
            candidates = self._candidates(tx, found, in_play)
            if dry_run:
                self._unblinded(tx, by, found)
                self._check_shown(tx, found)
                return allocate(found.file, candidates, hashlib.sha256(b"rehearsal" + _seed(tx, call)).digest())
            require(rules.check_settled(queries.applications(tx, call)))
            require(teams.check_all_vouched(unvouched(tx, found, [each for each, _ in in_play], self._clock.now())))
            require(rules.check_reviewed(found.file, {each.id: reviews for each, reviews in in_play}))
            self._check_review_over(tx, found)
            self._move_call(tx, found, "allocate")
            require(check_public_value(found.file, public_value, self._clock.now()))
            result = allocate(found.file, candidates, _seed(tx, call), bytes.fromhex(public_value))
            self._fix(tx, by, call, candidates, result)
            return result

    def publish(self, by: Actor, call: str) -> list[Award]:
        """Decide every application as it was allocated: awards are offered, the others refused with reasons.

        What was withdrawn since the allocation is not awarded; its amount stays in the rest.
        """
        now = self._clock.now()
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.CALL_DECIDE))
            found = self._call(tx, call)
            self._impartial(tx, by, call)
            self._move_call(tx, found, "publish")
            applications = {each.id: each for each in queries.applications(tx, call) if each.state in rules.IN_PLAY}
            tickets = queries.tickets(tx, call)
            moved: list[Posting] = []
            sheets = map(Sheet.read, queries.allocation(tx, call)["sheets"])
            # By their random ids: in the order of the public sheets, the log would tie each ticket to a pseudonym.
            for sheet in sorted(sheets, key=lambda each: each.application):
                if (application := applications.get(sheet.application)) is not None:
                    decided = notices.by_rule(found.file, sheet, now, by.id, tickets.get(sheet.application, ""))
                    self._decide(tx, by, application, decided)
                    if sheet.amounts:
                        moved += self._offer(tx, by, found, application, sheet.amounts)
            self._post(tx, call, moved)
            said = {"balance": _balance(tx, call), "postings": len(queries.postings(tx, call))}
            self._say(tx, by, "admissions.call.published", {"call": call, **said})
            return queries.awards(tx, call)

    def decide(self, by: Actor, application: str, ruling: Ruling) -> Decision:
        """Decide one application of a call that holds no competition; first come within the budget.

        In any call, one that was returned and not corrected in time is refused this way.
        """
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.CALL_DECIDE))
            found = self._application(tx, application)
            call = self._call(tx, found.call)
            self._impartial(tx, by, call.id, application)
            reviews = [each for each in queries.reviews(tx, call.id) if each.application == application]
            now = self._clock.now()
            unvouched_for = teams.check_vouched(call.file, found, queries.counting(tx, call.file, found, now))
            require(rules.check_single(call, found, ruling, reviews, now))
            require(teams.check_ruling(ruling, unvouched_for))
            require(rules.check_vetoes(call.file, ruling, queries.vetoes(tx, call.id).get(application, 0)))
            if found.state in rules.IN_PLAY:
                self._check_review_over(tx, call, application)
            decided = notices.by_person(call.file, application, ruling, now, by.id)
            self._decide(tx, by, found, decided)
            if ruling.outcome is Outcome.AWARDED:
                given = self._affordable(tx, call, found, ruling)
                self._in_turn(tx, call, found, given)
                self._post(tx, call.id, self._offer(tx, by, call, found, given))
            return decided

    def allocation(self, by: Actor, call: str) -> Json:
        """Return a call's allocation as it was fixed, or None before."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            return queries.allocation(tx, self._call(tx, call).id)

    def _reviewed(self, tx: Connection, call: str) -> list[tuple[Application, list[Review]]]:
        by_application: dict[str, list[Review]] = {}
        for each in queries.reviews(tx, call):
            by_application.setdefault(each.application, []).append(each)
        in_play = [each for each in queries.applications(tx, call) if each.state in rules.IN_PLAY]
        return [(each, by_application.get(each.id, [])) for each in in_play]

    def _candidates(
        self, tx: Connection, call: Call, in_play: list[tuple[Application, list[Review]]]
    ) -> list[Candidate]:
        tickets, vetoes = queries.tickets(tx, call.id), queries.vetoes(tx, call.id)
        return [
            replace(_candidate(call, each, reviews), ticket=tickets.get(each.id, ""), vetoes=vetoes.get(each.id, 0))
            for each, reviews in in_play
        ]

    def _fix(self, tx: Connection, by: Actor, call: str, candidates: list[Candidate], result: Allocation) -> None:
        filed = [each.submitted_at for each in rules.counted(queries.reviews(tx, call)) if each.submitted_at]
        salt = random_bytes(32)
        reviewers = sorted({who for each in candidates for who in each.reviewers})
        inputs = dossier.inputs(candidates, {who: new_id("reviewer") for who in reviewers})
        values = {"call_id": call, "result": result.to_json(), "inputs": inputs, "salt": salt}
        when = {"allocated_at": self._clock.now(), "allocated_by": by.id}
        tx.execute(tables.allocation.insert().values(values | when))
        said = dossier.record(inputs, result, salt, max(filed, default=None))
        self._say(tx, by, "admissions.call.allocated", {"call": call, **said})

    def _affordable(self, tx: Connection, call: Call, found: Application, ruling: Ruling) -> Amounts:
        asked = found.submitted.draft.passes if found.submitted else 0
        tier = found.submitted.draft.tier if found.submitted else ""
        passes = min(asked, call.file.limits.of(tier).maximum) if ruling.passes is None else ruling.passes
        require(rules.check_amount(call.file, asked, passes, tier))
        given, held = call.file.amounts(passes), queries.budget(tx, call.id)
        if not account.covers(held, given):
            left = {unit: each.rest for unit, each in held.items()}
            reason = "The call's budget does not cover this award."
            raise Refused(Refusal("admissions/budget-exhausted", reason, {"left": left, "asked": given.to_json()}))
        return given

    def _in_turn(self, tx: Connection, call: Call, found: Application, given: Amounts) -> None:
        """Where tickets go first come, first served: leave enough for those who came before and still wait."""
        if not call.file.window.standing or found.submitted is None:
            return
        first = [each for each in queries.waiting(tx, call.id) if each.id != found.id]
        before = [each for each in first if each.since < found.submitted.submitted_at]
        rest = queries.budget(tx, call.id)["passes"].rest
        require(timing.check_turn(call.file, [(each.passes, each.tier) for each in before], given.passes, rest))

    def _decide(self, tx: Connection, by: Actor, found: Application, decided: Decision) -> None:
        """Write one decision down."""
        self._move(tx, found, "award" if decided.outcome is Outcome.AWARDED else "refuse")
        values = {
            "application_id": found.id,
            "outcome": decided.outcome.value,
            "reason": decided.reason.value,
            "text": decided.text,
            "differ": decided.differ,
            "reapply_from": decided.reapply_from,
            "appeal": decided.appeal,
            "decided_at": decided.decided_at,
            "decided_by": decided.decided_by,
            "sheet": decided.sheet,
        }
        tx.execute(tables.decision.insert().values(values))
        data = {"application": found.id, "call": found.call, "outcome": decided.outcome.value}
        self._say(tx, by, "admissions.application.decided", data | {"reason": decided.reason.value})

    def _offer(self, tx: Connection, by: Actor, call: Call, found: Application, given: Amounts) -> list[Posting]:
        """Offer an award; returns what it moves, for whoever offers to post with all else that moves by it."""
        now, made = self._clock.now(), new_id("award")
        tier = found.submitted.draft.tier if found.submitted else ""
        values = {
            "id": made,
            "call_id": call.id,
            "application_id": found.id,
            "person_id": found.person,
            "state": "offered",
            "stage": call.file.stage,
            "tier": tier,
            **given.to_json(),
            "days": call.file.limits.days,
            "terms": call.file.terms,
            "accept_by": now + timedelta(days=call.file.limits.accept_within_days),
            "made_at": now,
        }
        tx.execute(tables.award.insert().values(values))
        data: dict[str, Json] = {"award": made, "application": found.id, "call": call.id, "person": found.person}
        data |= {"stage": call.file.stage, "tier": tier, "amounts": given.to_json(), "days": call.file.limits.days}
        self._say(tx, by, "admissions.award.made", data)
        return account.postings(given, Cause.AWARDED, made)


def _seed(tx: Connection, call: str) -> bytes:
    seed: bytes = tx.execute(sa.select(tables.call.c.seed).where(tables.call.c.id == call)).scalar_one()
    return seed


def _candidate(call: Call, found: Application, reviews: list[Review]) -> Candidate:
    draft = found.submitted.draft if found.submitted else found.draft
    said = rules.counted(reviews)
    return Candidate(
        application=found.id,
        asked=draft.passes,
        judgements=tuple(each.judgement for each in said if each.judgement),
        reviewers=tuple(each.reviewer for each in said),
        answers=counted(call.file.quotas, draft.answers),
        tier=draft.tier,
    )


def _balance(tx: Connection, call: str) -> Json:
    held = queries.budget(tx, call)
    return {
        unit: {"budget": b.budget, "rest": b.rest, "reserve": b.reserve, "offered": b.offered, "granted": b.granted}
        for unit, b in held.items()
    }
