"""`review ...`: what there is to review, and what was given."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from readingroom.admissions.model import Risk
from readingroom.app import desk
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
    here.output.result([desk.task_json(each) for each in here.house.admissions.reviews_to_do(here.actor)])


@review.command("give")
def give(
    context: typer.Context,
    review: Annotated[str, typer.Argument(help="Its id, as `review list` shows it")],
    score: Annotated[list[str], typer.Option(help="criterion=points; give it again for each")],
    comment: Annotated[str, typer.Option(help="For the desk, and, later, for the applicant")],
    risk: Annotated[Risk, typer.Option(help="Of misuse, apart from merit")] = Risk.OK,
    risk_reason: Annotated[str, typer.Option(help="Needed for a concern or a veto")] = "",
) -> None:
    """Give a review, or amend it while the call is open for review."""
    here: Context = context.obj
    scores = dict(_score(each) for each in score)
    body: dict[str, Any] = {"scores": scores, "comment": comment, "risk": risk.value, "risk_reason": risk_reason}
    here.house.admissions.review(here.actor, review, desk.judgement(body))
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


def _score(text: str) -> tuple[str, int]:
    name, _, written = text.partition("=")
    points = whole(written)
    if not name or points is None:
        raise BadInput([Problem("--score", f"{text!r} is no score", "Write criterion=points, such as merit=4")])
    return name, points
