"""Who may do what, when: every command tried by somebody of each role in every state of a call.

The table in docs/reference/who-may-do-what-when.md is what came out, so that a change of rights shows in a diff.
Each attempt is undone, so that the next finds the same state. `make docs` writes the table anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from admissions.world import ANSWERS, STAGE, World, call_text, judged
from readingroom.admissions import queries
from readingroom.admissions.after import Ground
from readingroom.admissions.appeals.model import AppealState
from readingroom.admissions.model import Draft, Outcome, Reason, Ruling
from readingroom.admissions.requests import Answer
from readingroom.core.clock import FixedClock
from readingroom.core.refusal import Refused
from readingroom.ledger.note import Signer
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor, Role
from readingroom.store.db import Database

PAGE = Path(__file__).parents[2] / "docs/reference/who-may-do-what-when.md"
ROLES = ("applicant", "another", "reviewer", "idle", "panel", "safety", "auditor", "tester", "steward", "operator")
HEAD = """# Who may do what, when

<!-- Written by tests/admissions/test_matrix.py (`make docs`), which tries each command as each role in each state. -->

Rows are commands, columns are where a call and its one application stand; a cell names who may. *applicant* is whose
it is, *another* applies too, *reviewer* is asked to review it, *idle* is a reviewer who is not. In a house for trials
the operator may do all.
"""


@dataclass
class Scene:
    """One state of a call: its ids, and somebody of each role."""

    world: World
    who: dict[str, Actor]
    ids: dict[str, str] = field(default_factory=dict)


class _Undo(Exception):  # noqa: N818 - no error: it rolls an attempt back
    pass


@contextmanager
def undone(db: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Roll back whatever is decided inside."""
    real = {name: getattr(db, name) for name in ("decide", "write")}

    def undoing(name: str) -> Callable[[], Any]:
        @contextmanager
        def opened() -> Iterator[Connection]:
            with real[name]() as tx:
                yield tx
                raise _Undo

        return opened

    with monkeypatch.context() as patch:
        for name in real:
            patch.setattr(db, name, undoing(name))
        yield


REPORT = {"text": "Half is done.", "found": "Something.", "used": "Prompts."}
Command = Callable[[Scene, Actor], Any]
COMMANDS: dict[str, Command] = {
    "call open": lambda s, by: s.world.desk.open_call(by, call_text(), STAGE),
    "call close": lambda s, by: s.world.desk.close_call(by, s.ids["call"]),
    "call assign": lambda s, by: s.world.desk.assign_reviewers(by, s.ids["call"]),
    "call allocate": lambda s, by: s.world.desk.allocate(by, s.ids["call"]),
    "call allocate --dry-run": lambda s, by: s.world.desk.allocate(by, s.ids["call"], dry_run=True),
    "call publish": lambda s, by: s.world.desk.publish(by, s.ids["call"]),
    "application list": lambda s, by: s.world.desk.applications(by, s.ids["call"]),
    "application show": lambda s, by: s.world.desk.application(by, s.ids["application"]),
    "application save": lambda s, by: s.world.desk.save(by, s.ids["application"], Draft(dict(ANSWERS), 9_000, "text")),
    "application submit": lambda s, by: s.world.desk.submit(by, s.ids["application"]),
    "application withdraw": lambda s, by: s.world.desk.withdraw(by, s.ids["application"]),
    "application return": lambda s, by: s.world.desk.return_application(
        by, s.ids["application"], "Say more.", s.world.clock.now() + timedelta(days=3)
    ),
    "application decide": lambda s, by: s.world.desk.decide(
        by, s.ids["application"], Ruling(Outcome.REFUSED, Reason.UNCLEAR, "It does not say.")
    ),
    "review give": lambda s, by: s.world.desk.review(by, s.ids["review"], judged()),
    "review conflict": lambda s, by: s.world.desk.declare_conflict(by, s.ids["review"], "We publish together."),
    "review release": lambda s, by: s.world.desk.release_review(by, s.ids["review"]),
    "award accept": lambda s, by: s.world.desk.accept_award(by, s.ids["award"]),
    "award decline": lambda s, by: s.world.desk.decline_award(by, s.ids["award"]),
    "award lapse": lambda s, by: s.world.desk.lapse_award(by, s.ids["award"]),
    "call free-reserve": lambda s, by: s.world.desk.free_reserve(by, s.ids["call"]),
    "grant report": lambda s, by: s.world.desk.file_report(by, s.ids["award"], REPORT),
    "request answer": lambda s, by: s.world.desk.decide_request(by, s.ids["request"], Answer(0, "Nothing was found.")),
    "appeal lodge": lambda s, by: s.world.desk.appeal_refusal(
        by, s.ids["application"], Ground.PROCEDURE, "A step was left out."
    ),
    "appeal admit": lambda s, by: s.world.desk.admit_appeal(by, s.ids["appeal"]),
    "appeal speak": lambda s, by: s.world.desk.speak(by, s.ids["appeal"], AppealState.REJECTED, "It was not."),
}


