"""What went wrong with a form, told beside its fields; and the page that asks before an act that cannot be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from litestar.response import Template

from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refusal, Refused
from readingroom.web.browser import Form, Visitor, page


class _Named(Protocol):
    @property
    def id(self) -> str: ...


_Thing = TypeVar("_Thing", bound=_Named)


@dataclass(frozen=True, slots=True)
class Told:
    """One thing to mend, as a form says it.

    Attributes:
        field: the id of the field; empty where it is about the whole.
        label: the field in the form's own words.
        text: what is wrong, and what would mend it.
    """

    field: str
    label: str
    text: str


def told(fault: BadInput | Refused, labels: Mapping[str, tuple[str, str]]) -> list[Told]:
    """Say a fault in a form's words; `labels` gives a problem's place its field's id and label."""
    if isinstance(fault, Refused):
        return [Told("", "", fault.refusal.reason)]
    return [_told(each, labels) for each in fault.problems]


def _told(problem: Problem, labels: Mapping[str, tuple[str, str]]) -> Told:
    if problem.where not in labels:  # of a file, whose places are lines
        return Told("", "", str(problem))
    return Told(*labels[problem.where], f"{problem.what[:1].upper()}{problem.what[1:]}. {problem.cure}".strip())


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The page before an act: what will happen, to what, and the way back.

    Attributes:
        action: where the form is sent.
        acts: value and label of each button; a label names what the button does, and to what.
        reasons: of these one must be chosen; none where no reason is asked for.
    """

    heading: str
    said: Sequence[str]
    action: str
    acts: Sequence[tuple[str, str]]
    back: str
    facts: Sequence[tuple[str, str]] = ()
    reasons: Sequence[str] = ()


def last_moment(typed: str, where: str) -> datetime:
    """Read a day, and return its end in UTC: until a day means the whole of it.

    Raises:
        BadInput: it is no day.
    """
    try:
        day = datetime.strptime(typed.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise BadInput([Problem(where, "must be a day", "Write it as 2026-12-31")]) from None
    return day.replace(hour=23, minute=59, second=59)


def act_of(acts: Mapping[str, Callable[[], object]], do: str) -> Callable[[], object]:
    """Return the act that a button names.

    Raises:
        BadInput: no button of ours does.
    """
    if do not in acts:
        raise BadInput([Problem("do", "is nothing that can be done", f"It can be: {', '.join(acts)}")])
    return acts[do]


def one_of(things: Iterable[_Thing], name: str, refusal: Refusal) -> _Thing:
    """Return the one of one's own things that has this id, or refuse: the answer tells of nobody else's."""
    if (found := next((each for each in things if each.id == name), None)) is None:
        raise Refused(refusal)
    return found


def confirm(who: Visitor, asked: Confirmation, typed: Form | None = None, problems: Sequence[Told] = ()) -> Template:
    """Ask, with whatever was typed and what was wrong with it."""
    status = 400 if problems else 200
    return page(who, "confirm.html", status, asked=asked, typed=typed or {}, problems=problems)
