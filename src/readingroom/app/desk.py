"""The desk: admissions as documents, the same for the command line and the control API."""

from __future__ import annotations

from typing import Any

from readingroom.admissions import call_file
from readingroom.admissions.allocation import Allocation
from readingroom.admissions.blind import ReviewTask
from readingroom.admissions.call import Call
from readingroom.admissions.dossier import method
from readingroom.admissions.model import Application, Award, Judgement, Risk
from readingroom.app.house import House
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
    return house.admissions.open_call(by, text, stage, name)


def call_json(each: Call) -> dict[str, Any]:
    """Return a call as JSON."""
    file = each.file
    return {
        "id": each.id,
        "title": file.title,
        "purpose": file.purpose,
        "state": each.state.value,
        "stage": file.stage,
        "tiers": list(file.tiers),
        "budget": file.budget.to_json(),
        "opens": file.window.opens,
        "closes": file.window.closes,
        "form": [
            {"name": q.name, "label": q.label, "kind": q.kind.value, "required": q.required, "options": list(q.options)}
            for q in file.form
        ],
        "allocation": method(file),
        "quotas": [{"name": q.name, "percent": q.percent} for q in file.quotas],
        "digest": each.digest,
        "seed_commitment": each.seed_commitment,
    }


def application_json(each: Application) -> dict[str, Any]:
    """Return an application as JSON, for its applicant or the desk."""
    return {"id": each.id, "call": each.call, "state": each.state.value, "note": each.note, **each.draft.to_json()}


def task_json(task: ReviewTask) -> dict[str, Any]:
    """Return something to review as JSON: the blind view, which cannot hold a name."""
    view = task.view
    return {
        "review": view.review,
        "call": task.call,
        "passes": view.passes,
        "tier": view.tier,
        "answers": dict(view.answers),
        "criteria": [{"name": c.name, "question": c.question, "weight": c.weight} for c in task.criteria],
        "anchors": [{"points": points, "meaning": meaning} for points, meaning in task.anchors],
        "state": task.state.value,
        "mine": task.mine.to_json() if task.mine else None,
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
    )
