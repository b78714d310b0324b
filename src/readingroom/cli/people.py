"""`person ...`, `login`, `logout`: who may act."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import typer

from readingroom.cli.app import app
from readingroom.cli.context import LOGIN, Context
from readingroom.core.errors import BadInput, Problem
from readingroom.people.model import Person, Role

person = typer.Typer(no_args_is_help=True, help="Who may act: persons and their roles.")
app.add_typer(person, name="person")

Roles = Annotated[list[Role] | None, typer.Option("--role", help="A role; give it again for another")]


def shown(each: Person) -> dict[str, object]:
    """Return a person as JSON."""
    roles = sorted(role.value for role in each.roles)
    return {
        "id": each.id,
        "email": each.email,
        "name": each.name,
        "affiliation": each.affiliation,
        "roles": roles,
    }


@person.command("add")
def add(context: typer.Context, email: str, role: Roles = None, name: str = "", affiliation: str = "") -> None:
    """Add a person, or add roles to one."""
    here: Context = context.obj
    people = here.house.people
    added = people.add(here.actor, email, name=name, affiliation=affiliation, roles=role or [])
    document = shown(added)
    here.output.result(document, f"{added.email} is {', '.join(document['roles']) or 'without a role'}")  # type: ignore[arg-type]


@person.command("list")
def list_(context: typer.Context) -> None:
    """List all persons."""
    here: Context = context.obj
    found = [shown(each) for each in here.house.people.everyone(here.actor)]
    rows = [(p["email"], p["name"], ", ".join(map(str, p["roles"]))) for p in found]  # type: ignore[call-overload]
    here.output.rows(found, "Persons", ("email", "name", "roles"), rows)


@person.command("role", context_settings={"ignore_unknown_options": True})
def role_(context: typer.Context, email: str, change: str) -> None:
    """Give (+ROLE) or take (-ROLE) one role."""
    here: Context = context.obj
    known = [each.value for each in Role]
    if change[:1] not in {"+", "-"} or change[1:] not in known:
        cure = f"Write +ROLE or -ROLE with one of: {', '.join(known)}"
        raise BadInput([Problem("role", f"{change!r} is not a change of role", cure)])
    changed = here.house.people.change_role(here.actor, email, Role(change[1:]), add=change[0] == "+")
    here.output.result(shown(changed))


@person.command("link")
def link(context: typer.Context, email: str) -> None:
    """Print a one-time sign-in link for a person, to be handed over in private."""
    here: Context = context.obj
    secret = here.house.people.make_link_for(here.actor, email)
    here.output.result({"link": sign_in_path(secret)}, sign_in_path(secret))


def sign_in_path(secret: str) -> str:
    """Return the portal's path for a sign-in link."""
    return f"/sign-in?link={secret}"


@app.command()
def login(context: typer.Context, url: str) -> None:
    """Bind this terminal to a person: redeem the one-time sign-in link URL beside its HOME."""
    here: Context = context.obj
    secret = parse_qs(urlsplit(url).query).get("link", [""])[0]
    if not secret:
        cure = "Use the link as it was printed: http://.../sign-in?link=..."
        raise BadInput([Problem("URL", "holds no sign-in link", cure)])
    people = here.house.people
    session = people.sign_in(secret)
    path = here.house.settings.run / LOGIN
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(session, encoding="utf-8")
    who = people.session(session)
    here.output.result(shown(who) if who else {}, f"Signed in as {who.email if who else '?'} for twelve hours")


@app.command()
def logout(context: typer.Context) -> None:
    """Forget who signed in at this terminal; commands act as the operator again."""
    here: Context = context.obj
    path = here.house.settings.run / LOGIN
    if path.exists():
        here.house.people.sign_out(path.read_text(encoding="utf-8").strip())
        path.unlink()
    here.output.result({"signed_in": False}, "Signed out")
