"""Documents that the command line and the control API show alike."""

from __future__ import annotations

from typing import Any

from readingroom.access import queries as access
from readingroom.access.clauses import parse_stored
from readingroom.access.model import Acceptance, Grant, GrantState, Terms
from readingroom.access.rules import RESTORE_QUORUM
from readingroom.app.house import House
from readingroom.app.lending import meter_of
from readingroom.core.clock import rfc3339
from readingroom.dossier.model import ModelVersion
from readingroom.people.model import Person
from readingroom.releases.model import StageStatus


def stage_json(status: StageStatus) -> dict[str, Any]:
    """Return how a stage stands as JSON; the same on the command line and in the control API."""
    clauses = [
        {
            "clause": each.label,
            "requires": each.requires,
            "verdict": each.verdict.value,
            "sentence": each.sentence,
            "missing": each.missing,
            "waived": each.waiver is not None,
        }
        for each in status.clauses
    ]
    return {
        "name": status.stage.name,
        "channel": status.stage.channel.value,
        "audience": status.stage.audience.value,
        "tiers": {name: tier.canonical() for name, tier in status.stage.tiers.items()},
        "retention": status.stage.retention.canonical() if status.stage.retention else None,
        "state": status.record.state.value,
        "open": status.open,
        "reason": status.reason,
        "gate_met": status.gate_met,
        "gate_version": status.gate_version,
        "clauses": clauses,
    }


def model_json(each: ModelVersion) -> dict[str, Any]:
    """Return a model version as JSON."""
    known = {"name": each.name, "digest": each.digest, "pinned": each.pinned, "size": each.size}
    return {**known, "registered_at": each.registered_at}


def restoration_json(house: House) -> dict[str, Any]:
    """Return what holds after a restoring as JSON; every moment and size is null where none is open."""
    found = house.restorations.pending()
    with house.db.read() as tx:
        grants = access.grants(tx) if found else []
    return {
        "restored": found is not None,
        "restored_at": rfc3339(found.restored_at) if found else None,
        "backup_at": rfc3339(found.backup_at) if found else None,
        "size": found.size if found else None,
        "newer": found.newer if found else None,
        "confirmed": [{"person": each.person, "at": rfc3339(each.at)} for each in found.words] if found else [],
        "needed": RESTORE_QUORUM,
        "grants": [{"id": each.id, "state": each.state.value} for each in grants],
    }


def grant_json(house: House, each: Grant) -> dict[str, Any]:
    """Return a grant with its meter as JSON; after a restoring, until it is lifted, one in force shows as suspended."""
    reading = meter_of(house, each.id)
    waits = each.state is GrantState.ACTIVE and house.restorations.pending() is not None
    return {
        "id": each.id,
        "state": GrantState.SUSPENDED.value if waits else each.state.value,
        "stage": each.stage,
        "tier": each.tier,
        "holder": each.holder,
        "allocation": each.allocation.to_json(),
        "used": reading.used.as_json(),
        "reserved": reading.reserved.as_json(),
        "issued_at": rfc3339(each.issued_at),
        "expires_at": rfc3339(each.expires_at),
        "decided_at": rfc3339(each.changed_at),
        "reason": each.changed_reason,
        "award": each.award_id,
        "discretionary": each.award_id is None,
        "dev": each.dev,
        "retention": kept.shown(each.retention) if (kept := house.retention(each.stage)) else None,
    }


def terms_json(terms: Terms) -> dict[str, Any]:
    """Return a version of the terms as JSON: its very text, and its clauses where it has them."""
    read = parse_stored(terms.text)
    clauses = [each.to_json() for each in read.clauses] or None
    return {"hash": terms.hash, "material": terms.material, "text": terms.text, "clauses": clauses}


def agreement_json(made: Acceptance, terms: Terms) -> dict[str, Any]:
    """Return what somebody signed as JSON: when, by which name, and the very text."""
    signed = {"accepted_at": rfc3339(made.accepted_at), "on_behalf": made.on_behalf, "name": made.name or None}
    return {"hash": made.terms_hash, **signed, "text": terms.text}


def person_json(each: Person) -> dict[str, Any]:
    """Return a person as JSON, for who may manage persons."""
    return {
        "id": each.id,
        "email": each.email,
        "name": each.name,
        "affiliation": each.affiliation,
        "roles": sorted(role.value for role in each.roles),
    }
