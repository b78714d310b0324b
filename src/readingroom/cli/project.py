"""`grant member ...` and `grant revoke-all`: the people of a project, and revoking many grants in one act."""

from __future__ import annotations

from typing import Annotated

import typer

from readingroom.access.many import Shown
from readingroom.app.many import chosen, look
from readingroom.app.projects import invite, team
from readingroom.cli.context import Context
from readingroom.cli.grant import Code, Note, grant
from readingroom.core.errors import BadInput, Problem

member = typer.Typer(no_args_is_help=True, help="The members of a grant's project.")
grant.add_typer(member, name="member")

Digest = Annotated[str, typer.Option(help="Of the dry run: what was shown is what is done")]


@member.command("add")
def add(context: typer.Context, grant: str, email: str) -> None:
    """Invite somebody to a grant's project; they are of it once they say yes."""
    here: Context = context.obj
    made = invite(here.house, here.actor, grant, email)
    document = {"grant": made.grant_id, "person": made.person, "state": "member" if made.belongs else "invited"}
    here.output.result(document, f"{email} is invited to {grant}; they say yes on the portal, or `grant member join`")


@member.command("remove")
def remove(context: typer.Context, grant: str, email: str) -> None:
    """Remove a member: their keys end at once, and answers that are flowing to them stop."""
    here: Context = context.obj
    gone = here.house.access.remove(here.actor, grant, here.house.people.named(email).id)
    here.output.result({"grant": gone.grant_id, "person": gone.person, "left_at": gone.left_at}, f"{email} is removed")


@member.command("join")
def join(context: typer.Context, grant: str) -> None:
    """Say yes to an invitation."""
    here: Context = context.obj
    made = here.house.access.join(here.actor, grant)
    here.output.result({"grant": made.grant_id, "person": made.person, "state": "member"}, f"You are of {grant} now")


@member.command("list")
def list_(context: typer.Context, grant: str) -> None:
    """List who is of a project, and what each used."""
    here: Context = context.obj
    found = team(here.house, here.actor, here.house.access.grant(here.actor, grant))
    rows = [(each.name, each.state, each.used.passes if each.used else "") for each in found]
    here.output.rows([each.to_json() for each in found], "Members", ("person", "state", "passes used"), rows)


@grant.command("revoke-all")
def revoke_all(
    context: typer.Context,
    reason: Code,
    tier: Annotated[str, typer.Option(help="All grants of this tier")] = "",
    stage: Annotated[str, typer.Option(help="All grants of this stage")] = "",
    call: Annotated[str, typer.Option(help="All grants from this call's awards")] = "",
    terms: Annotated[str, typer.Option(help="All whose holder accepted this version last: its hash")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would end, and end nothing")] = False,  # noqa: FBT002
    digest: Digest = "",
    note: Note = "",
) -> None:
    """Revoke all grants of a tier, a stage, a call or a version of the terms, in one act."""
    here: Context = context.obj
    if dry_run == bool(digest):
        cure = "First --dry-run; then the same command with --digest and what that printed"
        raise BadInput([Problem("--digest", "say what is to be done", cure)])
    choice = chosen(here.house, tier=tier, stage=stage, call=call, terms=terms)
    if dry_run:
        found = look(here.house, here.actor, choice, reason)
        here.output.result({**found.to_json(), "dry_run": True}, _would(found))
        return
    act, done = here.house.access.revoke_many(here.actor, choice, reason, note, digest)
    document = {**done.to_json(), "dry_run": False, "act": act}
    here.output.result(document, f"{len(done.grants)} grants of {done.readers} readers are revoked ({act})")


def _would(found: Shown) -> str:
    left = (
        f"{found.offers} offers stay open, for somebody to accept; while their stage is held, none lets anybody read."
    )
    return (
        f"Would end {len(found.grants)} grants of {found.readers} readers, and {found.streams} answers that flow now.\n"
        + (f"{left}\n" if found.offers else "")
        + f"Nothing was done. To do exactly this: --digest {found.digest}"
    )
