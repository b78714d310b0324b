"""`reviewer ...`: the pool of a call; and what leads its review: `call conflicts`, `call phase`, `call cases` ..."""

from __future__ import annotations

from typing import Annotated

import typer

from readingroom.admissions.call import Phase
from readingroom.admissions.model import ConflictKind, Disposition
from readingroom.admissions.pool import Disposal, Scope
from readingroom.app import reviewing
from readingroom.cli.app import app
from readingroom.cli.call import call
from readingroom.cli.context import Context
from readingroom.cli.given import moment

reviewer = typer.Typer(no_args_is_help=True, help="Reviewers: invited to a call with what they know.")

app.add_typer(reviewer, name="reviewer")
Topics = Annotated[list[str], typer.Option("--topic", help="What the reviewer knows; again for each")]
Load = Annotated[int | None, typer.Option(help="The most applications to take on", min=1)]


@reviewer.command("invite")
def invite(
    context: typer.Context,
    call: str,
    email: str,
    topic: Topics = [],  # noqa: B006
    load: Load = None,
    answer_by: Annotated[str, typer.Option(help="A date, or RFC 3339; nothing happens by it")] = "",
) -> None:
    """Ask somebody to review in a call."""
    here: Context = context.obj
    until = moment(answer_by, "--answer-by") if answer_by else None
    made = reviewing.invite(here.house, here.actor, call, email, (Scope(tuple(topic), load), until))
    here.output.result(reviewing.invitation_json(made), f"{email} is asked")


@reviewer.command("list")
def list_(context: typer.Context, call: str) -> None:
    """List who was asked to review in a call, and what became of it."""
    here: Context = context.obj
    found = here.house.admissions.invitations(here.actor, call)
    rows = [(each.person, each.state.value, ", ".join(each.scope.topics), each.scope.load or "") for each in found]
    document = [reviewing.invitation_json(each) for each in found]
    here.output.rows(document, "Reviewers", ("person", "state", "topics", "load"), rows)


@reviewer.command("invitations")
def invitations(context: typer.Context) -> None:
    """List the calls in which you are asked to review."""
    here: Context = context.obj
    found = here.house.admissions.my_invitations(here.actor)
    rows = [(each.call, each.state.value, ", ".join(each.scope.topics)) for each in found]
    document = [reviewing.invitation_json(each) for each in found]
    here.output.rows(document, "Invitations", ("call", "state", "topics"), rows)


@reviewer.command("accept")
def accept(context: typer.Context, call: str, topic: Topics = [], load: Load = None) -> None:  # noqa: B006
    """Accept an invitation; topics and load replace what you were asked for."""
    here: Context = context.obj
    scope = Scope(tuple(topic), load) if topic or load else None
    made = here.house.admissions.answer_invitation(here.actor, call, scope, accept=True)
    here.output.result(reviewing.invitation_json(made), "Accepted")


@reviewer.command("decline")
def decline(context: typer.Context, call: str) -> None:
    """Decline an invitation, or step out of the pool."""
    here: Context = context.obj
    made = here.house.admissions.answer_invitation(here.actor, call, None, accept=False)
    here.output.result(reviewing.invitation_json(made), "Declined")


@reviewer.command("expire")
def expire(context: typer.Context, call: str, email: str) -> None:
    """Give up waiting for an answer whose date is over."""
    here: Context = context.obj
    person = here.house.people.named(email)
    made = here.house.admissions.expire_invitation(here.actor, call, person.id)
    here.output.result(reviewing.invitation_json(made), f"{email} is no longer waited for")


@call.command("conflicts")
def conflicts(context: typer.Context, call: str) -> None:
    """List a call's conflicts of interest, and those that arose after assignment."""
    here: Context = context.obj
    found, arisen = here.house.admissions.conflicts_of_call(here.actor, call)
    rows = [(e.application, e.person, e.conflict.kind.value, e.conflict.severity.value, e.disposition.value)
            for e in found]  # fmt: skip
    rows += [(e.application, e.person, e.conflict.kind.value, e.conflict.severity.value, "arisen") for e in arisen]
    title = f"Conflicts; {len(arisen)} arose after assignment"
    document = reviewing.conflicts_json(found, arisen)
    here.output.rows(document, title, ("application", "person", "kind", "severity", "disposition"), rows)


@call.command("check-conflicts")
def check_conflicts(context: typer.Context, call: str, email: str) -> None:
    """Look at what would stand between a person and each application; nothing is changed or kept."""
    here: Context = context.obj
    here.output.result(reviewing.look(here.house, here.actor, call, email))


@call.command("dispose")
def dispose(
    context: typer.Context,
    application: str,
    email: str,
    kind: ConflictKind,
    disposition: Disposition,
    reason: Annotated[str, typer.Option(help="Kept with the conflict")],
) -> None:
    """Waive a conflict that is not real, or recuse the reviewer for it."""
    here: Context = context.obj
    person = here.house.people.named(email)
    here.house.admissions.dispose(here.actor, application, person.id, Disposal(kind, disposition, reason))
    here.output.result({"application": application, "kind": kind.value, "disposition": disposition.value})


@call.command("phase")
def phase(
    context: typer.Context,
    call: str,
    to: Annotated[Phase, typer.Argument(help="The next phase")],
    due: Annotated[str, typer.Option(help="A date, or RFC 3339; decides nothing")] = "",
) -> None:
    """Move a call's review to its next phase."""
    here: Context = context.obj
    until = moment(due, "--due") if due else None
    made = here.house.admissions.move_phase(here.actor, call, to, until)
    here.output.result(reviewing.phase_json(made), f"The review is in the phase {made.phase.value}")


@call.command("progress")
def progress(context: typer.Context, call: str) -> None:
    """Show how far a call's review is: the phase, its date, what is given."""
    here: Context = context.obj
    here.output.result(reviewing.progress_json(here.house.admissions.progress(here.actor, call)))


@call.command("cases")
def cases(context: typer.Context, call: str) -> None:
    """Show a call's applications as the panel sees them."""
    here: Context = context.obj
    here.output.result([reviewing.case_json(each) for each in here.house.admissions.cases(here.actor, call)])


@call.command("note")
def note(
    context: typer.Context,
    case: Annotated[str, typer.Argument(help="Its name, as `call cases` shows it")],
    rank: Annotated[int | None, typer.Option(help="1 is the best")] = None,
    comment: Annotated[str, typer.Option(help="For the rest of the panel")] = "",
) -> None:
    """Rank and comment an application, as one of the panel."""
    here: Context = context.obj
    made = here.house.admissions.note_case(here.actor, case, rank, comment)
    here.output.result(reviewing.note_json(made), f"Noted on {case}")
