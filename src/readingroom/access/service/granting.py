"""Issuing grants, agreeing to what is kept, and reading them."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from readingroom.access import queries
from readingroom.access.model import Award, Grant, GrantState, Key
from readingroom.access.rules import check_agreement, check_award
from readingroom.access.service.base import Base, found_grant
from readingroom.access.tables import grant as grant_table
from readingroom.access.tables import member as member_table
from readingroom.core.ids import new_id
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may
from readingroom.strategy.model import StageFact


class Granting(Base):
    """Grants as such."""

    def issue(self, by: Actor, award: Award, stage: StageFact | None) -> Grant:
        """Issue a grant at the lab's discretion, on record as such."""
        with self._db.decide() as tx:
            return self.issue_within(tx, by, award, stage)

    def issue_within(self, tx: Connection, by: Actor, award: Award, stage: StageFact | None) -> Grant:
        """Issue a grant in a transaction that is open; from an award, whoever accepted it is the actor."""
        if award.award_id is None:
            require(check(people.actor_now(tx, by), Permission.GRANT_ISSUE))
        now = self._clock.now()
        require(check_award(award, stage, queries.barred_until(tx, award.holder), now))
        grant_id = new_id("grant")
        values = {
            "id": grant_id,
            "holder": award.holder,
            "stage": award.stage,
            "tier": award.tier,
            "state": GrantState.ACTIVE.value,
            **award.allocation.to_json(),
            "issued_at": now,
            "expires_at": award.expires_at,
            "issued_by": award.decided_by or by.id,
            "award_id": award.award_id,
            "purpose": award.purpose,
            "changed_at": now,
            "dev": self._dev,
            "title": award.title,
            "machines": "\n".join(award.machines) or None,
        }
        tx.execute(grant_table.insert().values(values))
        for person in sorted(set(award.members) - {award.holder}):  # who said yes in the application is of it at once
            joined = {"invited_by": award.holder, "invited_at": now, "joined_at": now}
            tx.execute(member_table.insert().values(grant_id=grant_id, person=person, **joined))
        data = {
            "grant": grant_id,
            "stage": award.stage,
            "tier": award.tier,
            "allocation": award.allocation.to_json(),
            "award": award.award_id,
            "discretionary": award.award_id is None,
            "dev": self._dev,
            "person": award.holder,
            **({"members": sorted(set(award.members) - {award.holder})} if award.members else {}),
        }
        self._say(tx, by, "access.grant.issued", data)
        return found_grant(tx, grant_id)

    def agree_within(self, tx: Connection, by: Actor, grant_id: str, stage: StageFact | None, shown: str = "") -> Grant:
        """Agree, as a member of a grant's project, to what its stage keeps of prompts and answers.

        Each member agrees for their own texts, by the digest that was shown. Without `shown`, on a service account's
        behalf, by who may issue grants; recorded as such.
        """
        grant, member = found_grant(tx, grant_id), queries.member(tx, grant_id, by.id)
        holds = not shown or by.id == grant.holder
        if not shown:
            require(check(people.actor_now(tx, by), Permission.GRANT_ISSUE))
        elif not holds and (member is None or not member.belongs):
            raise Refused(Refusal("access/no-such-grant", f"You hold no grant {grant_id!r}."))
        asked = stage.retention if stage else None
        if asked is None or shown:
            require(check_agreement(stage, shown))
        agreed = grant.retention if holds or member is None else member.retention
        if asked is not None and agreed != asked.digest:
            which = (member_table.c.grant_id == grant_id) & (member_table.c.person == by.id)
            mine = member_table.update().where(which)
            whole = grant_table.update().where(grant_table.c.id == grant_id)
            tx.execute((whole if holds else mine).values(retention=asked.digest))
            data = {"grant": grant_id, "retention": asked.digest, "days": asked.days, "on_behalf": not shown}
            self._say(tx, by, "access.retention.agreed", data)
        return found_grant(tx, grant_id)

    def grant(self, by: Actor, grant_id: str) -> Grant:
        """Return a grant to the members of its project, or to who may read grants."""
        with self._db.read() as tx:
            grant = found_grant(tx, grant_id)
            belongs = by.id in queries.persons_of(tx, grant)
        if not belongs:
            require(check(by, Permission.GRANT_READ))
        return grant

    def grants(self, by: Actor) -> list[Grant]:
        """Return all grants."""
        require(check(by, Permission.GRANT_READ))
        with self._db.read() as tx:
            return queries.grants(tx)

    def grants_page(
        self, by: Actor, state: GrantState | None, limit: int, offset: int = 0
    ) -> tuple[list[Grant], dict[GrantState, int]]:
        """Return a page of all grants, or of those in one state; and how many are in each."""
        require(check(by, Permission.GRANT_READ))
        with self._db.read() as tx:
            return queries.grants_page(tx, state, limit, offset), queries.grant_counts(tx)

    def my_grants(self, by: Actor) -> list[Grant]:
        """Return the grants whose project the actor is of, as holder or member."""
        with self._db.read() as tx:
            return queries.grants_with(tx, by.id)

    def keys(self, by: Actor, grant_id: str) -> list[Key]:
        """Return the keys of a grant, without their secrets: all to its holder and the lab, their own to a member."""
        grant = self.grant(by, grant_id)
        with self._db.read() as tx:
            found = queries.keys(tx, grant_id)
        whole = by.id == grant.holder or may(by, Permission.GRANT_READ)
        return [each for each in found if whole or each.person == by.id]
