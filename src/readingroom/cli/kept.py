"""`text ...`: what stages keep for investigations: list, read on record, erase."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.core.clock import rfc3339
from readingroom.oversight.model import Text, as_json

text = typer.Typer(no_args_is_help=True, help="Texts that a stage keeps for investigations: list, read, erase.")
app.add_typer(text, name="text")

Why = Annotated[str, typer.Option("--reason", help="What is looked into, and why, in words; it is on record")]


@text.command("list")
def list_(
    context: typer.Context, grant: Annotated[str, typer.Argument(help="A grant [default: a count of each]")] = ""
) -> None:
    """List what is kept of a grant, without the texts: when, how the call ended, which rules flagged or stopped it."""
    here: Context = context.obj
    if not grant:
        counts = here.house.investigations.counts(here.actor)
        documents = [{"grant": each, "texts": count} for each, count in counts.items()]
        here.output.rows(documents, "Texts that are kept", ("grant", "texts"), [tuple(d.values()) for d in documents])
        return
    found = here.house.investigations.listed(here.actor, grant)
    rows = [
        (each.receipt, each.at, each.ended, ", ".join(each.found), f"{each.until:%Y-%m-%d %H:%M}") for each in found
    ]
    heads = ("receipt", "at", "ended", "flagged or stopped by", "kept until (UTC)")
    here.output.rows([asdict(each) for each in found], f"Texts kept of {grant}", heads, rows)


@text.command("read")
def read(
    context: typer.Context,
    receipts: Annotated[list[str], typer.Argument(help="Receipts of calls, as `text list GRANT` shows them")],
    reason: Why,
) -> None:
    """Read texts; each reading is in the ledger, under your name's pseudonym, before anything is shown."""
    here: Context = context.obj
    found = here.house.investigations.read(here.actor, receipts, reason)
    here.output.result([as_json(each) for each in found], "\n\n".join(map(_shown, found)))


def _shown(found: Text) -> str:
    proof = "as on record" if found.proven else "NOT WHAT THE RECORD COMMITS TO"
    lines = [
        f"{found.receipt} of {found.grant}, kept until {rfc3339(found.until)}; {proof}",
        f"Request: {found.request}",
    ]
    for number, each in enumerate(found.answers, 1):
        lines.append(f"Answer {number}, as the engine said it: {each.said}")
        lines += [f"Reasoning: {each.reasoning}"] if each.reasoning else []
        lines += [f"Tool calls: {each.tool_calls}"] if each.tool_calls else []
        if each.left is None:
            lines.append("What left of it is not known: the call was lost")
        elif each.left != each.said:
            lines.append(f"What left of it: {each.left}")
    return "\n".join(lines)


@text.command("erase")
def erase(context: typer.Context, grant: str, reason: Why) -> None:
    """Erase all that is kept of a grant, by destroying its part of the keys; nobody can undo it."""
    here: Context = context.obj
    erased = here.house.investigations.erase(here.actor, grant, reason)
    here.output.result({"grant": grant, "erased": erased}, f"{erased} texts of {grant} are erased")


@text.command("readings")
def readings(
    context: typer.Context, grant: Annotated[str, typer.Argument(help="Of one grant [default: all]")] = ""
) -> None:
    """Show who read or erased what, when and why."""
    here: Context = context.obj
    found = here.house.investigations.readings(here.actor, grant)
    rows = [(each.at, each.person, each.act, each.grant, each.receipt, each.reason) for each in found]
    heads = ("at", "person", "did", "grant", "receipt", "reason")
    here.output.rows([asdict(each) for each in found], "Readings", heads, rows)
