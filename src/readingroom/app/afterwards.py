"""What follows an award, where several rooms have a part: the call's account, the grant, its meter (promises 1 and 6).

| said | done |
| --- | --- |
| `admissions.request.decided` | the grant grows by what was given |
| `admissions.award.returned` | the grant shrinks, or the return is refused: what is used or in use cannot come back |
| `admissions.award.transferred` | one grant shrinks, the other grows |
| `access.grant.adjusted` | the meter's limits move |
| `admissions.appeal.concluded` | a sanction whose appeal was upheld is lifted |
| `admissions.request.filed`, `admissions.application.submitted` | what was used so far is kept beside it |

All in the transaction of the decision: so an account never says granted what a meter does not allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sqlalchemy.engine import Connection

from readingroom.access import queries as access
from readingroom.access.adjusting import Adjustments
from readingroom.access.model import Amounts, Grant
from readingroom.access.service import Access
from readingroom.admissions import queries as admissions
from readingroom.admissions.after import CallKind
from readingroom.admissions.appeals.model import AppealState, Subject
from readingroom.admissions.service import Admissions
from readingroom.core.canonical import Json
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.gateway import meter
from readingroom.gateway import queries as gateway
from readingroom.ledger.model import Entry
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor


def listen(ledger: Ledger, desk: Admissions, access_service: Access, adjustments: Adjustments) -> None:
    """Subscribe every process to what it hears."""
    ledger.on("admissions.request.decided", partial(_grow_by_request, adjustments))
    ledger.on("admissions.award.returned", partial(_shrink, adjustments))
    ledger.on("admissions.award.transferred", partial(_transfer, adjustments))
    ledger.on("access.grant.adjusted", _move_meter)
    ledger.on("admissions.appeal.concluded", partial(_lift, access_service))
    ledger.on("admissions.request.filed", partial(_observe_request, desk))
    ledger.on("admissions.application.submitted", partial(_observe_renewal, desk))


def _grow_by_request(adjustments: Adjustments, tx: Connection, entry: Entry) -> None:
    if entry.data["outcome"] == "granted":
        _adjust(adjustments, tx, entry, entry.data["award"], _change(entry.data["given"], 1))


def _shrink(adjustments: Adjustments, tx: Connection, entry: Entry) -> None:
    _adjust(adjustments, tx, entry, entry.data["award"], _change(entry.data["amounts"], -1))


def _transfer(adjustments: Adjustments, tx: Connection, entry: Entry) -> None:
    _adjust(adjustments, tx, entry, entry.data["award"], _change(entry.data["amounts"], -1))
    _adjust(adjustments, tx, entry, entry.data["to"], _change(entry.data["amounts"], 1))


def _adjust(adjustments: Adjustments, tx: Connection, entry: Entry, award: str, change: Amounts) -> None:
    grant = access.grant_of_award(tx, award)
    if grant is None:
        raise Refused(Refusal("admissions/not-granted", "This award has no grant."))
    adjustments.adjust_within(tx, Actor(entry.by), grant.id, change, entry.event)


def _change(amounts: Mapping[str, int | None], sign: int) -> Amounts:
    return Amounts(**{unit: None if amount is None else sign * amount for unit, amount in amounts.items()})


def _move_meter(tx: Connection, entry: Entry) -> None:
    change = {unit: by for unit, by in entry.data["change"].items() if by}
    require(meter.move_limits(tx, entry.data["grant"], change))


def _lift(access_service: Access, tx: Connection, entry: Entry) -> None:
    said = entry.data
    if (said["kind"], said["outcome"]) != (Subject.SANCTION.value, AppealState.UPHELD.value):
        return
    sanction = access.sanction(tx, said["subject"])
    if sanction is not None and sanction.lifted_at is None:  # a person may have lifted it meanwhile
        access_service.lift_within(tx, Actor(entry.by), sanction.id)


def _observe_request(desk: Admissions, tx: Connection, entry: Entry) -> None:
    if (grant := access.grant_of_award(tx, entry.data["award"])) is not None:
        desk.observe_request_within(tx, entry.data["request"], _used(tx, grant))


def _observe_renewal(desk: Admissions, tx: Connection, entry: Entry) -> None:
    call = admissions.call(tx, entry.data["call"])
    found = admissions.application(tx, entry.data["application"])
    if call is None or found is None or call.file.after.kind is not CallKind.RENEWAL:
        return
    awards = admissions.family_awards(tx, call.id, found.person)
    grants = [grant for each in awards if (grant := access.grant_of_award(tx, each.id)) is not None]
    desk.observe_application_within(tx, found.id, [_used(tx, each) for each in grants])


def _used(tx: Connection, grant: Grant) -> Json:
    reading = gateway.reading(tx, grant.id)
    used = reading.used.as_json() if reading else {}
    return {"grant": grant.id, "allocation": grant.allocation.to_json(), "used": used, "state": grant.state.value}
