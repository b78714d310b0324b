"""`stage ...`: the stage machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import click
import typer

from readingroom.app.views import stage_json
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.cli.given import moment
from readingroom.people.model import Actor
from readingroom.releases.model import Reason, StageState, StageStatus

stage = typer.Typer(no_args_is_help=True, help="The stage machine: gates, signatures, opening and closing.")
app.add_typer(stage, name="stage")

As = Annotated[str, typer.Option("--as", help="Sign as this person (only in a house for trials)")]
CODES = click.Choice([each.value for each in Reason if each is not Reason.PLAN_CHANGED])
Why = Annotated[str, typer.Option("--reason", help="A code of the closed list", click_type=CODES)]
Note = Annotated[str, typer.Option(help="In words; needed for the reason `other`")]


def stage_rows(status: Sequence[StageStatus]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return heads and rows of a table of stages, one row per clause."""
    rows: list[tuple[str, ...]] = []
    for each in status:
        state = each.record.state.value
        if each.record.state is StageState.OPEN and not each.open:
            state = f"open, but: {each.reason}"
        first = (each.stage.name, each.stage.channel.value, each.stage.audience.value, state)
        clauses = [(c.verdict.value + (", waived" if c.waiver else ""), c.sentence) for c in each.clauses]
        ungated = [("no gate", each.stage.gate.ungated)] if each.stage.gate.ungated else [("", "")]
        for index, clause in enumerate(clauses or ungated):
            rows.append((*(first if index == 0 else ("", "", "", "")), *clause))
    return ("stage", "channel", "audience", "state", "verdict", "because"), rows


@stage.command("status")
def status(context: typer.Context) -> None:
    """Show every stage with its gate, clause by clause."""
    here: Context = context.obj
    found = here.house.releases.status(here.actor)
    here.output.rows([stage_json(each) for each in found], "Stages", *stage_rows(found))


def _show(here: Context, found: StageStatus) -> None:
    here.output.result(stage_json(found), f"{found.stage.name} is {found.record.state.value}")


@stage.command("open")
def open_(context: typer.Context, name: str) -> None:
    """Open a stage whose gate is met; else say clause by clause what is missing."""
    here: Context = context.obj
    _show(here, here.house.releases.open(here.actor, name))


@stage.command("sign")
def sign(context: typer.Context, name: str, as_: As = "") -> None:
    """Sign for a stage, as the person who is signed in; one person never counts twice."""
    here: Context = context.obj
    found = here.house.releases.sign(here.signer(as_), name)
    here.output.result(stage_json(found), f"Signed for {name}")


@stage.command("waive")
def waive(
    context: typer.Context,
    name: str,
    gate: Annotated[str, typer.Argument(help="The clause, as `stage status --json` names it")],
    until: Annotated[str, typer.Option(help="When it ends: a date, or RFC 3339")],
    reason: Annotated[str, typer.Option(help="Why, in words")],
    as_: As = "",
) -> None:
    """Let a stage open without one clause until a date, on a steward's signature."""
    here: Context = context.obj
    made = here.house.releases.waive(here.signer(as_), name, gate, moment(until, "--until"), reason)
    document = {"id": made.id, "stage": name, "clause": made.clause, "until": made.until}
    here.output.result(document, f"{gate} is waived for {name} until {made.until:%Y-%m-%d}")


def _stop(act: str) -> Callable[..., None]:
    def command(context: typer.Context, name: str, reason: Why, note: Note = "") -> None:
        here: Context = context.obj
        does: Callable[[Actor, str, str, str], StageStatus] = getattr(here.house.releases, act)
        _show(here, does(here.actor, name, reason, note))

    return command


for _act, _help in (
    ("hold", "Stop serving a stage for now."),
    ("rollback", "Take a stage back; opening it again needs new signatures."),
    ("withdraw", "Close a stage for good."),
):
    stage.command(_act, help=_help)(_stop(_act))
