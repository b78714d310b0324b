"""Sanctions: the steward's page of a grant, one sanction with when it was first felt, and revoking many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.access.many import By, Shown
from readingroom.access.model import Kind, Lifting, Reason, Sanction
from readingroom.access.sanctions import RULES, Wanted, check_lifting, may_lift
from readingroom.app.many import chosen, look
from readingroom.app.projects import felt, team
from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refused
from readingroom.people import queries as people
from readingroom.people.rules import Permission
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Confirmation, Told, confirm, last_moment, told
from readingroom.web.pages.account import Posted
from readingroom.web.words import SANCTIONS, words

_FIELDS = {"kind": "Sanction", "person": "Of", "reason": "Reason", "notice": "Notice", "note": "Note",
           "until": "Last day", "cure_by": "Time to cure until", "per_minute": "Requests a minute",
           "evidence": "Evidence"}  # fmt: skip
_LABELS = {name: (name, label) for name, label in _FIELDS.items()}
_DIGITS = 5  # of a number that is typed
_REASONS = [each.value for each in Reason]


@get("/steward/grants/{grant:str}", sync_to_thread=True)
def project(who: Visitor, grant: str) -> Template:
    """Show a grant's project: its members, their usage, its sanctions."""
    return _project(who, grant, {}, [])


def _project(who: Visitor, grant_id: str, typed: Form, problems: Sequence[Told]) -> Template:
    who.needs(Permission.GRANT_READ)
    house = who.house
    grant = house.access.grant(who.actor, grant_id)
    members = team(house, who.actor, grant)
    return page(
        who,
        "access/project.html",
        400 if problems else 200,
        grant=grant,
        team=members,
        names={each.person: each.name for each in members},
        sanctions=house.access.sanctions(who.actor, grant_id),
        kinds=[rule for rule in RULES.values() if who.may(rule.permission)],
        reasons=_REASONS,
        now=house.clock.now(),
        typed=typed,
        problems=problems,
    )


@post("/steward/grants/{grant:str}/impose", sync_to_thread=True)
def impose(who: Visitor, grant: str, data: Posted) -> Response[Any] | Template:
    """Impose a sanction on a project or a member of it."""
    check_form(who, data)
    try:
        made = who.house.access.impose(who.actor, _wanted(grant, data))
    except (BadInput, Refused) as fault:
        who.needs(Permission.GRANT_WARN)
        return _project(who, grant, data, told(fault, _LABELS))
    return back_to(f"/steward/sanctions/{made.id}")


def _wanted(grant: str, data: Form) -> Wanted:
    kind, reason = _one(Kind, data, "kind"), _one(Reason, data, "reason")
    if not (person := data.get("person", "")):
        raise BadInput([Problem("person", "somebody must be chosen", "Choose a member, or the whole project")])
    per_minute = data.get("per_minute", "").strip()
    if per_minute and not (per_minute.isascii() and per_minute.isdigit() and len(per_minute) <= _DIGITS):
        raise BadInput([Problem("per_minute", "must be a whole number", "Write it as 6")])
    return Wanted(
        kind,
        reason,
        grant_id=None if kind is Kind.BAR and person != "all" else grant,
        person=None if person == "all" else person,
        note=data.get("note", ""),
        notice=data.get("notice", ""),
        until=_day(data, "until"),
        cure_by=_day(data, "cure_by"),
        per_minute=int(per_minute) if per_minute else None,
        evidence=data.get("evidence", "").strip(),
    )


def _one(kind: type[Any], data: Form, field: str) -> Any:  # noqa: ANN401 - a member of the enumeration
    known = [each.value for each in kind]
    if (given := data.get(field, "")) not in known:
        raise BadInput([Problem(field, f"a {field} is needed", f"Choose one of: {', '.join(known)}")])
    return kind(given)


def _day(data: Form, field: str) -> datetime | None:
    return last_moment(data[field], field) if data.get(field, "").strip() else None


@get("/steward/sanctions/{sanction:str}", sync_to_thread=True)
def sanction(who: Visitor, sanction: str) -> Template:
    """Show a sanction to the lab."""
    who.needs(Permission.GRANT_READ)
    found = who.house.access.sanction(who.actor, sanction)
    return show_sanction(who, sanction, back=f"/steward/grants/{found.grant_id}" if found.grant_id else "/steward")


