"""`application ...`: applications, from the desk's side."""

from __future__ import annotations

from typing import Annotated

import typer

from readingroom.admissions.model import ApplicationState, Outcome, Reason, Ruling
from readingroom.app import desk
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.cli.given import moment

application = typer.Typer(no_args_is_help=True, help="Applications, from the desk's side.")

app.add_typer(application, name="application")


@application.command("list")
def list_applications(
    context: typer.Context,
    call: str,
    state: Annotated[
        list[ApplicationState] | None, typer.Option(help="Only these; may be given more than once")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="Leave out so many first")] = 0,
) -> None:
    """List the applications of a call, in the order in which they came."""
    here: Context = context.obj
    found = here.house.admissions.desk_page(here.actor, call, state or (), limit, offset)
    rows = [
        (
            a.id,
            a.state.value,
            a.passes,
            a.tier,
            a.reviews,
            f"{found.due[a.id]:%Y-%m-%d %H:%M}" if a.id in found.due else "",
        )
        for a in found.rows
    ]
    heads = ("application", "state", "passes asked", "tier", "reviews", "due")
    here.output.rows(desk.page_json(found)["applications"], f"{found.total} applications", heads, rows)
    if found.total > offset + len(rows):
        here.output.note(f"see more with --offset {offset + len(rows)}")


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
