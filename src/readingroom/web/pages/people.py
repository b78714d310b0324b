"""Who may act: persons with their roles, who is barred from reading, and what is known of them: `knowledge.py`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from litestar import Response, Router, get, post
from litestar.params import QueryParameter
from litestar.response import Template

from readingroom.access import queries as access
from readingroom.access.model import Reason
from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refusal, Refused
from readingroom.people import queries as known_of
from readingroom.people.model import MAIL, Person, Role
from readingroom.people.rules import Permission, standing
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Confirmation, Told, confirm, last_moment, told
from readingroom.web.listing import PAGE, From
from readingroom.web.pages.account import LABELS, Posted
from readingroom.web.pages.my_account import KINDS

ROLES = {
    Role.STEWARD: "runs the release: plan, stages, calls, grants and persons",
    Role.TESTER: "registers models and runs stress tests",
    Role.REVIEWER: "scores applications, without names",
    Role.PANEL: "reads applications, decides and publishes",
    Role.SAFETY: "suspends, revokes and bars",
    Role.AUDITOR: "reads what is decided, and decides nothing",
}
Acting = Annotated[int, QueryParameter(name="acts", ge=0, le=10_000_000)]
_BAR = {"until": ("until", "Last day of the bar"), "reason": ("reason", "Reason"), "note": ("note", "Note")}


@get("/people", sync_to_thread=True)
def people(who: Visitor, find: str = "", begin: From = 0, acts: Acting = 0) -> Template:
    """Show everyone, or whom one looks for, a page at a time; those who may act first."""
    return _people(who, {}, [], Looked(find.strip()[:200], acts, begin))


@dataclass(frozen=True, slots=True)
class Looked:
    """Which page of the people is looked at: by what text, from which of those who may act, and of the others."""

    find: str = ""
    acts: int = 0
    at: int = 0


def _people(who: Visitor, typed: Form, problems: Collection[Told], looked: Looked | None = None) -> Template:
    who.needs(Permission.PERSON_MANAGE)
    looked = looked or Looked()
    listed = partial(who.house.people.listed, who.actor, looked.find, limit=PAGE)
    acting, all_acting = listed(acting=True, offset=looked.acts)
    others, all_others = listed(acting=False, offset=looked.at)
    return page(
        who,
        "people/people.html",
        400 if problems else 200,
        looked=looked,
        size=PAGE,
        acting=acting,
        all_acting=all_acting,
        others=others,
        all_others=all_others,
        roles=ROLES,
        typed=typed,
        problems=problems,
    )


@post("/people", sync_to_thread=True)
def add(who: Visitor, data: Posted) -> Response[Any] | Template:
    """Add a person with roles."""
    check_form(who, data)
    roles = [each for each in Role if data.get(f"role-{each.value}")]
    try:
        made = who.house.people.add(
            who.actor, data.get("email", ""), name=data.get("name", ""), affiliation=data.get("affiliation", ""),
            roles=roles,
        )  # fmt: skip
    except BadInput as bad:
        return _people(who, data, told(bad, LABELS))
    return back_to(f"/people/{made.id}")


def the_person(who: Visitor, person: str) -> Person:
    """Find a person for who may manage persons."""
    who.needs(Permission.PERSON_MANAGE)
    with who.house.db.read() as tx:
        found = known_of.by_id(tx, person)
    if found is None:
        raise Refused(Refusal("people/person-unknown", "There is no person by this id."))
    return found


@get("/people/{person:str}", sync_to_thread=True)
def show(who: Visitor, person: str) -> Template:
    """Show a person, with what can be given, taken or barred."""
    return show_person(who, person, {}, [])


def show_person(who: Visitor, person: str, typed: Form, problems: Collection[Told]) -> Template:
    """Return the page of a person, with what was typed and what was wrong with it."""
    found, now = the_person(who, person), who.house.clock.now()
    with who.house.db.read() as tx:
        until = access.barred_until(tx, found.id)
        identities = known_of.identities(tx, found.id)
    facts = who.house.people.facts_of(who.actor, found.id)
    return page(
        who,
        "people/person.html",
        400 if problems else 200,
        shown=found,
        identities=identities,
        label=who.house.sign_in.label,
        MAIL=MAIL,
        facts=[(each, standing(each, now)) for each in facts],
        kinds=KINDS,
        roles=ROLES,
        barred=until if until and until > now else None,
        reasons=[each.value for each in Reason],
        typed=typed,
        problems=problems,
    )


@post("/people/{person:str}/roles/{role:str}", sync_to_thread=True)
def change(who: Visitor, person: str, role: str, data: Posted) -> Response[Any]:
    """Give or take one role."""
    check_form(who, data)
    found = the_person(who, person)
    if role not in set(Role) or data.get("do") not in {"give", "take"}:
        raise BadInput([Problem("do", "is nothing that can be done here", "Give or take a role of the list")])
    who.house.people.change_role(who.actor, found.email, Role(role), add=data["do"] == "give")
    gone = found.id == who.actor.id and role == Role.STEWARD  # whoever gave up the role may not see the page any more
    return back_to("/" if gone else f"/people/{person}")


@get("/people/{person:str}/steward", sync_to_thread=True)
def steward_page(who: Visitor, person: str) -> Template:
    """Ask before somebody is no longer a steward."""
    found = the_person(who, person)
    stewards = [each for each in who.house.people.everyone(who.actor) if Role.STEWARD in each.roles]
    last = ["Nobody else is one: only the operator at the house's terminal can then make another."]
    asked = Confirmation(
        heading=f"Take the role of steward from {found.name}?",
        said=[
            "It takes effect at once, also for what is signed or decided this moment.",
            *(last * (stewards == [found])),
        ],
        action=f"/people/{person}/roles/steward",
        acts=[("take", f"Take it from {found.name}")],
        back=f"/people/{person}",
        facts=[("Name", found.name), ("Address", found.email)],
    )
    return confirm(who, asked)


@post("/people/{person:str}/bar", sync_to_thread=True)
def bar(who: Visitor, person: str, data: Posted) -> Response[Any] | Template:
    """Bar a person from all reading."""
    check_form(who, data)
    barred = the_person(who, person).id
    try:
        until = last_moment(data.get("until", ""), "until")
        who.house.access.bar(who.actor, barred, until, _reason(data), data.get("note", ""))
    except (BadInput, Refused) as fault:
        return show_person(who, person, data, told(fault, _BAR))
    return back_to(f"/people/{person}")


def _reason(data: Form) -> Reason:
    if (chosen := data.get("reason", "")) not in set(Reason):
        raise BadInput([Problem("reason", "must be chosen", "It is on record")])
    return Reason(chosen)


router = Router("/", route_handlers=[people, add, show, change, steward_page, bar], include_in_schema=False)
