"""`observation ...`: what readers report, and what the lab answers."""

from __future__ import annotations

from typing import Annotated

import typer

from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.core.clock import rfc3339
from readingroom.oversight.observation import Kind

observation = typer.Typer(no_args_is_help=True, help="Reports of readers: a leaked key, an unsafe answer, a breach.")
app.add_typer(observation, name="observation")


@observation.command("report")
def report(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="What was seen")],
    text: Annotated[str, typer.Option(help="What you saw, where and when; the lab alone reads it")],
    grant: Annotated[str, typer.Option(help="The grant of yours that it is about, if any")] = "",
) -> None:
    """Report something to the lab's stewards and safety officers."""
    here: Context = context.obj
    made = here.house.observations.report(here.actor, kind, text, grant)
    here.output.result(made.to_json(), f"{made.id} is reported; the lab answers by letter")


@observation.command("list")
def list_(
    context: typer.Context,
    mine: Annotated[bool, typer.Option("--mine", help="Your own, with the lab's answers")] = False,  # noqa: FBT002
) -> None:
    """List the reports, those that wait for an answer first; or your own."""
    here: Context = context.obj
    room = here.house.observations
    found = room.mine(here.actor) if mine else room.all(here.actor)
    rows = [(each.id, each.kind.value, rfc3339(each.reported_at), each.text, each.answer or "waits") for each in found]
    shown = [each.to_json(inside=not mine) for each in found]
    here.output.rows(shown, "Reports", ("report", "kind", "when", "what", "answer"), rows)


@observation.command("answer")
def answer(
    context: typer.Context,
    observation: str,
    words: Annotated[str, typer.Option("--text", help="What you found and do; who reported it is told")],
) -> None:
    """Answer a report; what follows for a reader is a sanction of its own."""
    here: Context = context.obj
    made = here.house.observations.answer(here.actor, observation, words)
    here.output.result(made.to_json(inside=True), f"{made.id} is answered")
