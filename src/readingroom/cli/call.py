"""`call ...`, `application ...`, `review ...`: competitive calls, from the desk's side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from readingroom.admissions.call import Call
from readingroom.admissions.model import Outcome, Reason, Risk, Ruling
from readingroom.app import desk
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.cli.given import moment, text_of
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole

call = typer.Typer(no_args_is_help=True, help="Competitive calls with a finite budget.")
application = typer.Typer(no_args_is_help=True, help="Applications, from the desk's side.")
review = typer.Typer(no_args_is_help=True, help="Reviews: what there is to do, and what was given.")
app.add_typer(call, name="call")
app.add_typer(application, name="application")
app.add_typer(review, name="review")


@call.command("open")
def open_(context: typer.Context, file: Path) -> None:
    """Open a call from its file; its digest and a commitment to its seed go into the ledger."""
    here: Context = context.obj
    made = desk.open_call(here.house, here.actor, text_of(file), str(file))
    _show(here, made)


@call.command("list")
def list_(context: typer.Context) -> None:
    """List all calls."""
    here: Context = context.obj
    found = here.house.admissions.calls()
    rows = [(c.id, c.file.title, c.state.value, c.file.budget.passes) for c in found]
    here.output.rows([desk.call_json(c) for c in found], "Calls", ("call", "title", "state", "passes"), rows)


@call.command("close")
def close(context: typer.Context, call: str) -> None:
    """End submission."""
    here: Context = context.obj
    _show(here, here.house.admissions.close_call(here.actor, call))


@call.command("assign")
def assign(context: typer.Context, call: str) -> None:
    """Give every application its reviewers; a conflict is never assigned."""
    here: Context = context.obj
    made = here.house.admissions.assign_reviewers(here.actor, call)
    here.output.result({"assigned": len(made)}, f"{len(made)} reviews are assigned")


@call.command("allocate")
def allocate(
    context: typer.Context,
    call: str,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it; change nothing")] = False,  # noqa: FBT002
) -> None:
    """Compute who gets how much, with a reason sheet each; `publish` makes it binding."""
    here: Context = context.obj
    result = here.house.admissions.allocate(here.actor, call, dry_run=dry_run)
    document = result.to_json()
    rows = [
        (s["application"], s["rank"], s["reason"], (s["amounts"] or {}).get("passes", 0)) for s in document["sheets"]
    ]
    title = f"{'Dry run: ' if dry_run else ''}{result.awarded.passes:,} of {result.budget.passes:,} passes"
    here.output.rows(document, title, ("application", "rank", "rule", "passes"), rows)


@call.command("publish")
def publish(context: typer.Context, call: str) -> None:
    """Decide every application as it was allocated."""
    here: Context = context.obj
    made = here.house.admissions.publish(here.actor, call)
    here.output.result([desk.award_json(each) for each in made], f"{len(made)} awards are offered")


@call.command("lapse")
def lapse(context: typer.Context, award: str) -> None:
    """Take back an offer whose date has passed; its amount goes back to the call."""
    here: Context = context.obj
    made = here.house.admissions.lapse_award(here.actor, award)
    here.output.result(desk.award_json(made), f"{award} has lapsed; {made.amounts.passes:,} passes are free again")


def _show(here: Context, made: Call) -> None:
    here.output.result(desk.call_json(made), f"{made.file.title}: {made.state.value} ({made.id})")


@application.command("list")
def list_applications(context: typer.Context, call: str) -> None:
    """List the applications of a call."""
    here: Context = context.obj
    found = here.house.admissions.applications(here.actor, call)
    rows = [(a.id, a.state.value, a.draft.passes, a.draft.tier) for a in found]
    heads = ("application", "state", "passes asked", "tier")
    here.output.rows([desk.application_json(a) for a in found], "Applications", heads, rows)


@application.command("show")
def show(context: typer.Context, application: str) -> None:
    """Show one application."""
    here: Context = context.obj
    here.output.result(desk.application_json(here.house.admissions.application(here.actor, application)))


@application.command("decide")
def decide(
    context: typer.Context,
    application: str,
    outcome: Outcome,
    reason: Annotated[Reason, typer.Option(help="A code of the closed list")],
    note: Annotated[str, typer.Option(help="Why, in words; the applicant is told")] = "",
    passes: Annotated[int | None, typer.Option(min=1, help="How many [default: what was asked]")] = None,
) -> None:
    """Decide one application of a call that holds no competition."""
    here: Context = context.obj
    made = here.house.admissions.decide(here.actor, application, Ruling(outcome, reason, note, passes))
    here.output.result({"application": application, "outcome": made.outcome.value, "reason": made.reason.value})


@application.command("return")
def return_(
    context: typer.Context,
    application: str,
    note: Annotated[str, typer.Option(help="What is to be corrected; the applicant is told")],
    until: Annotated[str, typer.Option(help="By when: a date, or RFC 3339")],
) -> None:
    """Ask for a correction; what was submitted is kept."""
    here: Context = context.obj
    made = here.house.admissions.return_application(here.actor, application, note, moment(until, "--until"))
    here.output.result(desk.application_json(made), f"{application} is returned for correction until {until}")


@review.command("list")
def to_do(context: typer.Context) -> None:
    """List what there is to review for the person who is signed in; without names."""
    here: Context = context.obj
    here.output.result([desk.task_json(each) for each in here.house.admissions.reviews_to_do(here.actor)])


@review.command("give")
def give(
    context: typer.Context,
    review: Annotated[str, typer.Argument(help="Its id, as `review list` shows it")],
    score: Annotated[list[str], typer.Option(help="criterion=points; give it again for each")],
    comment: Annotated[str, typer.Option(help="For the desk, and, later, for the applicant")],
    risk: Annotated[Risk, typer.Option(help="Of misuse, apart from merit")] = Risk.OK,
    risk_reason: Annotated[str, typer.Option(help="Needed for a concern or a veto")] = "",
) -> None:
    """Give a review, or amend it while the call is open for review."""
    here: Context = context.obj
    scores = dict(_score(each) for each in score)
    body: dict[str, Any] = {"scores": scores, "comment": comment, "risk": risk.value, "risk_reason": risk_reason}
    here.house.admissions.review(here.actor, review, desk.judgement(body))
    here.output.result({"review": review, "given": True}, "The review is given")


@review.command("conflict")
def conflict(
    context: typer.Context,
    review: Annotated[str, typer.Argument(help="Its id, as `review list` shows it")],
    reason: Annotated[str, typer.Option(help="The conflict of interest, in a few words")],
) -> None:
    """Step back from a review because of a conflict of interest."""
    here: Context = context.obj
    here.house.admissions.declare_conflict(here.actor, review, reason)
    here.output.result({"review": review, "recused": True}, "You have stepped back from this review")


@review.command("release")
def release(context: typer.Context, review: str) -> None:
    """Let a reviewer go who has not reviewed, so that `call assign` can ask another."""
    here: Context = context.obj
    here.house.admissions.release_review(here.actor, review)
    here.output.result({"review": review, "released": True}, "Let go; `call assign` asks another")


def _score(text: str) -> tuple[str, int]:
    name, _, written = text.partition("=")
    points = whole(written)
    if not name or points is None:
        raise BadInput([Problem("--score", f"{text!r} is no score", "Write criterion=points, such as merit=4")])
    return name, points
