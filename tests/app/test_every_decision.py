"""Promise 8, act by act: what is decided is in the ledger, and what cannot be recorded is not decided."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from readingroom.access.model import Amounts, Award, Reason
from readingroom.admissions.call import Phase
from readingroom.admissions.model import ConflictKind, Disposition, Draft, Judgement, Risk
from readingroom.admissions.pool import Disposal, Scope, TieKind
from readingroom.app.desk import open_call
from readingroom.app.founding import default_plan, found, template
from readingroom.app.house import House
from readingroom.app.lending import agree, issue_discretionary
from readingroom.core.document import read
from readingroom.core.errors import Broken, Problem
from readingroom.core.settings import Settings
from readingroom.engines.identity import ECHO_DIGEST
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor, Role
from readingroom.store.db import metadata
from strays import strays

ANSWERS = {"purpose": "p", "asks": "a", "why": "w", "egress": "text only", "risks": "r", "machine": "m"}
ASKED = Draft(ANSWERS, 5000, "text")
GOOD = Judgement({"merit": 5, "need": 5}, "good", Risk.OK, "")


@dataclass
class Scene:
    """A house for trials, and what earlier acts of the scene left for later ones."""

    house: House
    known: dict[str, Any] = field(default_factory=dict)

    @property
    def by(self) -> Actor:
        return self.house.people.operator()

    def person(self, name: str, *roles: Role) -> Actor:
        email = f"{name}@{name}.example"
        person = self.house.people.find(email)
        made = person or self.house.people.add(self.by, email, name=name, affiliation=name, roles=list(roles))
        return self.house.people.actor(made.id)

    def award(self) -> Award:
        return Award("", "", "text", Amounts(passes=9), self.house.clock.now() + timedelta(days=9), "why")

    def keep(self, name: str, value: Any) -> None:
        self.known[name] = value

    def reviews(self) -> list[tuple[Actor, str]]:
        admissions, reviewers = self.house.admissions, [self.person("one"), self.person("two")]
        return [(each, task.view.review) for each in reviewers for task in admissions.reviews_to_do(each)]

    def awards(self) -> list[Any]:
        return [each for each in self.house.admissions.awards(self.by, self.known["call"]) if each.state == "offered"]


Act = Callable[[Scene], object]


def _apply(name: str) -> list[tuple[str, Act]]:
    return [
        (
            "admissions.application.started",
            lambda s: s.keep(name, s.house.admissions.start(s.person(name), s.known["call"], ASKED)),
        ),
        ("admissions.application.submitted", lambda s: s.house.admissions.submit(s.person(name), s.known[name].id)),
    ]


def _grant(s: Scene) -> str:
    return str(s.known["grant"][0].id)


def _key(s: Scene) -> str:
    return str(s.known["key"][0].id)


def _led() -> str:
    raw = yaml.safe_load(template("call.yaml"))
    raw["review"] |= {"per_application": 1, "phases": ["independent", "panel"], "safety_opinions": 1}
    raw["window"] = {"opens": "2026-01-01T00:00:00Z", "closes": "2099-12-31T23:59:59Z", "may_close_early": True}
    return str(yaml.safe_dump(raw))


def _case(s: Scene) -> str:
    ((_, case),) = s.house.admissions.risks_to_judge(s.person("watch"))
    return str(case.view.review)


def _dispose(s: Scene, disposition: Disposition) -> None:
    disposal = Disposal(ConflictKind.NAMED, disposition, "why")
    s.house.admissions.dispose(s.by, s.known["eve"].id, s.person("one").id, disposal)


def _invite(s: Scene, name: str) -> object:
    return s.house.admissions.invite_reviewer(s.by, s.known["led"], s.person(name).id, Scope())


# A call that is led through all that a review can have; nothing of it is left to do afterwards.
_REVIEW: list[tuple[str, Act]] = [
    ("admissions.call.opened", lambda s: s.keep("led", open_call(s.house, s.by, _led(), "call.yaml").id)),
    (
        "admissions.application.started",
        lambda s: s.keep("eve", s.house.admissions.start(s.person("eve"), s.known["led"], ASKED)),
    ),
    ("admissions.application.submitted", lambda s: s.house.admissions.submit(s.person("eve"), s.known["eve"].id)),
    ("admissions.call.closed", lambda s: s.house.admissions.close_call(s.by, s.known["led"])),
    *[("admissions.reviewer.invited", partial(_invite, name=name)) for name in ("one", "two", "three")],
    (
        "admissions.reviewer.accepted",
        lambda s: s.house.admissions.answer_invitation(s.person("one"), s.known["led"], None, accept=True),
    ),
    (
        "admissions.reviewer.declined",
        lambda s: s.house.admissions.answer_invitation(s.person("two"), s.known["led"], None, accept=False),
    ),
    (
        "admissions.reviewer.expired",
        lambda s: s.house.admissions.expire_invitation(s.by, s.known["led"], s.person("three").id),
    ),
    (
        "admissions.tie.declared",
        lambda s: s.keep("tie", s.house.admissions.declare_tie(s.person("eve"), TieKind.COAUTHOR, "x@else.example")),
    ),
    ("admissions.tie.withdrawn", lambda s: s.house.admissions.withdraw_tie(s.person("eve"), s.known["tie"].id)),
    (
        "admissions.tie.declared",
        lambda s: s.house.admissions.declare_tie(
            s.person("eve"), TieKind.NAMED, "one@one.example", "why", s.known["eve"].id
        ),
    ),
    ("admissions.conflict.waived", lambda s: _dispose(s, Disposition.WAIVED)),
    ("admissions.review.assigned", lambda s: s.house.admissions.assign_reviewers(s.by, s.known["led"])),
    ("admissions.review.submitted", lambda s: s.house.admissions.review(*_open(s), GOOD)),
    ("admissions.call.phase-moved", lambda s: s.house.admissions.move_phase(s.by, s.known["led"], Phase.PANEL)),
    ("admissions.panel.noted", lambda s: s.house.admissions.note_case(s.person("panelist"), _case(s), 1, "good")),
    ("admissions.risk.judged", lambda s: s.house.admissions.judge_risk(s.person("watch"), _case(s), Risk.OK, "")),
    ("admissions.conflict.recused", lambda s: _dispose(s, Disposition.RECUSED)),
]


ACTS: list[tuple[str, Act]] = [
    ("people.person.added", lambda s: s.house.people.add(s.by, "new@x.example", name="N")),
    ("people.role.added", lambda s: s.house.people.change_role(s.by, "new@x.example", Role.TESTER, add=True)),
    ("people.role.removed", lambda s: s.house.people.change_role(s.by, "new@x.example", Role.TESTER, add=False)),
    (
        "access.terms.published",
        lambda s: s.house.agreements.publish(s.by, "Other terms.", material=True, reason="clearer"),
    ),
    (
        "access.grant.issued",
        lambda s: s.keep("grant", issue_discretionary(s.house, s.by, "r@x.example", s.award(), accept_terms=True)),
    ),
    ("access.grant.suspended", lambda s: s.house.access.suspend(s.by, _grant(s), Reason.SECURITY)),
    ("access.grant.reinstated", lambda s: s.house.access.reinstate(s.by, _grant(s), Reason.ERROR_CORRECTED)),
    ("access.key.issued", lambda s: s.keep("key", s.house.access.issue_key(s.by, _grant(s)))),
    ("access.key.rotated", lambda s: s.keep("key", s.house.access.rotate_key(s.by, _key(s)))),
    ("access.key.revoked", lambda s: s.house.access.revoke_key(s.by, _key(s))),
    ("access.grant.revoked", lambda s: s.house.access.revoke(s.by, _grant(s), Reason.SECURITY)),
    (
        "access.person.barred",
        lambda s: s.house.access.bar(
            s.by, s.person("barred").id, s.house.clock.now() + timedelta(days=9), Reason.SECURITY
        ),
    ),
    ("dossier.document.filed", lambda s: s.house.dossier.file_document(s.by, "echo", "energy", b"1 kWh")),
    ("releases.stage.held", lambda s: s.house.releases.hold(s.by, "reading-room", "maintenance")),
    ("releases.stage.opened", lambda s: s.house.releases.open(s.by, "reading-room")),
    (
        "admissions.call.opened",
        lambda s: s.keep("call", open_call(s.house, s.by, template("call.yaml"), "call.yaml").id),
    ),
    *_apply("ann"),
    *_apply("bob"),
    *_apply("cid"),
    *_apply("dot"),
    (
        "admissions.application.withdrawn",
        lambda s: s.house.admissions.withdraw(s.person("dot"), s.known["dot"].id),
    ),
    ("admissions.call.closed", lambda s: s.house.admissions.close_call(s.by, s.known["call"])),
    *_REVIEW,
    ("admissions.review.assigned", lambda s: s.house.admissions.assign_reviewers(s.by, s.known["call"])),
    ("admissions.conflict.declared", lambda s: s.house.admissions.declare_conflict(*s.reviews()[0], "we wrote")),
    ("admissions.review.assigned", lambda s: s.house.admissions.assign_reviewers(s.by, s.known["call"])),
    *([("admissions.review.submitted", lambda s: s.house.admissions.review(*_open(s), GOOD))] * 6),
    ("admissions.call.allocated", lambda s: s.house.admissions.allocate(s.by, s.known["call"])),
    ("admissions.award.made", lambda s: s.house.admissions.publish(s.by, s.known["call"])),
    ("admissions.award.accepted", lambda s: _settle(s, "accept_award")),
    ("admissions.award.declined", lambda s: _settle(s, "decline_award")),
    (
        "publication.sample.signed-off",
        lambda s: s.house.samples.add(s.by, read("[{prompt: p, output: o, model: m}]", "s")),
    ),
    ("releases.engine.inspected", lambda s: s.house.inspections.record(ECHO_DIGEST, ["GET /slots"])),
    ("releases.engine.inspected", lambda s: s.house.inspections.record(ECHO_DIGEST, [])),
    (
        "releases.engine.fingerprinted",
        lambda s: s.house.inspections.keep_fingerprint(s.by.id, ECHO_DIGEST, {"passes": 1}, "sha256:f", same=True),
    ),
    ("releases.stage.opened", lambda s: s.house.releases.open(s.by, "reading-room")),
    ("releases.stage.rolled-back", lambda s: s.house.releases.rollback(s.by, "reading-room", "incident")),
    ("releases.stage.signed", lambda s: s.house.releases.sign(s.by, "reading-room")),
    ("releases.plan.adopted", lambda s: s.house.releases.adopt(s.by, _plan(s), "release.yaml", "another")),
    ("releases.stage.withdrawn", lambda s: s.house.releases.withdraw(s.by, "reading-room", "incident")),
    ("oversight.text.erased", lambda s: s.house.investigations.erase(s.by, _grant(s), "the reader asked")),
    ("releases.plan.adopted", lambda s: s.house.releases.adopt(s.by, _keeping(s), "release.yaml", "texts are kept")),
    ("access.retention.agreed", lambda s: s.keep("agreed", _agree(s))),
]


def _open(s: Scene) -> tuple[Actor, str]:
    reviewers = [s.person("one"), s.person("two"), s.person("three")]
    for each in reviewers:
        for task in s.house.admissions.reviews_to_do(each):
            if task.mine is None:
                return each, task.view.review
    raise AssertionError("nothing is left to review")


def _settle(s: Scene, act: str) -> object:
    award = s.awards()[0]
    return getattr(s.house.admissions, act)(s.house.people.actor(award.person), award.id)


def _agree(s: Scene) -> object:
    grant, kept = s.known["grant"][0], s.house.retention("reading-room")
    return agree(s.house, s.house.people.actor(grant.holder), grant.id, kept.digest if kept else "")


def _keeping(s: Scene) -> str:
    return _plan(s).replace("    screening:", "    retention: {days: 2, purpose: reports}\n    screening:")


def _plan(s: Scene) -> str:
    return s.house.settings.plan_file.read_text().replace("trying the house out", "trying it out again")


def everything(house: House) -> dict[str, list[str]]:
    """Return every row of every table, spelled; read past SQLAlchemy, which would take most of the test's time."""
    with contextlib.closing(sqlite3.connect(house.settings.home / "readingroom.db")) as db:
        return {name: sorted(map(repr, db.execute(f'select * from "{name}"'))) for name in metadata.tables}  # noqa: S608


