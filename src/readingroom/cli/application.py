"""`application ...`: applying, beside a HOME or at a server; and applications from the desk's side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from readingroom.admissions import application_file
from readingroom.admissions.model import ApplicationState, Outcome, Reason, Ruling
from readingroom.admissions.teams import Part
from readingroom.app import desk
from readingroom.cli.app import app
from readingroom.cli.applicants import Server, Side, side
from readingroom.cli.context import Context
from readingroom.cli.given import contents, moment, text_of
from readingroom.core.errors import BadInput, Problem
from readingroom.core.files import write_new

application = typer.Typer(no_args_is_help=True, help="Applying to a call; and applications from the desk's side.")

app.add_typer(application, name="application")

Link = Annotated[str, typer.Argument(help="The letter's link")]


def _at(context: typer.Context, server: str) -> tuple[Context, Side]:
    here: Context = context.obj
    return here, side(here, server)


def _stands(found: dict[str, Any]) -> str:
    version = f", version {found['version']}" if found.get("version") else ""
    return f"{found['id']} is {found['state']}{version}"


@application.command("start")
def start(context: typer.Context, call: str, file: Path, server: Server = "") -> None:
    """Begin an application to a call from a file; it counts once it is submitted."""
    here, at = _at(context, server)
    made = at.start(call, application_file.parse(text_of(file), file.name))
    here.output.result(made, f"{_stands(made)}; submit it with `readingroom application submit {made['id']}`")


@application.command("save")
def save(
    context: typer.Context,
    application: str,
    file: Path,
    revision: Annotated[int | None, typer.Option(help="Refuse if it was changed since this revision")] = None,
    server: Server = "",
) -> None:
    """Save an application as a file says; what was submitted before counts until it is submitted again."""
    here, at = _at(context, server)
    made = at.save(application, application_file.parse(text_of(file), file.name), revision)
    here.output.result(made, f"Saved as revision {made['revision']}; {_stands(made)}")


@application.command("submit")
def submit(context: typer.Context, application: str, server: Server = "") -> None:
    """Submit what is saved: it is frozen as a version, and counts."""
    here, at = _at(context, server)
    made = at.act(application, "submit")
    here.output.result(made, _stands(made))


@application.command("withdraw")
def withdraw(context: typer.Context, application: str, server: Server = "") -> None:
    """Take an application back, at any time before it is decided."""
    here, at = _at(context, server)
    made = at.act(application, "withdraw")
    here.output.result(made, _stands(made))


@application.command("mine")
def mine(context: typer.Context, server: Server = "") -> None:
    """List one's own applications."""
    here, at = _at(context, server)
    found = at.mine()
    rows = [(a["id"], a["call"], a["state"], a["passes"]) for a in found]
    here.output.rows(found, "My applications", ("application", "call", "state", "passes asked"), rows)


@application.command("status")
def status(context: typer.Context, application: str, server: Server = "") -> None:
    """Show where an application stands: who has it, and by when; once it is decided, why, and what can be done."""
    here, at = _at(context, server)
    found = at.show(application) | {"waiting": at.look(application, "history")["waiting"]}
    lines = [
        f"{each['who']}: {each['what']}" + (f", until {_when(each['until'])}" if each["until"] else "")
        for each in found["waiting"]
    ]
    if found["state"] == "returned" and found["note"]:
        lines.append(f"What is asked for: {found['note']}")
    if found["state"] in {"awarded", "refused"}:
        found["decision"] = at.look(application, "decision")
        lines += _decided(found["decision"])
    here.output.result(found, "\n".join([_stands(found), *lines]))


def _decided(made: dict[str, Any]) -> list[str]:
    """Say all that a decision tells its applicant; of an award, the page of awards says what comes next."""
    if made["outcome"] is None:
        return []
    why = f"{made['outcome']} ({made['reason']}): {made['text']}"
    if made["outcome"] == "awarded":
        return [
            why,
            "Accept it or not, by its date, under My reading or with `readingroom award accept`",
        ]
    differ = [f"What would have had to differ: {made['differ']}"] if made["differ"] else []
    return [
        why,
        *differ,
        f"You may apply again from {_when(made['reapply_from'])}",
        f"Appeal: {made['appeal']} At the terminal: `readingroom appeal lodge`.",
    ]


def _when(moment: str) -> str:
    """Spell a moment for people, to the minute."""
    return f"{moment[:16].replace('T', ' ')} UTC"


