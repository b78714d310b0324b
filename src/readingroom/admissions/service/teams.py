"""Teams and guarantors: asked by the applicant in a letter, answered by whoever holds it, signed in as themselves.

The letter's secret is returned once, to be sent, and kept only as its hash. Asking looks nobody up, so that it tells
nobody who has an account here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from readingroom.admissions import queries, rules, tables, teams
from readingroom.admissions.call import Call
from readingroom.admissions.model import Application, ApplicationState, Version
from readingroom.admissions.service.base import Base
from readingroom.admissions.teams import INVITATION, Invitation, InvitationState, Part
from readingroom.core.canonical import Json, sha256
from readingroom.core.errors import BadInput
from readingroom.core.ids import new_id, url_secret
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import needed_problem, prose_problem
from readingroom.people import queries as people
from readingroom.people.address import address_problem, fold
from readingroom.people.model import Actor, Person

T = tables.invitation
_EVENTS = {
    (Part.MEMBER, "invite"): "admissions.member.invited",
    (Part.MEMBER, "remind"): "admissions.member.reminded",
    (Part.MEMBER, "accept"): "admissions.member.accepted",
    (Part.MEMBER, "decline"): "admissions.member.declined",
    (Part.MEMBER, "leave"): "admissions.member.left",
    (Part.MEMBER, "remove"): "admissions.member.removed",
    (Part.GUARANTOR, "invite"): "admissions.guarantor.invited",
    (Part.GUARANTOR, "remind"): "admissions.guarantor.reminded",
    (Part.GUARANTOR, "ask again"): "admissions.guarantor.reminded",
    (Part.GUARANTOR, "accept"): "admissions.guarantor.accepted",
    (Part.GUARANTOR, "decline"): "admissions.guarantor.declined",
    (Part.GUARANTOR, "remove"): "admissions.guarantor.removed",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody who holds a letter is asked.

    Attributes:
        version: what was submitted, for a guarantor to read; None where nothing was, or it is not theirs to read yet.
        applicant: the address of who asks: verified, and nothing that they could write into it.
    """

    invitation: Invitation
    call: Call
    applicant: str
    version: Version | None


