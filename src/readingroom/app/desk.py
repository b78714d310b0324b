"""The desk: admissions as documents, the same for the command line and the control API."""

from __future__ import annotations

from typing import Any

from readingroom.access import queries as access
from readingroom.admissions import call_file
from readingroom.admissions.allocation import Allocation
from readingroom.admissions.call import Call
from readingroom.admissions.desk import DeskPage, Listed
from readingroom.admissions.dossier import method
from readingroom.admissions.model import Application, Award, Judgement, Risk
from readingroom.admissions.service.sifting import SiftTask
from readingroom.app.applying import question_json
from readingroom.app.house import House
from readingroom.core.clock import rfc3339
from readingroom.core.refusal import require
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check
from readingroom.releases import queries as releases


def open_call(house: House, by: Actor, text: str, name: str) -> Call:
    """Open a call on the stage that its file names, as that stage stands now."""
    require(check(by, Permission.CALL_OPEN))  # before anything of the file is read
    stage_name = call_file.parse(text, name).stage
    with house.db.read() as tx:
        stage = releases.stage_fact(tx, stage_name, house.clock.now())
        terms = access.terms_versions(tx)
    return house.admissions.open_call(by, text, stage, name, terms=terms[-1].hash if terms else "")


def call_json(each: Call) -> dict[str, Any]:
    """Return a call as JSON."""
    file = each.file
    return {
        "id": each.id,
        "title": file.name,
        "part": file.part,
        "series": each.series,
        "purpose": file.purpose,
        "state": each.state.value,
        "stage": file.stage,
        "tiers": list(file.tiers),
        "budget": file.budget.to_json(),
        "opens": file.window.opens,
        "closes": None if file.window.standing else file.window.closes,
        "decide_within_seconds": int(file.decide_within.total_seconds()) if file.decide_within else None,
        "eligibility": {
            "affiliations": list(file.eligibility.affiliations),
            "credentials": list(file.eligibility.credentials),
            "desk": file.eligibility.desk,
        },
        "terms_digest": each.terms_digest,
        "form": [question_json(each) for each in file.form],
        "guarantor": file.guarantor.value,
        "allocation": method(file),
        "quotas": [{"name": q.name, "percent": q.percent} for q in file.quotas],
        "digest": each.digest,
        "seed_commitment": each.seed_commitment,
    }


def application_json(each: Application) -> dict[str, Any]:
    """Return an application as JSON, for its applicant or the desk."""
    return {
        "id": each.id,
        "call": each.call,
        "state": each.state.value,
        "note": each.note,
        "correct_until": rfc3339(each.correct_until) if each.correct_until else None,
        "version": each.submitted.number if each.submitted else None,
        "revision": each.revision,
        **each.draft.to_json(),
    }


def listed_json(each: Listed, page: DeskPage) -> dict[str, Any]:
    """Return one row of the desk's list as JSON."""
    return {
        "id": each.id,
        "state": each.state.value,
        "passes": each.passes,
        "tier": each.tier,
        "submitted_at": each.since,
        "reviews": each.reviews,
        "checked": each.checked,
        "due": page.due.get(each.id),
    }


def page_json(page: DeskPage) -> dict[str, Any]:
    """Return a page of the desk's list as JSON, with how many there are."""
    return {
        "call": page.call.id,
        "total": page.total,
        "counts": {state.value: count for state, count in sorted(page.counts.items())},
        "unchecked": page.unchecked,
        "applications": [listed_json(each, page) for each in page.rows],
    }


def allocation_json(result: Allocation) -> dict[str, Any]:
    """Return an allocation as JSON: the sums in passes, and the reason sheet of each application."""
    sheets = result.to_json()["sheets"]
    return {
        "budget": result.budget.passes,
        "reserve": result.reserve.passes,
        "rest": result.rest.passes,
        "awarded": result.awarded.passes,
        "awards": [{"application": s["application"], "passes": (s["amounts"] or {}).get("passes", 0)} for s in sheets],
        "quotas": [each.to_json() for each in result.quotas],
        "seed": result.seed,
        "public_value": result.public,
        "sheets": sheets,
        "digest": result.digest,
    }


def award_json(each: Award) -> dict[str, Any]:
    """Return an award as JSON."""
    return {
        "id": each.id,
        "call": each.call,
        "application": each.application,
        "state": each.state.value,
        "stage": each.stage,
        "tier": each.tier,
        "amounts": each.amounts.to_json(),
        "days": each.days,
        "accept_by": each.accept_by,
    }


def judgement(body: dict[str, Any]) -> Judgement:
    """Read a judgement from the shape in which the doors take it."""
    return Judgement(
        scores=dict(body["scores"]),
        comment=str(body["comment"]),
        risk=Risk(body.get("risk") or "ok"),
        risk_reason=str(body.get("risk_reason") or ""),
        comments={name: str(text) for name, text in (body.get("comments") or {}).items() if str(text).strip()},
    )


def sift_json(task: SiftTask) -> dict[str, Any]:
    """Return something to sift as JSON: the blind view, and the one criterion that is scored."""
    return {
        "look": task.id,
        "call": task.call,
        "criterion": task.criterion.name,
        "question": task.criterion.question,
        "anchors": [{"points": points, "meaning": meaning} for points, meaning in task.anchors],
        "answers": dict(task.view.answers),
        "passes": task.view.passes,
        "tier": task.view.tier,
    }
