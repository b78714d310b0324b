"""`grant return|end|transfer|report|supplement|held`: what a grant's holder does with it after the award."""

from __future__ import annotations

from typing import Annotated

import typer

from readingroom.app import holding, sharing
from readingroom.app.views import grant_json
from readingroom.cli.context import Context
from readingroom.cli.grant import grant

Passes = Annotated[int, typer.Option(min=1, help="How many")]


@grant.command("return")
def return_(context: typer.Context, grant: str, passes: Passes) -> None:
    """Give back what a grant does not need, to its call; tokens and calls follow in proportion."""
    here: Context = context.obj
    made = sharing.give_up(here.house, here.actor, grant, passes)
    here.output.result(grant_json(here.house, made), f"{passes:,} passes went back; {made.allocation.passes:,} stay")


@grant.command("end")
def end(context: typer.Context, grant: str) -> None:
    """End a project: all that is free of its grant goes back, and so does what is held of it."""
    here: Context = context.obj
    made = sharing.give_up(here.house, here.actor, grant, None)
    here.output.result(grant_json(here.house, made), f"{made.allocation.passes:,} passes stay: used, or in use")


@grant.command("transfer")
def transfer(
    context: typer.Context,
    grant: str,
    to: Annotated[str, typer.Option(help="Another of one's own grants, from the same budget")],
    passes: Passes,
) -> None:
    """Move unused passes to another of one's own grants."""
    here: Context = context.obj
    made = sharing.transfer(here.house, here.actor, grant, to, passes)
    here.output.result(grant_json(here.house, made), f"{to} has {made.allocation.passes:,} passes now")


@grant.command("report")
def report(
    context: typer.Context,
    grant: str,
    text: Annotated[str, typer.Option(help="What was done so far")],
    found: Annotated[str, typer.Option(help="What was found")],
    used: Annotated[str, typer.Option(help="What the passes were used for")],
) -> None:
    """File a progress report; a person then releases what is held of the award."""
    here: Context = context.obj
    award = sharing.award_of(here.house, here.actor, grant)
    answers = {"text": text, "found": found, "used": used}
    made = here.house.admissions.file_report(here.actor, award, answers)
    here.output.result(holding.request_json(made), f"{made.id} is filed, about {made.passes:,} passes that are held")


@grant.command("supplement")
def supplement(
    context: typer.Context,
    grant: str,
    passes: Passes,
    purpose: Annotated[str, typer.Option(help="What it is for")],
    why: Annotated[str, typer.Option(help="Why so much more is needed")],
) -> None:
    """Ask for more than was awarded, as far as the call allows it."""
    here: Context = context.obj
    award = sharing.award_of(here.house, here.actor, grant)
    made = here.house.admissions.ask_supplement(here.actor, award, {"purpose": purpose, "why": why}, passes)
    here.output.result(holding.request_json(made), f"{made.id} is filed")


@grant.command("held")
def held(context: typer.Context, grant: str) -> None:
    """Show what is held back of a grant's award, and what was asked for under it."""
    here: Context = context.obj
    here.output.result(holding.held_json(here.house, here.actor, grant))


@grant.command("withdraw-request")
def withdraw_request(context: typer.Context, request: str) -> None:
    """Take back a report or a supplement that nobody has answered."""
    here: Context = context.obj
    here.output.result(holding.request_json(here.house.admissions.withdraw_request(here.actor, request)))
