"""`plan ...`: the release plan."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from readingroom.app.plans import parse_plan_file
from readingroom.app.views import stage_json
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.cli.output import shown
from readingroom.cli.stage import stage_rows
from readingroom.core.errors import BadInput, Problem
from readingroom.strategy.compare import Comparison, compare, paces
from readingroom.strategy.drawbacks import Con

plan = typer.Typer(no_args_is_help=True, help="The release plan: check it, put it in force, compare strategies.")
app.add_typer(plan, name="plan")


@plan.command("check")
def check(context: typer.Context, file: Path) -> None:
    """Check a plan; every mistake is told with its line, column and cure."""
    here: Context = context.obj
    found = parse_plan_file(file)
    stages = [{"name": s.name, "channel": s.channel.value, "audience": s.audience.value} for s in found.stages]
    document = {"ok": True, "release": found.release, "digest": found.digest, "stages": stages}
    names = " -> ".join(stage.name for stage in found.stages)
    here.output.result(document, f"{file}: a good plan for {found.release}: {names}")


@plan.command("adopt")
def adopt(
    context: typer.Context,
    file: Path,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the plan")],
) -> None:
    """Put a plan in force: the only way. The difference from the plan before goes into the ledger."""
    here: Context = context.obj
    changes = here.house.releases.adopt(here.actor, _text(file), str(file), reason)
    adopted = here.house.releases.in_force()
    if adopted and any(each.retention for each in adopted.plan.stages):
        here.house.investigations.ratchet.made()  # before the stage opens: other hosts get a copy of the file
    told = [{"kind": each.kind.value, "subject": each.subject, "sentence": each.sentence} for each in changes]
    lines = [f"  {each.sentence}" for each in changes] or ["  nothing changes"]
    here.output.result({"adopted": True, "changes": told}, "\n".join([f"{file} is in force.", *lines]))


@plan.command("show")
def show(context: typer.Context) -> None:
    """Show where the release stands: each stage, and what opens the next."""
    here: Context = context.obj
    adopted = here.house.releases.in_force()
    status = here.house.releases.status()
    if adopted is None:
        text = "No plan is in force. Put one in force with `readingroom plan adopt FILE --reason ...`."
        here.output.result({"adopted": None, "stages": []}, text)
        return
    document = {
        "adopted": {"digest": adopted.digest, "at": adopted.adopted_at, "number": adopted.number},
        "release": adopted.plan.release,
        "stages": [stage_json(each) for each in status],
    }
    here.output.rows(document, f"{adopted.plan.release}, plan {adopted.number}", *stage_rows(status))
    if not here.output.as_json and (said := paces(adopted.plan.stages)):
        here.output.out.print(shown("How fast readers may read: " + "; ".join(said) + "."))


@plan.command("compare")
def compare_(context: typer.Context, file: Path) -> None:
    """Set the strategies, and not releasing, side by side for this very plan."""
    here: Context = context.obj
    found = compare(parse_plan_file(file))
    here.output.result(asdict(found), None if here.output.as_json else _table(found))
    if not here.output.as_json:
        here.output.out.print(_hazards(found))


def _table(found: Comparison) -> Table:
    table = Table(title=shown(f"Strategies for {found.release}"), title_justify="left", show_lines=True)
    table.add_column("", style="bold", width=16)
    for each in found.columns:
        table.add_column(each.title + (" (this plan)" if each.taken else ""), overflow="fold")
    for aspect in ("exposes", "records", "cannot_be_undone", "pros"):
        cells = ("\n".join(f"- {line}" for line in getattr(each, aspect)) for each in found.columns)
        table.add_row(aspect.replace("_", " "), *map(shown, cells))
    cons = ("\n".join(map(_con, each.cons)) for each in found.columns)
    table.add_row("cons, and what softens them", *map(shown, cons))
    return table


def _con(con: Con) -> str:
    return f"- {con.text}\n  -> {con.told()}"


def _hazards(found: Comparison) -> Table:
    table = Table(title="Hazards, and what stands before them", title_justify="left")
    for head in ("hazard", "gates that cover it", "stages without", "explained"):
        table.add_column(head, overflow="fold")
    for each in found.hazards:
        gates, without = "\n".join(each.gates) or "none", ", ".join(each.ungated_stages)
        table.add_row(*map(shown, (each.name, gates, without, each.explanation)))
    table.caption = shown(f"Benefits: {'; '.join(found.benefits)}. Other levers: {'; '.join(found.levers)}.")
    return table


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise BadInput([Problem(str(file), f"cannot be read: {fault}", "Check the path")]) from None
