"""A grant is of a project: its members by name, what each used, and how it is shown with its sanctions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from readingroom.access import queries as access
from readingroom.access.model import Grant, Member, Sanction
from readingroom.app.house import House
from readingroom.app.views import grant_json
from readingroom.core.clock import rfc3339
from readingroom.gateway import queries as gateway
from readingroom.people import queries as people
from readingroom.people.model import Actor, Person
from readingroom.people.rules import Permission, may


@dataclass(frozen=True, slots=True)
class Used:
    """What one member used: passes, and calls that made any."""

    passes: int = 0
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A person of a project as its page shows them.

    Attributes:
        state: `holder`, `member` or `invited`.
        used: None where whoever looks may not see it: members see their own.
    """

    person: str
    name: str
    state: str
    used: Used | None
    since: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        used = {"passes": self.used.passes, "calls": self.used.calls} if self.used else None
        return {"person": self.person, "name": self.name, "state": self.state, "since": self.since, "used": used}


def invite(house: House, by: Actor, grant_id: str, email: str) -> Member:
    """Invite somebody by address to a grant's project; the answer is the same whether or not they are known here."""
    with house.db.decide() as tx:
        grant = access.grant(tx, grant_id)
        if grant is None or grant.holder != by.id:
            house.access.may_invite(tx, by)  # before anybody is looked up by name
        person = people.by_email(tx, email) or house.people.ensure_within(tx, by.id, email)
        return house.access.invite_within(tx, by, grant_id, person.id)


def team(house: House, by: Actor, grant: Grant) -> list[Shown]:
    """Return the persons of a project: to its holder and the lab with what each used, to a member with their own."""
    members = house.access.members(by, grant.id)
    with house.db.read() as tx:
        known = {each: people.by_id(tx, each) for each in (grant.holder, *(each.person for each in members))}
        whose = {key.id: key.person for key in access.keys(tx, grant.id)}
        counts = gateway.used_by_key(tx, grant.id)
    used: dict[str, Used] = {}
    for key, (passes, calls) in counts.items():
        person = whose.get(key, grant.holder)  # before keys were kept beside calls, a holder's alone were there
        before = used.get(person, Used())
        used[person] = Used(before.passes + passes, before.calls + calls)
    whole = by.id == grant.holder or may(by, Permission.GRANT_READ)

    def shown(person: str, state: str, since: str) -> Shown:
        found = used.get(person, Used()) if whole or person == by.id else None
        return Shown(person, _name(known[person], person), state, found, since)

    rows = [shown(grant.holder, "holder", rfc3339(grant.issued_at))]
    for each in members:
        state, at = ("member", each.joined_at) if each.joined_at else ("invited", each.invited_at)
        rows.append(shown(each.person, state, rfc3339(at)))
    return rows


def project_json(house: House, by: Actor, grant: Grant) -> dict[str, Any]:
    """Return a grant as `grant show` does: with its project, its members and its sanctions."""
    inside, now = may(by, Permission.GRANT_READ), house.clock.now()
    mine = house.access.sanctions(by, grant.id) if inside else house.access.my_sanctions(by)
    sanctions = [each for each in mine if each.grant_id in {grant.id, None}]
    return {
        **grant_json(house, grant),
        "project": {"title": grant.title, "purpose": grant.purpose, "machines": list(grant.machines)},
        "members": [each.to_json() for each in team(house, by, grant)],
        "sanctions": [each.to_json(now, inside=inside) for each in sanctions],
    }


def sanction_json(house: House, by: Actor, sanction: Sanction) -> dict[str, Any]:
    """Return a sanction, with when it was decided and when the first call was refused for it."""
    shown = sanction.to_json(house.clock.now(), inside=may(by, Permission.GRANT_READ))
    return {**shown, "felt": felt(house, sanction)}


def felt(house: House, sanction: Sanction) -> dict[str, Any] | None:
    """Return when the first call was refused for a sanction, with its code, and how long after it began, in ms."""
    with house.db.read() as tx:
        found = gateway.first_refusals(tx, [sanction.id]).get(sanction.id)
    if found is None:
        return None
    at, code = found
    after = round((at - sanction.begins_at).total_seconds() * 1000)
    return {"first_refused_at": rfc3339(at), "code": code, "after_ms": after}


def _name(person: Person | None, known_as: str) -> str:
    return (person.name or person.email) if person else known_as
