"""The reader's page: awards, terms, grants with their keys and usage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.access.model import Entitlement, Grant, Key
from readingroom.app.lending import agree, meter_of, why
from readingroom.core.refusal import Refusal, Refused
from readingroom.gateway import queries as gateway
from readingroom.gateway.model import Reading
from readingroom.strategy.model import Retention
from readingroom.web.browser import AnyRequest, Visitor, back_to, check_form, page
from readingroom.web.forms import Confirmation, Told, confirm, one_of
from readingroom.web.pages.account import Posted
from readingroom.web.plot import Plot, usage

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
    plot: Plot
    kept: Retention | None = None

    @property
    def newest(self) -> str:
        """The id of the newest key, which the form that makes one carries: sent twice, it makes one key."""
        return self.keys[-1].id if self.keys else ""

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
    return _mine(who)


def _mine(who: Visitor, made: NewKey | None = None, problems: Sequence[Told] = ()) -> Template:
    house = who.house
    terms = house.agreements.in_force()
    agreed = house.agreements.mine(who.actor)
    accepted = [each.terms_hash for each in agreed]
    return page(
        who,
        "applicant/mine.html",
        409 if problems else 200,
        applications=house.admissions.my_applications(who.actor),
        joined=house.admissions.joined(who.actor),
        calls={each.id: each for each in house.admissions.calls()},
        awards=[each for each in house.admissions.my_awards(who.actor) if each.state.value == "offered"],
        grants=[_shown(who, each) for each in house.access.my_grants(who.actor)],
        terms=terms,
        accepted=terms is not None and terms.hash in accepted,
        changes=house.agreements.changes_since(accepted[-1]) if accepted else "",
        agreed=agreed,
        made=made,
        problems=problems,
    )


def _shown(who: Visitor, grant: Grant) -> Shown:
    house = who.house
    with house.db.read() as tx:
        days = gateway.passes_by_day(tx, grant.id)
    return Shown(
        grant=grant,
        reading=meter_of(house, grant.id),
        entitlement=why(house, who.actor, grant.id),
        keys=house.access.keys(who.actor, grant.id),
        plot=usage(days, house.clock.now().date()),
        kept=house.retention(grant.stage),
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


@post("/my/terms", sync_to_thread=True)
def accept_terms(who: Visitor, data: Posted) -> Response[Any]:
    """Accept the terms by the hash of the text that was shown."""
    check_form(who, data)
    who.house.agreements.accept(who.actor, data.get("hash", ""))
    return back_to("/my")


@post("/my/grants/{grant:str}/retention", sync_to_thread=True)
def agree_to_retention(who: Visitor, grant: str, data: Posted) -> Response[Any]:
    """Agree to what the grant's stage keeps, by the digest of what was shown."""
    check_form(who, data)
    agree(who.house, who.actor, grant, data.get("digest", ""))
    return back_to("/my")


@post("/my/grants/{grant:str}/keys", status_code=200, sync_to_thread=True)
def issue_key(request: AnyRequest, who: Visitor, grant: str, data: Posted) -> Template:
    """Make a key and show it, this once; sent again, as by reloading, the form makes no second one and says so."""
    check_form(who, data)
    access, settings = who.house.access, who.house.settings
    try:
        _, secret = access.issue_key(who.actor, grant, newest=data.get("newest", ""))
    except Refused as refused:
        if refused.refusal.code != "access/key-made-already":
            raise
        return _mine(who, problems=[Told("", "", refused.refusal.reason)])
    base = (settings.public_url or str(request.base_url)).rstrip("/")
    made = NewKey(secret.reveal(), access.grant(who.actor, grant), f"{base}/v1", settings.model_name)
    return _mine(who, made)


@get("/my/keys/{key:str}/revoke", sync_to_thread=True)
def revoke_key_page(who: Visitor, key: str) -> Template:
    """Ask before a key is ended."""
    who.signed_in()
    access = who.house.access
    keys = [each for grant in access.my_grants(who.actor) for each in access.keys(who.actor, grant.id)]
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


_AWARDS = [accept, decline_page, decline, accept_terms, agree_to_retention]
router = Router("/", route_handlers=[mine, *_AWARDS, issue_key, revoke_key_page, revoke_key], include_in_schema=False)
