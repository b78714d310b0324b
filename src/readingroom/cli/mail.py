"""`mail ...`: letters on their way. `calendar ...`: dates for whatever calendar a person keeps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from readingroom.app import mailroom
from readingroom.cli.app import app
from readingroom.cli.context import Context

mail = typer.Typer(no_args_is_help=True, help="Letters on their way: which are stuck and why, try again, try out.")
calendar = typer.Typer(no_args_is_help=True, help="Dates as calendar files (iCalendar).")
app.add_typer(mail, name="mail")
app.add_typer(calendar, name="calendar")


@mail.command("list")
def list_(context: typer.Context) -> None:
    """List letters that wait or are stuck, and why; never their texts."""
    here: Context = context.obj
    found = mailroom.unsent(here.house, here.actor)
    rows = [(s.id, s.state.value, s.to, s.event, s.attempts, s.next_at or "", s.problem) for s in found]
    heads = ("letter", "state", "to", "tells of", "tries", "next try", "what was said")
    here.output.rows([asdict(each) for each in found], "Letters on their way", heads, rows)


@mail.command("retry")
def retry(
    context: typer.Context,
    letter: Annotated[str, typer.Argument(help="A letter [default: all that were tried in vain]")] = "",
) -> None:
    """Have letters tried anew by the server that runs, or else the next that does."""
    here: Context = context.obj
    count = mailroom.retry(here.house, here.actor, letter)
    here.output.result({"retried": count}, f"{count} letters are tried anew")


@mail.command("drop")
def drop(context: typer.Context, letter: str) -> None:
    """Remove a stuck letter that will not be sent."""
    here: Context = context.obj
    mailroom.drop(here.house, here.actor, letter)
    here.output.result({"dropped": letter}, f"{letter} is removed")


@mail.command("try")
def try_(context: typer.Context, email: str) -> None:
    """Send a trial letter now, and say whether the mail server took it."""
    here: Context = context.obj
    where = mailroom.try_address(here.house, here.actor, email)
    here.output.result({"sent": True, "to": email, "by": where}, f"A letter to {email} was taken by {where}")


@calendar.command("call")
def call(context: typer.Context, call: str) -> None:
    """Print a call's dates."""
    _print(context, mailroom.call_calendar(context.obj.house, call))


@calendar.command("mine")
def mine(context: typer.Context) -> None:
    """Print every date of yours: applications, awards, grants."""
    _print(context, mailroom.my_calendar(context.obj.house, context.obj.actor))


def _print(context: typer.Context, made: str) -> None:
    here: Context = context.obj
    if here.output.as_json:
        here.output.result({"calendar": made})
    else:
        typer.echo(made, nl=False)
