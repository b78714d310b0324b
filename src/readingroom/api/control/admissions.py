"""Calls, applications, reviews and awards."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, get, patch, post
from msgspec import UNSET, Meta, UnsetType

from readingroom.access import queries as access_queries
from readingroom.admissions.model import Answer, Draft, Judgement, Outcome, Reason, Risk, Ruling
from readingroom.app import desk
from readingroom.app.house import House
from readingroom.core.refusal import require
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check

Text = Annotated[str, Meta(max_length=20_000)]


class CallText(msgspec.Struct, forbid_unknown_fields=True):
    """A call file."""

    text: Annotated[str, Meta(max_length=100_000)]


class Declared(msgspec.Struct, forbid_unknown_fields=True):
    """A conflict of interest, in a few words."""

    reason: Annotated[str, Meta(max_length=2000)]


class Filled(msgspec.Struct, forbid_unknown_fields=True):
    """An application as it is filled in."""

    answers: dict[str, Answer] | UnsetType = UNSET
    passes: Annotated[int, Meta(ge=0, le=2**53 - 1)] | UnsetType = UNSET
    tier: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET
    team: list[Annotated[str, Meta(max_length=254)]] | UnsetType = UNSET

    def over(self, known: Draft) -> Draft:
        """Return a draft in which what was sent replaces what was known; of the answers, each by itself."""
        answers = {} if self.answers is UNSET else self.answers
        return Draft(
            answers={**known.answers, **answers},
            passes=known.passes if self.passes is UNSET else self.passes,
            tier=known.tier if self.tier is UNSET else self.tier,
            team=known.team if self.team is UNSET else tuple(self.team),
        )


class Correction(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be corrected, and by when."""

    note: Text
    until: Annotated[datetime, Meta(tz=True)]


class Emails(msgspec.Struct, forbid_unknown_fields=True):
    """Reviewers, by e-mail; none means everyone with the role."""

    emails: list[Annotated[str, Meta(max_length=254)]] = []


class DryRun(msgspec.Struct, forbid_unknown_fields=True):
    """Whether to change nothing."""

    dry_run: bool = False


class Given(msgspec.Struct, forbid_unknown_fields=True):
    """A review."""

    scores: dict[str, int]
    comment: Text = ""
    risk: Risk = Risk.OK
    risk_reason: Text = ""


class Ruled(msgspec.Struct, forbid_unknown_fields=True):
    """A person's decision on one application."""

    outcome: Outcome
    reason: Reason
    note: Text = ""
    passes: Annotated[int, Meta(ge=1)] | None = None


@get("/calls", sync_to_thread=True, summary="All calls")
def calls(house: House) -> list[dict[str, Any]]:
    """Return every call with its budget, window and form."""
    return [desk.call_json(each) for each in house.admissions.calls()]


@post("/calls", sync_to_thread=True, summary="Open a call")
def open_call(data: CallText, house: House, actor: Actor) -> dict[str, Any]:
    """Open a call from its file's text."""
    return desk.call_json(desk.open_call(house, actor, data.text, "call.yaml"))


@get("/calls/{call:str}", sync_to_thread=True, summary="One call")
def show_call(call: str, house: House) -> dict[str, Any]:
    """Return a call."""
    return desk.call_json(house.admissions.call(call))


@get("/calls/{call:str}/file", media_type="text/yaml", sync_to_thread=True, summary="A call's file, byte for byte")
def call_file(call: str, house: House) -> str:
    """Return the file as it was opened; its SHA-256 is the digest in the ledger."""
    return house.admissions.call_text(call)


@post("/calls/{call:str}/close", status_code=200, sync_to_thread=True, summary="End submission")
def close_call(call: str, house: House, actor: Actor) -> dict[str, Any]:
    """Close a call."""
    return desk.call_json(house.admissions.close_call(actor, call))


@post("/calls/{call:str}/reviewers", status_code=200, sync_to_thread=True, summary="Assign reviewers")
def assign(call: str, data: Emails, house: House, actor: Actor) -> dict[str, Any]:
    """Give every application its reviewers; a conflict is never assigned."""
    require(check(actor, Permission.CALL_OPEN))  # before anybody is looked up by name
    people = [house.people.named(each).id for each in data.emails]
    made = house.admissions.assign_reviewers(actor, call, people or None)
    return {"assigned": len(made)}


@post("/calls/{call:str}/allocate", status_code=200, sync_to_thread=True, summary="Compute the allocation")
def allocate(call: str, data: DryRun, house: House, actor: Actor) -> dict[str, Any]:
    """Fix how the budget is divided, or, as a dry run, only show it."""
    return desk.allocation_json(house.admissions.allocate(actor, call, dry_run=data.dry_run))


@post("/calls/{call:str}/publish", status_code=200, sync_to_thread=True, summary="Make the allocation binding")
def publish(call: str, house: House, actor: Actor) -> list[dict[str, Any]]:
    """Decide every application as it was allocated."""
    return [desk.award_json(each) for each in house.admissions.publish(actor, call)]


