"""`call template|check|rehearse`: planning a call before it opens. None of them needs a house."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from readingroom.admissions import call_file, rehearsal
from readingroom.app import calls
from readingroom.cli.call import call
from readingroom.cli.context import Context
from readingroom.cli.given import text_of
from readingroom.cli.output import shown
from readingroom.core.clock import SystemClock
from readingroom.core.settings import FILE


@call.command("template")
def template(
    context: typer.Context, kind: Annotated[str, typer.Argument(help=f"One of: {', '.join(calls.KINDS)}")]
) -> None:
    """Print a call file to edit: a standing reading ticket, a competition, or a call for thousands."""
    here: Context = context.obj
    text = calls.template(kind, SystemClock().now())
    here.output.result({"kind": kind, "text": text}, text.rstrip("\n"))


@call.command("check")
def check(
    context: typer.Context,
    file: Path,
    applications: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Expected [default: the file's own number]")
    ] = None,
    passes_per_second: Annotated[
        float | None, typer.Option(min=0.001, help="The engine's speed [default: the house's record, if there is one]")
    ] = None,
) -> None:
    """Check a call file, and count the persons and engine days that the call needs.

    Needs no house; beside one, its stage, tiers and terms are checked too.
    """
    here: Context = context.obj
    house = here.house if (here.home / FILE).exists() else None
    found = calls.check(text_of(file), str(file), house, applications, calls.speed_of(passes_per_second))
    here.output.result(found.to_json(), _shown(found))
    if found.problems:
        raise typer.Exit(2)


def _shown(found: calls.Report) -> Group:
    rows = [shown(f"error: {each}") for each in found.problems]
    rows += [shown(f"warning: {each}") for each in found.warnings]
    verdict = "cannot be opened here" if found.problems else "can be opened"
    if not found.housed:
        verdict += " (its stage, tiers and terms were not checked: there is no house here)"
    rows.append(shown(f"{found.file.title}: {verdict}"))
    needs = found.needs
    assumed = " (assumed: the file has no 'expects')" if needs.assumed else ""
    table = Table(title=Text(f"What {needs.applications:,} applications need{assumed}"), title_justify="left")
    for head in ("what", "how many", "hours", "reckoned"):
        table.add_column(head, overflow="fold")
    for row in calls.needs_rows(needs):
        table.add_row(*map(shown, row))
    if needs.engine_days is None:
        text = "The engine's speed is not known here: give --passes-per-second to count its days."
        return Group(*rows, table, *(shown(f"short: {each}") for each in needs.short), shown(text))
    return Group(*rows, table, *(shown(f"short: {each}") for each in needs.short))


@call.command("rehearse")
def rehearse(
    context: typer.Context,
    file: Path,
    applicants: Annotated[
        int | None, typer.Option(min=1, max=rehearsal.MAX_APPLICANTS, help="[default: what the file expects]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed plays the same call")] = 0,
    reviewers: Annotated[int | None, typer.Option(min=1, max=5000, help="[default: as many as are needed]")] = None,
    repeats: Annotated[int, typer.Option(min=0, max=200, help="How often other reviewers are asked")] = 20,
) -> None:
    """Play the whole call on synthetic applicants: who wins, how close it is, what luck decides. Changes nothing."""
    here: Context = context.obj
    read = call_file.parse(text_of(file), str(file))
    found = rehearsal.rehearse(read, applicants, seed=seed, reviewers_there=reviewers, repeats=repeats)
    here.output.result(rehearsal.document(found), rehearsal.text(found))
