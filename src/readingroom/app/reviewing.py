"""Review as documents, the same for the command line and the control API; and invitations by address."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from readingroom.admissions.blind import Case, Opinion, PanelNote, Peer, ReviewTask
from readingroom.admissions.model import Conflict, Review
from readingroom.admissions.phases import PhaseNow
from readingroom.admissions.pool import Finding, Invitation, Scope, Tie
from readingroom.admissions.service.interests import Arisen
from readingroom.admissions.service.panel import Progress
from readingroom.app.house import House
from readingroom.core.refusal import require
from readingroom.people.model import Actor, Role
from readingroom.people.rules import Permission, check


def invite(house: House, by: Actor, call: str, email: str, asked: tuple[Scope, datetime | None]) -> Invitation:
    """Ask the person at an address to review in a call; whoever is not known yet becomes one, with the role."""
    require(check(by, Permission.CALL_OPEN))  # before anybody is looked up by name
    house.admissions.call(call)
    known = house.people.find(email)
    if known is None or Role.REVIEWER not in known.roles:
        known = house.people.add(by, email, roles=[Role.REVIEWER])
    return house.admissions.invite_reviewer(by, call, known.id, *asked)


def look(house: House, by: Actor, call: str, email: str) -> dict[str, Any]:
    """Return what would stand between a person and each application of a call; nothing is changed or kept."""
    require(check(by, Permission.CALL_OPEN))  # before anybody is looked up by name
    found = house.admissions.conflicts(by, call, house.people.named(email).id)
    return {application: [conflict_json(each) for each in stands] for application, stands in sorted(found.items())}


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
        "phase": phase_json(task.phase),
        "peers": [peer_json(each) for each in task.peers],
    }


def phase_json(now: PhaseNow) -> dict[str, Any]:
    """Return where a call's review is."""
    return {"phase": now.phase.value, "due": now.due}


def peer_json(peer: Peer) -> dict[str, Any]:
    """Return another's review: under an alias, or a pseudonym for who may know."""
    first = peer.first.to_json() if peer.first else None
    return {"reviewer": peer.reviewer, "judgement": peer.judgement.to_json(), "why": peer.why, "first": first}


def invitation_json(each: Invitation) -> dict[str, Any]:
    """Return an invitation to review."""
    return {
        "call": each.call,
        "person": each.person,
        "state": each.state.value,
        "topics": list(each.scope.topics),
        "load": each.scope.load,
        "answer_by": each.answer_by,
    }


def tie_json(each: Tie) -> dict[str, Any]:
    """Return what somebody declared of somebody, for themselves."""
    return {
        "tie": each.id,
        "kind": each.kind.value,
        "who": each.who,
        "reason": each.reason,
        "application": each.application or None,
    }


def conflict_json(each: Conflict) -> dict[str, Any]:
    """Return a conflict: its kind, how much it weighs, and what it rests on."""
    return {"kind": each.kind.value, "severity": each.severity.value, "evidence": each.evidence}


def finding_json(each: Finding) -> dict[str, Any]:
    """Return a conflict that was found, and what became of it."""
    return {
        "application": each.application,
        "person": each.person,
        **conflict_json(each.conflict),
        "disposition": each.disposition.value,
        "reason": each.reason,
        "by": each.decided_by or None,
    }


def arisen_json(each: Arisen) -> dict[str, Any]:
    """Return a conflict that arose after assignment."""
    return {
        "review": each.review,
        "application": each.application,
        "person": each.person,
        **conflict_json(each.conflict),
    }


def conflicts_json(found: Iterable[Finding], arisen: Iterable[Arisen]) -> dict[str, Any]:
    """Return a call's conflicts: those that were found, and those that arose after assignment."""
    return {"found": [finding_json(each) for each in found], "arisen": [arisen_json(each) for each in arisen]}


def progress_json(each: Progress) -> dict[str, Any]:
    """Return how far a call's review is."""
    return {
        **phase_json(each.phase),
        "next": each.following.value if each.following else None,
        "needed": each.needed,
        "given": each.given,
        "reviewers": [{"reviewer": who, "given": given, "of": of} for who, given, of in each.reviewers],
        "opinions": each.opinions,
        "opinions_needed": each.opinions_needed,
    }


def review_json(each: Review) -> dict[str, Any]:
    """Return a review as the desk may see it."""
    return {
        "review": each.id,
        "application": each.application,
        "reviewer": each.reviewer,
        "state": each.state.value,
        "judgement": each.judgement.to_json() if each.judgement else None,
    }


def case_json(case: Case) -> dict[str, Any]:
    """Return an application as the panel sees it, or who judges its risk."""
    return {
        "case": case.view.review,
        "application": case.application or None,
        "person": case.person or None,
        "passes": case.view.passes,
        "tier": case.view.tier,
        "answers": dict(case.view.answers),
        "given": case.given,
        "needed": case.needed,
        "reviews": [peer_json(each) for each in case.reviews],
        "opinions": [opinion_json(each) for each in case.opinions],
        "notes": [note_json(each) for each in case.notes],
    }


def risk_json(case: Case) -> dict[str, Any]:
    """Return an application whose risk of misuse is to be judged, and what one said of it."""
    mine = opinion_json(case.mine) if isinstance(case.mine, Opinion) else None
    view = case.view
    return {
        "case": view.review,
        "passes": view.passes,
        "tier": view.tier,
        "answers": dict(view.answers),
        "mine": mine,
    }


def opinion_json(each: Opinion) -> dict[str, Any]:
    """Return an opinion on misuse."""
    return {"by": each.person, "opinion": each.opinion.value, "reason": each.reason}


def note_json(each: PanelNote) -> dict[str, Any]:
    """Return what one of the panel wrote."""
    return {"by": each.person, "rank": each.rank, "comment": each.comment}
