"""`terms ...`: what readers agree to, what enforces each clause, and what one has signed oneself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from readingroom.app.views import agreement_json, terms_json
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.cli.given import text_of
from readingroom.core.clock import rfc3339
from readingroom.core.refusal import Refusal, Refused

terms = typer.Typer(no_args_is_help=True, help="The terms that readers accept, versioned by the hash of their text.")
app.add_typer(terms, name="terms")
Material = Annotated[bool, typer.Option("--material", help="Pause every key until its person accepts again")]


@terms.command("publish")
def publish(
    context: typer.Context,
    file: Path,
    reason: Annotated[str, typer.Option(help="Why, in words; kept with the text")],
    material: Material = False,  # noqa: FBT002 - Typer's flags
) -> None:
    """Put a new text of the terms in force: a plain text, or clauses in YAML, each linked to what enforces it."""
    here: Context = context.obj
    agreements = here.house.agreements
    made = agreements.publish(here.actor, text_of(file), material=material, reason=reason, name=str(file))
    paused = "; every key is paused until its person accepts them" if made.material else ""
    document = {"hash": made.hash, "material": made.material, "published_at": made.published_at}
    here.output.result(document, f"In force: {made.hash}{paused}")


@terms.command("show")
def show(context: typer.Context) -> None:
    """Show the terms in force."""
    here: Context = context.obj
    found = here.house.agreements.in_force()
    here.output.result(terms_json(found) if found else None, found.text if found else "No terms are published yet")


@terms.command("map")
def map_(context: typer.Context) -> None:
    """Show what enforces each clause of the terms in force, by the plan as it stands now."""
    here: Context = context.obj
    found = here.house.agreements.map()
    rows = [(each.clause, each.check or "nothing", _holds(each.check, holds=each.holds), each.where or each.says)
            for each in found]  # fmt: skip
    heads = ("clause", "enforced by", "in force", "where")
    here.output.rows([each.to_json() for each in found], "Clauses and what enforces them", heads, rows)


def _holds(check: str, *, holds: bool) -> str:
    return "" if not check else "yes" if holds else "NO"


@terms.command("mine")
def mine(context: typer.Context) -> None:
    """Show what one has signed, and when; with --json, each with its very text."""
    here: Context = context.obj
    found = here.house.agreements.signed(here.actor)
    rows = [(rfc3339(made.accepted_at), made.terms_hash, made.name or ("on your behalf" if made.on_behalf else ""))
            for made, _ in found]  # fmt: skip
    documents = [agreement_json(made, text) for made, text in found]
    here.output.rows(documents, "What you have signed", ("on", "text", "signed"), rows)


@terms.command("diff")
def diff(
    context: typer.Context,
    since: Annotated[str, typer.Option(help="The hash of an earlier version [default: the one you signed last]")] = "",
) -> None:
    """Show clause by clause what changed since a version of the terms."""
    here: Context = context.obj
    agreements = here.house.agreements
    signed = agreements.signed(here.actor)
    since = since or (signed[0][0].terms_hash if signed else "")
    if not since:
        raise Refused(Refusal("access/no-terms", "You have signed no terms yet; name a version with --since."))
    found = agreements.compared(since)
    rows = [(each.kind, each.number, " ".join(f"{s}[{w}]" if s != " " else w for s, w in each.words)) for each in found]
    here.output.rows([each.to_json() for each in found], "Changed clauses", ("change", "clause", "words"), rows)
