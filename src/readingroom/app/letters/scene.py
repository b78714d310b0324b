"""What a letter is about: the facts of one entry, read in its transaction and only as far as they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy.engine import Connection

from readingroom.access import queries as access
from readingroom.access.model import Grant, KeyState, Sanction
from readingroom.access.rules import key_state
from readingroom.admissions import queries as admissions
from readingroom.admissions.after import Appeals
from readingroom.admissions.appeals.model import Appeal
from readingroom.admissions.appeals.rules import due
from readingroom.admissions.call import Call
from readingroom.admissions.model import Application, ApplicationState, Award, Decision, ReviewState
from readingroom.admissions.requests import Request
from readingroom.core.canonical import Json
from readingroom.ledger import queries as ledger
from readingroom.ledger.model import Entry
from readingroom.oversight import queries as oversight
from readingroom.oversight.observation import Observation
from readingroom.people import queries as people
from readingroom.people.model import Person, Role
from readingroom.people.rules import BY_ROLE, Permission

_FEW = 5  # persons that are looked up one by one


@dataclass
class Scene:
    """One entry, and what it is about. A fact that is not there is None; a letter that needs it is not written."""

    tx: Connection
    entry: Entry
    now: datetime
    base: str = ""  # where readers reach this house, without a slash at the end

    @property
    def data(self) -> dict[str, Json]:
        """What the entry says."""
        return dict(self.entry.data)

    def said(self, name: str) -> str:
        """Return one text of the entry; empty where it has none."""
        return str(self.entry.data.get(name) or "")

    @cached_property
    def application(self) -> Application | None:
        """The application."""
        if name := self.said("application"):
            return admissions.application(self.tx, name)
        return admissions.application(self.tx, self.award.application) if self.award else None

    @cached_property
    def award(self) -> Award | None:
        """The award."""
        name = self.said("award")
        return admissions.award(self.tx, name) if name else None

    @cached_property
    def call(self) -> Call | None:
        """The call."""
        name = self.said("call") or (self.application.call if self.application else "")
        return admissions.call(self.tx, name) if name else None

    @cached_property
    def decision(self) -> Decision | None:
        """The decision on the application."""
        return admissions.decision(self.tx, self.application.id) if self.application else None

    @cached_property
    def grant(self) -> Grant | None:
        """The grant."""
        name = self.said("grant")
        return access.grant(self.tx, name) if name else None

    @cached_property
    def sanction(self) -> Sanction | None:
        """The sanction."""
        return access.sanction(self.tx, self.said("sanction")) if self.said("sanction") else None

    @cached_property
    def appeal(self) -> Appeal | None:
        """The appeal."""
        return admissions.appeal(self.tx, self.said("appeal")) if self.said("appeal") else None

    @cached_property
    def request(self) -> Request | None:
        """What a holder asks for."""
        return admissions.request(self.tx, self.said("request")) if self.said("request") else None

    def appeals(self, grant: Grant | None) -> Appeals:
        """Return by which rules a sanction is appealed: those of the call that made the grant, or of every call."""
        award = admissions.award(self.tx, grant.award_id) if grant and grant.award_id else None
        call = admissions.call(self.tx, award.call) if award else None
        return call.file.after.appeals if call else Appeals()

    def appeal_until(self, sanction: Sanction, grant: Grant | None) -> datetime:
        """Return until when an appeal of a sanction is in time."""
        return due(self.appeals(grant), sanction.decided_at)

    def has_key(self, person: str) -> bool:
        """Tell whether somebody has a key of the grant that has not ended."""
        mine = [each for each in access.keys(self.tx, self.said("grant")) if each.person == person]
        return any(key_state(each, self.now) is not KeyState.ENDED for each in mine)

    def revoked_of(self, person: str) -> list[tuple[Grant, Sanction]]:
        """Return which of somebody's grants one act on many has revoked, with the sanction of each."""
        mine = {each.id: each for each in access.grants_with(self.tx, person)}
        return [(mine[each.grant_id], each) for each in self.batch if each.grant_id in mine]

    @cached_property
    def observation(self) -> Observation | None:
        """What a reader reported."""
        return oversight.observation(self.tx, self.said("observation")) if self.said("observation") else None

    @cached_property
    def able(self) -> list[str]:
        """Who may hear the appeal: has the permission, and took no part."""
        if self.appeal is None:
            return []
        roles = {role for role, held in BY_ROLE.items() if Permission.APPEAL_HEAR in held}
        found = [each.id for each in people.persons(self.tx).values() if each.roles & roles]
        took = admissions.took_part(self.tx, self.appeal, found)
        return [each for each in found if not took.of(each)]

    @cached_property
    def batch(self) -> list[Sanction]:
        """The sanctions of one act on many."""
        return access.sanctions(self.tx, batch=self.said("act"))

    @cached_property
    def checkpoint(self) -> str:
        """The log's newest checkpoint, which this entry is in: whoever keeps the letter keeps it."""
        note = ledger.checkpoint(self.tx)
        return note.decode() if note else ""

    def persons(self, names: list[str]) -> list[Person]:
        """Return persons, but for those who were erased."""
        if len(names) > _FEW:
            everyone = people.persons(self.tx)
            return [everyone[name] for name in names if name in everyone]
        return [found for found in (people.by_id(self.tx, name) for name in names) if found]


