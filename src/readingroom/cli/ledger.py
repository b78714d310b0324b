"""`ledger ...`, `receipt ...`, `screen ...`: what can be verified, and what would be kept in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.cli.given import contents
from readingroom.core.errors import BadInput, Problem
from readingroom.ledger.collection import verify_collection
from readingroom.ledger.export import export
from readingroom.ledger.note import Verifier
from readingroom.ledger.receipt import verify_receipt
from readingroom.ledger.report import Report
from readingroom.ledger.verify import verify_export

ledger = typer.Typer(no_args_is_help=True, help="The log of everything decided.")
receipt = typer.Typer(no_args_is_help=True, help="Receipts; verifying needs no house.")
screen = typer.Typer(no_args_is_help=True, help="Screening rules.")
app.add_typer(ledger, name="ledger")
app.add_typer(receipt, name="receipt")
app.add_typer(screen, name="screen")

KeyOption = Annotated[str, typer.Option("--key", help="The log's public key, as text or as a file")]


def end_with(here: Context, found: Report, good: str) -> None:
    """Print a verifier's report and end with its exit code."""
    told = good if found.ok else "\n".join(["NOT as it should be:", *(f"  {each}" for each in found.problems)])
    here.output.result(found.to_json(), told)
    raise typer.Exit(0 if found.ok else 1)


@ledger.command("verify")
def verify(
    context: typer.Context,
    directory: Annotated[Path | None, typer.Argument(help="An export, or a copy of /ledger; needs no house")] = None,
    key: Annotated[str, typer.Option("--key", help="The log's public key, as text or as a file; for DIRECTORY")] = "",
    since: Annotated[
        Path | None, typer.Option(help="A checkpoint kept earlier: proved to be a prefix of the log")
    ] = None,
) -> None:
    """Recompute everything from the entries; tell which one was altered, removed or reordered."""
    here: Context = context.obj
    if (directory is None) != (not key):
        cure = "Give both to verify an export, neither to verify the log of this house"
        raise BadInput([Problem("--key" if directory else "DIRECTORY", "is missing", cure)])
    kept = contents(since) if since else None
    if directory is not None:
        found = verify_export(directory, Verifier.from_option(key), kept)
    else:
        found = here.house.log.audit(here.house.signer.verifier, kept)
    grown = ", and grown from there" if since else ""
    end_with(here, found, f"{found.size} entries, root {found.root}: whole{grown}")


@ledger.command("checkpoint")
def checkpoint(context: typer.Context) -> None:
    """Print the newest signed checkpoint; keep it, and history cannot be rewritten unseen."""
    here: Context = context.obj
    note = here.house.log.checkpoint()
    if note is None:
        raise BadInput([Problem("ledger", "is empty", "Decide something first")])
    text = note.decode("utf-8")
    here.output.result({"checkpoint": text, "key": here.house.verifier_key()}, text.rstrip("\n"))


@ledger.command("key")
def key(context: typer.Context) -> None:
    """Print the log's public key (a C2SP verifier key line)."""
    here: Context = context.obj
    here.output.result({"key": here.house.verifier_key()}, here.house.verifier_key())


@ledger.command("export")
def export_(context: typer.Context, directory: Path) -> None:
    """Write the log as tlog-tiles below a directory, as the server serves it."""
    here: Context = context.obj
    size = export(here.house.log, directory)
    here.output.result({"size": size, "directory": str(directory)}, f"{size} entries in {directory}")


@receipt.command("verify")
def verify_receipt_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A receipt, or the folder of a batch")],
    key: KeyOption,
    request: Annotated[Path | None, typer.Option(help="The request's JSON body")] = None,
    answer: Annotated[Path | None, typer.Option(help="The answer: JSON, event stream, or text")] = None,
) -> None:
    """Verify a receipt offline; with request and answer, that exactly these were exchanged.

    Of a batch's folder, the whole collection: every receipt with its request and answer, and the list itself.
    """
    here: Context = context.obj
    verifier = Verifier.from_option(key)
    if file.is_dir():
        if request or answer:
            raise BadInput([Problem("--request", "is in the folder already", "Leave out --request and --answer")])
        whole = verify_collection(lambda name: _member(file, name), verifier)
        end_with(here, whole, f"The collection is good: every receipt, request and answer, up to entry {whole.size}")
    sent, came = (contents(path) if path else None for path in (request, answer))
    found = verify_receipt(contents(file), verifier, sent, came)
    proved = " and ".join(name for name, path in (("request", request), ("answer", answer)) if path)
    end_with(here, found, "The receipt is good" + (f"; {proved} are what was exchanged" if proved else ""))


def _member(folder: Path, name: str) -> bytes:
    """Read a file of a collection; one that is not there is a KeyError."""
    path = folder / name
    if not path.is_file():
        raise KeyError(name)
    return path.read_bytes()  # a long batch's list has no bound


@screen.command("try")
def try_(context: typer.Context, rules: Path, file: Path) -> None:
    """Say what a rule set would do to a text, as a prompt and as an answer; judges that it names are really asked."""
    from readingroom.gateway.screening.load import load_file
    from readingroom.gateway.trial import trial  # its HTTP client would slow every verifier's start

    here: Context = context.obj
    rule_set = load_file(rules)
    try:
        text = contents(file).decode("utf-8")
    except UnicodeDecodeError as fault:
        raise BadInput([Problem(str(file), f"is not UTF-8 at byte {fault.start}", "Save it as UTF-8")]) from None
    sides = asyncio.run(trial(rule_set, text))
    lines = []
    for side in sides:
        verdict = "refused" if side.refused else "passes"
        lines.append(f"at the {side.side.value}: {verdict}; {len(side.hits)} matches")
        lines += [f"  {where}: {hit.rule} ({hit.action.value}, clause {hit.clause})" for hit, where in side.hits]
        lines += [f"  {rule.id} ({rule.action.value}, clause {rule.clause}): {said}" for rule, said in side.judged]
    here.output.result([side.as_json() for side in sides], "\n".join(lines))
