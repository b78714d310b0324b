"""Errors that a person can cure: they name what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input.

    Attributes:
        where: `file:line:column` for a file, else the option or field's name.
        what: what is wrong there.
        cure: what to do about it.
    """

    where: str
    what: str
    cure: str

    def __str__(self) -> str:
        """Spell it on one line, the place first, as compilers do."""
        return f"{self.where}: {self.what}. {self.cure}"


class BadInput(Exception):  # noqa: N818 - named for what it is
    """What was handed in cannot be used; holds every problem found, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class Broken(Exception):  # noqa: N818 - named for what it is
    """Something of ours does not work (a file is gone, a database is down); says what, where and the cure."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem
