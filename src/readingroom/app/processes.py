"""What one room says, another does; in the same transaction, so that both happen or neither does (ADR 4).

| said | done |
| --- | --- |
| `stress.run.finished` | its counts are filed as evidence in the dossier, per claim and gate version |
| `admissions.award.accepted` | a grant is issued |
| `access.grant.issued` | its meter is opened |
| what follows an award: reports, returns, transfers | see `afterwards` |
| `admissions.application.started`, `.submitted` | refused while the applicant is barred |
| `people.person.merged` | in a call, one person has one application, and reviews no own one; keys are looked at again |
| anything that opens or closes a stage | the workers look at their flowing streams again |
| whatever `letters/table.py` lists | letters to whom it concerns, into the outbox |
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.engine import Connection

from readingroom.access import queries as access_queries
from readingroom.access.model import Amounts, Award
from readingroom.access.sanctions import check_not_barred
from readingroom.access.service import Access
from readingroom.admissions import queries as admissions_queries
from readingroom.admissions.service import Admissions
from readingroom.core.clock import Clock
from readingroom.core.refusal import require
from readingroom.dossier.service import Dossier
from readingroom.gateway.meter import open_meter
from readingroom.gateway.model import Limits
from readingroom.ledger.model import Entry
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor
from readingroom.releases import queries as releases_queries

STAGE_EVENTS = (
    "releases.plan.adopted",
    "releases.stage.opened",
    "releases.stage.held",
    "releases.stage.rolled-back",
    "releases.stage.withdrawn",
    "releases.stage.closed",
    "releases.gate.waived",
    "releases.engine.inspected",
    "releases.engine.fingerprinted",
)


def listen(ledger: Ledger, dossier: Dossier, access: Access, admissions: Admissions, clock: Clock) -> None:
    """Subscribe every process to what it hears."""
    ledger.on("people.person.merged", lambda tx, entry: _one_person(tx, entry, admissions))
    ledger.on("stress.run.finished", lambda tx, entry: _file_evidence(tx, entry, dossier))
    ledger.on("admissions.award.accepted", lambda tx, entry: _issue_grant(tx, entry, access, clock))
    ledger.on("access.grant.issued", _open_meter)
    for event in ("admissions.application.started", "admissions.application.submitted"):
        ledger.on(event, lambda tx, entry: _refuse_barred(tx, entry, clock))
    for event in STAGE_EVENTS:
        ledger.on(event, lambda tx, _entry: access_queries.bump(tx))


def _one_person(tx: Connection, entry: Entry, admissions: Admissions) -> None:
    admissions.one_person_within(tx, Actor(entry.by), entry.data["into"])
    access_queries.bump(tx)  # their keys are another's now, and so are bars and what was accepted


def _file_evidence(tx: Connection, entry: Entry, dossier: Dossier) -> None:
    said = entry.data
    floor = "met" if said["floor_met"] else "unmet"
    for counts in said["counts"]:
        for version in said["gate_versions"]:
            dossier.file_evidence_within(
                tx,
                by=entry.by,
                model_digest=said["model_digest"],
                kind="stress",
                gate_version=version,
                claim=f"{said['suite']}/{counts['claim']}",
                # The run is named, so that two runs with equal figures are two pieces of evidence.
                payload={**counts, "floor": floor, "run": said["run"], "suite_digest": said["suite_digest"]},
            )


def _issue_grant(tx: Connection, entry: Entry, access: Access, clock: Clock) -> None:
    said = entry.data
    call = admissions_queries.call(tx, said["call"])
    award = Award(
        holder=said["person"],
        stage=said["stage"],
        tier=said["tier"],
        allocation=Amounts(**said["amounts"]),
        expires_at=clock.now() + timedelta(days=said["days"]),
        purpose=admissions_queries.purpose(tx, said["application"]),
        award_id=said["award"],
        title=call.file.title if call else "",
        decided_by=said["decided_by"],
        members=admissions_queries.members(tx, said["application"]),
    )
    stage = releases_queries.stage_fact(tx, award.stage, clock.now())
    access.issue_within(tx, Actor(entry.by), award, stage)


def _refuse_barred(tx: Connection, entry: Entry, clock: Clock) -> None:
    """Refuse, and so undo, what a barred person asks for; whoever writes for somebody is not asked about."""
    require(check_not_barred(access_queries.barred_until(tx, entry.by), clock.now()))


def _open_meter(tx: Connection, entry: Entry) -> None:
    open_meter(tx, entry.data["grant"], Limits(**entry.data["allocation"]))
