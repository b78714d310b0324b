"""What is held of a person: seen, taken along, and erased."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.app import erasing
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refusal, Refused
from readingroom.people.model import Basis
from readingroom.people.rules import Permission
from readingroom.web.browser import Visitor, back_to, check_form, page
from readingroom.web.forms import Confirmation, Told, confirm, told
from readingroom.web.pages.account import Posted

NAMES = {  # of tables, in the reader's words; another is shown by its own name
    "people_person": "Your account",
    "people_role": "Roles",
    "people_link": "Sign-in links",
    "people_session": "Sessions",
    "admissions_application": "Applications",
    "admissions_version": "Applications, as submitted",
    "admissions_step": "What happened to your applications",
    "admissions_attachment": "Files that you attached",
    "admissions_invitation": "Invitations, of you and by you",
    "admissions_review": "Reviews",
    "admissions_decision": "Decisions",
    "admissions_award": "Awards",
    "access_grant": "Grants",
    "access_key": "Keys",
    "access_acceptance": "Terms that you accepted",
    "gateway_usage": "Calls: how much, and when; no words",
}
_MOST = 50  # rows of a table on the page; the file has all


@get("/my/data", sync_to_thread=True)
def held(who: Visitor) -> Template:
    """Show everything held of oneself."""
    return _held(who)


def _held(who: Visitor, problems: list[Told] | None = None) -> Template:
    person = who.signed_in()
    found = who.house.held.show(who.actor, person.id)
    with who.house.db.read() as tx:
        standing = erasing.standing(who.house, tx, person.id)
    tables = [(NAMES.get(name, name), len(rows), rows[:_MOST]) for name, rows in found.items()]
    status = 400 if problems else 200
    return page(who, "held/held.html", status, tables=tables, standing=standing, problems=problems or [])


@get("/my/data.json", sync_to_thread=True)
def taken_along(who: Visitor) -> Response[bytes]:
    """Return everything held of oneself as one file."""
    found = who.house.held.show(who.actor, who.signed_in().id)
    headers = {"content-disposition": 'attachment; filename="held-of-me.json"'}
    body = msgspec.json.format(msgspec.json.encode(found))
    return Response(body, media_type="application/json", headers=headers)


@post("/my/data/erase", sync_to_thread=True)
def erase_me(who: Visitor, data: Posted) -> Response[Any] | Template:
    """Erase oneself; the session is gone with the account."""
    check_form(who, data)
    try:
        erasing.erase_self(who.house, who.actor, data.get("email", ""))
    except (BadInput, Refused) as fault:
        return _held(who, told(fault, {"email": ("email", "Your address")}))
    return back_to("/")


@get("/people/{person:str}/erase", sync_to_thread=True)
def erase_page(who: Visitor, person: str) -> Template:
    """Ask before somebody is erased."""
    who.needs(Permission.PERSON_ERASE)
    with who.house.db.read() as tx:
        standing = erasing.standing(who.house, tx, person)
    rows = who.house.held.show(who.actor, person)
    if "people_person" not in rows:
        raise Refused(Refusal("people/person-unknown", "Nobody is known here by this id."))
    asked = Confirmation(
        heading="Erase this person?",
        said=[
            "The account, applications, letters and notes are emptied, here and in backups made from now on.",
            "It cannot be undone. What was decided stays in the ledger, under a pseudonym that names nobody any more.",
            *(f"First: {each}." for each in standing),
        ],
        facts=[(NAMES.get(name, name), f"{len(each):,}") for name, each in rows.items()],
        action=f"/people/{person}/erase",
        acts=[(each.value, f"Erase: {words}") for each, words in _WORDS.items()],
        back="/people",
    )
    return confirm(who, asked)


_WORDS = {
    Basis.REQUEST: "the person asked",
    Basis.RETENTION_OVER: "nothing needs the data any more",
    Basis.ORDER: "a court or an authority says so",
}


@post("/people/{person:str}/erase", sync_to_thread=True)
def erase(who: Visitor, person: str, data: Posted) -> Response[Any]:
    """Erase somebody."""
    check_form(who, data)
    who.needs(Permission.PERSON_ERASE)
    chosen = next((each for each in Basis if each.value == data.get("do")), Basis.REQUEST)
    erasing.erase(who.house, who.actor, person, chosen)
    return back_to("/people")


router = Router("/", route_handlers=[held, taken_along, erase_me, erase_page, erase], include_in_schema=False)
