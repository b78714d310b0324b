"""One's own account: ways to sign in, what is known of oneself, sessions, and making two accounts one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Router, get, post
from msgspec import Meta

from readingroom.api.control.who import bearer
from readingroom.app.house import House
from readingroom.app.views import fact_json, identity_json
from readingroom.people.model import Actor, Claim, FactKind

Line = Annotated[str, Meta(max_length=200)]


class FactSaid(msgspec.Struct, forbid_unknown_fields=True):
    """An affiliation or a credential: its kind, the institution or issuer, and until when it is valid."""

    kind: FactKind
    body: Line
    until: Annotated[datetime, Meta(tz=True)] | None = None

    def claim(self) -> Claim:
        """Return it in the house's own terms."""
        return Claim(self.kind, self.body, self.until)


class WayIn(msgspec.Struct, forbid_unknown_fields=True):
    """One way to sign in, as the account lists it."""

    issuer: Line
    subject: Annotated[str, Meta(max_length=255)]


class Address(msgspec.Struct, forbid_unknown_fields=True):
    """An e-mail address."""

    email: Annotated[str, Meta(max_length=254)]


class LetterLink(msgspec.Struct, forbid_unknown_fields=True):
    """The secret of the link in a letter."""

    link: Annotated[str, Meta(max_length=200)]


class OtherSession(msgspec.Struct, forbid_unknown_fields=True):
    """A session of one's other account: having both is what proves both."""

    other: Annotated[str, Meta(max_length=200)]


@get("/me/account", sync_to_thread=True, summary="My account")
def account(house: House, actor: Actor) -> dict[str, Any]:
    """Return one's ways to sign in, what is known of oneself with whether it holds now, and one's sessions."""
    now = house.clock.now()
    return {
        "person": actor.id,
        "identities": [identity_json(each) for each in house.people.my_identities(actor)],
        "facts": [fact_json(each, now) for each in house.people.my_facts(actor)],
        "sessions": [
            {"since": each.created_at, "until": each.expires_at, "issuer": each.issuer}
            for each in house.people.my_sessions(actor)
        ],
    }


@post("/me/addresses", status_code=202, sync_to_thread=True, summary="Ask for a letter to another address")
def ask_address(data: Address, house: House, actor: Actor) -> dict[str, Any]:
    """Send a letter; its link adds the address. The answer is the same whosever the address is."""
    house.ask_address(actor, data.email)
    return {"sent": True}


@post("/me/addresses/add", status_code=200, sync_to_thread=True, summary="Add the address that received a letter")
def add_address(data: LetterLink, house: House, actor: Actor) -> dict[str, Any]:
    """Add an address to the account that asked for the letter."""
    return identity_json(house.people.add_address(actor, data.link))


@post("/me/addresses/choose", status_code=200, sync_to_thread=True, summary="Where letters go")
def choose_address(data: Address, house: House, actor: Actor) -> dict[str, Any]:
    """Let letters go to another of one's addresses."""
    return {"email": house.people.choose_address(actor, data.email).email}


@post("/me/identities/remove", status_code=200, sync_to_thread=True, summary="Take a way to sign in off my account")
def remove(data: WayIn, house: House, actor: Actor) -> dict[str, Any]:
    """Take it off; it stays known as one's own, so that nobody begins a second account with it."""
    house.people.remove_identity(actor, data.issuer, data.subject)
    return {"removed": True}


@post("/me/facts", sync_to_thread=True, summary="Say something of myself that a steward may confirm")
def claim(data: FactSaid, house: House, actor: Actor) -> dict[str, Any]:
    """Add an affiliation or credential; it holds for nothing until a steward has confirmed it."""
    return fact_json(house.people.claim_fact(actor, data.claim()), house.clock.now())


@post("/me/sign-out", status_code=200, sync_to_thread=True, summary="Sign out everywhere")
def sign_out(house: House, actor: Actor) -> dict[str, Any]:
    """End every session, in every browser, terminal and program: this one too."""
    return {"ended": house.people.sign_out_everywhere(actor)}


@post("/me/merge", status_code=200, sync_to_thread=True, summary="Make my two accounts one, for good")
def merge(data: OtherSession, request: Request[Any, Any, Any], house: House, actor: Actor) -> dict[str, Any]:  # noqa: ARG001
    """Merge two accounts, by a live session of each. All sessions of both end; a new one comes back."""
    person, session = house.people.merge_own(bearer(request), data.other)
    return {"person": person.id, "session": session}


_ADDRESSES = [ask_address, add_address, choose_address]
router = Router("/", route_handlers=[account, *_ADDRESSES, remove, claim, sign_out, merge], tags=["people"])
