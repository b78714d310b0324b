"""`works ...`: what readers made of the model."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from readingroom.app.works import from_file, own_json, public_json
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.core.document import read_file
from readingroom.oversight.citing import bibtex, csl_text, line
from readingroom.oversight.work import Entry

works = typer.Typer(no_args_is_help=True, help="Works: what readers made of the model, and the page that shows it.")
app.add_typer(works, name="works")


class Format(StrEnum):
    """How works are written."""

    TABLE = "table"
    BIBTEX = "bibtex"
    CSL = "csl"


class Which(StrEnum):
    """Which works are listed."""

    SHOWN = "shown"
    MINE = "mine"
    WAITING = "waiting"


@works.command("list")
def list_(
    context: typer.Context,
    which: Annotated[Which, typer.Option(help="shown on the page, your own, or waiting for a steward")] = Which.SHOWN,
    format_: Annotated[Format, typer.Option("--format", help="table, bibtex or csl")] = Format.TABLE,
) -> None:
    """List works: on the public page, your own, or those that wait for a steward."""
    here: Context = context.obj
    room = here.house.works
    found = room.shown() if which is Which.SHOWN else getattr(room, which.value)(here.actor)
    if format_ is Format.TABLE or here.output.as_json:
        spell = public_json if which is Which.SHOWN else own_json
        rows = [(each.id, each.state.value, line(each), each.reason) for each in found]
        here.output.rows([spell(each) for each in found], "Works", ("work", "state", "cited as", "why"), rows)
    else:
        typer.echo(bibtex(found) if format_ is Format.BIBTEX else csl_text(found), nl=False)


@works.command("submit")
def submit(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="YAML: grant, kind, title, authors, year, and what else there is")],
) -> None:
    """Hand a work in, made under a grant of yours."""
    here: Context = context.obj
    grant, made = from_file(read_file(file))
    _told(here, here.house.works.submit(here.actor, grant, made), "waits for a steward")


@works.command("publish")
def publish(context: typer.Context, work: str) -> None:
    """Put a work on the public page."""
    here: Context = context.obj
    _told(here, here.house.works.publish(here.actor, work), "is on the page")


@works.command("decline")
def decline(
    context: typer.Context, work: str, reason: Annotated[str, typer.Option(help="Why, in words for its author")]
) -> None:
    """Do not put a work on the page, and say why."""
    here: Context = context.obj
    _told(here, here.house.works.decline(here.actor, work, reason), "is not put on the page")


@works.command("withdraw")
def withdraw(
    context: typer.Context,
    work: str,
    reason: Annotated[str, typer.Option(help="Why; needed where it is not your own")] = "",
) -> None:
    """Take a work off the page."""
    here: Context = context.obj
    _told(here, here.house.works.withdraw(here.actor, work, reason), "is taken off")


def _told(here: Context, entry: Entry, what: str) -> None:
    here.output.result(own_json(entry), f"{entry.id} {what}")