class Teams(Base):
    """Use cases of invitations."""

    def invite(self, by: Actor, application: str, email: str, part: Part = Part.MEMBER) -> tuple[Invitation, str]:
        """Ask an address to join one's application, or to vouch for it; returns the secret of the letter's link.

        Raises:
            BadInput: it is no address.
            Refused: it was asked already, the application is over, or too many letters were asked for.
        """
        if problem := address_problem(email):
            raise BadInput([problem])
        now, to = self._clock.now(), fold(email)
        with self._db.decide() as tx:
            found = self._own(tx, by, application)
            asked = queries.invitations(tx, application)
            require(teams.check_asking(self._call(tx, found.call).file, found, part, asked, to))
            self._check_letters(tx, by, sum(each.letters for each in asked if each.email == to))
            secret, made = url_secret(), new_id("invitation")
            times = {"made_at": now, "sent_at": now, "expires_at": now + teams.LIFE}
            values = {"id": made, "application_id": application, "role": part.value, "email": to, "letters": 1}
            state = {"state": INVITATION.start.value, "hash": _hash(secret)}
            tx.execute(T.insert().values(values | state | times))
            asked_now = _there(queries.invitation(tx, made))
            self._tell(tx, by, found, asked_now, "invite")
            return asked_now, secret

    def remind(self, by: Actor, invitation: str) -> tuple[Invitation, str]:
        """Send another letter, whose link takes the place of the last one's; a guarantor is asked again so, too."""
        now = self._clock.now()
        with self._db.decide() as tx:
            asked, found = self._invited_by(tx, by, invitation)
            require(teams.check_letter(asked, found, now))
            act = "remind" if asked.state is InvitationState.INVITED else "ask again"
            self._check_letters(tx, by, 0)
            secret = url_secret()
            values = {"state": INVITATION.after(asked.state, act).value, "hash": _hash(secret)}
            sent = {"letters": asked.letters + 1, "sent_at": now, "expires_at": now + teams.LIFE}
            tx.execute(T.update().where(T.c.id == invitation).values(values | sent))
            self._tell(tx, by, found, asked, act)
            return _there(queries.invitation(tx, invitation)), secret

    def asked(self, by: Actor, secret: str) -> Asked:
        """Return what the holder of a letter is asked; looking uses nothing up, so a mail scanner does no harm."""
        with self._db.read() as tx:
            asked, found, _ = self._answerable(tx, by, secret)
            applicant = people.by_id(tx, found.person)
            version = found.submitted if asked.part is Part.GUARANTOR else None
            return Asked(asked, self._call(tx, found.call), applicant.email if applicant else "", version)

    def answer(self, by: Actor, secret: str, *, accept: bool, words: str = "") -> Invitation:
        """Accept or decline, as oneself: to join the team, or to vouch. A refusal to vouch needs words.

        What a guarantor vouches for is the version that counts at this moment.
        """
        with self._db.decide() as tx:
            asked, found, who = self._answerable(tx, by, secret)
            guarantor = asked.part is Part.GUARANTOR
            cure = "Say why; the applicant and the desk are told"
            needed = guarantor and not accept
            problem = needed_problem("words", words, cure) if needed else prose_problem("words", words)
            if problem:
                raise BadInput([problem])
            act = "accept" if accept else "decline"
            require(INVITATION.check(asked.state, act))
            if guarantor and accept:
                call = self._call(tx, found.call)
                require(teams.check_signing(queries.word_counts(tx, call.file, found, by.id, self._clock.now())))
            version = found.submitted.number if found.submitted and guarantor and accept else None
            values = {"state": INVITATION.after(asked.state, act).value, "words": words.strip() if guarantor else ""}
            rest = {"person_id": who.id, "version": version, "answered_at": self._clock.now()}
            tx.execute(T.update().where(T.c.id == asked.id).values(values | rest))
            about: dict[str, Json] = {"person": by.id} if accept else {}
            self._tell(tx, by, found, asked, act, **about, **({"version": version} if version else {}))
            return _there(queries.invitation(tx, asked.id))

    def leave(self, by: Actor, application: str) -> Invitation:
        """Go out of a team; the keys that one had of it end with that."""
        with self._db.decide() as tx:
            mine = [
                each
                for each in queries.invitations(tx, application)
                if each.person == by.id and each.part is Part.MEMBER and each.state is InvitationState.ACCEPTED
            ]
            if not mine:
                raise Refused(_unknown())
            return self._end(tx, by, self._application(tx, application), mine[0], "leave")

    def remove(self, by: Actor, invitation: str) -> Invitation:
        """Take an invitation back, or somebody out of the team, or ask another guarantor in place of this one."""
        with self._db.decide() as tx:
            asked, found = self._invited_by(tx, by, invitation)
            return self._end(tx, by, found, asked, "remove")

    def team(self, by: Actor, application: str) -> list[Invitation]:
        """Return everyone who was asked: to the applicant, to members, and to who may see names."""
        with self._db.read() as tx:
            return queries.invitations(tx, self._readable(tx, by, application).id)

    def joined(self, by: Actor) -> list[Application]:
        """Return the applications in whose team one is."""
        with self._db.read() as tx:
            found = [application for application, part in queries.joined(tx, by.id) if part is Part.MEMBER]
            return [self._application(tx, each) for each in found]

    def _end(self, tx: Connection, by: Actor, found: Application, asked: Invitation, act: str) -> Invitation:
        require(INVITATION.check(asked.state, act))
        values = {"state": INVITATION.after(asked.state, act).value, "answered_at": self._clock.now()}
        tx.execute(T.update().where(T.c.id == asked.id).values(values))
        self._tell(tx, by, found, asked, act, **({"person": asked.person} if asked.person else {}))
        return _there(queries.invitation(tx, asked.id))

    def _invited_by(self, tx: Connection, by: Actor, invitation: str) -> tuple[Invitation, Application]:
        """Find an invitation into one's own application; another's is answered like one that does not exist."""
        asked = queries.invitation(tx, invitation)
        found = queries.application(tx, asked.application) if asked else None
        if asked is None or found is None or found.person != by.id:
            raise Refused(_unknown())
        return asked, found

    def _answerable(self, tx: Connection, by: Actor, secret: str) -> tuple[Invitation, Application, Person]:
        require(rules.check_person(by))
        asked = queries.invitation_of(tx, _hash(secret))
        who = people.by_id(tx, by.id)
        found = queries.application(tx, asked.application) if asked else None
        if asked is None or who is None or found is None or not teams.usable(asked, found, self._clock.now()):
            raise Refused(teams.unusable())
        inside = [each.person for each in queries.invitations(tx, found.id) if each.state is InvitationState.ACCEPTED]
        reviews = any(
            each.application == found.id and each.state in rules.ASKED for each in queries.reviews_by(tx, by.id)
        )
        require(teams.check_answering(asked, found, who, inside, reviews=reviews))
        return asked, found, who

    def _check_letters(self, tx: Connection, by: Actor, before: int) -> None:
        if before >= teams.MOST_LETTERS:
            raise Refused(teams.letters_spent())
        since = self._clock.now() - timedelta(hours=1)
        if queries.letters_since(tx, by.id, since) >= teams.MOST_AN_HOUR:
            reason = f"{teams.MOST_AN_HOUR} letters were sent for you within an hour; go on later."
            raise Refused(Refusal("admissions/too-many-letters", reason))

    def _tell(self, tx: Connection, by: Actor, found: Application, asked: Invitation, act: str, **more: Json) -> None:
        """Put it on record: ids only, never an address. `applicant` is named where it is they who are to be told."""
        whom: dict[str, Json] = {"applicant": found.person} if act in {"accept", "decline", "leave"} else {}
        data: dict[str, Json] = {"application": found.id, "call": found.call, "invitation": asked.id}
        self._say(tx, by, _EVENTS[asked.part, act], data | whom | more)


def unvouched(tx: Connection, call: Call, applications: list[Application], now: datetime) -> list[str]:
    """Return the applications in play for which the call asks that somebody vouch, and nobody does."""
    if not call.file.guarantor.needed:
        return []
    in_play = {ApplicationState.SUBMITTED, ApplicationState.UNDER_REVIEW}
    return [
        each.id
        for each in applications
        if each.state in in_play
        and teams.check_vouched(call.file, each, queries.counting(tx, call.file, each, now)) is not None
    ]


def _unknown() -> Refusal:
    return Refusal("admissions/invitation-unknown", "You have no invitation by this id.")


def _there(found: Invitation | None) -> Invitation:
    assert found is not None  # noqa: S101 - it was written in this transaction
    return found


def _hash(secret: str) -> str:
    return sha256(secret.encode())
