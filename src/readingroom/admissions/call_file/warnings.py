"""What a call file may say, and is seldom meant: told by `call check`, never refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from readingroom.admissions.call import CallFile, Reviewing, Window
from readingroom.core.document import Node
from readingroom.core.errors import Problem
from readingroom.core.text import many

WEEK = timedelta(days=7)
HIDDEN = 20  # a criterion with less than a twentieth of the weight moves nothing that a reviewer would notice


def warnings(made: CallFile, fields: Mapping[str, Node]) -> Iterator[Problem]:
    """Say what is allowed but seldom meant, each at its place."""
    yield from _money(made, fields)
    yield from _windows(made, fields)
    if made.reviewing:
        yield from _reviews(made.reviewing, fields["review"])
    for question in made.form:
        if made.reviewing and question.name == "machine" and question.shown:
            what = "reviewers are shown where it will run, which tells many of them who asks"
            yield Problem(fields["form"].where, what, "Add 'shown_to_reviewers: false' to the question 'machine'")


def _money(made: CallFile, fields: Mapping[str, Node]) -> Iterator[Problem]:
    if made.reserve == 0:
        what = "nothing is kept for appeals, so an appeal that is right can be given nothing"
        yield Problem(fields["appeal_reserve"].where, what, "Keep a twentieth, say, in reserve")
    for each in made.parts:
        most = each.budget.passes - each.reserve
        if made.limits.maximum >= most:
            where = f" of {each.part!r}" if each.part else ""
            what = f"the maximum of {made.limits.maximum} lets one award take all {most} passes{where}"
            yield Problem(_at(fields["award"], "maximum"), what, "Lower it, unless one winner is what is meant")
            break
    if made.limits.accept_within_days < WEEK.days:
        what = f"an offer may be taken back after {many(made.limits.accept_within_days, 'day')}"
        yield Problem(_at(fields["award"], "accept_within_days"), what, "Give a week: people travel")
    if made.expects:
        most_awards = (made.budget.passes - made.reserve) // made.limits.minimum
        if made.competitive and most_awards >= made.expects.applications * 2:
            what = (
                f"even at the minimum there is enough for {most_awards} awards, and {made.expects.applications} apply"
            )
            yield Problem(_at(fields["award"], "minimum"), what, "A call without reviews may serve them faster")


def _windows(made: CallFile, fields: Mapping[str, Node]) -> Iterator[Problem]:
    windows: list[tuple[Node, Window]] = []
    if "window" in fields and not made.window.standing:
        windows = [(fields["window"], made.window)]
    elif made.rounds:
        windows = [(n, each.window) for n, each in zip(fields["rounds"].items(), made.rounds, strict=True)]
    for node, window in windows:
        if window.closes - window.opens < WEEK:
            days = (window.closes - window.opens) / timedelta(days=1)
            yield Problem(node.where, f"the window is open for {days:.1f} days", "Give people a week at least")


def _reviews(made: Reviewing, node: Node) -> Iterator[Problem]:
    if made.floor == made.high:
        what = f"the floor of {float(made.floor):g} asks for the best score on every criterion from every reviewer"
        yield Problem(_at(node, "floor"), what, "Lower it, or almost nobody can be awarded")
    elif made.floor <= made.low:
        what = f"the floor of {float(made.floor):g} keeps nobody out: the lowest score reaches it"
        yield Problem(_at(node, "floor"), what, "Raise it to the anchor that is good enough")
    total = sum(each.weight for each in made.criteria)
    for each in made.criteria:
        share = each.weight / total
        if each.weight * HIDDEN < total:
            moves = share * (made.high - made.low)
            what = f"{each.name!r} has {share:.0%} of the weight: from worst to best it moves the mean by {moves:.2f}"
            yield Problem(_at(node, "criteria"), what, "Give it more weight, or do not ask for it")
        elif len(made.criteria) > 1 and share > 1 - 1 / HIDDEN:
            yield Problem(_at(node, "criteria"), f"{each.name!r} decides alone", "Give the others more weight")
    if made.per_application == 1:
        what = "one review decides, and nothing shows how far another reviewer would differ"
        yield Problem(_at(node, "per_application"), what, "Ask for two; three tell how sure a score is")
    if made.vetoes == made.per_application > 1:
        what = "a misuse veto excludes only if every reviewer gives it"
        yield Problem(_at(node, "misuse_vetoes"), what, "One or two suffice to put it before a person")


def _at(node: Node, name: str) -> str:
    """Return the place of a field within a mapping, or the mapping's own."""
    found = node.fields([], None) if node.is_mapping() else {}
    return found[name].where if name in found else node.where
