"""A small lab for the admissions tests: persons, one call file, and how they usually act."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from readingroom.admissions import queries
from readingroom.admissions.call import Call
from readingroom.admissions.model import Application, Draft, Judgement, Risk
from readingroom.admissions.service import Admissions
from readingroom.core.canonical import Json
from readingroom.core.clock import FixedClock
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor, Role
from readingroom.people.service import People
from readingroom.store.db import Database
from readingroom.strategy.model import Audience, Channel, StageFact, Tier

TEMPLATES = Path(__file__).parents[2] / "src/readingroom/app/templates"
CALL = (TEMPLATES / "call.yaml").read_text(encoding="utf-8")
STAGE = StageFact(
    name="reading-room",
    channel=Channel.API,
    audience=Audience.GRANTED,
    open=True,
    reason="",
    model="small",
    tiers={"text": Tier("text"), "logprobs": Tier("logprobs", 5)},
    screening=(),
    max_tokens=1024,
)
ANSWERS = {
    "purpose": "How small models handle negation",
    "asks": "Short prompts with and without negation",
    "why": "600 prompts of 20 passes",
    "egress": "text only",
    "risks": "None beyond ordinary text",
    "machine": "A laptop",
}


def call_text(**changes: Json) -> str:
    """Spell the template with some of its top-level keys changed; None removes one."""
    raw = yaml.safe_load(CALL) | changes
    if raw["window"] and "standing" not in raw["window"]:
        raw["window"] = {key: str(value).replace(" ", "T") for key, value in raw["window"].items()} | {
            "may_close_early": raw["window"].get("may_close_early", True)
        }
    return yaml.safe_dump({key: value for key, value in raw.items() if value is not None}, sort_keys=False)


def judged(merit: int = 4, need: int = 4, risk: Risk = Risk.OK) -> Judgement:
    return Judgement({"merit": merit, "need": need}, "Against the anchors.", risk, "" if risk is Risk.OK else "Why.")


@dataclass
class World:
    """The lab."""

    db: Database
    ledger: Ledger
    clock: FixedClock
    people: People = field(init=False)
    desk: Admissions = field(init=False)
    steward: Actor = field(init=False)
    panel: Actor = field(init=False)
    reviewers: list[Actor] = field(init=False)

    def __post_init__(self) -> None:
        self.people = People(self.db, self.ledger, self.clock)
        self.desk = Admissions(self.db, self.ledger, self.clock)
        self.steward = self.person("steward@lab.example", "Lab", Role.STEWARD)
        self.panel = self.person("panel@lab.example", "Lab", Role.PANEL)
        self.reviewers = [
            self.person("one@north.example", "North", Role.REVIEWER),
            self.person("two@south.example", "South", Role.REVIEWER),
        ]

    def person(self, email: str, affiliation: str = "", *roles: Role) -> Actor:
        known = self.people.add(self.people.operator(), email, affiliation=affiliation, roles=roles)
        return self.people.actor(known.id)

    def open(self, **changes: Json) -> Call:
        return self.desk.open_call(self.steward, call_text(**changes), STAGE)

    def open_by_person(self, **changes: Json) -> Call:
        return self.open(allocation={"policy": "by-person"}, review=None, **changes)

    def apply(self, by: Actor, call: Call, passes: int = 10_000, **answers: str) -> Application:
        made = self.desk.start(by, call.id, Draft({**ANSWERS, **answers}, passes))
        return self.desk.submit(by, made.id)

    def applicants(self, count: int) -> list[Actor]:
        return [self.person(f"a@place{i}.example", f"Place {i}") for i in range(count)]

    def handle(self, by: Actor, application: str) -> str:
        """Return the id of a reviewer's review of an application, or, where there is none, the application's."""
        with self.db.read() as tx:
            mine = [each.id for each in queries.reviews_by(tx, by.id) if each.application == application]
        return mine[0] if mine else application

    def review(self, by: Actor, application: str, judgement: Judgement) -> None:
        self.desk.review(by, self.handle(by, application), judgement)

    def recuse(self, by: Actor, application: str, reason: str) -> None:
        self.desk.declare_conflict(by, self.handle(by, application), reason)

    def review_all(self, scores: dict[str, Judgement]) -> None:
        with self.db.read() as tx:
            about = {each.id: each.application for by in self.reviewers for each in queries.reviews_by(tx, by.id)}
        for reviewer in self.reviewers:
            for task in self.desk.reviews_to_do(reviewer):
                given = scores.get(about[task.view.review], judged())
                self.desk.review(reviewer, task.view.review, given)

    def reviewed(
        self, passes: Iterable[int], scores: Iterable[Judgement], **changes: Json
    ) -> tuple[Call, list[Application]]:
        """Open a call, apply with these asks, close, assign and review with these judgements."""
        call, asks = self.open(**changes), list(passes)
        made = [self.apply(by, call, ask) for by, ask in zip(self.applicants(len(asks)), asks, strict=True)]
        self.desk.close_call(self.steward, call.id)
        self.desk.assign_reviewers(self.steward, call.id)
        self.review_all(dict(zip([each.id for each in made], scores, strict=True)))
        return call, made
