"""Nobody sees through any page, sum or answer what the phase hides: it is the same bytes in two worlds.

Each pair of worlds differs in one hidden thing. Whoever must not know of it fetches every address there is, with every
id, in both: what comes back is equal, byte for byte (but for the log's size and root, which are public).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from admissions.world import judged
from readingroom.admissions.model import Risk
from readingroom.admissions.pool import TieKind
from readingroom.store.db import metadata
from worlds import World, addresses, fetched, found, furnish, note_ids, opened, other

Act = Callable[[World], Any]


def another_review(world: World) -> None:
    """The other reviewer has given a second review."""
    world.house.admissions.review(world.actor("two"), world.review_of("two", "bea's"), judged(5, 5, Risk.VETO))


def a_declared_conflict(world: World) -> None:
    """The other reviewer has stepped back from the first application."""
    world.house.admissions.declare_conflict(world.actor("two"), world.review_of("two", "ada's"), "We are friends.")


def whom_the_applicant_named(world: World) -> None:
    """The first applicant has asked that somebody does not review it, and named a collaborator."""
    desk, by = world.house.admissions, world.actor("ada")
    desk.declare_tie(by, TieKind.NAMED, "two@two.example", "A rival.", world.ids["ada's"])
    desk.declare_tie(by, TieKind.COAUTHOR, "idle@idle.example")


def an_application_elsewhere(world: World) -> None:
    """The first applicant applies in another call as well."""
    world.apply("ada", "elsewhere")


def an_opinion(world: World) -> None:
    """Somebody with the role safety has vetoed the first application."""
    desk, by = world.house.admissions, world.actor("watch")
    for _, case in desk.risks_to_judge(by):
        desk.judge_risk(by, case.view.review, Risk.VETO, "Built to deceive.")


def who_applies(world: World) -> None:
    """The first applicant is somebody else."""
    world.rename("ada")


def who_reviews(world: World) -> None:
    """The other reviewer is somebody else."""
    world.rename("two")


def what_was_said(world: World) -> None:
    """Both reviews that were given say the opposite."""
    with world.house.db.write() as tx:
        for name in ("admissions_review", "admissions_review_version"):
            table = metadata.tables[name]
            said = judged(5, 5, Risk.VETO).to_json()
            tx.execute(table.update().where(table.c.judgement.is_not(None)).values(judgement=said))


# From whom each is hidden in the independent phase.
HIDDEN: dict[Act, tuple[str, ...]] = {
    another_review: ("one", "bea"),
    a_declared_conflict: ("one", "bea", "safety"),
    whom_the_applicant_named: ("one", "bea", "idle"),
    an_application_elsewhere: ("one", "bea", "idle"),
    an_opinion: ("one", "bea", "ada"),
    who_applies: ("one", "bea", "two", "safety"),
    who_reviews: ("one", "bea", "ada"),
    what_was_said: ("bea", "ada", "panel", "steward"),
}


@dataclass
class Base:
    """A world that stays as it is, with what each has fetched in it."""

    world: World
    here: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)

    def differing(self, home: Path, names: tuple[str, ...], *acts: Act) -> list[tuple[str, str]]:
        """Return who sees a difference to a world in which these things were done as well, and where."""
        found = []
        with opened(other(self.world, home, *acts), self.world) as copy:
            for name in names:
                here = self.here.setdefault(name, {}) or fetched(self.world, name)
                self.here[name] = here
                there = fetched(copy, name)
                found += [(name, path) for path in here if here[path] != there[path]]
        return found


@contextmanager
def built(home: Path, **review: Any) -> Iterator[Base]:
    """Build a world, and open it again: closed in between, so that its folder holds all of it."""
    found(home)
    with opened(home) as made:
        furnish(made, **review)
        note_ids(made)
    with opened(home, made) as world:
        yield Base(world)


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    with built(tmp_path_factory.mktemp("single") / "home") as base:
        yield base


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    with built(tmp_path_factory.mktemp("double") / "home", double_blind=True) as base:
        yield base


@pytest.mark.deep
def test_a_reviewer_and_another_applicant_see_none_of_it(single: Base, tmp_path: Path) -> None:
    acts = [each for each, names in HIDDEN.items() if {"one", "bea"} <= set(names)]
    assert len(acts) == 7
    assert len(list(addresses(single.world))) > 100
    assert single.differing(tmp_path / "home", ("one", "bea"), *acts) == []


@pytest.mark.deep
@pytest.mark.parametrize("act", HIDDEN, ids=lambda act: act.__name__)
def test_each_hidden_thing_is_seen_by_none_of_those_from_whom_it_is_hidden(
    single: Base, tmp_path: Path, act: Act
) -> None:
    assert single.differing(tmp_path / "home", HIDDEN[act], act) == []


@pytest.mark.deep
def test_the_panel_of_a_double_blind_call_sees_neither_who_applies_nor_who_reviews(
    double: Base, tmp_path: Path
) -> None:
    assert double.differing(tmp_path / "home", ("panel",), who_applies, who_reviews) == []


@pytest.mark.deep
def test_a_difference_that_may_be_seen_is_found(single: Base, tmp_path: Path) -> None:
    """The comparison can fail: the steward sees who applies."""
    paths = {path for _, path in single.differing(tmp_path / "home", ("steward",), who_applies)}
    assert {"/people", "/api/persons"} <= paths
