"""`call ...`: competitive calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from readingroom.admissions.call import Call
from readingroom.app import desk
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.cli.given import moment, text_of

call = typer.Typer(no_args_is_help=True, help="Competitive calls with a finite budget.")

app.add_typer(call, name="call")
Limit = Annotated[int, typer.Option(min=1, max=1000, help="At most so many")]
Offset = Annotated[int, typer.Option(min=0, help="Leave out so many first")]


def closes(each: Call) -> str:
    """Say when a call closes."""
    return "until closed" if each.file.window.standing else f"{each.file.window.closes:%Y-%m-%d %H:%M} UTC"


@call.command("open")
def open_(context: typer.Context, file: Path) -> None:
    """Open a call from its file; its digest and a commitment to its seed go into the ledger."""
    here: Context = context.obj
    made = desk.open_call(here.house, here.actor, text_of(file), str(file))
    _show(here, made)
    for each in here.house.admissions.series(made.id)[1:]:
        here.output.note(f"opened with it: {each.file.name} ({each.id})")


@call.command("list")
def list_(context: typer.Context, limit: Limit = 100, offset: Offset = 0) -> None:
    """List calls, the newest first."""
    here: Context = context.obj
    found, total = here.house.admissions.calls_page(limit, offset)
    counts = here.house.admissions.submitted_counts([c.id for c in found])
    rows = [(c.id, c.file.name, c.state.value, closes(c), c.file.budget.passes, counts.get(c.id, 0)) for c in found]
    heads = ("call", "title", "state", "closes", "passes", "applications")
    here.output.rows([desk.call_json(c) for c in found], "Calls", heads, rows)
    if total > offset + len(found):
        here.output.note(f"{total} calls in all; see more with --offset {offset + len(found)}")


@call.command("file")
def file_(context: typer.Context, call: str) -> None:
    """Print a call's file as it was opened, byte for byte: to be hashed, or to start the next call from."""
    here: Context = context.obj
    text = here.house.admissions.call_text(call)
    here.output.result({"call": call, "text": text}, text.rstrip("\n"))


@call.command("close")
def close(context: typer.Context, call: str) -> None:
    """End submission."""
    here: Context = context.obj
    _show(here, here.house.admissions.close_call(here.actor, call))


@call.command("assign")
def assign(
    context: typer.Context,
    call: str,
    due: Annotated[str, typer.Option(help="When reviews should be given: a date, or RFC 3339; decides nothing")] = "",
) -> None:
    """Give every application its reviewers; a conflict is never assigned."""
    here: Context = context.obj
    until = moment(due, "--due") if due else None
    made = here.house.admissions.assign_reviewers(here.actor, call, due=until)
    here.output.result({"assigned": len(made)}, f"{len(made)} reviews are assigned")


@call.command("allocate")
def allocate(
    context: typer.Context,
    call: str,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it; change nothing")] = False,  # noqa: FBT002
    public_value: Annotated[str, typer.Option(help="The value that the call's `draw` names, in hex")] = "",
) -> None:
    """Compute who gets how much, with a reason sheet each; `publish` makes it binding."""
    here: Context = context.obj
    result = here.house.admissions.allocate(here.actor, call, public_value=public_value, dry_run=dry_run)
    document = result.to_json()
    rows = [
        (s["application"], s["rank"], s["reason"], s["chance"] or "", (s["amounts"] or {}).get("passes", 0))
        for s in document["sheets"]
    ]
    title = f"{'Dry run: ' if dry_run else ''}{result.awarded.passes:,} of {result.budget.passes:,} passes"
    here.output.rows(document, title, ("application", "rank", "rule", "chance", "passes"), rows)


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
