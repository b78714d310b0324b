"""Phases, the panel and opinions on misuse: who reads what when, ranks and comments; the decision stays theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from readingroom.admissions import phases, queries, rules, tables
from readingroom.admissions.blind import Case, Opinion, PanelNote, blind_view
from readingroom.admissions.call import Call, Phase
from readingroom.admissions.model import Application, Review, Risk
from readingroom.admissions.phases import PhaseNow
from readingroom.admissions.service.reviewing import Reviewing
from readingroom.core.canonical import Json, canonical, commitment
from readingroom.core.errors import BadInput, Problem
from readingroom.core.ids import random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import needed_problem, prose_problem
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check

LOOKED_AT = 500  # applications up to which conflicts are looked for where only a number is told
About = TypeVar("About", Review, Opinion, PanelNote)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a call's review is, without a word of what was said.

    Attributes:
        needed: how many reviews there must be in all; `given` how many there are.
        reviewers: who was asked (a pseudonym, or an alias where those are hidden) to what was given, of how many.
        opinions: how many opinions on misuse there are, of `opinions_needed`.
    """

    phase: PhaseNow
    following: Phase | None
    needed: int
    given: int
    reviewers: tuple[tuple[str, int, int], ...]
    opinions: int
    opinions_needed: int


class Panel(Reviewing):
    """Use cases of whoever leads the review, of the panel, and of those who judge the risk of misuse."""

    def phase(self, call: str) -> PhaseNow:
        """Return where a call's review is; public, as the call is."""
        with self._db.read() as tx:
            return queries.phase(tx, self._call(tx, call).id)

    def move_phase(self, by: Actor, call: str, to: Phase, due: datetime | None = None) -> PhaseNow:
        """Move a call's review to its next phase; from the independent one only when every review is given.

        Args:
            by: who moves it.
            call: its id.
            to: the next phase.
            due: by when it should be done; shown, and no more.
        """
        require(check(by, Permission.CALL_OPEN))
        with self._db.decide() as tx:
            found = self._call(tx, call)
            require(rules.check_reviewable(found))
            self._impartial(tx, by, call)
            now = queries.phase(tx, call).phase
            require(phases.check_moving(found.file, now, to))
            require(rules.check_reviewed(found.file, self._by_application(tx, call)))
            number = len(tx.execute(tables.phase.select().where(tables.phase.c.call_id == call)).all()) + 1
            values = {"call_id": call, "number": number, "phase": to.value, "due": due}
            tx.execute(tables.phase.insert().values(**values, moved_at=self._clock.now(), moved_by=by.id))
            self._say(tx, by, "admissions.call.phase-moved", {"call": call, "from": now.value, "to": to.value})
            return queries.phase(tx, call)

    def progress(self, by: Actor, call: str) -> Progress:
        """Return how far a call's review is: to who may read applications and does not review in it."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            found = self._call(tx, call)
            self._apart(tx, by, found)
            return self._progress(tx, found)

    def reviews(self, by: Actor, call: str) -> list[Review]:
        """Return all reviews of a call: to who may read applications and does not review in it.

        What they say is left out before the panel phase, where the call has one; who said it, in a double-blind call.
        """
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            found = self._call(tx, call)
            self._unblinded(tx, by, found)
            return self._as_shown(tx, found, queries.reviews(tx, call))

    def reviews_of(self, by: Actor, call: str, applications: Collection[str]) -> list[Review]:
        """Return the reviews of some applications of a call, for a page of a list; as far as `reviews` shows them."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            found = self._call(tx, call)
            self._unblinded(tx, by, found)
            return self._as_shown(tx, found, [e for e in queries.reviews_of(tx, applications) if e.call == call])

    def _as_shown(self, tx: Connection, found: Call, made: list[Review]) -> list[Review]:
        if phases.check_shown(found, queries.phase(tx, found.id).phase):
            made = [replace(each, judgement=None) for each in made]
        return _under_aliases(made) if phases.aliased(found) else made

    def cases(self, by: Actor, call: str) -> list[Case]:
        """Return a call's applications as the panel sees them: but those between which and oneself a conflict stands.

        Without names in a double-blind call; without what reviews say before the panel phase.
        """
        return self.cases_page(by, call, None)[0]

    def cases_page(self, by: Actor, call: str, limit: int | None, offset: int = 0) -> tuple[list[Case], int]:
        """Return a page of `cases`, in the order of their random ids, and how many there are over all pages.

        Those with a conflict are counted and left out, so that a page costs no more than what it shows.
        """
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            found = self._call(tx, call)
            require(rules.check_reviews(found))
            self._apart(tx, by, found)
            self._impartial(tx, by, call)
            named = queries.cases(tx, call, limit, offset)
            return self._cases(tx, by, found, named), queries.cases_count(tx, call)

    def note_case(self, by: Actor, case: str, rank: int | None, comment: str) -> PanelNote:
        """Rank and comment an application, as one of the panel; again, to change one's mind."""
        require(check(by, Permission.CALL_DECIDE) or rules.check_person(by))
        most = 100_000
        if rank is not None and not 1 <= rank <= most:
            raise BadInput(
                [Problem("rank", f"must be a whole number from 1 to {most}", "1 is the best; or leave it out")]
            )
        if problem := prose_problem("comment", comment):
            raise BadInput([problem])
        with self._db.decide() as tx:
            found, call = self._case(tx, by, case)
            require(phases.check_shown(call, queries.phase(tx, call.id).phase))
            salt, now = random_bytes(32), self._clock.now()
            said = {"rank": rank, "comment": comment.strip()}
            self._put(tx, tables.panel_note, found.id, by.id, {**said, "salt": salt, "written_at": now})
            sealed = commitment(salt, canonical({"application": found.id, **said}))
            self._say(tx, by, "admissions.panel.noted", {"call": call.id, "case": case, "commitment": sealed})
            return PanelNote(found.id, by.id, rank, comment.strip(), now)

    def risks_to_judge(self, by: Actor) -> list[tuple[Call, Case]]:
        """Return the applications in review whose risk of misuse one may judge, without names, scores or others' words.

        In calls that ask for such opinions; not those between which and oneself a conflict stands.
        """
        require(check(by, Permission.RISK_JUDGE))
        return self.risks_page(by, None)[0]

    def risks_page(self, by: Actor, limit: int | None, offset: int = 0) -> tuple[list[tuple[Call, Case]], int]:
        """Return a page of `risks_to_judge`, and how many there are over all pages.

        Those with a conflict are counted and left out, so that a page costs no more than what it shows.
        """
        require(check(by, Permission.RISK_JUDGE))
        with self._db.read() as tx:
            calls = {each.id: each for each in self._calls_for_opinions(tx)}
            named = queries.cases_in_play(tx, calls, limit, offset)
            found = [(calls[call], case) for call in calls for case in self._risks(tx, by, calls[call], named)]
            return found, queries.cases_in_play_count(tx, calls)

    def risk_to_judge(self, by: Actor, case: str) -> tuple[Call, Case] | None:
        """Return one of `risks_to_judge`; None where there is none by this id."""
        require(check(by, Permission.RISK_JUDGE))
        with self._db.read() as tx:
            about = queries.of_case(tx, case)
            found = [
                (call, each)
                for call in self._calls_for_opinions(tx)
                for each in (self._risks(tx, by, call, {about: case}) if about else ())
            ]
            return found[0] if found else None

    def risks_left(self, by: Actor) -> int:
        """Return on how many applications one's opinion is still asked for.

        Those with a conflict are not among them, unless there are so many that looking would take longer than it tells.
        """
        require(check(by, Permission.RISK_JUDGE))
        with self._db.read() as tx:
            left = 0
            for call in self._calls_for_opinions(tx):
                asked = queries.cases_in_play(tx, [call.id], without=by.id)
                left += len(asked) - (len(self._barred(tx, by, call, asked)) if len(asked) <= LOOKED_AT else 0)
            return left

    def _calls_for_opinions(self, tx: Connection) -> list[Call]:
        """Return the calls in review that ask for opinions on misuse."""
        asking = [each for each in queries.calls(tx) if each.file.reviewing and each.file.reviewing.safety_opinions]
        return [each for each in asking if rules.check_reviewable(each) is None]

    def judge_risk(self, by: Actor, case: str, opinion: Risk, reason: str) -> Opinion:
        """Give an opinion on an application's risk of misuse, apart from merit; a veto counts as a reviewer's does."""
        require(check(by, Permission.RISK_JUDGE) or rules.check_person(by))
        cure = "Say what could be misused, and how"
        problem = prose_problem("reason", reason) if opinion is Risk.OK else needed_problem("reason", reason, cure)
        if problem:
            raise BadInput([problem])
        with self._db.decide() as tx:
            found, call = self._case(tx, by, case)
            asks = call.file.reviewing and call.file.reviewing.safety_opinions
            require(
                None if asks else Refusal("admissions/no-opinions", "This call asks for no opinion on misuse apart.")
            )
            salt, now = random_bytes(32), self._clock.now()
            said = {"opinion": opinion.value, "reason": reason.strip()}
            self._put(tx, tables.risk, found.id, by.id, {**said, "salt": salt, "given_at": now})
            sealed = commitment(salt, canonical({"application": found.id, **said}))
            self._say(tx, by, "admissions.risk.judged", {"call": call.id, "case": case, "commitment": sealed})
            return Opinion(found.id, by.id, opinion, reason.strip(), now)

    # For who decides

    def _check_review_over(self, tx: Connection, call: Call, only: str = "") -> None:
        """Refuse to decide before the promised phases, past a conflict, or without the opinions that the call needs.

        Of all applications in play, or of one, where a person decides each.
        """
        if call.file.reviewing is None:
            return
        require(phases.check_over(call.file, queries.phase(tx, call.id).phase))
        self._unconflicted(tx, call, only)
        given: dict[str, int] = {}
        for each in queries.opinions(tx, call.id):
            given[each.application] = given.get(each.application, 0) + 1
        require(phases.check_opinions(call.file, given, [only] if only else self._by_application(tx, call.id)))

    def _check_shown(self, tx: Connection, call: Call) -> None:
        require(phases.check_shown(call, queries.phase(tx, call.id).phase))

    # Inside

    def _apart(self, tx: Connection, by: Actor, found: Call) -> None:
        """Refuse who reviews in a call; unlike `_unblinded`, names play no part."""
        require(rules.check_not_reviewing(by, found, {by.id} if queries.reviews_here(tx, found.id, by.id) else ()))

    def _by_application(self, tx: Connection, call: str) -> dict[str, list[Review]]:
        made: dict[str, list[Review]] = {
            each: [] for each, state in queries.states(tx, call).items() if state in rules.IN_PLAY
        }
        for review in queries.reviews(tx, call):
            if review.application in made:
                made[review.application].append(review)
        return made

    def _progress(self, tx: Connection, found: Call) -> Progress:
        now, needed = queries.phase(tx, found.id), found.file.reviews_needed
        states = queries.counts(tx, found.id)
        in_play = sum(states.get(each, 0) for each in rules.IN_PLAY)
        asked = found.file.reviewing.safety_opinions if found.file.reviewing else 0
        hidden = phases.aliased(found)
        return Progress(
            phase=now,
            following=phases.following(found.file, now.phase),
            needed=needed * in_play,
            given=queries.given_up_to(tx, found.id, needed),
            reviewers=tuple(
                (phases.alias(place) if hidden else name, given, of)
                for place, (name, (given, of)) in enumerate(sorted(queries.given_by(tx, found.id).items()))
            ),
            opinions=queries.opinions_count(tx, found.id),
            opinions_needed=asked * in_play,
        )

    def _cases(self, tx: Connection, by: Actor, call: Call, named: Mapping[str, str]) -> list[Case]:
        """Compose cases, by application: in so many queries, however many there are."""
        found = {each.id: each for each in queries.some(tx, named)}
        shown = phases.check_shown(call, queries.phase(tx, call.id).phase) is None
        names, barred = not phases.hides_applicants(by, call), self._barred(tx, by, call, found)
        given = _sorted_out(queries.reviews_of(tx, found))
        opinions, notes = _sorted_out(queries.opinions(tx, call.id, found)), _sorted_out(queries.notes(tx, found))
        peers = self._peers(tx, list(found), aliased=phases.aliased(call)) if shown else {}
        made = [
            Case(
                view=blind_view(named[each.id], each.submitted, call.file),
                application=each.id if names else "",
                person=each.person if names else "",
                reviews=tuple(peer for _, peer in peers.get(each.id, ())),
                opinions=tuple(opinions.get(each.id, ())) if shown else (),
                notes=tuple(notes.get(each.id, ())) if shown else (),
                given=len(rules.counted(given.get(each.id, ()))),
                needed=call.file.reviews_needed,
                mine=next((note for note in notes.get(each.id, ()) if note.person == by.id), None),
            )
            for each in found.values()
            if each.submitted and each.id not in barred
        ]
        return sorted(made, key=lambda case: case.view.review)

    def _risks(self, tx: Connection, by: Actor, call: Call, named: Mapping[str, str]) -> list[Case]:
        """Compose the cases of a call that somebody may judge, of those that are named by application."""
        some = {each.id: each for each in queries.some(tx, named) if each.call == call.id}
        found = {each.id: each for each in some.values() if each.state in rules.IN_PLAY and each.submitted}
        barred = self._barred(tx, by, call, found)
        mine = {each.application: each for each in queries.opinions(tx, call.id, found) if each.person == by.id}
        made = [
            Case(view=blind_view(named[each.id], each.submitted, call.file), mine=mine.get(each.id))
            for each in found.values()
            if each.id not in barred and each.submitted
        ]
        return sorted(made, key=lambda case: case.view.review)

    def _barred(self, tx: Connection, by: Actor, call: Call, found: Collection[str]) -> set[str]:
        """Return those applications that somebody may not judge for a conflict; the operator is nobody's friend."""
        if by.is_operator:
            return set()
        return self._standing(tx, call, queries.party(tx, by.id), found)

    def _case(self, tx: Connection, by: Actor, case: str) -> tuple[Application, Call]:
        """Find an application by its case; one that is not there and one that may not be judged answer alike."""
        application = queries.of_case(tx, case)
        found = queries.application(tx, application) if application else None
        unknown = Refusal("admissions/case-unknown", "There is no application before you by this name.")
        if found is None or found.state not in rules.IN_PLAY:
            raise Refused(unknown)
        call = self._call(tx, found.call)
        require(rules.check_reviewable(call))
        self._impartial(tx, by, call.id, found.id)
        if self._barred(tx, by, call, [found.id]):
            raise Refused(unknown)
        return found, call

    def _put(self, tx: Connection, table: Table, application: str, person: str, values: Json) -> None:
        """Write one's own line on an application, anew or over the last."""
        where = (table.c.application_id == application) & (table.c.person_id == person)
        if not tx.execute(table.update().where(where).values(values)).rowcount:
            tx.execute(table.insert().values(application_id=application, person_id=person, **values))


def _sorted_out(found: Iterable[About]) -> dict[str, list[About]]:
    """Return what is about applications, by application, each in the order in which it came."""
    by_application: dict[str, list[About]] = {}
    for each in found:
        by_application.setdefault(each.application, []).append(each)
    return by_application


def _under_aliases(made: list[Review]) -> list[Review]:
    """Name the reviewers of each application by their place among its reviews, which are in the order of random ids."""
    seen: dict[str, int] = {}
    hidden = []
    for each in made:
        place = seen[each.application] = seen.get(each.application, -1) + 1
        hidden.append(replace(each, reviewer=phases.alias(place)))
    return hidden
