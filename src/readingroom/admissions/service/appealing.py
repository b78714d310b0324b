"""Appeals: lodged by whom a decision is about, heard by people who took no part in it, concluded with reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.engine import Connection

from readingroom.admissions import account, queries, rules, tables
from readingroom.admissions.account import Cause
from readingroom.admissions.after import Appeals, Ground
from readingroom.admissions.allocation import Sheet
from readingroom.admissions.appeals import rules as hearing
from readingroom.admissions.appeals.model import Appeal, AppealState, Bar, SanctionFact, Subject, Voice
from readingroom.admissions.model import Application, ApplicationState
from readingroom.admissions.service.deciding import Deciding
from readingroom.core.canonical import Json, canonical, commitment
from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import needed_problem, prose_problem
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check


@dataclass(frozen=True, slots=True)
class _Lodged:
    """What an appeal is about, and what it says."""

    kind: Subject
    subject: str
    call: str
    decided_at: datetime
    ground: Ground
    text: str
    sanction: SanctionFact | None = None


class Appealing(Deciding):
    """Use cases of appellants and of those who hear them."""

    def appeal_refusal(self, by: Actor, application: str, ground: Ground, text: str) -> Appeal:
        """Appeal the refusal of one's application. Late ones are kept, and told that they are late.

        Raises:
            BadInput: it does not say why.
        """
        require(rules.check_person(by))
        with self._db.decide() as tx:
            found = self._own(tx, by, application)
            _needs("text", text, "Say what went wrong, and where")
            decision = queries.decision(tx, application)
            if decision is None or found.state is not ApplicationState.REFUSED:
                reason = f"This application is {found.state.value}; only a refusal can be appealed."
                raise Refused(Refusal("admissions/nothing-to-appeal", reason, {"state": found.state.value}))
            call = self._call(tx, found.call)
            lodged = _Lodged(Subject.REFUSAL, application, found.call, decision.decided_at, ground, text.strip())
            return self._lodge(tx, by, call.file.after.appeals, lodged)

    def appeal_sanction(self, by: Actor, sanction: SanctionFact, call: str, ground: Ground, text: str) -> Appeal:
        """Appeal a sanction of one's own, by the rules of the call that made the grant; else by those of every call.

        Raises:
            BadInput: it does not say why.
        """
        require(rules.check_person(by))
        if by.id != sanction.person:
            raise Refused(Refusal("admissions/nothing-to-appeal", "There is no sanction of yours by this id."))
        _needs("text", text, "Say what went wrong, and where")
        with self._db.decide() as tx:
            terms = self._call(tx, call).file.after.appeals if call else Appeals()
            lodged = _Lodged(Subject.SANCTION, sanction.id, call, sanction.decided_at, ground, text.strip(), sanction)
            return self._lodge(tx, by, terms, lodged)

    def withdraw_appeal(self, by: Actor, appeal: str) -> Appeal:
        """Take one's appeal back."""
        with self._db.decide() as tx:
            found = self._appeal(tx, appeal)
            if found.person != by.id:
                raise Refused(_unknown())
            self._move_appeal(tx, found, "withdraw")
            self._say(tx, by, "admissions.appeal.withdrawn", _named(found))
            return self._appeal(tx, appeal)

    def admit_appeal(self, by: Actor, appeal: str, note: str = "") -> Appeal:
        """Take an appeal to be heard. A late one needs a reason: no deadline decides it, so a person does."""
        with self._db.decide() as tx:
            found = self._hearing(tx, by, appeal)
            _needs_prose("note", note)
            require(hearing.check_admitting(found, note))
            self._move_appeal(tx, found, "admit", note=note.strip(), admitted_by=by.id)
            self._say(tx, by, "admissions.appeal.admitted", _named(found) | {"late": found.late})
            return self._appeal(tx, appeal)

    def dismiss_appeal(self, by: Actor, appeal: str, bar: Bar, note: str) -> Appeal:
        """Say that an appeal is not heard, and why."""
        with self._db.decide() as tx:
            found = self._hearing(tx, by, appeal)
            _needs_prose("note", note)
            require(hearing.check_dismissing(found, bar, note))
            now = self._clock.now()
            self._move_appeal(tx, found, "dismiss", note=note.strip(), bar=bar.value, concluded_at=now)
            self._say(tx, by, "admissions.appeal.dismissed", _named(found) | {"bar": bar.value})
            return self._appeal(tx, appeal)

    def speak(self, by: Actor, appeal: str, outcome: AppealState, reason: str) -> Appeal:
        """Say, as one of the panel, what should become of an appeal; whoever speaks takes a seat on it.

        Whoever spoke and is no longer fit to, as an identity changed, is struck from the panel.
        """
        with self._db.decide() as tx:
            found = self._hearing(tx, by, appeal)
            _needs("reason", reason, "Say why: the panel and the appellant rest on it")
            _check_outcome(outcome, found.kind)
            require(hearing.APPEAL.check(found.state, "speak"))
            took = queries.took_part(tx, found, [by.id, *(each.person for each in found.voices)])
            for each in {by.id, *hearing.unfit(found.voices, took)}:
                mine = (tables.voice.c.appeal_id == appeal) & (tables.voice.c.person_id == each)
                tx.execute(tables.voice.delete().where(mine))
            values = {"appeal_id": appeal, "person_id": by.id, "outcome": outcome.value, "reason": reason.strip()}
            tx.execute(tables.voice.insert().values(values | {"at": self._clock.now()}))
            after = self._appeal(tx, appeal)
            if len(after.voices) >= after.panel:
                self._move_appeal(tx, after, "hear")
            self._say(tx, by, "admissions.appeal.spoken", {"appeal": appeal, "voices": len(after.voices)})
            return self._appeal(tx, appeal)

    def conclude_appeal(self, by: Actor, appeal: str, note: str, passes: int | None = None) -> Appeal:
        """Conclude an appeal as its panel found, with reasons; what it gives comes out of the reserve.

        Args:
            by: one who has heard it.
            appeal: which.
            note: the reasons, for the appellant.
            passes: how many, where a refusal is upheld in part.
        """
        with self._db.decide() as tx:
            found = self._hearing(tx, by, appeal)
            _needs("note", note, "Give the reasons: the appellant is told")
            require(hearing.check_concluding(found, by.id))
            self._assert_fit(tx, found)
            outcome = hearing.majority(found.voices)
            assert outcome is not None  # noqa: S101 - `check_concluding` has looked
            values: dict[str, Json] = {"passes": 0, "place": False}
            if found.kind is Subject.REFUSAL and outcome is not AppealState.REJECTED:
                values = self._uphold(tx, by, found, outcome, passes)
            now = self._clock.now()
            self._move_appeal(tx, found, hearing.ACTS[outcome], note=note.strip(), concluded_at=now, **values)
            said = _named(found) | {"outcome": outcome.value, "passes": values["passes"], "place": values["place"]}
            self._say(tx, by, "admissions.appeal.concluded", said | {"panel": len(found.voices)})
            return self._appeal(tx, appeal)

    def appeals(self, by: Actor) -> list[Appeal]:
        """Return the appeals that one may hear, oldest first."""
        require(check(by, Permission.APPEAL_HEAR))
        with self._db.read() as tx:
            found = queries.appeals(tx)
            return [_seen(each, by) for each in found if not queries.took_part(tx, each, [by.id]).of(by.id)]

    def my_appeals(self, by: Actor) -> list[Appeal]:
        """Return one's own appeals."""
        with self._db.read() as tx:
            return [_seen(each, by) for each in queries.appeals_of(tx, by.id)]

    def appeal(self, by: Actor, appeal: str) -> Appeal:
        """Return one appeal: one's own, or one that one may hear; there, others' voices once one has spoken."""
        with self._db.read() as tx:
            found = self._appeal(tx, appeal)
            if found.person != by.id:
                found = self._hearing(tx, by, appeal)
            return _seen(found, by)

    def appeal_of(self, by: Actor, application: str) -> Appeal | None:
        """Return the living appeal of one's own application, or None."""
        with self._db.read() as tx:
            self._own(tx, by, application)
            living = [a for a in queries.appeals_about(tx, application) if a.state is not AppealState.WITHDRAWN]
            return _seen(living[0], by) if living else None

    def _lodge(self, tx: Connection, by: Actor, terms: Appeals, lodged: _Lodged) -> Appeal:
        require(hearing.check_ground(terms, lodged.ground))
        mine = [each for each in queries.appeals_about(tx, lodged.subject) if each.person == by.id]
        require(hearing.check_first_appeal(mine))
        made, salt, now = new_id("appeal"), random_bytes(32), self._clock.now()
        due, sanction = hearing.due(terms, lodged.decided_at), lodged.sanction
        values = {
            "id": made,
            "kind": lodged.kind.value,
            "subject": lodged.subject,
            "call_id": lodged.call,
            "person_id": by.id,
            "state": hearing.APPEAL.start.value,
            "ground": lodged.ground.value,
            "text": lodged.text,
            "salt": salt,
            "late": now > due,
            "lodged_at": now,
            "due_at": due,
            "panel": terms.panel,
            "place": False,
            "involved": list(sanction.decided_by) if sanction else [],
            "told": sanction.to_json() if sanction else None,
        }
        tx.execute(tables.appeal.insert().values(values))
        found = self._appeal(tx, made)
        sealed = commitment(salt, canonical(found.text))
        said = _named(found) | {"ground": lodged.ground.value, "late": found.late, "commitment": sealed}
        self._say(tx, by, "admissions.appeal.lodged", said)
        return found

    def _uphold(
        self, tx: Connection, by: Actor, found: Appeal, outcome: AppealState, part: int | None
    ) -> dict[str, Json]:
        """Give an upheld appellant an award out of the reserve, or a place in the next call; nobody is unseated."""
        application, call = self._application(tx, found.subject), self._call(tx, found.call)
        fixed = queries.allocation(tx, call.id)
        sheets = [Sheet.read(each) for each in fixed["sheets"]] if fixed else []
        asked, tier = _asked(application)
        full = hearing.deserved(call.file, asked, tier, sheets)
        if outcome is AppealState.PARTLY:
            require(hearing.check_part(call.file, full, tier, part))
        in_reserve = {unit: each.reserve for unit, each in queries.budget(tx, call.id).items()}
        gives = hearing.effect(call.file, full, tier, in_reserve, part if outcome is AppealState.PARTLY else None)
        # Whatever it gives: the refusal no longer keeps anyone from applying again.
        mine = tables.decision.c.application_id == application.id
        tx.execute(tables.decision.update().where(mine).values(reapply_from=self._clock.now()))
        if gives.amounts is None:
            return {"passes": 0, "place": True}
        self._move(tx, application, "uphold")
        freed = account.postings(gives.amounts, Cause.UNRESERVED)
        self._post(tx, call.id, [*freed, *self._offer(tx, by, call, application, gives.amounts)])
        return {"passes": gives.amounts.passes, "place": False}

    def _hearing(self, tx: Connection, by: Actor, appeal: str) -> Appeal:
        """Find an appeal that one may hear; whoever took part in what it is about is refused."""
        require(check(people.actor_now(tx, by), Permission.APPEAL_HEAR))
        found = self._appeal(tx, appeal)
        require(hearing.check_hearing(by.id, queries.took_part(tx, found, [by.id])))
        return found

    def _assert_fit(self, tx: Connection, found: Appeal) -> None:
        """Stop before an outcome that rests on the voice of somebody who took part (an identity may have changed)."""
        voices = [each.person for each in found.voices]
        if unfit := hearing.unfit(found.voices, queries.took_part(tx, found, voices)):
            reason = f"{len(unfit)} who spoke took part in what is appealed; others have to hear it in their place."
            raise Refused(Refusal("admissions/panel-not-fit", reason, {"count": len(unfit)}))
        if len(set(voices)) < found.panel:
            what = f"{len(set(voices))} of {found.panel} have heard the appeal {found.id}"
            raise Broken(Problem("appeal", what, "Do not conclude it; report this"))

    def _appeal(self, tx: Connection, appeal: str) -> Appeal:
        found = queries.appeal(tx, appeal)
        if found is None:
            raise Refused(_unknown())
        return found

    def _move_appeal(self, tx: Connection, found: Appeal, act: str, **values: object) -> None:
        require(hearing.APPEAL.check(found.state, act))
        state = hearing.APPEAL.after(found.state, act).value
        tx.execute(tables.appeal.update().where(tables.appeal.c.id == found.id).values(state=state, **values))


