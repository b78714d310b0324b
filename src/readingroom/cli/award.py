"""`award ...`: offers and what follows them; `call account`, `call second-chance`: where a call's budget is."""

from __future__ import annotations

from typing import Annotated

import typer

from readingroom.admissions.requests import Answer
from readingroom.app import desk, holding
from readingroom.cli.app import app
from readingroom.cli.applicants import Server, side
from readingroom.cli.call import call
from readingroom.cli.context import Context

award = typer.Typer(no_args_is_help=True, help="Awards: offered, accepted, taken back, and what holders ask for later.")
app.add_typer(award, name="award")
Note = Annotated[str, typer.Option(help="Why, in words; the holder is told")]


@award.command("list")
def list_(
    context: typer.Context,
    call: Annotated[str, typer.Argument(help="A call [default: one's own awards]")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Offers past their date, in all calls")] = False,  # noqa: FBT002
    server: Server = "",
) -> None:
    """List a call's awards, one's own, or the offers that nobody has answered in time."""
    here: Context = context.obj
    if overdue or call:
        admissions = here.house.admissions
        made = admissions.overdue_awards(here.actor) if overdue else admissions.awards(here.actor, call)
        found = [desk.award_json(each) for each in made]
    else:
        found = side(here, server).awards()
    rows = [(a["id"], a["state"], a["tier"], f"{a['amounts']['passes']:,}", str(a["accept_by"])[:10]) for a in found]
    here.output.rows(found, "Awards", ("award", "state", "tier", "passes", "accept by"), rows)


@award.command("accept")
def accept(context: typer.Context, award: str, server: Server = "") -> None:
    """Accept one's award; its grant is issued in the same moment."""
    here: Context = context.obj
    made = side(here, server).answer_award(award, accept=True)
    here.output.result(made, f"{award} is accepted; see `readingroom grant list`, or My reading")


@award.command("decline")
def decline(context: typer.Context, award: str, server: Server = "") -> None:
    """Decline one's award; its amount goes back to the call."""
    here: Context = context.obj
    here.output.result(side(here, server).answer_award(award, accept=False))


@award.command("requests")
def requests(
    context: typer.Context,
    call: Annotated[str, typer.Argument(help="A call [default: all that wait for an answer]")] = "",
) -> None:
    """List reports and supplements that holders have filed."""
    here: Context = context.obj
    found = here.house.admissions.requests(here.actor, call)
    rows = [(r.id, r.kind.value, r.state.value, f"{r.passes:,}", f"{r.given:,}") for r in found]
    heads = ("request", "kind", "state", "passes asked", "given")
    here.output.rows([holding.request_json(each) for each in found], "Requests", heads, rows)


@award.command("answer")
def answer(
    context: typer.Context,
    request: str,
    passes: Annotated[int, typer.Option(min=0, help="How many are given; 0 gives none")],
    note: Note = "",
) -> None:
    """Answer a request: release or withhold a tranche, grant or refuse a supplement. Less needs a note."""
    here: Context = context.obj
    made = here.house.admissions.decide_request(here.actor, request, Answer(passes, note))
    here.output.result(holding.request_json(made), f"{request} is {made.state.value}: {made.given:,} passes")


@call.command("account")
def account(context: typer.Context, call: str) -> None:
    """Show where each unit of a call's budget is; it always adds up."""
    here: Context = context.obj
    document = holding.account_json(here.house, call)
    units = list(document["units"])
    places = list(document["units"][units[0]])
    rows = [(place, *(f"{document['units'][unit][place]:,}" for unit in units)) for place in places]
    here.output.rows(document, f"The account of {call}", ("place", *units), rows)


@call.command("second-chance")
def second_chance(context: typer.Context, call: str) -> None:
    """Offer what has come back to the next on the published list."""
    here: Context = context.obj
    made = here.house.admissions.second_chance(here.actor, call)
    here.output.result(desk.award_json(made), f"{made.amounts.passes:,} passes are offered to {made.application}")


@call.command("give-back")
def give_back(context: typer.Context, call: str) -> None:
    """Give what a child call did not award back to the call that funded it."""
    here: Context = context.obj
    freed = here.house.admissions.give_back(here.actor, call)
    here.output.result({"call": call, "amounts": freed.to_json()}, f"{freed.passes:,} passes went back")


@call.command("free-reserve")
def free_reserve(context: typer.Context, call: str) -> None:
    """Let a call's reserve be awarded, once no appeal can need it any more."""
    here: Context = context.obj
    freed = here.house.admissions.free_reserve(here.actor, call)
    here.output.result({"call": call, "amounts": freed.to_json()}, f"{freed.passes:,} passes are in the rest")
