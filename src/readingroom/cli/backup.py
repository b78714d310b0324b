"""`backup`, `restore`: a copy of the house, and the way back that un-revokes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from readingroom.access.rules import RESTORE_QUORUM
from readingroom.app.views import restoration_json
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.cli.given import contents
from readingroom.core.clock import rfc3339
from readingroom.core.errors import BadInput, Problem
from readingroom.ledger.checkpoint import Checkpoint

_KEEP = "It holds the house's keys and personal data: keep it where the house itself may be kept."


@app.command()
def backup(context: typer.Context, directory: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Copy the house into a new folder, consistently, also while it is served. It holds keys and personal data."""
    from readingroom.app.backup import back_up

    here: Context = context.obj
    made = back_up(here.house, directory)
    size = Checkpoint.open_own(made.checkpoint, here.house.signer.verifier).size
    document = {"directory": str(directory), "size": size, "files": len(made.files), "made_at": rfc3339(made.made_at)}
    here.output.result(document, f"The house as of {size} entries of its log is in {directory}.\n{_KEEP}")


@app.command()
def restore(
    context: typer.Context,
    directory: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A backup, into a new HOME")] = None,
    database: Annotated[str, typer.Option(help="An empty postgresql://... [default: SQLite in HOME]")] = "",
    match: Annotated[
        Path | None, typer.Option(help="The newest checkpoint that left the house: lift the suspension by it")
    ] = None,
    confirm: Annotated[  # noqa: FBT002 - Typer's flags
        bool, typer.Option("--confirm", help="Confirm for yourself that what came after the backup is lost")
    ] = False,
    reason: Annotated[str, typer.Option(help="With --match or --confirm: what is known of that time, in words")] = "",
    as_: Annotated[str, typer.Option("--as", help="The signer's address; in a house for trials only")] = "",
) -> None:
    """Restore a backup into a new HOME, in which every grant stays suspended; show or lift that suspension.

    Lifting takes the newest checkpoint that ever left the house, or two persons who confirm the gap.
    """
    here: Context = context.obj
    if sum((directory is not None, match is not None, confirm)) > 1:
        cure = "First restore; then lift the suspension in one of the two ways"
        raise BadInput([Problem("restore", "takes one of DIR, --match and --confirm", cure)])
    if directory is not None:
        _restore(here, directory, database)
        return
    restorations = here.house.restorations
    if match is not None:
        restorations.match(here.signer(as_), contents(match), reason)
    elif confirm:
        restorations.confirm(here.signer(as_), reason)
    document = restoration_json(here.house)
    here.output.result(document, _told(document))


def _restore(here: Context, directory: Path, database: str) -> None:
    from readingroom.app.restore import restore as put_back

    done = put_back(directory, here.home, database)
    document = {
        "home": str(here.home),
        "size": done.size,
        "backup_at": rfc3339(done.manifest.made_at),
        "leases_charged": done.leases,
        "grants_suspended": done.grants,
    }
    lines = [
        f"The house of {done.manifest.made_at:%Y-%m-%d %H:%M} UTC, {done.size} entries of its log, is in {here.home}.",
        f"Grants in it: {done.grants}, all suspended until somebody answers for what was decided after that:",
        f"  readingroom --home {here.home} serve",
        "  then two persons (steward or safety) sign in, revoke again what had been revoked, and confirm the gap.",
    ]
    if done.moved:
        lines.append("Its database is in HOME now; the one that was backed up was elsewhere.")
    here.output.result(document, "\n".join(lines))


def _told(document: dict[str, Any]) -> str:
    if not document["restored"]:
        return "No restoring is open; every grant stands by itself."
    known = document["newer"]
    lost = f"at least {known - document['size']} entries are lost" if known else "what came after is not known here"
    return "\n".join(
        [
            f"Restored {document['restored_at']} from a backup of {document['backup_at']}.",
            f"{document['size']} entries of the log came back; {lost}.",
            f"{len(document['confirmed'])} of {RESTORE_QUORUM} persons have confirmed the gap.",
            f"Grants that came back: {len(document['grants'])}; `grant revoke` ends again what had been ended.",
        ]
    )