def start(world: World) -> Scene:
    """A call is open, and nobody has applied."""
    who = {
        "applicant": world.person("a@place.example", "Place"),
        "another": world.person("b@elsewhere.example", "Elsewhere"),
        "reviewer": world.reviewers[0],
        "idle": world.person("three@west.example", "West"),
        "panel": world.panel,
        "safety": world.person("safety@lab.example", "Lab", Role.SAFETY),
        "auditor": world.person("auditor@office.example", "Office", Role.AUDITOR),
        "tester": world.person("tester@lab.example", "Lab", Role.TESTER),
        "steward": world.steward,
        "operator": world.people.operator(),
    }
    missing = dict.fromkeys(("application", "review", "award", "request", "appeal"), "none")
    return Scene(world, who, {"call": world.open().id, **missing})


def draft(world: World) -> Scene:
    """An application is being written."""
    scene = start(world)
    made = world.desk.start(scene.who["applicant"], scene.ids["call"], Draft(dict(ANSWERS), 9_000))
    scene.ids["application"] = made.id
    return scene


def submitted(world: World) -> Scene:
    """It was submitted; the window is open."""
    scene = draft(world)
    world.desk.submit(scene.who["applicant"], scene.ids["application"])
    return scene


def returned(world: World) -> Scene:
    """It was returned for correction."""
    scene = submitted(world)
    until = world.clock.now() + timedelta(days=3)
    world.desk.return_application(world.steward, scene.ids["application"], "Say more.", until)
    return scene


def in_review(world: World) -> Scene:
    """The window is closed, and reviewers are at work."""
    scene = submitted(world)
    world.desk.close_call(world.steward, scene.ids["call"])
    world.desk.assign_reviewers(world.steward, scene.ids["call"])
    scene.ids["review"] = world.handle(world.reviewers[0], scene.ids["application"])
    # Only now: whom nobody asked becomes a reviewer after the assignment.
    idle = scene.who["idle"]
    known = world.people.change_role(world.people.operator(), "three@west.example", Role.REVIEWER, add=True)
    scene.who["idle"] = world.people.actor(known.id)
    assert idle.id == known.id
    return scene


def reviewed(world: World) -> Scene:
    """All reviews are in."""
    scene = in_review(world)
    world.review_all({})
    return scene


def allocated(world: World) -> Scene:
    """The allocation is fixed, and binds nobody yet."""
    scene = reviewed(world)
    world.desk.allocate(world.panel, scene.ids["call"])
    return scene


def offered(world: World) -> Scene:
    """The allocation is published, and an award is offered."""
    scene = allocated(world)
    scene.ids["award"] = world.desk.publish(world.panel, scene.ids["call"])[0].id
    return scene


def run_out(world: World) -> Scene:
    """The offer's date has passed."""
    scene = offered(world)
    world.clock.advance(days=60)
    return scene


def accepted(world: World) -> Scene:
    """The award is accepted."""
    scene = offered(world)
    world.desk.accept_award(scene.who["applicant"], scene.ids["award"])
    return scene


def ticket(world: World) -> Scene:
    """A call without a competition: an application waits for a person's decision."""
    scene = start(world)
    call = world.open_by_person()
    scene.ids |= {"call": call.id, "application": world.apply(scene.who["applicant"], call).id}
    return scene


def in_tranches(world: World) -> Scene:
    """An award comes in tranches, and its holder has the first."""
    scene = start(world)
    call = world.open_by_person(tranches={"first": "50%", "after": "report"})
    who = scene.who["applicant"]
    scene.ids |= {"call": call.id, "application": world.apply(who, call).id}
    world.desk.decide(world.steward, scene.ids["application"], Ruling(Outcome.AWARDED, Reason.SUITABLE))
    (award,) = world.desk.my_awards(who)
    world.desk.accept_award(who, award.id)
    scene.ids["award"] = award.id
    return scene


