"""`account ...`: one's own, of whoever is signed in at this terminal."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import typer

from readingroom.app.views import fact_json, identity_json, person_json
from readingroom.cli.app import app
from readingroom.cli.context import LOGIN, Context
from readingroom.cli.given import moment
from readingroom.core.errors import BadInput, Problem
from readingroom.core.files import write_over
from readingroom.people.model import Claim, FactKind

account = typer.Typer(no_args_is_help=True, help="Your own account: ways to sign in, credentials, two accounts as one.")
app.add_typer(account, name="account")


@account.command("show")
def show(context: typer.Context) -> None:
    """Show how you sign in, and what is known of you with whether each holds now."""
    here: Context = context.obj
    people, now = here.house.people, here.house.clock.now()
    ways = [identity_json(each) for each in people.my_identities(here.actor)]
    facts = [fact_json(each, now) for each in people.my_facts(here.actor)]
    lines = [f"Signs in by {each['issuer']} {each['subject']}" for each in ways]
    lines += [
        f"{each['id']}: {each['kind']} of {each['body']}, until {each['until'] or 'no end'}: {each['standing']}"
        for each in facts
    ]
    here.output.result({"person": here.actor.id, "identities": ways, "facts": facts}, "\n".join(lines))


@account.command("claim")
def claim(
    context: typer.Context,
    kind: FactKind,
    body: Annotated[str, typer.Argument(help="The institution, or who issued it")],
    until: Annotated[str, typer.Option(help="Until when it is valid: a date, or RFC 3339")] = "",
) -> None:
    """Say that you have an affiliation or credential; a steward confirms it."""
    here: Context = context.obj
    said = Claim(kind, body, moment(until, "--until") if until else None)
    made = here.house.people.claim_fact(here.actor, said)
    here.output.result(fact_json(made, here.house.clock.now()), f"{made.id} waits for a steward")


@account.command("end")
def end(context: typer.Context, fact: str) -> None:
    """End an affiliation or credential of yours now."""
    here: Context = context.obj
    made = here.house.people.end_fact(here.actor, fact)
    here.output.result(fact_json(made, here.house.clock.now()), f"{made.id} has ended")


@account.command("remove")
def remove(context: typer.Context, issuer: str, subject: str) -> None:
    """Take a way to sign in off your account, as `account show` lists it."""
    here: Context = context.obj
    here.house.people.remove_identity(here.actor, issuer, subject)
    here.output.result({"removed": True}, "Taken off")


@account.command("sign-out")
def sign_out(context: typer.Context) -> None:
    """End every session of yours: in every browser and terminal, this one too."""
    here: Context = context.obj
    ended = here.house.people.sign_out_everywhere(here.actor)
    (here.house.settings.run / LOGIN).unlink(missing_ok=True)
    here.output.result({"ended": ended}, f"Signed out everywhere ({ended})")


@account.command("merge")
def merge(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="A one-time sign-in link of your other account")],
) -> None:
    """Make your two accounts one, for good: signed in to one here, prove the other by a link of it."""
    here: Context = context.obj
    secret = parse_qs(urlsplit(url).query).get("link", [""])[0]
    path = here.house.settings.run / LOGIN
    if not secret or not path.exists():
        cure = "Sign in to one account with `readingroom login URL`, then give a link of the other"
        raise BadInput([Problem("URL", "does not prove two accounts", cure)])
    mine = path.read_text(encoding="utf-8", errors="replace").strip()
    people = here.house.people
    made, session = people.merge_own(mine, people.sign_in(secret))
    write_over(path, session.encode())
    here.output.result(person_json(made), f"{made.email} is one person now; there is no way back")
