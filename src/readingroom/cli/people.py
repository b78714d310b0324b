"""`person ...`, `login`, `logout`: who may act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import SplitResult, parse_qs, urlsplit

import typer

from readingroom.access.model import Reason
from readingroom.app.views import fact_json, person_json, whole_person
from readingroom.cli import remote
from readingroom.cli.app import app
from readingroom.cli.context import LOGIN, Context
from readingroom.cli.given import moment
from readingroom.core.errors import BadInput, Problem
from readingroom.core.files import write_over
from readingroom.core.settings import FILE
from readingroom.people.model import Basis, Claim, FactKind, Role

if TYPE_CHECKING:
    from readingroom.app.house import House

person = typer.Typer(no_args_is_help=True, help="Who may act: persons and their roles.")
app.add_typer(person, name="person")
credential = typer.Typer(no_args_is_help=True, help="Affiliations and credentials of persons, each with its own end.")
person.add_typer(credential, name="credential")

Roles = Annotated[list[Role] | None, typer.Option("--role", help="A role; give it again for another")]


@person.command("add")
def add(context: typer.Context, email: str, role: Roles = None, name: str = "", affiliation: str = "") -> None:
    """Add a person, or add roles to one."""
    here: Context = context.obj
    people = here.house.people
    added = people.add(here.actor, email, name=name, affiliation=affiliation, roles=role or [])
    roles = ", ".join(sorted(each.value for each in added.roles))
    here.output.result(person_json(added), f"{added.email} is {roles or 'without a role'}")


@person.command("list")
def list_(context: typer.Context) -> None:
    """List all persons."""
    here: Context = context.obj
    found = [person_json(each) for each in here.house.people.everyone(here.actor)]
    rows = [(p["email"], p["name"], ", ".join(p["roles"])) for p in found]
    here.output.rows(found, "Persons", ("email", "name", "roles"), rows)


@person.command("show")
def show(
    context: typer.Context, who: Annotated[str, typer.Argument(help="An address, or an id of the ledger")]
) -> None:
    """Show one person: ways to sign in, affiliations and credentials with whether each holds now, and a bar."""
    here: Context = context.obj
    found = whole_person(here.house, here.actor, who)
    ways = [(each["issuer"], each["subject"], each["ended_at"] or "") for each in found["identities"]]
    known = [(each["id"], each["kind"], each["body"], each["until"] or "", each["standing"]) for each in found["facts"]]
    lines = [
        f"{found['name']}, {found['email']}: {', '.join(found['roles']) or 'without a role'}",
        f"In the ledger as {' and before as '.join([found['id'], *found['merged']])}",
        *([f"Barred until {found['barred_until']}"] if found["barred_until"] else []),
        *(
            f"Signs in by {issuer} {subject}{f' (taken off {ended})' if ended else ''}"
            for issuer, subject, ended in ways
        ),
        *(f"{each[0]}: {each[1]} of {each[2]}, until {each[3] or 'no end'}: {each[4]}" for each in known),
    ]
    here.output.result(found, "\n".join(lines))


@person.command("merge")
def merge(
    context: typer.Context,
    one: Annotated[str, typer.Argument(help="An address, or an id of the ledger")],
    other: Annotated[str, typer.Argument(help="Another, of the same person")],
    reason: Annotated[str, typer.Option(help="How it is known that they are one person; kept, and not shown")],
) -> None:
    """Make two accounts of one person one, for good; the younger one's ways to sign in are taken off."""
    here: Context = context.obj
    made = here.house.people.merge(here.actor, one, other, reason)
    here.output.result(person_json(made), f"{made.email} is one person now; there is no way back")


Until = Annotated[str, typer.Option(help="Until when it is valid: a date, or RFC 3339; without, it has no end")]


@credential.command("add")
def add_credential(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="An address, or an id of the ledger")],
    kind: FactKind,
    body: Annotated[str, typer.Argument(help="The institution, or who issued it")],
    until: Until = "",
) -> None:
    """Add an affiliation or credential of somebody that one has looked at."""
    here: Context = context.obj
    said = Claim(kind, body, moment(until, "--until") if until else None)
    made = here.house.people.add_fact(here.actor, who, said)
    here.output.result(fact_json(made, here.house.clock.now()), f"{made.id}: {kind.value} of {made.body}")


@credential.command("confirm")
def confirm_credential(context: typer.Context, fact: str, until: Until = "") -> None:
    """Confirm what somebody said of themselves; without a date, with the end that they gave."""
    here: Context = context.obj
    made = here.house.people.confirm_fact(here.actor, fact, moment(until, "--until") if until else None)
    here.output.result(fact_json(made, here.house.clock.now()), f"{made.id} is confirmed")


@credential.command("end")
def end_credential(context: typer.Context, fact: str) -> None:
    """End an affiliation or credential now."""
    here: Context = context.obj
    made = here.house.people.end_fact(here.actor, fact)
    here.output.result(fact_json(made, here.house.clock.now()), f"{made.id} has ended")


