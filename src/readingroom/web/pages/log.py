"""The ledger's page: the checkpoint to keep, the entries page by page, a receipt looked up and verified."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from litestar import Router, get, post
from litestar.response import Template

from readingroom.core.numbers import whole
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.note import Unproven
from readingroom.ledger.receipt import FIELDS, Receipt, verify_receipt
from readingroom.web.browser import Visitor, page
from readingroom.web.pages.account import Posted

NEWEST = 25
_PASTE = "Paste the whole JSON that GET /v1/receipts/ID answered, from its first brace to its last."


@dataclass(frozen=True, slots=True)
class Found:
    """What a pasted receipt turned out to be.

    Attributes:
        problems: why it proves nothing; none where it is good.
        prefix: whether the log that it was proved against is the beginning of today's.
    """

    problems: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    size: int = 0
    prefix: bool = False


@get("/log", sync_to_thread=True)
def log(who: Visitor, before: str = "") -> Template:
    """Show the newest entries, or those before a number."""
    return _page(who, before=before)


@post("/log", status_code=200, sync_to_thread=True)
def look_up(who: Visitor, data: Posted) -> Template:
    """Verify a pasted receipt against this house's key; anyone may, and nothing is kept."""
    pasted = data.get("receipt", "").strip()
    return _page(who, pasted, _look(who, pasted))


def _page(who: Visitor, receipt: str = "", found: Found | None = None, before: str = "") -> Template:
    reader = who.house.log
    size = reader.size()
    end = size if (asked := whole(before)) is None else min(asked, size)
    note = reader.checkpoint()
    return page(
        who,
        "log/log.html",
        size=size,
        start=max(0, end - NEWEST),
        end=end,
        step=NEWEST,
        checkpoint=note.decode() if note else "",
        key=who.house.verifier_key(),
        entries=list(reversed(reader.entries(max(0, end - NEWEST), end))),
        receipt=receipt,
        found=found,
    )


def _look(who: Visitor, pasted: str) -> Found:
    if (problem := _no_receipt(pasted)) is not None:
        return Found([problem])
    report = verify_receipt(pasted.encode(), who.house.signer.verifier)
    if not report.ok:
        return Found(report.problems)
    record = Receipt.from_json(pasted.encode()).record
    names = {each.digest: each.name for each in who.house.dossier.models()}
    model = str(record.get("model", ""))
    said = {
        "Receipt": record.get("id"),
        "Model": f"{names.get(model, 'not registered here any more')} ({model})",
        "Stage": record.get("stage"),
        "Passes": record.get("passes"),
        "When": record.get("at"),
    }
    return Found(
        (), [(name, str(each)) for name, each in said.items()], report.size, _prefix(who, report.size, report.root)
    )


def _no_receipt(pasted: str) -> str | None:
    """Say in plain words what is wrong with something that is not even shaped like a receipt."""
    if not pasted:
        return f"There was nothing to look up. {_PASTE}"
    try:
        read = json.loads(pasted)
    except (ValueError, RecursionError):
        word = "This looks like a receipt's id" if pasted.replace("_", "").isalnum() else "This is no JSON"
        return f"{word}. {_PASTE}"
    lacking = sorted(FIELDS - set(read)) if isinstance(read, dict) else sorted(FIELDS)
    return f"This is JSON, but no receipt: it lacks {', '.join(lacking)}. {_PASTE}" if lacking else None


def _prefix(who: Visitor, size: int, root: str) -> bool:
    """Tell whether the log of a receipt is the beginning of today's: the root at that size is the same."""
    note = who.house.log.checkpoint(size)
    try:
        return note is not None and Checkpoint.open(note, who.house.signer.verifier).root.hex() == root
    except Unproven:
        return False


router = Router("/", route_handlers=[log, look_up], include_in_schema=False)
