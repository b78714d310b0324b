"""The register of readers: public without persons; whole, with every look on record; one's own entry."""

from __future__ import annotations

import json
from typing import Any

from litestar import Response, Router, get
from litestar.response import Template

from readingroom.oversight.model import Shape
from readingroom.oversight.register import Row, as_json, to_csv
from readingroom.people import queries as people
from readingroom.people.rules import Permission
from readingroom.web.browser import Visitor, page
from readingroom.web.listing import PAGE, From


@get("/readers", sync_to_thread=True)
def public(who: Visitor) -> Template:
    """Show the public register: by purpose with amounts, and the institutions of five readers or more."""
    rows = who.house.oversight.public_register()
    return page(
        who,
        "register/public.html",
        purposes=[row for row in rows if row.kind == "purpose"],
        institutions=[row for row in rows if row.kind == "institution"],
    )


@get("/my/register", sync_to_thread=True)
def mine(who: Visitor) -> Template:
    """Show one's own entries, as they stand in the whole register."""
    who.signed_in()
    return page(who, "register/mine.html", rows=who.house.oversight.mine(who.actor))


@get("/steward/register", sync_to_thread=True)
def whole(who: Visitor, begin: From = 0) -> Template:
    """Show the whole register, a page at a time; the look at each page is on record before."""
    who.needs(Permission.REGISTER_READ)
    rows, counts = who.house.oversight.register_page(who.actor, PAGE, begin)
    looks = who.house.oversight.looks(who.actor)
    with who.house.db.read() as tx:
        names = people.names(tx, {each.decided_by for each in rows} | {each.person for each in looks})
    shown: dict[str, Any] = {"rows": rows, "looks": looks, "names": names, "counts": counts}
    return page(who, "register/whole.html", **shown, at=begin, size=PAGE, total=sum(counts.values()))


def _file(body: str, kind: str, name: str) -> Response[str]:
    return Response(body, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


@get("/steward/register.csv", sync_to_thread=True)
def as_csv(who: Visitor) -> Response[str]:
    """Give out the whole register as CSV."""
    who.needs(Permission.REGISTER_READ)
    rows = who.house.oversight.register(who.actor, Shape.CSV)
    return _file(to_csv(rows, Row), "text/csv", "register.csv")


@get("/steward/register.json", sync_to_thread=True)
def as_document(who: Visitor) -> Response[str]:
    """Give out the whole register as JSON."""
    who.needs(Permission.REGISTER_READ)
    rows = who.house.oversight.register(who.actor, Shape.JSON)
    body = json.dumps([as_json(each) for each in rows], ensure_ascii=False, indent=1)
    return _file(body, "application/json", "register.json")


router = Router("/", route_handlers=[public, mine, whole, as_csv, as_document], include_in_schema=False)
