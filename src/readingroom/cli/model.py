"""`model ...` and `stress ...`: model versions, their dossiers, and what they do when pushed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from readingroom.app.views import model_json
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.core.errors import BadInput, Problem
from readingroom.strategy.statistics import binomial_upper
from readingroom.stress.model import Run
from readingroom.stress.rules import baseline

model = typer.Typer(no_args_is_help=True, help="Model versions and their dossiers.")
stress = typer.Typer(no_args_is_help=True, help="Stress tests; a run is on record from its start.")
app.add_typer(model, name="model")
app.add_typer(stress, name="stress")

CONFIDENCE = 0.95
Name = Annotated[str, typer.Option("--name", help="What the plan calls its artifact")]
ModelName = Annotated[str, typer.Option("--model", help="A registered model")]
SuiteName = Annotated[str, typer.Option("--suite", help="A suite that ships with the program")]


@model.command("add")
def add(context: typer.Context, where: Annotated[str, typer.Argument(metavar="PATH|URL|echo")], name: Name) -> None:
    """Register a model version: a file by its digest, a URL where it is served, or the echo engine."""
    here: Context = context.obj
    dossier = here.house.dossier
    if where == "echo" or where.startswith(("http://", "https://")):
        made = dossier.register_remote(here.actor, name, where)
    else:
        made = dossier.register(here.actor, name, Path(where))
    here.output.result(model_json(made), f"{made.name} is registered: {made.digest}")


@model.command("document")
def document(context: typer.Context, name: Name, kind: str, file: Path) -> None:
    """File a document (model_card, energy ...) in a model's dossier."""
    here: Context = context.obj
    try:
        content = file.read_bytes()
    except OSError as fault:
        raise BadInput([Problem(str(file), f"cannot be read: {fault.strerror}", "Check the path")]) from None
    filed = here.house.dossier.file_document(here.actor, name, kind, content)
    here.output.result({"kind": filed.kind, "digest": filed.digest}, f"{kind} of {name} is filed: {filed.digest}")


@model.command("list")
def list_(context: typer.Context) -> None:
    """List the registered model versions."""
    here: Context = context.obj
    found = here.house.dossier.models()
    rows = [(each.name, each.digest, f"{each.size:,}" if each.pinned else "by its address only") for each in found]
    here.output.rows([model_json(each) for each in found], "Models", ("name", "digest", "bytes"), rows)


@model.command("show")
def show(context: typer.Context, name: str) -> None:
    """Show a model's dossier: documents and evidence."""
    here: Context = context.obj
    version, documents, evidence = here.house.dossier.show(name)
    here.output.result(
        {
            **model_json(version),
            "documents": [{"kind": d.kind, "digest": d.digest, "filed_at": d.filed_at} for d in documents],
            "evidence": [
                {"claim": e.claim, "counts": dict(e.payload), "gate_version": e.gate_version, "filed_at": e.filed_at}
                for e in evidence
            ],
        }
    )


def run_json(run: Run) -> dict[str, Any]:
    """Return a run as JSON, each claim with its one-sided exact upper bound at 95 %."""
    claims = [
        {**each.to_json(), "upper_bound": _bound(each.hits + each.errors + each.unscored, each.samples)}
        for each in run.counts
    ]
    floor = run.floor
    return {
        "id": run.id,
        "model": run.model,
        "suite": run.suite,
        "suite_digest": run.suite_digest,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "failed_at": run.failed_at,
        "gate_versions": list(run.gate_versions),
        "claims": claims,
        "floor": {"done": floor.done, "tasks": floor.tasks, "lost": floor.lost, "met": floor.met} if floor else None,
    }


def _bound(worst: int, samples: int) -> float:
    return round(binomial_upper(worst, samples, CONFIDENCE), 6)


@stress.command("run")
def run(context: typer.Context, model: ModelName, suite: SuiteName = "core") -> None:
    """Run a suite on the served model and file the counts in its dossier."""
    here: Context = context.obj
    from readingroom.app.testing import run_suite  # with the engines' client: half of this program's start

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=here.output.err, transient=True) as progress:
        task = progress.add_task(f"{suite} on {model}")
        done = run_suite(
            here.house,
            here.actor,
            model,
            suite,
            lambda count, total: progress.update(task, completed=count, total=total),
        )
        finished = asyncio.run(done)
    _print(here, finished)
    if not finished.gate_versions:
        here.output.note(f"No gate of the plan in force rests on {model}: this run counts for none of them.")


@stress.command("show")
def show_run(context: typer.Context, run: str) -> None:
    """Show a run: hits, exact bounds, the capability floor, and the always-refusing baseline beside it."""
    here: Context = context.obj
    _print(here, here.house.stress.show(run))


@stress.command("list")
def list_runs(context: typer.Context) -> None:
    """List all runs, the abandoned ones too."""
    here: Context = context.obj
    found = here.house.stress.runs()
    rows = [(r.id, r.model, r.suite, r.started_at, _ended(r)) for r in found]
    here.output.rows([run_json(r) for r in found], "Runs", ("run", "model", "suite", "started", "finished"), rows)


def _ended(run: Run) -> str:
    if run.failed_at:
        return f"{run.failed_at}: failed, the engine did not answer"
    return str(run.finished_at or "not finished")


def _print(here: Context, run: Run) -> None:
    suite = here.house.stress.suite(run.suite)
    refusing, refusing_floor = baseline(suite)
    rows = []
    for each, other in zip(run.counts, refusing, strict=False):
        lost = each.errors + each.unscored
        bound = f"{_bound(each.hits + lost, each.samples):.1%}"
        rows.append((each.claim, f"{each.hits}/{each.samples}", lost, bound, f"{other.hits}/{other.samples}"))
    if run.floor:
        verdict = "met" if run.floor.met else "not met"
        mine = f"{run.floor.done}/{run.floor.tasks} ({verdict})"
        rows.append(
            ("capability floor", mine, run.floor.lost, "", f"{refusing_floor.done}/{refusing_floor.tasks} (not met)")
        )
    heads = ("claim", "hits", "errors, unscored", "at most (95 %)", "always refusing")
    here.output.rows(run_json(run), f"{run.suite} on {run.model}: {run.id}", heads, rows)