def show_sanction(
    who: Visitor, sanction_id: str, *, back: str, problems: Sequence[Told] = (), typed: Form | None = None
) -> Template:
    """Show a sanction, with when it was decided and when the first call was refused for it."""
    house = who.house
    found, now = house.access.sanction(who.actor, sanction_id), house.clock.now()
    first = felt(house, found)
    mine = found in house.access.my_sanctions(who.actor)
    return page(
        who,
        "access/sanction.html",
        400 if problems else 200,
        sanction=found,
        rule=RULES[found.kind],
        whom=_whom(who, found, mine=mine),
        felt={**first, "at": first["first_refused_at"]} if first else None,
        stops=found.kind is not Kind.WARN,
        inside=who.may(Permission.GRANT_READ),
        mine=mine,
        may_lift=who.may(RULES[found.kind].permission) and may_lift(found, now),
        now=now,
        back=back,
        problems=problems,
        typed=typed or {},
    )


def _whom(who: Visitor, found: Sanction, *, mine: bool) -> str:
    if found.person is None:
        grant = who.house.access.grant(who.actor, found.grant_id or "")
        return f"the whole project, {grant.name}"
    if mine:
        return "you, wherever you read" if found.grant_id is None else "you; the other members read on"
    with who.house.db.read() as tx:
        person = people.by_id(tx, found.person)
    return person.name if person else found.person


@get("/steward/sanctions/{sanction:str}/lift", sync_to_thread=True)
def lift_page(who: Visitor, sanction: str) -> Template:
    """Ask why a sanction is to be lifted."""
    who.needs(Permission.GRANT_SANCTION)
    return confirm(who, _lifting(who, sanction))


def _lifting(who: Visitor, sanction_id: str) -> Confirmation:
    found = who.house.access.sanction(who.actor, sanction_id)
    return Confirmation(
        heading=f"Lift this {SANCTIONS[found.kind]}?",
        said=["What it stopped works again at once, as far as nothing else stops it."],
        action=f"/steward/sanctions/{sanction_id}/lift",
        acts=[("lift", f"Lift the {SANCTIONS[found.kind]}")],
        back=f"/steward/sanctions/{sanction_id}",
        facts=[("For", words(found.reason.value)), ("They replied", found.reply or "nothing yet")],
        reasons=[each.value for each in Lifting if check_lifting(each.value) is None],
    )


@post("/steward/sanctions/{sanction:str}/lift", sync_to_thread=True)
def lift(who: Visitor, sanction: str, data: Posted) -> Response[Any] | Template:
    """Lift a sanction."""
    check_form(who, data)
    try:
        reason = _one(Lifting, data, "reason")
        who.house.access.lift(who.actor, sanction, reason.value, data.get("note", ""))
    except (BadInput, Refused) as fault:
        who.needs(Permission.GRANT_SANCTION)
        return confirm(who, _lifting(who, sanction), data, told(fault, _LABELS))
    return back_to(f"/steward/sanctions/{sanction}")


@get("/steward/revoke-many", sync_to_thread=True)
def many_page(who: Visitor, by: str = "", name: str = "", reason: str = "") -> Template:
    """Show what revoking many would end; nothing is done."""
    who.needs(Permission.GRANT_REVOKE_MANY)
    typed = {"by": by, "name": name, "reason": reason}
    return _many(who, typed, []) if not by else _would(who, typed, [])


def _would(who: Visitor, typed: Form, problems: Sequence[Told]) -> Template:
    try:
        return _many(who, typed, problems, look(who.house, who.actor, *_chosen(who, typed)))
    except (BadInput, Refused) as fault:
        return _many(who, typed, told(fault, _LABELS))


def _chosen(who: Visitor, typed: Form) -> tuple[Any, Reason]:
    way, reason = _one(By, typed, "by"), _one(Reason, typed, "reason")
    return chosen(who.house, **{way.value: typed.get("name", "")}), reason


def _many(who: Visitor, typed: Mapping[str, str], problems: Sequence[Told], shown: Shown | None = None) -> Template:
    ways, status = [each.value for each in By], 400 if problems else 200
    known = {"ways": ways, "reasons": _REASONS, "typed": typed, "problems": problems, "shown": shown}
    return page(who, "access/many.html", status, **known)


@post("/steward/revoke-many", sync_to_thread=True)
def revoke_many(who: Visitor, data: Posted) -> Response[Any] | Template:
    """Revoke exactly what was shown."""
    check_form(who, data)
    who.needs(Permission.GRANT_REVOKE_MANY)
    try:
        choice, reason = _chosen(who, data)
        who.house.access.revoke_many(who.actor, choice, reason, data.get("note", ""), data.get("digest", ""))
    except (BadInput, Refused) as fault:
        return _would(who, data, told(fault, _LABELS))
    return back_to("/steward?only=revoked#grants")


_ONE = [project, impose, sanction, lift_page, lift]
router = Router("/", route_handlers=[*_ONE, many_page, revoke_many], include_in_schema=False)