Whom = Callable[[Scene], list[str]]


def named(scene: Scene) -> list[str]:
    """Return the person whom the entry names."""
    return [scene.said("person")] if scene.said("person") else []


def applicant(scene: Scene) -> list[str]:
    """Return who applied."""
    return [scene.application.person] if scene.application else named(scene)


def holder(scene: Scene) -> list[str]:
    """Return who answers for the grant."""
    return [scene.grant.holder] if scene.grant else []


def holder_if_another_acts(scene: Scene) -> list[str]:
    """Return who answers for the grant, unless they did it themselves."""
    return [each for each in holder(scene) if each != scene.entry.by]


def holder_of_a_further_key(scene: Scene) -> list[str]:
    """Return who answers for the grant where another makes a key of it; not its first, which comes with the grant."""
    found = holder_if_another_acts(scene)
    return found if found and len(access.keys(scene.tx, scene.said("grant"))) > 1 else []


def applicants(scene: Scene) -> list[str]:
    """Return who has submitted to the call in time; who has not is told that by a letter of its own."""
    gone = {ApplicationState.DRAFT, ApplicationState.LATE, ApplicationState.WITHDRAWN}
    return [each.person for each in _applications(scene) if each.state not in gone]


def named_applicant(scene: Scene) -> list[str]:
    """Return whom the entry names as the applicant."""
    return [scene.said("applicant")] if scene.said("applicant") else []


def stays(scene: Scene) -> list[str]:
    """Return the person into whom another account was merged."""
    return [scene.said("into")] if scene.said("into") else []


def sanctioned(scene: Scene) -> list[str]:
    """Return whom a sanction is about: a person, or everybody of the project."""
    return team(scene) if scene.sanction and scene.sanction.person is None else named(scene)


def team(scene: Scene) -> list[str]:
    """Return everybody who reads under the grant: what stops it stops each of them."""
    return access.persons_of(scene.tx, scene.grant) if scene.grant else []


def teams_of_many(scene: Scene) -> list[str]:
    """Return everybody who reads under the grants that one act has revoked."""
    revoked = {each.grant_id for each in scene.batch}
    found = [each for each in access.grants(scene.tx) if each.id in revoked]
    return list(dict.fromkeys(person for each in found for person in access.persons_of(scene.tx, each)))


def handlers(scene: Scene) -> list[str]:
    """Return who reads what readers report."""
    roles = {role for role, held in BY_ROLE.items() if Permission.OBSERVATION_HANDLE in held}
    return [each.id for each in people.persons(scene.tx).values() if each.roles & roles]


def observer(scene: Scene) -> list[str]:
    """Return who reported something; the entry does not say who that is."""
    return [scene.observation.person] if scene.observation else []


def hearers(scene: Scene) -> list[str]:
    """Return who may hear an appeal; the stewards where nobody here may, so that they find somebody."""
    return scene.able or stewards(scene)


def under_review(scene: Scene) -> list[str]:
    """Return whose application to the call is with reviewers."""
    return [each.person for each in _applications(scene) if each.state is ApplicationState.UNDER_REVIEW]


def _applications(scene: Scene) -> list[Application]:
    return admissions.applications(scene.tx, scene.said("call"))


def reviewers(scene: Scene) -> list[str]:
    """Return who has something to review in the call."""
    asked = [each for each in admissions.reviews(scene.tx, scene.said("call")) if each.state is ReviewState.ASSIGNED]
    return list(dict.fromkeys(each.reviewer for each in asked))


def sifters(scene: Scene) -> list[str]:
    """Return who has something to sift in the call; each alone is told that there is something, and not what."""
    open_ = [each for each in admissions.sifts(scene.tx, scene.said("call")) if each.submitted_at is None]
    return list(dict.fromkeys(each.reviewer for each in open_))


def reviewer(scene: Scene) -> list[str]:
    """Return whose review it is."""
    found = admissions.review(scene.tx, scene.said("review"))
    return [found.reviewer] if found else []


def desk(scene: Scene) -> list[str]:
    """Return the stewards, the panel and the reviewers: who will have work with a call."""
    wanted = {Role.STEWARD, Role.PANEL, Role.REVIEWER}
    return [each.id for each in people.persons(scene.tx).values() if each.roles & wanted]


def stewards(scene: Scene) -> list[str]:
    """Return the stewards."""
    return [each.id for each in people.persons(scene.tx).values() if Role.STEWARD in each.roles]


def readers(scene: Scene) -> list[str]:
    """Return who holds a grant that is not over."""
    return list(dict.fromkeys(each.holder for each in _living(scene)))


def readers_of_stage(scene: Scene) -> list[str]:
    """Return who holds a grant of the stage that is not over."""
    return list(dict.fromkeys(each.holder for each in _living(scene) if each.stage == scene.said("stage")))


def _living(scene: Scene) -> list[Grant]:
    found = access.grants(scene.tx)
    return [each for each in found if each.state.value != "revoked" and each.expires_at > scene.now]
