"""The ledger's page: the checkpoint to keep, the newest entries, a receipt looked up and verified."""

from __future__ import annotations

from litestar import Router, get, post
from litestar.response import Template

from readingroom.ledger.receipt import verify_receipt
from readingroom.web.browser import Visitor, page
from readingroom.web.pages.account import Posted

NEWEST = 25


def _page(who: Visitor, receipt: str = "", report: object = None) -> Template:
    log = who.house.log
    size = log.size()
    note = log.checkpoint()
    return page(
        who,
        "log/log.html",
        size=size,
        checkpoint=note.decode() if note else "",
        key=who.house.verifier_key(),
        entries=list(reversed(log.entries(max(0, size - NEWEST), size))),
        receipt=receipt,
        report=report,
    )


@get("/log", sync_to_thread=True)
def log(who: Visitor) -> Template:
    """Show the log."""
    return _page(who)


@post("/log", status_code=200, sync_to_thread=True)
def look_up(who: Visitor, data: Posted) -> Template:
    """Verify a pasted receipt against this house's key; anyone may, and nothing is kept."""
    pasted = data.get("receipt", "").strip()
    report = verify_receipt(pasted.encode(), who.house.signer.verifier) if pasted else None
    return _page(who, pasted, report)


router = Router("/", route_handlers=[log, look_up], include_in_schema=False)
