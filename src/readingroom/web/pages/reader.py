"""The reader's page: awards, terms, notices, projects with their members, keys and usage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.access import queries as access
from readingroom.access.clauses import parse_stored
from readingroom.access.model import Entitlement, Grant, Key
from readingroom.access.sanctions import RULES, notices
from readingroom.app.lending import meter_of, why
from readingroom.app.projects import Shown as Member
from readingroom.app.projects import team
from readingroom.core.refusal import Refusal, Refused
from readingroom.gateway import queries as gateway
from readingroom.gateway.model import Reading
from readingroom.strategy.model import Retention
from readingroom.web.browser import AnyRequest, Visitor, back_to, check_form, page
from readingroom.web.forms import Confirmation, Told, confirm, one_of
from readingroom.web.pages.account import Posted
from readingroom.web.plot import Plot, usage
from readingroom.web.waits import waits

PAUSED = {  # how a refusal stands on the reader's own page; its code stands beside it in small print
    "access/grant-revoked": ("revoked", "revoked"),
    "access/grant-suspended": ("suspended", "suspended"),
    "access/grant-expired": ("bad", "ended"),
    "access/terms-not-accepted": ("bad", "paused: waits for your agreement"),
    "releases/stage-not-open": ("bad", "paused: the stage is not open"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A grant with all that its page shows."""

    grant: Grant
    reading: Reading
    entitlement: Entitlement
    keys: list[Key]
    team: list[Member]
    me: str
    plot: Plot
    kept: Retention | None = None
    agreed: bool = False

    @property
    def holds(self) -> bool:
        """Whether whoever looks answers for the project."""
        return self.grant.holder == self.me

    @property
    def names(self) -> dict[str, str]:
        """The members' names, by person."""
        return {each.person: each.name for each in self.team}

    @property
    def newest(self) -> str:
        """The id of one's newest key, which the form that makes one carries: sent twice, it makes one key."""
        return next((each.id for each in reversed(self.keys) if each.person == self.me), "")

    @property
    def badge(self) -> tuple[str, str]:
        """How the grant stands: the badge's kind and its word."""
        refusal = self.entitlement.refusal
        return ("open", "works now") if refusal is None else PAUSED.get(refusal.code, ("bad", "paused"))


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key in the one moment in which it is shown."""

    secret: str
    grant: Grant
    base_url: str
    model: str


@get("/my", sync_to_thread=True)
def mine(who: Visitor) -> Template:
    """Show one's applications, awards, agreements and grants."""
    who.signed_in()
    return my_reading(who)


def my_reading(
    who: Visitor, made: NewKey | None = None, problems: Sequence[Told] = (), typed: Mapping[str, str] | None = None
) -> Template:
    """Show one's own page, with what was typed and what is wrong with it."""
    house = who.house
    terms, sanctions = house.agreements.in_force(), house.access.my_sanctions(who.actor)
    agreed = house.agreements.mine(who.actor)
    grants = [_shown(who, each) for each in house.access.my_grants(who.actor)]
    stopped = [each.entitlement.refusal.code for each in grants if each.entitlement.refusal]
    accepted = [each.terms_hash for each in agreed]
    return page(
        who,
        "applicant/mine.html",
        409 if problems else 200,
        applications=house.admissions.my_applications(who.actor),
        joined=house.admissions.joined(who.actor),
        calls={each.id: each for each in house.admissions.calls()},
        awards=[each for each in house.admissions.my_awards(who.actor) if each.state.value == "offered"],
        grants=grants,
        paused="access/terms-not-accepted" in stopped,
        terms=terms,
        accepted=terms is not None and terms.hash in accepted,
        read=parse_stored(terms.text) if terms else None,
        changes=house.agreements.compared(accepted[-1]) if accepted else [],
        agreed=agreed,
        waits=waits(who),
        notices=notices(sanctions),
        earlier=[each for each in sanctions if each.acknowledged_at is not None],
        invitations=house.access.invitations(who.actor),
        left=house.access.left(who.actor),
        rules=RULES,
        now=house.clock.now(),
        made=made,
        problems=problems,
        typed=typed or {},
    )