@application.command("history")
def history(context: typer.Context, application: str, server: Server = "") -> None:
    """Show what happened to an application."""
    here, at = _at(context, server)
    found = at.look(application, "history")
    rows = [(each["at"], each["text"], each["by"]) for each in found["steps"]]
    here.output.rows(found, "History", ("when", "what", "by"), rows)


@application.command("observed")
def observed(context: typer.Context, application: str, server: Server = "") -> None:
    """Show what the house itself saw used of the applicant's grants when a renewal was submitted."""
    here, at = _at(context, server)
    found = at.look(application, "observed")
    if not found["observed"]:
        here.output.result(found, "Nothing is kept: it is no renewal, or it was not submitted yet.")
        return
    rows = [
        (each["grant"], each["state"], *(_of(each, unit) for unit in ("passes", "tokens", "calls")))
        for each in found["observed"]
    ]
    here.output.rows(found, "Used, as the house saw it", ("grant", "state", "passes", "tokens", "calls"), rows)


def _of(seen: dict[str, Any], unit: str) -> str:
    used, lent = seen["used"].get(unit, 0), seen["allocation"].get(unit)
    return f"{used:,} of {lent:,}" if lent is not None else f"{used:,}"


@application.command("versions")
def versions(
    context: typer.Context,
    application: str,
    compare: Annotated[tuple[int, int] | None, typer.Option(help="Two versions, to see what differs")] = None,
    server: Server = "",
) -> None:
    """Show every submitted version, or what differs between two."""
    here, at = _at(context, server)
    if compare is not None:
        found = at.difference(application, *compare)
        marks = {"same": "", "gone": "-", "new": "+"}
        told = [
            f"{each['label']}\n  " + "".join(_marked(marks[p["mark"]], p["text"]) for p in each["pieces"])
            for each in found["changes"]
        ]
        here.output.result(found, "\n".join(told) or "Nothing differs.")
        return
    listed = at.look(application, "versions")
    rows = [(each["number"], each["submitted_at"], each["passes"], each["commitment"]) for each in listed]
    here.output.rows(listed, "Versions", ("version", "submitted", "passes", "commitment"), rows)


def _marked(mark: str, text: str) -> str:
    return f"[{mark}{text}{mark}]" if mark else text


@application.command("attach")
def attach(context: typer.Context, application: str, question: str, file: Path, server: Server = "") -> None:
    """Attach a file in answer to a question: pdf, png, jpeg, csv or plain text."""
    here, at = _at(context, server)
    made = at.attach(application, question, file.name, contents(file))
    here.output.result(made, f"Attached {made['name']}, {made['digest']}; submit the application for it to count")


@application.command("detach")
def detach(context: typer.Context, application: str, digest: str, server: Server = "") -> None:
    """Take a file out again."""
    here, at = _at(context, server)
    at.detach(application, digest)
    here.output.result({"application": application, "detached": digest}, f"Taken out: {digest}")


@application.command("files")
def files(context: typer.Context, application: str, server: Server = "") -> None:
    """List the files of an application."""
    here, at = _at(context, server)
    found = at.look(application, "attachments")
    rows = [(each["question"], each["name"], each["size"], each["digest"]) for each in found]
    here.output.rows(found, "Files", ("question", "name", "bytes", "digest"), rows)


@application.command("download")
def download(context: typer.Context, application: str, digest: str, to: Path, server: Server = "") -> None:
    """Download a file to a path that is not there yet. It is as its applicant made it: open it with care."""
    here, at = _at(context, server)
    if to.exists():
        raise BadInput([Problem(str(to), "is there already", "Name another path; nothing was overwritten")])
    write_new(to, at.download(application, digest))
    here.output.result({"digest": digest, "path": str(to)}, f"Written to {to}")


@application.command("invite")
def invite(
    context: typer.Context,
    application: str,
    email: str,
    guarantor: Annotated[bool, typer.Option("--guarantor", help="To vouch, not to join")] = False,  # noqa: FBT002
    server: Server = "",
) -> None:
    """Send a letter to an address, that asks to join the team; or, with --guarantor, to vouch."""
    here, at = _at(context, server)
    made = at.invite(application, email, Part.GUARANTOR if guarantor else Part.MEMBER)
    here.output.result(made, f"A letter to {made['email']} is on its way ({made['id']})")


