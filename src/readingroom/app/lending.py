"""What needs more than one room at once about grants: issuing one outright, explaining one, reading its meter."""

from __future__ import annotations

from dataclasses import replace

from readingroom.access import queries as access
from readingroom.access.keys import Secret
from readingroom.access.model import Award, Entitlement, Grant, Key, Left, Need
from readingroom.access.rules import entitled
from readingroom.app.house import House
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import needed_problem
from readingroom.gateway import queries as gateway
from readingroom.gateway.model import Amount, Limits, Reading
from readingroom.people import queries as people
from readingroom.people.model import Actor, Person
from readingroom.people.rules import Permission, check
from readingroom.releases import queries as releases
from readingroom.strategy.model import Channel, StageFact


def issue_discretionary(
    house: House, by: Actor, email: str, award: Award, *, accept_terms: bool
) -> tuple[Grant, Key, Secret]:
    """Issue a grant outside a call, with a key, in one transaction; the person is added if need be."""
    require(check(by, Permission.GRANT_ISSUE))
    if problem := needed_problem("reason", award.purpose, "Say why it is issued outside a call: it is on record"):
        raise BadInput([problem])
    now = house.clock.now()
    with house.db.decide() as tx:
        person = house.people.ensure_within(tx, by.id, email)
        stage = _stage(releases.stage_facts(tx, now), award.stage)
        named = replace(award, holder=person.id, stage=stage.name)
        grant = house.access.issue_within(tx, by, named, stage)
        if accept_terms:
            signed_in = people.has_signed_in(tx, person.id)
            require(None if house.settings.dev else _check_service_account(person, signed_in=signed_in))
            house.agreements.accept_for_within(tx, by, person.id)
            if stage.retention is not None:
                house.access.agree_within(tx, by, grant.id, stage)
        key, secret = house.access.issue_key_within(tx, by, grant.id)
    return grant, key, secret


def agree(house: House, by: Actor, grant_id: str, shown: str) -> Grant:
    """Agree to what a grant's stage keeps of prompts and answers, by the digest that its holder was shown."""
    with house.db.decide() as tx:
        grant = access.grant(tx, grant_id)
        stage = releases.stage_fact(tx, grant.stage, house.clock.now()) if grant else None
        return house.access.agree_within(tx, by, grant_id, stage, shown or "nothing")


def _check_service_account(person: Person, *, signed_in: bool) -> Refusal | None:
    """Refuse to accept terms in the name of somebody who can do so: only who acts for no one but a program cannot."""
    if not (person.roles or signed_in):
        return None
    reason = f"{person.email} is a person, who accepts the terms in person; leave out --accept-terms."
    return Refusal("access/not-a-service-account", reason)


def _stage(stages: list[StageFact], name: str) -> StageFact:
    """Find the stage that is meant: the one named, or the only one with an API."""
    lent = [each for each in stages if each.channel is Channel.API and name in ("", each.name)]
    if name == "" and len(lent) > 1:
        lent = [each for each in lent if each.open] or lent
    if len(lent) == 1:
        return lent[0]
    known = ", ".join(each.name for each in stages if each.channel is Channel.API) or "none; adopt a plan first"
    raise Refused(Refusal("access/no-such-stage", f"Name the stage with --stage. API stages of the plan: {known}."))


def why(house: House, by: Actor, grant_id: str) -> Entitlement:
    """Say fact by fact whether a member's calls are served now: the gateway's own function (promise 7).

    The facts are the asking member's own; to the lab, they are the holder's.
    """
    grant = house.access.grant(by, grant_id)
    now = house.clock.now()
    with house.db.read() as tx:
        member = by.id if by.id in access.persons_of(tx, grant) else ""
        facts, stage = access.facts_for_grant(tx, grant_id, member), releases.stage_fact(tx, grant.stage, now)
        reading = gateway.reading(tx, grant_id)
    return entitled(facts, stage, now, Need(), Left(**reading.unused()) if reading else None)


def meter_of(house: House, grant_id: str) -> Reading:
    """Return a grant's meter; one that is missing reads as nothing allowed, since nothing could be reserved."""
    with house.db.read() as tx:
        return gateway.reading(tx, grant_id) or Reading(Limits(0, 0, 0), Amount(), Amount())