@person.command("role", context_settings={"ignore_unknown_options": True})
def role_(context: typer.Context, email: str, change: str) -> None:
    """Give (+ROLE) or take (-ROLE) one role."""
    here: Context = context.obj
    known = [each.value for each in Role]
    if change[:1] not in {"+", "-"} or change[1:] not in known:
        cure = f"Write +ROLE or -ROLE with one of: {', '.join(known)}"
        raise BadInput([Problem("role", f"{change!r} is not a change of role", cure)])
    changed = here.house.people.change_role(here.actor, email, Role(change[1:]), add=change[0] == "+")
    here.output.result(person_json(changed))


@person.command("link")
def link(context: typer.Context, email: str) -> None:
    """Make a one-time sign-in link: shown for yourself and until the first steward signs in, else sent by letter."""
    here: Context = context.obj
    made, sent = here.house.hand_link(here.actor, email)
    if sent:
        here.output.result(
            {"link": None, "sent": True}, f"A letter with the link waits in {here.house.settings.outbox}"
        )
    else:
        here.output.result({"link": made, "sent": False}, made)


@person.command("bar")
def bar(
    context: typer.Context,
    email: str,
    until: Annotated[str, typer.Option(help="Until when: a date, or RFC 3339")],
    reason: Annotated[Reason, typer.Option(help="A code of the closed list")],
    note: Annotated[str, typer.Option(help="In words; needed for the reason `other`")] = "",
) -> None:
    """Bar a person from all reading until a date; `error-corrected` puts a standing bar right."""
    here: Context = context.obj
    barred, ends = here.house.people.named(email), moment(until, "--until")
    here.house.access.bar(here.actor, barred.id, ends, reason, note)
    document = {"person": barred.id, "until": ends, "reason": reason.value}
    here.output.result(document, f"{barred.email} may not read until {ends:%Y-%m-%d %H:%M} UTC")


@person.command("held")
def held(context: typer.Context, email: str) -> None:
    """Print everything held of a person, by table: of oneself, or for who may erase them."""
    here: Context = context.obj
    found = here.house.held.show(here.actor, here.house.people.named(email).id)
    counted = ", ".join(f"{name} {len(rows)}" for name, rows in found.items())
    here.output.result(found, f"{email}: {counted}; --json prints it all")


@person.command("erase")
def erase(
    context: typer.Context,
    email: str,
    basis: Annotated[Basis, typer.Option(help="Why: it goes into the ledger")],
) -> None:
    """Erase a person once nothing of theirs stands; the ledger keeps a pseudonym that names nobody."""
    from readingroom.app import erasing

    here: Context = context.obj
    done = erasing.erase(here.house, here.actor, here.house.people.named(email).id, basis)
    here.output.result({"erased": done}, f"{email} is erased; backups made before still hold it")


@app.command()
def login(context: typer.Context, url: str) -> None:
    """Bind this terminal to a person: redeem the one-time sign-in link URL, beside its HOME or at its server.

    Where there is no house here, the link's own server is signed in at: that is an applicant's way.
    """
    here: Context = context.obj
    if not (here.home / FILE).exists():
        made = remote.sign_in(url)
        here.output.result(made, f"Signed in at {made['server']} for twelve hours")
        return
    secret = parse_qs(urlsplit(url).query).get("link", [""])[0]
    if not secret:
        cure = "Use the link as it was printed: http://.../sign-in?link=..."
        raise BadInput([Problem("URL", "holds no sign-in link", cure)])
    _check_ours(here.house, urlsplit(url))
    people = here.house.people
    session = people.sign_in(secret)
    path = here.house.settings.run / LOGIN
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_over(path, session.encode())
    who = people.session(session)
    here.output.result(person_json(who) if who else {}, f"Signed in as {who.email if who else '?'} for twelve hours")


def _check_ours(house: House, url: SplitResult) -> None:
    """Refuse a link to another server: signing in happens beside HOME, whatever the link says."""
    ours = house.address()
    if url.netloc and (url.scheme, url.netloc) != urlsplit(ours)[:2]:
        where = f"This house is at {ours}; name the right one with --home" if ours else "It was never served"
        raise BadInput([Problem("URL", f"is a link to {url.scheme}://{url.netloc}, not to this house", where)])


@app.command()
def logout(context: typer.Context) -> None:
    """Forget who signed in at this terminal; commands act as the operator again."""
    here: Context = context.obj
    if not (here.home / FILE).exists():
        remote.sign_out()
        here.output.result({"signed_in": False}, "Signed out")
        return
    path = here.house.settings.run / LOGIN
    if path.exists():
        secret = path.read_text(encoding="utf-8", errors="replace").strip()
        path.unlink()  # first: whatever comes of the database, nobody is signed in here any more
        here.house.people.sign_out(secret)
    here.output.result({"signed_in": False}, "Signed out")
