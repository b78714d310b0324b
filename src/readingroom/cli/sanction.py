"""`sanction ...`: warn, throttle, suspend, revoke and bar, on record with their evidence; lift and acknowledge them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from readingroom.access.model import Kind, Lifting, Reason, Sanction
from readingroom.access.sanctions import RULES, Wanted
from readingroom.app.projects import sanction_json
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.cli.given import contents, moment
from readingroom.core.clock import rfc3339

sanction = typer.Typer(no_args_is_help=True, help="Sanctions: graded, of a project, a member or a person.")
app.add_typer(sanction, name="sanction")

Code = Annotated[Reason, typer.Option("--reason", help="A code of the closed list")]


@sanction.command("impose")
def impose(
    context: typer.Context,
    kind: Kind,
    reason: Code,
    grant: Annotated[str, typer.Option(help="Of this grant's project")] = "",
    person: Annotated[str, typer.Option(help="Of this member of it, or, without --grant, of this person: e-mail")] = "",
    until: Annotated[str, typer.Option(help="Its end: 2026-12-31")] = "",
    cure_by: Annotated[str, typer.Option(help="Begin then, unless it was found cured: 2026-12-31")] = "",
    per_minute: Annotated[int | None, typer.Option(min=1, help="Of a throttle: requests a minute")] = None,
    evidence: Annotated[Path | None, typer.Option(help="A file: its SHA-256 is kept, the file is not")] = None,
    entry: Annotated[int | None, typer.Option(min=0, help="A ledger entry as evidence, by its place")] = None,
    notice: Annotated[str, typer.Option(help="What whom it is about is told in words")] = "",
    note: Annotated[str, typer.Option(help="For the lab; needed for the reason `other`")] = "",
) -> None:
    """Impose a sanction; `sanction rules` shows which there are."""
    here: Context = context.obj
    held = f"entry:{entry}" if entry is not None else ""
    if evidence is not None:
        held = "sha256:" + hashlib.sha256(contents(evidence)).hexdigest()
    wanted = Wanted(
        kind,
        reason,
        grant_id=grant or None,
        person=here.house.people.named(person).id if person else None,
        note=note,
        notice=notice,
        until=moment(until, "--until") if until else None,
        cure_by=moment(cure_by, "--cure-by") if cure_by else None,
        per_minute=per_minute,
        evidence=held,
    )
    _told(here, here.house.access.impose(here.actor, wanted))


@sanction.command("lift")
def lift(
    context: typer.Context,
    sanction: str,
    reason: Annotated[Lifting, typer.Option("--reason", help="A code of the closed list")],
    note: Annotated[str, typer.Option(help="For the lab; needed for the reason `other`")] = "",
) -> None:
    """Lift a sanction: it was cured, an error, or an appeal was upheld."""
    here: Context = context.obj
    _told(here, here.house.access.lift(here.actor, sanction, reason.value, note))


@sanction.command("acknowledge")
def acknowledge(
    context: typer.Context,
    sanction: str,
    reply: Annotated[str, typer.Option(help="What you have done about it, in words")] = "",
) -> None:
    """Say, as whom it is about, that one has read it."""
    here: Context = context.obj
    _told(here, here.house.access.acknowledge(here.actor, sanction, reply))


@sanction.command("show")
def show(context: typer.Context, sanction: str) -> None:
    """Show a sanction, with when it was decided and when the first call was refused for it."""
    here: Context = context.obj
    here.output.result(sanction_json(here.house, here.actor, here.house.access.sanction(here.actor, sanction)))


@sanction.command("list")
def list_(
    context: typer.Context,
    grant: Annotated[str, typer.Option(help="Of this grant alone")] = "",
    act: Annotated[str, typer.Option(help="Of this one act on many alone")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="About you alone")] = False,  # noqa: FBT002 - a flag of Typer's
) -> None:
    """List sanctions, the newest first."""
    here: Context = context.obj
    access, now = here.house.access, here.house.clock.now()
    found = access.my_sanctions(here.actor) if mine else access.sanctions(here.actor, grant or None, batch=act)
    rows = [(s.id, s.kind, s.reason, s.person or s.grant_id, s.phase(now), rfc3339(s.decided_at)) for s in found]
    heads = ("sanction", "kind", "reason", "of", "phase", "decided")
    here.output.rows([s.to_json(now, inside=not mine) for s in found], "Sanctions", heads, rows)


@sanction.command("rules")
def rules(context: typer.Context) -> None:
    """Show which sanctions there are, for what, and who may use them."""
    here: Context = context.obj
    documents = [
        {"kind": rule.kind, "says": rule.says, "permission": rule.permission, "subjects": sorted(rule.subjects),
         "reasons": sorted(rule.reasons), "until": rule.until, "cure": sorted(rule.cure)}
        for rule in RULES.values()
    ]  # fmt: skip
    rows = [(rule.kind, ", ".join(sorted(rule.subjects)), rule.says) for rule in RULES.values()]
    here.output.rows(documents, "Sanctions", ("sanction", "of", "what it does"), rows)


def _told(here: Context, made: Sanction) -> None:
    document = sanction_json(here.house, here.actor, made)
    phase = made.phase(here.house.clock.now())
    here.output.result(document, f"{made.id}: {made.kind} is {phase}; decided at {rfc3339(made.decided_at)}")