def reported(world: World) -> Scene:
    """The report waits for its answer."""
    scene = in_tranches(world)
    scene.ids["request"] = world.desk.file_report(scene.who["applicant"], scene.ids["award"], REPORT).id
    return scene


def refused(world: World) -> Scene:
    """A person, the steward, has refused an application, and its window for appeals is over."""
    scene = ticket(world)
    unclear = Ruling(Outcome.REFUSED, Reason.UNCLEAR, "It does not say.")
    world.desk.decide(world.steward, scene.ids["application"], unclear)
    world.desk.close_call(world.steward, scene.ids["call"])
    world.clock.advance(days=20)
    return scene


def appealed(world: World) -> Scene:
    """The refusal is appealed, in time."""
    scene = ticket(world)
    unclear = Ruling(Outcome.REFUSED, Reason.UNCLEAR, "It does not say.")
    world.desk.decide(world.steward, scene.ids["application"], unclear)
    text = "A step was left out."
    scene.ids["appeal"] = world.desk.appeal_refusal(
        scene.who["applicant"], scene.ids["application"], Ground.PROCEDURE, text
    ).id
    return scene


def admitted(world: World) -> Scene:
    """The appeal is to be heard."""
    scene = appealed(world)
    world.desk.admit_appeal(world.panel, scene.ids["appeal"])
    return scene


SCENES = (
    start, draft, submitted, returned, in_review, reviewed, allocated, offered, run_out, accepted, ticket, in_tranches,
    reported, refused, appealed, admitted,
)  # fmt: skip


def outcome(scene: Scene, command: Command, by: Actor) -> str:
    """Return `yes`, or the code of the refusal."""
    try:
        command(scene, by)
    except Refused as refused:
        return refused.refusal.code
    except _Undo:
        return "yes"
    return "yes"  # a reading: there was nothing to undo


@pytest.fixture(scope="module")
def matrix(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, str], str]:
    """Try everything: command, scene, role to what came of it."""
    found = {}
    for build in SCENES:
        path = tmp_path_factory.mktemp(build.__name__) / "test.db"
        shutil.copy(migrated_file, path)
        db, clock = Database(f"sqlite:///{path}"), FixedClock()
        scene = build(World(db, Ledger(clock, Signer.generate("test.example/log")), clock))
        with pytest.MonkeyPatch.context() as patch, undone(db, patch):
            for name, command in COMMANDS.items():
                for role in ROLES:
                    found[name, build.__name__, role] = outcome(scene, command, scene.who[role])
        with db.read() as tx:
            assert queries.call(tx, scene.ids["call"]) is not None
        db.close()
    return found


def table(matrix: dict[tuple[str, str, str], str]) -> str:
    """Write the page."""
    names = [each.__name__.replace("_", " ") for each in SCENES]
    lines = [HEAD, "| command | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for command in COMMANDS:
        cells = []
        for scene in SCENES:
            able = [role for role in ROLES if matrix[command, scene.__name__, role] == "yes"]
            cells.append("all" if len(able) == len(ROLES) else ", ".join(able))
        lines.append(f"| `{command}` | " + " | ".join(cells) + " |")
    lines.append("\n## Where each state comes from\n")
    lines += [f"- **{name}**: {(each.__doc__ or '').strip()}" for name, each in zip(names, SCENES, strict=True)]
    return "\n".join(lines) + "\n"


def test_the_table_in_the_docs_is_what_comes_out(matrix: dict[tuple[str, str, str], str]) -> None:
    written = table(matrix)
    if os.environ.get("READINGROOM_WRITE_DOCS"):
        PAGE.write_text(written, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == written, "rights have changed; see the diff, and run `make docs`"


def test_every_command_is_possible_to_somebody_at_some_time(matrix: dict[tuple[str, str, str], str]) -> None:
    able = {command for (command, _, _), came in matrix.items() if came == "yes"}
    assert able == set(COMMANDS)


def test_what_is_not_ones_own_looks_like_what_is_not_there(matrix: dict[tuple[str, str, str], str]) -> None:
    """Another applicant learns from no answer whether somebody's application, review or award exists."""
    things = [each for each in COMMANDS if each.split()[0] in {"application", "review", "award"}]
    for command in things:
        there = {matrix[command, scene.__name__, "another"] for scene in SCENES}
        assert len(there) == 1, (command, there)
        assert "yes" not in there
