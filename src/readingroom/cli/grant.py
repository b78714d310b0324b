"""`grant ...`, `key ...`: who may read, how much, with which credential. Members and acts on many: `project`."""

from __future__ import annotations

from typing import Annotated

import typer

from readingroom.access.keys import Secret
from readingroom.access.model import Amounts, Award, Grant, Key, Reason
from readingroom.app.lending import issue_discretionary, why
from readingroom.app.projects import project_json
from readingroom.app.views import grant_json
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.cli.given import duration
from readingroom.core.clock import rfc3339
from readingroom.core.errors import BadInput, Problem

grant = typer.Typer(no_args_is_help=True, help="Grants: issue, sanction, explain.")
key = typer.Typer(no_args_is_help=True, help="Keys: the credentials of a grant.")
app.add_typer(grant, name="grant")
app.add_typer(key, name="key")

Count = Annotated[int | None, typer.Option(min=1, max=2**53 - 1, help="At most so many, ever [default: unmetered]")]
Code = Annotated[Reason, typer.Option("--reason", help="A code of the closed list")]
Note = Annotated[str, typer.Option(help="In words; needed for the reason `other`")]


@grant.command("issue")
def issue(
    context: typer.Context,
    to: Annotated[str, typer.Option(help="The e-mail address of who answers for it")],
    reason: Annotated[str, typer.Option(help="Why, in words: it is issued outside a call")],
    title: Annotated[str, typer.Option(help="Of the project that it is for")] = "",
    passes: Count = None,
    tokens: Count = None,
    calls: Count = None,
    tier: Annotated[str, typer.Option(help="A tier of the stage")] = "text",
    stage: Annotated[str, typer.Option(help="The stage [default: the plan's one API stage]")] = "",
    expires: Annotated[str, typer.Option(help="After how long: 12h, 30d, 8w")] = "30d",
    accept_terms: Annotated[bool, typer.Option("--accept-terms", help="For a service account")] = False,  # noqa: FBT002
    machine: Annotated[str, typer.Option(help="Not enforced yet, and so refused")] = "",
    cidr: Annotated[str, typer.Option(help="Not enforced yet, and so refused")] = "",
) -> None:
    """Issue a grant outside a call, on record as discretionary, and print its key once."""
    here: Context = context.obj
    for name, value in (("--machine", machine), ("--cidr", cidr)):
        if value:
            cure = "Leave it out: a limit that nothing enforces would only look like one"
            raise BadInput([Problem(name, "is not enforced yet", cure)])
    ends = here.house.clock.now() + duration(expires)
    award = Award("", stage, tier, Amounts(passes, tokens, calls), ends, reason, title=title)
    made, made_key, secret = issue_discretionary(here.house, here.actor, to, award, accept_terms=accept_terms)
    document = {**grant_json(here.house, made), "key": secret.reveal(), "key_id": made_key.id}
    lines = [
        f"Grant {made.id} for {to}, until {made.expires_at:%Y-%m-%d}.",
        f"Key (shown once): {secret.reveal()}",
    ]
    if not accept_terms:
        lines.append("It works once the terms are accepted (portal, My reading).")
    if kept := here.house.retention(made.stage):
        lines.append(f"In {made.stage}, {kept.describe()}.")
    here.output.result(document, "\n".join(lines))


@grant.command("list")
def list_(context: typer.Context) -> None:
    """List all grants."""
    here: Context = context.obj
    found = [grant_json(here.house, each) for each in here.house.access.grants(here.actor)]
    rows = [
        (g["id"], g["state"], g["stage"], g["tier"], g["used"]["passes"], g["allocation"]["passes"] or "unmetered")
        for g in found
    ]
    here.output.rows(found, "Grants", ("grant", "state", "stage", "tier", "passes used", "of"), rows)


@grant.command("show")
def show(context: typer.Context, grant: str) -> None:
    """Show a grant: state, allocation, used, reserved; its project, members and sanctions."""
    here: Context = context.obj
    here.output.result(project_json(here.house, here.actor, here.house.access.grant(here.actor, grant)))


@grant.command("why")
def why_(context: typer.Context, grant: str) -> None:
    """Say fact by fact whether calls under a grant are served now; the gateway asks the same function."""
    here: Context = context.obj
    found = why(here.house, here.actor, grant)
    rows = [("yes" if fact.holds else "NO", fact.name, fact.detail) for fact in found.facts]
    title = "Served" if found.ok else f"Refused: {found.refusal.code}" if found.refusal else "Refused"
    here.output.rows({"grant": grant, **found.to_json()}, title, ("holds", "fact", "detail"), rows)


@grant.command("suspend")
def suspend(context: typer.Context, grant: str, reason: Code, note: Note = "") -> None:
    """Stop a grant for now; flowing streams end."""
    here: Context = context.obj
    _decided(here, here.house.access.suspend(here.actor, grant, reason, note))


@grant.command("reinstate")
def reinstate(context: typer.Context, grant: str, reason: Code, note: Note = "") -> None:
    """Put a suspended grant back in force."""
    here: Context = context.obj
    _decided(here, here.house.access.reinstate(here.actor, grant, reason, note))


@grant.command("revoke")
def revoke(context: typer.Context, grant: str, reason: Code, note: Note = "") -> None:
    """End a grant for good; flowing streams end."""
    here: Context = context.obj
    _decided(here, here.house.access.revoke(here.actor, grant, reason, note))


def _decided(here: Context, made: Grant) -> None:
    text = f"{made.id} is {made.state.value}; decided at {rfc3339(made.changed_at)}"
    here.output.result(grant_json(here.house, made), text)


@key.command("issue")
def issue_key(context: typer.Context, grant: str) -> None:
    """Make another key for a grant and print it once."""
    here: Context = context.obj
    _new_key(here, *here.house.access.issue_key(here.actor, grant))


@key.command("rotate")
def rotate(
    context: typer.Context,
    key: str,
    grace: Annotated[int, typer.Option(min=0, max=72, help="Hours for which the old key still works")] = 0,
) -> None:
    """Replace a key by a new one, which is printed once."""
    here: Context = context.obj
    _new_key(here, *here.house.access.rotate_key(here.actor, key, grace_hours=grace))


def _new_key(here: Context, made: Key, secret: Secret) -> None:
    document = {"id": made.id, "grant": made.grant_id, "key": secret.reveal()}
    here.output.result(document, f"{made.id} (shown once): {secret.reveal()}")


@key.command("revoke")
def revoke_key(context: typer.Context, key: str) -> None:
    """End a key at once."""
    here: Context = context.obj
    ended = here.house.access.revoke_key(here.actor, key)
    document = {"id": ended.id, "grant": ended.grant_id, "ended_at": rfc3339(here.house.clock.now())}
    here.output.result(document, f"{ended.id} is no longer in force")


@key.command("list")
def list_keys(context: typer.Context, grant: str) -> None:
    """List the keys of a grant, without their secrets."""
    here: Context = context.obj
    found = here.house.access.keys(here.actor, grant)
    documents = [{"id": k.id, "hint": k.hint, "issued_at": k.issued_at, "ends_at": k.ends_at} for k in found]
    rows = [(k.id, k.hint + "...", k.issued_at, k.ends_at or "in force") for k in found]
    here.output.rows(documents, f"Keys of {grant}", ("key", "begins", "issued", "ends"), rows)