def events(house: House) -> list[str]:
    with house.db.read() as tx:
        leaves = tx.execute(sa.text("select leaf from ledger_entry order by seq")).scalars()
        return [json.loads(leaf)["event"] for leaf in leaves]


def test_each_act_is_recorded_with_what_it_changes_or_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "home", dev=True, engine="echo")
    scene = Scene(found(settings, default_plan(settings)))
    for name in ("one", "two", "three"):
        scene.person(name, Role.REVIEWER)
    scene.person("watch", Role.SAFETY)
    scene.person("panelist", Role.PANEL)
    for name in ("ann", "bob", "cid", "dot", "eve", "barred"):
        scene.person(name)

    def full(*_: object, **__: object) -> None:
        raise Broken(Problem("ledger", "the disk is full", "free some"))

    for event, act in ACTS:
        before, told = everything(scene.house), events(scene.house)
        with monkeypatch.context() as broken:
            broken.setattr(Ledger, "append", full)
            with pytest.raises(Broken):
                act(scene)
        assert everything(scene.house) == before, f"{event} left something although it could not be recorded"
        act(scene)
        new = events(scene.house)[len(told) :]
        assert event in new, f"instead of {event}, the ledger was told {new}"
        assert everything(scene.house) != before
    with scene.house.db.read() as tx:
        assert strays(tx) == {}, "a merge would leave these behind: mark the column with refers('person')"
    scene.house.close()
