"""`publish ...`, `samples ...`, `report ...`: what leaves the house."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.core.document import read_file
from readingroom.core.errors import BadInput, Problem
from readingroom.oversight.model import Shape
from readingroom.oversight.register import PublicRow, Row, as_json, to_csv
from readingroom.publication.oms import public_from_option
from readingroom.publication.verify import verify

# `app.publishing` is imported by the commands that need a house: loading one takes longer than verifying a bundle.

publish = typer.Typer(no_args_is_help=True, help="Bundles of weights; verifying needs no house.")
samples = typer.Typer(no_args_is_help=True, help="Facsimiles: curated outputs for the public page.")
report = typer.Typer(no_args_is_help=True, help="Reports.")
app.add_typer(publish, name="publish")
app.add_typer(samples, name="samples")
app.add_typer(report, name="report")


class Format(StrEnum):
    """How a report is written."""

    CSV = "csv"
    JSON = "json"


@publish.command("build")
def build(context: typer.Context, stage: str) -> None:
    """Lay out a stage's bundle; one whose gate holds is a rehearsal, marked NOT RELEASED."""
    from readingroom.app import publishing

    here: Context = context.obj
    files = publishing.build(here.house, here.actor, stage)
    path = publishing.bundle_folder(here.house, stage)
    here.output.result({"path": str(path), "files": files}, f"{len(files)} files in {path}")


@publish.command("sign")
def sign(context: typer.Context, stage: str) -> None:
    """Sign a stage's bundle with the house's P-256 key, and put that into the ledger."""
    from readingroom.app import publishing

    here: Context = context.obj
    status = publishing.weights_stage(here.house, stage)
    path = publishing.bundle_folder(here.house, stage)
    root = here.house.publication.sign(here.actor, path, stage_open=status.open)
    here.output.result({"path": str(path), "manifest": root}, f"{path} is signed: {root}")


@publish.command("push")
def push(
    context: typer.Context,
    stage: str,
    to: Annotated[Path | None, typer.Option(help="Where to [default: HOME/public/STAGE]")] = None,
) -> None:
    """Copy a signed bundle to where the public can fetch it; refused for a rehearsal. Cannot be undone."""
    from readingroom.app import publishing

    here: Context = context.obj
    target = to or here.house.settings.home / "public" / stage
    publishing.push(here.house, here.actor, stage, target)
    here.output.result({"path": str(target)}, f"{stage} is published in {target}")


@publish.command("verify")
def verify_(
    context: typer.Context,
    directory: Path,
    key: Annotated[str, typer.Option("--key", help="The lab's release.pub: PEM text or a file")],
) -> None:
    """Verify a bundle as an outsider: every file, the signature, the release record, the ledger's proof."""
    here: Context = context.obj
    if not directory.is_dir():
        raise BadInput([Problem(str(directory), "is not a folder", "Name the folder that holds the bundle")])
    found = verify(directory, public_from_option(key))
    if found.ok:
        warning = "" if found.released else "\nIt says NOT RELEASED: a rehearsal; its stage was not open."
        text = f"{found.files} files are as they were signed, root {found.root}.{warning}"
    else:
        text = "\n".join(["NOT as it was signed:", *(f"  {each}" for each in found.problems)])
    here.output.result(found.to_json(), text)
    raise typer.Exit(0 if found.ok else 1)


@samples.command("add")
def add(context: typer.Context, file: Path) -> None:
    """Sign off the samples of a file for the public page; one with receipt, request and answer is verified first."""
    here: Context = context.obj
    found = here.house.samples.add(here.actor, read_file(file), file.parent)
    here.output.result({"on_show": len(found)}, f"{len(found)} facsimiles are on show")


@samples.command("list")
def list_(context: typer.Context) -> None:
    """List the facsimiles on show."""
    here: Context = context.obj
    found = here.house.samples.all()
    documents = [
        {"id": s.id, "prompt": s.prompt, "output": s.output, "model": s.model, "note": s.note, "receipt": s.receipt}
        for s in found
    ]
    rows = [(s.prompt, s.output, s.model, s.receipt or "none") for s in found]
    here.output.rows(documents, "Facsimiles", ("prompt", "output", "model", "receipt"), rows)


@report.command("register")
def register(
    context: typer.Context,
    format_: Annotated[Format, typer.Option("--format", help="csv or json")] = Format.JSON,
    public: Annotated[bool, typer.Option("--public", help="Without persons")] = False,  # noqa: FBT002 - Typer's flags
) -> None:
    """Write the register of readers: who may read, since when, on whose decision, awarded and used."""
    here: Context = context.obj
    oversight = here.house.oversight
    rows: list[Row | PublicRow] = [
        *(oversight.public_register() if public else oversight.register(here.actor, Shape(format_.value)))
    ]
    if format_ is Format.CSV and not here.output.as_json:
        typer.echo(to_csv(rows, PublicRow if public else Row), nl=False)
    else:
        here.output.result([as_json(each) for each in rows])


@report.command("flags")
def flags(
    context: typer.Context,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on (UTC)")] = None,
) -> None:
    """Tell what screening found, by grant and rule, the gravest first: counts, never texts."""
    here: Context = context.obj
    found = here.house.flags(here.actor, since.replace(tzinfo=UTC) if since else None)
    heads = ("severity", "rule", "clause", "grant", "flagged", "refused", "stopped", "no verdict", "calls", "last")
    cells = [
        (f.severity, f.rule, f.clause, f.grant, f.flagged, f.refused, f.stopped, f.failed, f.calls, f.last)
        for f in found
    ]
    here.output.rows([asdict(each) for each in found], "What screening found", heads, cells)
