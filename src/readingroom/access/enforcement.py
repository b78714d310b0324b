"""The map from the clauses of the terms to what enforces them, as things stand. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from readingroom.access.checks import CHECKS, InForce, Link
from readingroom.access.clauses import TermsText
from readingroom.core.errors import BadInput, Problem


def links(terms: TermsText, in_force: InForce) -> list[Link]:
    """Return the map: a line for each link of a clause to a check, and one for each clause that nothing enforces."""
    return list(_links(terms, in_force))


def _links(terms: TermsText, in_force: InForce) -> Iterator[Link]:
    for clause in terms.clauses:
        if not clause.enforced_by:
            yield Link(clause.number, clause.text, "", f"unenforced: {clause.unenforced}", holds=False, where="")
        for name in clause.enforced_by:
            check = CHECKS[name]
            found = check.look(in_force, clause.number)
            yield Link(clause.number, clause.text, name, check.says, found.holds, found.where)


def check_links(terms: TermsText, in_force: InForce) -> None:
    """Refuse terms that claim a check which the plan in force does not have.

    Raises:
        BadInput: each such claim at its clause's place.
    """
    places = {each.number: each.where for each in terms.clauses}
    cure = "Add it to the plan and adopt that, or write 'unenforced: why'"
    problems = [
        Problem(places[each.clause], f"clause {each.clause} claims the check {each.check}, but {each.where}", cure)
        for each in links(terms, in_force)
        if each.check and not each.holds
    ]
    if problems:
        raise BadInput(problems)
