"""`appeal ...`: appeals of refusals and of sanctions, and how they are heard."""

from __future__ import annotations

from typing import Annotated

import typer

from readingroom.admissions.after import Ground
from readingroom.admissions.appeals.model import Appeal, AppealState, Bar
from readingroom.app import holding
from readingroom.app.appealing import appeal_sanction, shown_json
from readingroom.cli.app import app
from readingroom.cli.context import Context

appeal = typer.Typer(no_args_is_help=True, help="Appeals, heard by people who took no part in what is appealed.")
app.add_typer(appeal, name="appeal")
Note = Annotated[str, typer.Option(help="Why, in words; the appellant is told")]


@appeal.command("lodge")
def lodge(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="One's own application that was refused, or a sanction of oneself")],
    ground: Annotated[Ground, typer.Option(help="A ground of the call's list")],
    text: Annotated[str, typer.Option(help="What went wrong, and where")],
) -> None:
    """Appeal a refusal or a sanction. What comes late is kept too, and a person says whether it is heard."""
    here: Context = context.obj
    if subject.startswith("sanction_"):
        _show(here, appeal_sanction(here.house, here.actor, subject, ground, text))
    else:
        _show(here, here.house.admissions.appeal_refusal(here.actor, subject, ground, text))


@appeal.command("list")
def list_(
    context: typer.Context,
    mine: Annotated[bool, typer.Option("--mine", help="One's own")] = False,  # noqa: FBT002 - Typer's flags
) -> None:
    """List the appeals that one may hear, or one's own."""
    here: Context = context.obj
    found = here.house.admissions.my_appeals(here.actor) if mine else here.house.admissions.appeals(here.actor)
    rows = [(a.id, a.kind.value, a.state.value, a.ground.value, "late" if a.late else "in time") for a in found]
    heads = ("appeal", "of", "state", "ground", "came")
    here.output.rows([holding.appeal_json(each) for each in found], "Appeals", heads, rows)


@appeal.command("show")
def show(context: typer.Context, appeal: str) -> None:
    """Show one appeal; what others of its panel said, once one has spoken."""
    here: Context = context.obj
    here.output.result(shown_json(here.house, here.actor, appeal))


@appeal.command("withdraw")
def withdraw(context: typer.Context, appeal: str) -> None:
    """Take one's appeal back."""
    here: Context = context.obj
    _show(here, here.house.admissions.withdraw_appeal(here.actor, appeal))


@appeal.command("admit")
def admit(context: typer.Context, appeal: str, note: Note = "") -> None:
    """Take an appeal to be heard; one that came late needs a note."""
    here: Context = context.obj
    _show(here, here.house.admissions.admit_appeal(here.actor, appeal, note))


@appeal.command("dismiss")
def dismiss(
    context: typer.Context,
    appeal: str,
    reason: Annotated[Bar, typer.Option(help="A code of the closed list")],
    note: Note,
) -> None:
    """Say that an appeal is not heard, and why."""
    here: Context = context.obj
    _show(here, here.house.admissions.dismiss_appeal(here.actor, appeal, reason, note))


@appeal.command("speak")
def speak(
    context: typer.Context,
    appeal: str,
    outcome: Annotated[AppealState, typer.Argument(help="upheld, partly or rejected")],
    reason: Annotated[str, typer.Option(help="Why")],
) -> None:
    """Say, as one of its panel, what should become of an appeal."""
    here: Context = context.obj
    _show(here, here.house.admissions.speak(here.actor, appeal, outcome, reason))


@appeal.command("conclude")
def conclude(
    context: typer.Context,
    appeal: str,
    note: Note,
    passes: Annotated[int | None, typer.Option(min=1, help="How many, where it is upheld in part")] = None,
) -> None:
    """Conclude an appeal as its panel found; what it gives comes out of the reserve."""
    here: Context = context.obj
    _show(here, here.house.admissions.conclude_appeal(here.actor, appeal, note, passes))


def _show(here: Context, made: Appeal) -> None:
    late = f"; it came after {made.due_at:%Y-%m-%d}, and a person says whether it is heard" if made.late else ""
    here.output.result(holding.appeal_json(made), f"{made.id} is {made.state.value}{late}")
