"""Documents about what follows an award, the same for the command line and the control API."""

from __future__ import annotations

from typing import Any

from readingroom.admissions.account import shares
from readingroom.admissions.appeals.model import Appeal
from readingroom.admissions.requests import Request
from readingroom.app import sharing
from readingroom.app.house import House
from readingroom.app.views import grant_json
from readingroom.people.model import Actor


def account_json(house: House, call: str) -> dict[str, Any]:
    """Return a call's account as JSON: where each unit is, and the pieces of the bar that is its passes."""
    held = house.admissions.budget(call)
    used = sharing.used_of_call(house, call)
    units = {
        unit: {"budget": each.budget, **{place.value: amount for place, amount in each.parts()}}
        for unit, each in held.items()
    }
    bar = [{"part": each.name, "passes": each.amount, "begins": each.begins} for each in shares(held["passes"], used)]
    return {"call": call, "units": units, "bar": bar, "conserved": all(each.conserved for each in held.values())}


def request_json(each: Request) -> dict[str, Any]:
    """Return a holder's request as JSON."""
    return {
        "id": each.id,
        "kind": each.kind.value,
        "call": each.call,
        "award": each.award,
        "state": each.state.value,
        "answers": dict(each.answers),
        "passes": each.passes,
        "given": each.given,
        "note": each.note,
        "observed": each.observed,
        "filed_at": each.filed_at,
        "decided_at": each.decided_at,
    }


def appeal_json(each: Appeal) -> dict[str, Any]:
    """Return an appeal as JSON, as far as it was shown to who asks; of the panel no more than what they said."""
    return {
        "id": each.id,
        "kind": each.kind.value,
        "subject": each.subject,
        "call": each.call or None,
        "state": each.state.value,
        "ground": each.ground.value,
        "text": each.text,
        "late": each.late,
        "lodged_at": each.lodged_at,
        "due_at": each.due_at,
        "panel": each.panel,
        "voices": [{"outcome": v.outcome.value, "reason": v.reason} for v in each.voices],
        "bar": each.bar.value if each.bar else None,
        "note": each.note,
        "passes": each.passes,
        "place": each.place,
        "concluded_at": each.concluded_at,
        "sanction": each.told,
    }


def held_json(house: House, by: Actor, grant: str) -> dict[str, Any]:
    """Return a grant with what its award still holds back, and what was asked for under it."""
    award = sharing.award_of(house, by, grant)
    asked = house.admissions.requests_under(by, award)
    return {
        **grant_json(house, house.access.grant(by, grant)),
        "held": house.admissions.held_under(award),
        "requests": [request_json(each) for each in asked],
    }