def _shown(who: Visitor, grant: Grant) -> Shown:
    house = who.house
    asked = house.retention(grant.stage)
    with house.db.read() as tx:
        days = gateway.passes_by_day(tx, grant.id)
        facts = access.facts_for_grant(tx, grant.id, who.actor.id)
    return Shown(
        grant=grant,
        reading=meter_of(house, grant.id),
        entitlement=why(house, who.actor, grant.id),
        keys=house.access.keys(who.actor, grant.id),
        team=team(house, who.actor, grant),
        me=who.actor.id,
        plot=usage(days, house.clock.now().date()),
        kept=asked,
        agreed=asked is not None and facts is not None and facts.agreed == asked.digest,
    )


@post("/awards/{award:str}/accept", sync_to_thread=True)
def accept(who: Visitor, award: str, data: Posted) -> Response[Any]:
    """Accept an award; the grant is there at once."""
    check_form(who, data)
    who.house.admissions.accept_award(who.actor, award)
    return back_to("/my")


@get("/awards/{award:str}/decline", sync_to_thread=True)
def decline_page(who: Visitor, award: str) -> Template:
    """Ask before an award is declined."""
    who.signed_in()
    mine = who.house.admissions.my_awards(who.actor)
    offered = one_of(mine, award, Refusal("admissions/award-unknown", "You have no award by this id."))
    asked = Confirmation(
        heading="Decline this award?",
        said=["Its passes go back to the call, and you cannot take it up again."],
        action=f"/awards/{award}/decline",
        acts=[("decline", f"Decline {offered.amounts.passes:,} passes in {offered.stage}")],
        back="/my",
    )
    return confirm(who, asked)


@post("/awards/{award:str}/decline", sync_to_thread=True)
def decline(who: Visitor, award: str, data: Posted) -> Response[Any]:
    """Decline an award."""
    check_form(who, data)
    who.house.admissions.decline_award(who.actor, award)
    return back_to("/my")


@post("/my/grants/{grant:str}/keys", status_code=200, sync_to_thread=True)
def issue_key(request: AnyRequest, who: Visitor, grant: str, data: Posted) -> Template:
    """Make a key and show it, this once; sent again, as by reloading, the form makes no second one and says so."""
    check_form(who, data)
    rooms, settings = who.house.access, who.house.settings
    try:
        _, secret = rooms.issue_key(who.actor, grant, newest=data.get("newest", ""))
    except Refused as refused:
        if refused.refusal.code != "access/key-made-already":
            raise
        return my_reading(who, problems=[Told("", "", refused.refusal.reason)])
    base = (settings.public_url or str(request.base_url)).rstrip("/")
    made = NewKey(secret.reveal(), rooms.grant(who.actor, grant), f"{base}/v1", settings.model_name)
    return my_reading(who, made)


@get("/my/keys/{key:str}/revoke", sync_to_thread=True)
def revoke_key_page(who: Visitor, key: str) -> Template:
    """Ask before a key is ended."""
    who.signed_in()
    rooms = who.house.access
    keys = [
        each
        for grant in rooms.my_grants(who.actor)
        for each in rooms.keys(who.actor, grant.id)
        if who.actor.id in {each.person, grant.holder}
    ]
    ended = one_of(keys, key, Refusal("access/no-such-key", "You have no key by this id."))
    asked = Confirmation(
        heading="Revoke this key?",
        said=["It is refused from then on, and answers that are flowing to it stop. The grant stays; make a new key."],
        action=f"/my/keys/{key}/revoke",
        acts=[("revoke", f"Revoke the key {ended.hint}…")],
        back="/my",
    )
    return confirm(who, asked)


@post("/my/keys/{key:str}/revoke", sync_to_thread=True)
def revoke_key(who: Visitor, key: str, data: Posted) -> Response[Any]:
    """End a key at once."""
    check_form(who, data)
    who.house.access.revoke_key(who.actor, key)
    return back_to("/my")


_AWARDS = [accept, decline_page, decline]
router = Router("/", route_handlers=[mine, *_AWARDS, issue_key, revoke_key_page, revoke_key], include_in_schema=False)
