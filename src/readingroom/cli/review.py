"""`review ...`: what there is to review, and what was given."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from readingroom.admissions.model import Risk
from readingroom.admissions.pool import TieKind
from readingroom.app import desk
from readingroom.app.reviewing import risk_json, task_json, tie_json
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole

review = typer.Typer(no_args_is_help=True, help="Reviews: what there is to do, and what was given.")

app.add_typer(review, name="review")


@review.command("list")
def to_do(context: typer.Context) -> None:
    """List what there is to review for the person who is signed in; without names."""
    here: Context = context.obj
    here.output.result([task_json(each) for each in here.house.admissions.reviews_to_do(here.actor)])


@review.command("give")
def give(
    context: typer.Context,
    review: Annotated[str, typer.Argument(help="Its id, as `review list` shows it")],
    score: Annotated[list[str], typer.Option(help="criterion=points; give it again for each")],
    comment: Annotated[str, typer.Option(help="On the whole, for the desk, and, later, for the applicant")],
    on: Annotated[list[str], typer.Option(help="criterion=text, a comment on one criterion; again for each")] = [],  # noqa: B006
    risk: Annotated[Risk, typer.Option(help="Of misuse, apart from merit")] = Risk.OK,
    risk_reason: Annotated[str, typer.Option(help="Needed for a concern or a veto")] = "",
    why: Annotated[str, typer.Option(help="Why you amend it; needed once you have read the others")] = "",
) -> None:
    """Give a review, or amend it while the phase allows."""
    here: Context = context.obj
    scores, comments = dict(_score(each) for each in score), dict(_comment(each) for each in on)
    body: dict[str, Any] = {"scores": scores, "comments": comments, "comment": comment}
    body |= {"risk": risk.value, "risk_reason": risk_reason}
    here.house.admissions.review(here.actor, review, desk.judgement(body), why)
    here.output.result({"review": review, "given": True}, "The review is given")


@review.command("conflict")
def conflict(
    context: typer.Context,
    review: Annotated[str, typer.Argument(help="Its id, as `review list` shows it")],
    reason: Annotated[str, typer.Option(help="The conflict of interest, in a few words")],
) -> None:
    """Step back from a review because of a conflict of interest."""
    here: Context = context.obj
    here.house.admissions.declare_conflict(here.actor, review, reason)
    here.output.result({"review": review, "recused": True}, "You have stepped back from this review")


@review.command("release")
def release(context: typer.Context, review: str) -> None:
    """Let a reviewer go who has not reviewed, so that `call assign` can ask another."""
    here: Context = context.obj
    here.house.admissions.release_review(here.actor, review)
    here.output.result({"review": review, "released": True}, "Let go; `call assign` asks another")


@review.command("risks")
def risks(context: typer.Context) -> None:
    """List the applications whose risk of misuse you may judge; without names, scores or others' words."""
    here: Context = context.obj
    found = here.house.admissions.risks_to_judge(here.actor)
    here.output.result([{"call": call.id, **risk_json(case)} for call, case in found])


@review.command("risk")
def risk_(
    context: typer.Context,
    case: Annotated[str, typer.Argument(help="Its name, as `review risks` shows it")],
    opinion: Risk,
    reason: Annotated[str, typer.Option(help="Needed for a concern or a veto")] = "",
) -> None:
    """Judge an application's risk of misuse, apart from its merit."""
    here: Context = context.obj
    here.house.admissions.judge_risk(here.actor, case, opinion, reason)
    here.output.result({"case": case, "opinion": opinion.value}, f"{case}: {opinion.value}")


@review.command("tie")
def tie(
    context: typer.Context,
    kind: TieKind,
    who: Annotated[str, typer.Argument(help="An e-mail address, or a first and a last name")],
    reason: Annotated[str, typer.Option(help="Needed with `named`: why this person should not review it")] = "",
    application: Annotated[str, typer.Option(help="With `named`: your application")] = "",
) -> None:
    """Declare a co-author or a supervisor; or, as an applicant, name who should not review your application."""
    here: Context = context.obj
    made = here.house.admissions.declare_tie(here.actor, kind, who, reason, application)
    here.output.result(tie_json(made), f"Declared: {made.kind.value} {made.who} ({made.id})")


@review.command("ties")
def ties(context: typer.Context) -> None:
    """List what you declared."""
    here: Context = context.obj
    found = here.house.admissions.my_ties(here.actor)
    rows = [(each.id, each.kind.value, each.who) for each in found]
    here.output.rows([tie_json(each) for each in found], "Declared", ("tie", "kind", "who"), rows)


@review.command("untie")
def untie(context: typer.Context, tie: str) -> None:
    """Take back what you declared."""
    here: Context = context.obj
    here.house.admissions.withdraw_tie(here.actor, tie)
    here.output.result({"tie": tie, "withdrawn": True}, "Taken back")


def _comment(text: str) -> tuple[str, str]:
    name, _, written = text.partition("=")
    if not name or not written.strip():
        raise BadInput([Problem("--on", f"{text[:80]!r} is no comment", "Write criterion=text")])
    return name, written


def _score(text: str) -> tuple[str, int]:
    name, _, written = text.partition("=")
    points = whole(written)
    if not name or points is None:
        raise BadInput([Problem("--score", f"{text!r} is no score", "Write criterion=points, such as merit=4")])
    return name, points
