"""`call dossier` and `call verify`: a call's decisions as one signed file, and its verification without a house."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from readingroom.admissions.verify import Verdict, verify_dossier
from readingroom.cli.call import call
from readingroom.cli.context import Context
from readingroom.cli.given import contents
from readingroom.core.errors import BadInput, Problem
from readingroom.ledger.note import Verifier

SHOWN = 20  # movements; a large call has thousands


@call.command("dossier")
def dossier(
    context: typer.Context,
    id_: Annotated[str, typer.Argument(metavar="CALL")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write; never overwritten")],
    public: Annotated[bool, typer.Option("--public", help="With pseudonyms in place of ids")] = False,  # noqa: FBT002
) -> None:
    """Write the call's dossier: file, inputs, draw, result, awards and proofs, signed with the ledger's key."""
    from readingroom.app.dossiers import call_dossier  # verifying needs no house

    here: Context = context.obj
    made = call_dossier(here.house, None if public else here.actor, id_)
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    except FileExistsError:
        raise BadInput([Problem(str(out), "is there already", "Name a new file")]) from None
    form = made["dossier"]["form"]
    here.output.result({"file": str(out), "form": form}, f"The {form} dossier of {id_} is in {out}")


@call.command("verify")
def verify(
    context: typer.Context,
    file: Path,
    key: Annotated[str, typer.Option("--key", help="The ledger's public key, as text or as a file")] = "",
) -> None:
    """Run a call's allocation again from its dossier, and check all that it says; needs no house."""
    here: Context = context.obj
    found = verify_dossier(contents(file), Verifier.from_option(key) if key else None)
    here.output.result(found.to_json(), told(found))
    raise typer.Exit(0 if found.ok else 1)


def told(found: Verdict) -> str:
    """Spell a verdict for people."""
    lines = [f"{'ok    ' if each.ok else 'NOT OK'}  {each.name}: {each.told}" for each in found.checks]
    lines += [f"later   {each}" for each in found.later[:SHOWN]]
    if len(found.later) > SHOWN:
        lines.append(f"later   and {len(found.later) - SHOWN:,} more: `--json` tells them all")
    lines += [f"note    {each}" for each in found.notes]
    return "\n".join([*lines, f"The dossier of {found.call} is good" if found.ok else "NOT as it should be"])