@application.command("remind")
def remind(context: typer.Context, invitation: str, server: Server = "") -> None:
    """Send another letter, whose link takes the place of the last one's."""
    here, at = _at(context, server)
    made = at.remind(invitation)
    here.output.result(made, f"Another letter to {made['email']} is on its way")


@application.command("uninvite")
def uninvite(context: typer.Context, invitation: str, server: Server = "") -> None:
    """Take an invitation back, or somebody out of the team."""
    here, at = _at(context, server)
    made = at.remove(invitation)
    here.output.result(made, f"{made['email']} is {made['state']}")


@application.command("team")
def team(context: typer.Context, application: str, server: Server = "") -> None:
    """List who was asked to join or to vouch, and what they said."""
    here, at = _at(context, server)
    found = at.look(application, "team")
    rows = [(each["id"], each["email"], each["part"], each["state"]) for each in found]
    here.output.rows(found, "Team", ("invitation", "address", "asked to be", "state"), rows)


@application.command("leave")
def leave(context: typer.Context, application: str, server: Server = "") -> None:
    """Leave the team of somebody's application."""
    here, at = _at(context, server)
    made = at.act(application, "leave")
    here.output.result(made, f"You have left the team of {application}")


@application.command("accept-invitation")
def accept(context: typer.Context, link: Link, words: str = "", server: Server = "") -> None:
    """Join a team, or vouch, as the letter's link asks; as oneself, signed in."""
    _answer(context, link, server, words, accept=True)


@application.command("decline-invitation")
def decline(context: typer.Context, link: Link, words: str = "", server: Server = "") -> None:
    """Decline to join a team, or refuse to vouch; a refusal to vouch needs --words."""
    _answer(context, link, server, words, accept=False)


def _answer(context: typer.Context, link: str, server: str, words: str, *, accept: bool) -> None:
    here, at = _at(context, server)
    made = at.answer(urlsplit(link).path.rpartition("/")[2], accept=accept, words=words)
    here.output.result(made, f"{made['application']}: {made['part']}, {made['state']}")


@application.command("list")
def list_applications(
    context: typer.Context,
    call: str,
    state: Annotated[
        list[ApplicationState] | None, typer.Option(help="Only these; may be given more than once")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="Leave out so many first")] = 0,
) -> None:
    """List the applications of a call, in the order in which they came: for the desk."""
    here: Context = context.obj
    found = here.house.admissions.desk_page(here.actor, call, state or (), limit, offset)
    rows = [
        (
            a.id,
            a.state.value,
            a.passes,
            a.tier,
            a.reviews,
            f"{found.due[a.id]:%Y-%m-%d %H:%M}" if a.id in found.due else "",
        )
        for a in found.rows
    ]
    heads = ("application", "state", "passes asked", "tier", "reviews", "due")
    here.output.rows(desk.page_json(found)["applications"], f"{found.total} applications", heads, rows)
    if found.total > offset + len(rows):
        here.output.note(f"see more with --offset {offset + len(rows)}")


@application.command("show")
def show(context: typer.Context, application: str, server: Server = "") -> None:
    """Show one application."""
    here, at = _at(context, server)
    here.output.result(at.show(application))


@application.command("decide")
def decide(
    context: typer.Context,
    application: str,
    outcome: Outcome,
    reason: Annotated[Reason, typer.Option(help="A code of the closed list")],
    note: Annotated[str, typer.Option(help="Why, in words; the applicant is told")] = "",
    passes: Annotated[int | None, typer.Option(min=1, help="How many [default: what was asked]")] = None,
) -> None:
    """Decide one application of a call that holds no competition."""
    here: Context = context.obj
    made = here.house.admissions.decide(here.actor, application, Ruling(outcome, reason, note, passes))
    here.output.result({"application": application, "outcome": made.outcome.value, "reason": made.reason.value})


@application.command("return")
def return_(
    context: typer.Context,
    application: str,
    note: Annotated[str, typer.Option(help="What is to be corrected; the applicant is told")],
    until: Annotated[str, typer.Option(help="By when: a date, or RFC 3339")],
) -> None:
    """Ask for a correction; what was submitted is kept."""
    here: Context = context.obj
    made = here.house.admissions.return_application(here.actor, application, note, moment(until, "--until"))
    here.output.result(desk.application_json(made), f"{application} is returned for correction until {until}")
