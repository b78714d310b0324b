"""What is held of a person: seen, taken along, and erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.app import erasing
from readingroom.core.canonical import Json
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refusal, Refused
from readingroom.people.model import Basis
from readingroom.people.rules import Permission
from readingroom.web.browser import Visitor, back_to, check_form, page
from readingroom.web.forms import Confirmation, Told, confirm, told
from readingroom.web.pages.account import Posted
from readingroom.web.words import dated

NAMES = {  # of tables, in the reader's words and in the order of the page; a test says that none is missing
    "people_person": "Your account",
    "people_identity": "Ways to sign in",
    "people_fact": "Affiliations and credentials",
    "people_role": "Roles",
    "people_merge": "Accounts made one",
    "people_link": "Sign-in links",
    "people_session": "Sessions",
    "post_letter": "Letters to you",
    "admissions_application": "Applications",
    "admissions_version": "Applications, as submitted",
    "admissions_attachment": "Files that you attached",
    "admissions_step": "What happened to your applications",
    "admissions_invitation": "Invitations, of you and by you",
    "admissions_desk_check": "Applications that the desk found in order",
    "admissions_decision": "Decisions",
    "admissions_award": "Awards",
    "admissions_request": "Reports, and what you asked for under an award",
    "admissions_appeal": "Appeals",
    "admissions_voice": "What you said on appeals",
    "admissions_reviewer": "Calls that you were asked to review in",
    "admissions_tie": "Whom you are close to",
    "admissions_finding": "Conflicts of interest",
    "admissions_sift": "First looks",
    "admissions_sift_ruling": "Rulings on first looks",
    "admissions_review": "Reviews",
    "admissions_review_version": "Reviews, as first given",
    "admissions_risk": "Opinions on misuse",
    "admissions_panel_note": "Notes for the panel",
    "access_grant": "Grants",
    "access_member": "Projects that you are a member of",
    "access_key": "Keys",
    "access_acceptance": "Terms that you accepted",
    "access_sanction": "Sanctions",
    "gateway_usage": "Calls to the model: how much, and when; no words",
    "gateway_text": "Kept texts, sealed",
    "gateway_half": "Keys of kept texts",
    "oversight_work": "Works",
    "oversight_observation": "Reports to the lab",
}
_ORDER = list(NAMES)
_PAGES = {"application": "/applications/{}", "award": "/my", "grant": "/my#{}", "appeal": "/appeals/{}"}
_MOST = 50  # rows of a table on the page; the file has all
_LONG = 10_000  # from here on digits are grouped; a year is not


@get("/my/data", sync_to_thread=True)
def held(who: Visitor) -> Template:
    """Show everything held of oneself."""
    return _held(who)


def _held(who: Visitor, problems: list[Told] | None = None) -> Template:
    person = who.signed_in()
    found = who.house.held.show(who.actor, person.id)
    with who.house.db.read() as tx:
        standing = erasing.standing(who.house, tx, person.id)
    tables = [(NAMES[name], len(rows), [_row(each) for each in rows[:_MOST]]) for name, rows in _in_order(found)]
    status, ends = 400 if problems else 200, [_end(each) for each in standing]
    return page(who, "held/held.html", status, tables=tables, standing=ends, problems=problems or [])


def _in_order(found: Mapping[str, list[dict[str, Json]]]) -> list[tuple[str, list[dict[str, Json]]]]:
    return sorted(found.items(), key=lambda each: _ORDER.index(each[0]))


def _row(row: Mapping[str, Json]) -> list[tuple[str, str]]:
    """Spell a row: its fields in words, what is empty left out."""
    return [(name.replace("_", " "), _said(value)) for name, value in row.items() if value not in (None, "", {}, [])]


def _said(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "\n".join(f"{name.replace('_', ' ')}: {_said(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    return f"{value:,}" if isinstance(value, int) and value >= _LONG else dated(str(value))


def _end(standing: str) -> tuple[str, str, str, str]:
    """Return what still stands: its kind, its page, how it is ended, and its id."""
    kind, name, how = standing.split(" ", 2)
    return kind, _PAGES[kind].format(name), how, name


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
        facts=[(NAMES[name], f"{len(each):,}") for name, each in _in_order(rows)],
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