def _asked(found: Application) -> tuple[int, str]:
    draft = found.submitted.draft if found.submitted else found.draft
    return draft.passes if found.submitted else 0, draft.tier


def _named(found: Appeal) -> dict[str, Json]:
    return {
        "appeal": found.id, "kind": found.kind.value, "subject": found.subject, "call": found.call,
        "person": found.person,
    }  # fmt: skip


def _seen(found: Appeal, by: Actor) -> Appeal:
    """Show voices to who has spoken themselves, or once it is over; to the appellant never whose they are."""
    over = found.state in hearing.APPEAL.final
    if found.person == by.id:
        shown = tuple(Voice("", each.outcome, each.reason, each.at) for each in found.voices) if over else ()
        return replace(found, voices=shown, admitted_by="", involved=())
    spoken = any(each.person == by.id for each in found.voices)
    return found if over or spoken else replace(found, voices=())


def _needs(where: str, text: str, cure: str) -> None:
    if problem := needed_problem(where, text, cure):
        raise BadInput([problem])


def _check_outcome(outcome: AppealState, kind: Subject) -> None:
    if outcome not in (possible := hearing.outcomes(kind)):
        known = ", ".join(each.value for each in possible)
        problem = f"{outcome.value!r} is no outcome of an appeal of a {kind.value}"
        raise BadInput([Problem("outcome", problem, f"One of: {known}")])


def _needs_prose(where: str, text: str) -> None:
    if problem := prose_problem(where, text):
        raise BadInput([problem])


def _unknown() -> Refusal:
    return Refusal("admissions/appeal-unknown", "There is no appeal by this id that you lodged or may hear.")