@get("/calls/{call:str}/applications", sync_to_thread=True, summary="A call's applications, for the desk")
def applications(call: str, house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the applications of a call."""
    return [desk.application_json(each) for each in house.admissions.applications(actor, call)]


@post("/calls/{call:str}/applications", sync_to_thread=True, summary="Start an application")
def start(call: str, data: Filled, house: House, actor: Actor) -> dict[str, Any]:
    """Start an application; it counts once it is submitted."""
    tiers = house.admissions.call(call).file.tiers
    return desk.application_json(house.admissions.start(actor, call, data.over(Draft({}, 0, tiers[0], ()))))


@get("/applications/mine", sync_to_thread=True, summary="My applications")
def mine(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the caller's applications."""
    return [desk.application_json(each) for each in house.admissions.my_applications(actor)]


@patch("/applications/{application:str}", sync_to_thread=True, summary="Save an application")
def save(application: str, data: Filled, house: House, actor: Actor) -> dict[str, Any]:
    """Save what is filled in so far."""
    found = house.admissions.application(actor, application)
    return desk.application_json(house.admissions.save(actor, application, data.over(found.draft)))


@post("/applications/{application:str}/submit", status_code=200, sync_to_thread=True, summary="Submit an application")
def submit(application: str, house: House, actor: Actor) -> dict[str, Any]:
    """Freeze and submit an application."""
    return desk.application_json(house.admissions.submit(actor, application))


@post("/applications/{application:str}/withdraw", status_code=200, sync_to_thread=True, summary="Withdraw it")
def withdraw(application: str, house: House, actor: Actor) -> dict[str, Any]:
    """Withdraw an application."""
    return desk.application_json(house.admissions.withdraw(actor, application))


@post(
    "/applications/{application:str}/decide",
    status_code=200,
    sync_to_thread=True,
    summary="Decide without a competition",
)
def decide(application: str, data: Ruled, house: House, actor: Actor) -> dict[str, Any]:
    """Decide one application of a call that holds no competition."""
    ruling = Ruling(data.outcome, data.reason, data.note, data.passes)
    made = house.admissions.decide(actor, application, ruling)
    return {"application": application, "outcome": made.outcome.value, "reason": made.reason.value, "text": made.text}


@post("/applications/{application:str}/return", status_code=200, sync_to_thread=True, summary="Ask for a correction")
def return_(application: str, data: Correction, house: House, actor: Actor) -> dict[str, Any]:
    """Return an application until a date; what was submitted is kept."""
    return desk.application_json(house.admissions.return_application(actor, application, data.note, data.until))


@get("/applications/{application:str}/decision", sync_to_thread=True, summary="What was decided, and why")
def decision(application: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return the decision on one's application, with what would have had to differ."""
    made = house.admissions.decision(actor, application)
    if made is None:
        return {"application": application, "outcome": None}
    return {
        "application": application,
        "outcome": made.outcome.value,
        "reason": made.reason.value,
        "text": made.text,
        "differ": made.differ,
        "reapply_from": made.reapply_from,
        "appeal": made.appeal,
        "sheet": made.sheet,
    }


@get("/reviews", sync_to_thread=True, summary="What I have to review, without names")
def reviews(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the blind views of what the caller is to review."""
    return [desk.task_json(each) for each in house.admissions.reviews_to_do(actor)]


@post("/reviews/{review_id:str}", status_code=200, sync_to_thread=True, summary="Give or amend a review")
def review(review_id: str, data: Given, house: House, actor: Actor) -> dict[str, Any]:
    """Give a review."""
    given = Judgement(data.scores, data.comment, data.risk, data.risk_reason)
    house.admissions.review(actor, review_id, given)
    return {"review": review_id, "given": True}


@post("/reviews/{review_id:str}/conflict", status_code=200, sync_to_thread=True, summary="Declare a conflict")
def conflict(review_id: str, data: Declared, house: House, actor: Actor) -> dict[str, Any]:
    """Step back from a review."""
    house.admissions.declare_conflict(actor, review_id, data.reason)
    return {"review": review_id, "recused": True}


@post("/reviews/{review_id:str}/release", status_code=200, sync_to_thread=True, summary="Let a silent reviewer go")
def release(review_id: str, house: House, actor: Actor) -> dict[str, Any]:
    """Let a reviewer go who has not reviewed, so that another can be assigned."""
    house.admissions.release_review(actor, review_id)
    return {"review": review_id, "released": True}


@get("/awards/mine", sync_to_thread=True, summary="My awards")
def my_awards(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the caller's awards."""
    return [desk.award_json(each) for each in house.admissions.my_awards(actor)]


@post("/awards/{award:str}/accept", status_code=200, sync_to_thread=True, summary="Accept an award")
def accept(award: str, house: House, actor: Actor) -> dict[str, Any]:
    """Accept an award; the grant is issued in the same transaction."""
    made = house.admissions.accept_award(actor, award)
    with house.db.read() as tx:
        grant = access_queries.grant_of_award(tx, made.id)
    return {**desk.award_json(made), "grant": grant.id if grant else None}


@post("/awards/{award:str}/decline", status_code=200, sync_to_thread=True, summary="Decline an award")
def decline(award: str, house: House, actor: Actor) -> dict[str, Any]:
    """Decline an award; its amount goes back to the call."""
    return desk.award_json(house.admissions.decline_award(actor, award))


@post("/awards/{award:str}/lapse", status_code=200, sync_to_thread=True, summary="Take back an offer that has run out")
def lapse(award: str, house: House, actor: Actor) -> dict[str, Any]:
    """Take back an offer whose date has passed; its amount goes back to the call."""
    return desk.award_json(house.admissions.lapse_award(actor, award))


_CALLS = [call_file, calls, open_call, show_call, close_call, assign, allocate, publish, applications, start]
_APPLICATIONS = [mine, save, submit, withdraw, return_, decide, decision]
_REVIEWS = [reviews, review, conflict, release]
_AWARDS = [my_awards, accept, decline, lapse]
router = Router("/", route_handlers=[*_CALLS, *_APPLICATIONS, *_REVIEWS, *_AWARDS], tags=["admissions"])
