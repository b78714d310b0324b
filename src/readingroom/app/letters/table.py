"""Who is told of what: each event of the ledger either has letters, or is silent for a reason.

`tests/app/test_letters.py` reads the source: an event that stands in neither table fails it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from readingroom.app.letters import dates, scene
from readingroom.app.letters.scene import Scene, Whom
from readingroom.post.calendar import Date


@dataclass(frozen=True, slots=True)
class Told:
    """One letter.

    Attributes:
        who: the persons it goes to.
        template: its words, in `templates/letters`.
        needs: facts of the scene without which there is nothing to tell.
        when: whether it is written at all.
        dates: what its calendar file holds.
        proof: whether it carries the log's checkpoint: of what binds somebody.
        once: what makes it one letter only, with the person; empty for each time.
    """

    who: Whom
    template: str
    needs: tuple[str, ...] = ()
    when: Callable[[Scene], bool] = lambda _scene: True
    dates: Callable[[Scene], list[Date]] = lambda _scene: []
    proof: bool = False
    once: str = ""


def _refused(at: Scene) -> bool:
    return at.said("outcome") == "refused"


def _outright(at: Scene) -> bool:
    return not at.data.get("award")


def _call_dates(at: Scene) -> list[Date]:
    return dates.of_call(at.call, at.base) if at.call else []


def _application_dates(at: Scene) -> list[Date]:
    if at.application is None or at.call is None:
        return []
    return dates.of_application(at.application, at.call, [at.award] if at.award else [], at.base)


def _grant_dates(at: Scene) -> list[Date]:
    return dates.of_grant(at.grant, at.base) if at.grant else []


_APPLICATION = ("application", "call")
_AWARD = ("award", "application", "call")
LETTERS: Mapping[str, tuple[Told, ...]] = {
    "people.role.added": (Told(scene.named, "role-added"),),
    "people.role.removed": (Told(scene.named, "role-removed"),),
    "admissions.call.opened": (Told(scene.desk, "call-opened", ("call",), dates=_call_dates),),
    "admissions.call.closed": (Told(scene.applicants, "call-closed", ("call",), dates=_call_dates),),
    "admissions.application.late": (Told(scene.named, "late", ("call",)),),
    "admissions.application.admitted": (Told(scene.named, "admitted", ("call",)),),
    "admissions.member.accepted": (Told(scene.named_applicant, "team-answered", ("call",)),),
    "admissions.member.declined": (Told(scene.named_applicant, "team-answered", ("call",)),),
    "admissions.member.left": (Told(scene.named_applicant, "team-answered", ("call",)),),
    "admissions.guarantor.accepted": (Told(scene.named_applicant, "guarantor-answered", ("call",)),),
    "admissions.guarantor.declined": (Told(scene.named_applicant, "guarantor-answered", ("call",)),),
    "admissions.reviewer.invited": (Told(scene.named, "reviewer-invited", ("call",)),),
    "admissions.reviewer.expired": (Told(scene.named, "reviewer-expired", ("call",)),),
    "admissions.call.phase-moved": (Told(scene.reviewers, "phase-moved", ("call",)),),
    "admissions.request.filed": (Told(scene.stewards, "request-filed", ("request", "call")),),
    "admissions.request.decided": (Told(scene.named, "request-decided", ("request", "call"), proof=True),),
    "admissions.appeal.lodged": (
        Told(scene.named, "appeal-received", ("appeal",), proof=True),
        Told(scene.hearers, "appeal-lodged", ("appeal",)),
    ),
    "admissions.appeal.admitted": (Told(scene.named, "appeal-admitted", ("appeal",)),),
    "admissions.appeal.dismissed": (Told(scene.named, "appeal-dismissed", ("appeal",), proof=True),),
    "admissions.appeal.concluded": (Told(scene.named, "appeal-concluded", ("appeal",), proof=True),),
    "access.grant.adjusted": (Told(scene.holder, "grant-adjusted", ("grant",), proof=True),),
    "access.grants.revoked": (Told(scene.teams_of_many, "grants-revoked", proof=True),),
    "access.member.invited": (Told(scene.named, "member-invited", ("grant",)),),
    "access.member.joined": (Told(scene.holder, "member-answered", ("grant",)),),
    "access.member.declined": (Told(scene.holder, "member-answered", ("grant",)),),
    "access.member.removed": (Told(scene.named, "member-removed", ("grant",)),),
    "access.sanction.imposed": (Told(scene.sanctioned, "sanction", ("sanction",), proof=True),),
    "access.sanction.lifted": (Told(scene.sanctioned, "sanction-lifted", ("sanction",), proof=True),),
    "people.identity.added": (Told(scene.named, "account-changed"),),
    "people.identity.removed": (Told(scene.named, "account-changed"),),
    "people.address.chosen": (Told(scene.named, "account-changed"),),
    "people.person.merged": (Told(scene.stays, "merged"),),
    "admissions.application.submitted": (
        Told(scene.applicant, "submitted", _APPLICATION, dates=_application_dates, proof=True),
    ),
    "admissions.application.returned": (Told(scene.applicant, "returned", _APPLICATION, dates=_application_dates),),
    "admissions.application.withdrawn": (Told(scene.applicant, "withdrawn", _APPLICATION),),
    "admissions.application.decided": (
        Told(scene.applicant, "refused", (*_APPLICATION, "decision"), when=_refused, proof=True),
    ),
    "admissions.award.made": (
        Told(scene.applicant, "award-offered", (*_AWARD, "decision"), dates=_application_dates, proof=True),
    ),
    "admissions.award.accepted": (Told(scene.applicant, "award-accepted", _AWARD, proof=True),),
    "admissions.award.declined": (Told(scene.applicant, "award-declined", _AWARD),),
    "admissions.award.lapsed": (Told(scene.applicant, "award-lapsed", _AWARD, proof=True),),
    "admissions.review.assigned": (
        Told(scene.reviewers, "review-assigned", ("call",), once="{call}:{day}"),
        Told(scene.under_review, "in-review", ("call",), once="{call}"),
    ),
    "admissions.sift.assigned": (Told(scene.sifters, "sift-assigned", ("call",), once="{call}:{day}"),),
    "admissions.review.released": (Told(scene.reviewer, "review-released", ("call",)),),
    "access.grant.issued": (
        Told(scene.holder, "grant-issued", ("grant",), when=_outright, dates=_grant_dates, proof=True),
    ),
    "access.grant.suspended": (Told(scene.team, "grant-suspended", ("grant", "sanction"), proof=True),),
    "access.grant.reinstated": (Told(scene.team, "grant-reinstated", ("grant",), proof=True),),
    "access.grant.revoked": (Told(scene.team, "grant-revoked", ("grant", "sanction"), dates=_grant_dates, proof=True),),
    "access.person.barred": (Told(scene.named, "barred", ("sanction",), proof=True),),
    "access.key.issued": (Told(scene.holder_of_a_further_key, "key-changed", ("grant",)),),
    "access.key.rotated": (Told(scene.holder_if_another_acts, "key-changed", ("grant",)),),
    "access.key.revoked": (Told(scene.holder_if_another_acts, "key-changed", ("grant",)),),
    "access.terms.published": (Told(scene.readers, "terms-changed", proof=True),),
    "releases.stage.held": (Told(scene.readers_of_stage, "stage-shut"),),
    "releases.stage.rolled-back": (Told(scene.readers_of_stage, "stage-shut"),),
    "releases.stage.withdrawn": (Told(scene.readers_of_stage, "stage-shut"),),
    "releases.stage.closed": (Told(scene.readers_of_stage, "stage-shut"),),
    "oversight.observation.reported": (Told(scene.handlers, "observation-reported"),),
    "oversight.observation.answered": (Told(scene.observer, "observation-answered", ("observation",), proof=False),),
    "oversight.work.submitted": (Told(scene.stewards, "work-submitted"),),
    "oversight.work.published": (Told(scene.named, "work-published"),),
    "oversight.work.declined": (Told(scene.named, "work-declined"),),
    "oversight.work.withdrawn": (
        Told(scene.named, "work-withdrawn", when=lambda at: at.said("person") != at.entry.by),
    ),
}

_HOUSE = "the lab's own work; it is on the release page and in the ledger, and decides about no person"
_OWN = "the person's own act on the page in front of them; what follows from it has its letter"
SILENT: Mapping[str, str] = {
    "admissions.conflict.recused": "it is the reviewer's own act; the desk sees it on its page",
    "admissions.conflict.waived": "who reviews what is hidden; the desk sees it on its page",
    "admissions.reviewer.accepted": "the desk sees on the call's page who answered",
    "admissions.reviewer.declined": "the desk sees on the call's page who answered",
    "people.person.added": "the sign-in letter went before, and nothing is decided about them",
    "people.person.erased": "nothing is left to write to, and whoever asked for it saw it happen",
    "people.link.made": "the link is itself a letter, or shown to whom it is for",
    "admissions.application.started": _OWN,
    "admissions.call.allocated": "it binds nobody until a person publishes it, and would tell what may still change",
    "admissions.call.published": "each applicant is told of their own decision, an entry of its own",
    "admissions.award.returned": "part of the end or change of a grant, which has its letter",
    "admissions.review.submitted": "who reviews what, and when, is hidden from all but the desk",
    "admissions.conflict.declared": "who reviews what is hidden; the desk sees it on its page",
    "access.sanction.acknowledged": _OWN,
    "admissions.appeal.spoken": "who of the panel has spoken is hidden until it is concluded",
    "admissions.appeal.withdrawn": _OWN,
    "admissions.application.checked": "the desk's own note of what it has looked at",
    "admissions.application.moved": _OWN,
    "admissions.application.second-chance": "the award that follows has its letter",
    "admissions.award.transferred": "both grants are adjusted, and each has its letter",
    "admissions.call.divided": "who reviews whom is hidden",
    "admissions.call.joined": "its applicant is told that it was admitted",
    "admissions.call.funded": _HOUSE,
    "admissions.call.moved": "the account of what another entry decides, which has its letter",
    "admissions.call.gave-back": _HOUSE,
    "admissions.call.reserve-freed": _HOUSE,
    "admissions.conflict.found": "who reviews what is hidden; the desk sees it on its page",
    "admissions.guarantor.invited": "the invitation's own letter holds a secret, and goes as a sign-in letter does",
    "admissions.guarantor.reminded": "the invitation's own letter holds a secret, and goes as a sign-in letter does",
    "admissions.guarantor.removed": _OWN,
    "admissions.member.invited": "the invitation's own letter holds a secret, and goes as a sign-in letter does",
    "admissions.member.reminded": "the invitation's own letter holds a secret, and goes as a sign-in letter does",
    "admissions.member.removed": _OWN,
    "admissions.panel.noted": "what the panel says is hidden",
    "admissions.request.withdrawn": _OWN,
    "admissions.risk.judged": "what reviewers say is hidden",
    "admissions.sift.overruled": "what reviewers say is hidden",
    "admissions.sift.scored": "what reviewers say is hidden",
    "admissions.tie.declared": _OWN,
    "admissions.tie.withdrawn": _OWN,
    "people.fact.added": "it stands on the person's own page, and decides nothing by itself",
    "people.fact.confirmed": "it stands on the person's own page, and decides nothing by itself",
    "people.fact.ended": "it stands on the person's own page, and decides nothing by itself",
    "people.sessions.ended": _OWN,
    "access.restore.confirmed": _HOUSE,
    "access.restore.gap-found": _HOUSE,
    "access.restore.lifted": _HOUSE,
    "access.restore.made": "every page says so; letters could repeat what the lost days had told",
    "access.restore.matched": _HOUSE,
    "access.retention.agreed": _OWN,
    "access.terms.accepted": _OWN,
    "dossier.document.filed": _HOUSE,
    "dossier.evidence.filed": _HOUSE,
    "dossier.model.registered": _HOUSE,
    "gateway.usage.recorded": "figures; readers see their own on their page",
    "oversight.register.read": "it is on record for whoever may read the register; a letter each time would be noise",
    "oversight.text.erased": "nothing of the reader's is left to tell of",
    "oversight.text.read": "an investigation is not announced to whom it concerns; it is on record for ever",
    "publication.bundle.pushed": _HOUSE,
    "publication.bundle.signed": _HOUSE,
    "publication.sample.signed-off": _HOUSE,
    "releases.engine.fingerprinted": _HOUSE,
    "releases.engine.inspected": _HOUSE,
    "releases.gate.waived": _HOUSE,
    "releases.plan.adopted": _HOUSE,
    "releases.stage.opened": _HOUSE,
    "releases.stage.signed": _HOUSE,
    "stress.run.failed": _HOUSE,
    "stress.run.finished": _HOUSE,
    "stress.run.started": _HOUSE,
}
