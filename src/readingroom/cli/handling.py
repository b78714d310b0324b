"""`call ...` and `application ...`: forms, late ones, the sift, applicants who review one another, what is overdue."""

from __future__ import annotations

from typing import Annotated

import typer

from readingroom.admissions.allocation import decimal
from readingroom.admissions.model import Reason
from readingroom.app import desk
from readingroom.cli.application import application
from readingroom.cli.call import call
from readingroom.cli.context import Context

Note = Annotated[str, typer.Option(help="Why, in words; the applicant is told")]


@call.command("check-forms")
def check_forms(context: typer.Context, call: str, applications: list[str]) -> None:
    """Find the forms of these applications in order, before they are reviewed."""
    here: Context = context.obj
    made = here.house.admissions.check_forms(here.actor, call, applications)
    here.output.result({"call": call, "checked": made}, f"{made} found in order")


@call.command("overdue")
def overdue(context: typer.Context, call: str) -> None:
    """List what was to be decided by now; nothing happens to it by itself."""
    here: Context = context.obj
    found = here.house.admissions.overdue(here.actor, call)
    rows = [(a.id, a.state.value, a.passes, f"{a.since:%Y-%m-%d %H:%M}") for a in found]
    document = [{"id": a.id, "state": a.state.value, "passes": a.passes, "submitted_at": a.since} for a in found]
    here.output.rows(document, "Overdue", ("application", "state", "passes", "submitted"), rows)


@call.command("assign-sift")
def assign_sift(context: typer.Context, call: str) -> None:
    """Share a closed call's applications out for a first look; a conflict is never assigned."""
    here: Context = context.obj
    made = here.house.admissions.assign_sift(here.actor, call)
    here.output.result({"assigned": made}, f"{made} looks are assigned")


@call.command("sift")
def sift(context: typer.Context, call: str) -> None:
    """Show what the sift says, the lowest first; what is under the line waits for a person."""
    here: Context = context.obj
    found = here.house.admissions.sift_tally(here.actor, call)
    told = [(t.application, "" if t.mean is None else decimal(t.mean), t.below) for t in found]
    document = [{"application": a, "mean": mean or None, "below": below} for a, mean, below in told]
    rows = [(a, mean or "to come", "under the line" if below else "") for a, mean, below in told]
    here.output.rows(document, "Sift", ("application", "mean", "line"), rows)


@call.command("sift-out")
def sift_out(context: typer.Context, application: str, note: Note) -> None:
    """Confirm that an application under the line goes no further."""
    here: Context = context.obj
    made = here.house.admissions.sift_out(here.actor, application, note)
    here.output.result({"application": application, "outcome": made.outcome.value, "reason": made.reason.value})


@call.command("sift-keep")
def sift_keep(context: typer.Context, application: str, note: Note) -> None:
    """Let an application under the line go on to full review."""
    here: Context = context.obj
    here.house.admissions.sift_keep(here.actor, application, note)
    here.output.result({"application": application, "kept": True}, f"{application} goes on to full review")


@call.command("looks")
def looks(context: typer.Context) -> None:
    """List what you are asked to take a first look at; without names."""
    here: Context = context.obj
    found = here.house.admissions.sifts_to_do(here.actor)
    rows = [(t.id, t.criterion.name, next(iter(t.view.answers.values()), "")) for t in found]
    here.output.rows([desk.sift_json(t) for t in found], "To sift", ("look", "criterion", "begins"), rows)


@call.command("look")
def look(
    context: typer.Context,
    look: str,
    score: Annotated[int, typer.Option(help="On the call's scale")],
    comment: Annotated[str, typer.Option(help="Why, in a line")],
) -> None:
    """Give your first look at an application."""
    here: Context = context.obj
    here.house.admissions.sift(here.actor, look, score, comment)
    here.output.result({"look": look, "score": score}, f"{look}: {score}")


@call.command("assign-peers")
def assign_peers(context: typer.Context, call: str) -> None:
    """Let the applicants of each half review the other half."""
    here: Context = context.obj
    made = here.house.admissions.assign_peers(here.actor, call)
    here.output.result({"assigned": made}, f"{made} reviews are assigned")


@call.command("debts")
def debts(context: typer.Context, call: str) -> None:
    """List whose applicants still owe reviews; only a person's decision takes their place."""
    here: Context = context.obj
    found = here.house.admissions.peer_debts(here.actor, call)
    document = [{"application": each, "owed": owed} for each, owed in found.items()]
    here.output.rows(document, "Reviews owed", ("application", "owed"), list(found.items()))


@call.command("drop")
def drop(context: typer.Context, application: str, note: Note) -> None:
    """Refuse an application whose applicant has not given the reviews that all applicants give."""
    here: Context = context.obj
    made = here.house.admissions.drop_for_debt(here.actor, application, note)
    here.output.result({"application": application, "outcome": made.outcome.value, "reason": made.reason.value})


@application.command("ineligible")
def ineligible(
    context: typer.Context,
    application: str,
    reason: Annotated[Reason, typer.Option(help="no-affiliation, no-credential, incomplete, duplicate, out-of-scope")],
    note: Note,
) -> None:
    """Refuse an application on its form alone, before it is reviewed."""
    here: Context = context.obj
    made = here.house.admissions.find_ineligible(here.actor, application, reason, note)
    here.output.result({"application": application, "outcome": made.outcome.value, "reason": made.reason.value})


@application.command("admit")
def admit(context: typer.Context, application: str, note: Note) -> None:
    """Let a late application count as if it had come in time."""
    here: Context = context.obj
    made = here.house.admissions.admit_late(here.actor, application, note)
    here.output.result(desk.application_json(made), f"{application} is admitted")


@application.command("next-round")
def next_round(context: typer.Context, application: str) -> None:
    """Move your late application into the next round; it counts there once you submit it again."""
    here: Context = context.obj
    made = here.house.admissions.move_to_next_round(here.actor, application)
    here.output.result(desk.application_json(made), f"{application} is a draft in {made.call} now; submit it there")
