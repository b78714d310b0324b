"""`python -m benchmarks.bulk`: a call for thousands, through the whole path, each step timed.

    python -m benchmarks.bulk [--applications N] [--reviews K] [--seed S]

Every step is the house's own use case, with its transaction and its entries in the ledger: apply, close (which divides
the applicants into halves), desk, sift, review by the applicants of the other half, allocate, publish. Nobody is real;
what they ask and are worth comes from the rehearsal's own field. At the end it is checked that every unit of the
budget is somewhere, and that nobody reviewed in their own half.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from benchmarks import many
from readingroom.admissions import queries
from readingroom.admissions.call import Call
from readingroom.admissions.desk import Listed
from readingroom.admissions.model import ApplicationState
from readingroom.admissions.rehearsal.field import Applicant, Opinions, applicants
from readingroom.app.calls import template
from readingroom.app.desk import open_call
from readingroom.app.house import House
from readingroom.core.clock import FixedClock
from readingroom.people.model import Actor

FORMS_AT_ONCE = 200
BY_HAND = 50  # reviews of a half that the use case takes where it has to be quick


@dataclass
class Bulk:
    """A call for thousands, as it is played.

    Attributes:
        quick: applications, first looks and all but some reviews are written by the row, as use cases would have
            left them.
        people: application to the synthetic applicant behind it.
        steps: name of each step to its seconds and what was done.
    """

    house: House
    seed: int = 0
    quick: bool = False
    steps: dict[str, tuple[float, int]] = field(default_factory=dict)
    people: dict[str, Applicant] = field(default_factory=dict)

    def play(self, count: int, reviews: int) -> list[Call]:
        """Go the whole path; returns the two halves."""
        lab, house = self.house.admissions, self.house
        steward, panel = (
            house.people.actor(house.people.named(f"{who}@lab.example").id) for who in ("steward", "panel")
        )
        dice = random.Random(self.seed)  # noqa: S311 - to be repeated
        call = self._open(reviews)
        self._time("apply", lambda: self._apply(call, applicants(call.file, count, dice)))
        self._time("close and divide", lambda: len([lab.close_call(steward, call.id)]))
        halves = lab.series(call.id)
        self._time("desk", lambda: sum(self._desk(steward, half) for half in halves))
        self._time("assign the sift", lambda: sum(lab.assign_sift(steward, half.id) for half in halves))
        self._time("sift", lambda: self._sift(halves, dice))
        self._time("confirm under the line", lambda: sum(self._confirm(panel, half) for half in halves))
        self._time("assign peers", lambda: lab.assign_peers(steward, call.id))
        self._time("review", lambda: self._review(halves, dice))
        self._time("allocate", lambda: sum(len(lab.allocate(panel, half.id).sheets) for half in halves))
        self._time("publish", lambda: sum(len(lab.publish(panel, half.id)) for half in halves))
        self._check(halves)
        return lab.series(call.id)

    def _time(self, name: str, does: Callable[[], int]) -> None:
        began = time.perf_counter()
        done = does()
        self.steps[name] = (time.perf_counter() - began, done)

    def _open(self, reviews: int) -> Call:
        stage = next(each.stage for each in self.house.releases.status() if each.stage.channel.value == "api")
        text = template("bulk", self.house.clock.now()).replace("stage: reading-room", f"stage: {stage.name}")
        text = text.replace("tiers: [text]", f"tiers: [{next(iter(stage.tiers))}]")
        text = re.sub(r"per_application: \d+", f"per_application: {reviews}", text)
        text = re.sub(r"(  closes: \S+)", r"\1\n  may_close_early: true", text)
        return open_call(self.house, self.house.people.operator(), text, "bulk.yaml")

    def _apply(self, call: Call, field_: list[Applicant]) -> int:
        many.persons(self.house, [(each.name, each.side.applicant) for each in field_])
        if self.quick:
            made = many.applications(self.house, call.id, [(each.name, each.draft.passes) for each in field_])
            self.people |= {made[each.name]: each for each in field_}
            return len(field_)
        for each in field_:
            by = Actor(many.person_id(each.name))
            draft = replace(each.draft, answers=many.ANSWERS)
            started = self.house.admissions.start(by, call.id, draft)
            self.house.admissions.submit(by, started.id)
            self.people[started.id] = each
        return len(field_)

    def _desk(self, by: Actor, half: Call) -> int:
        ids = [each.id for each in self._rows(half)]
        parts = [ids[n : n + FORMS_AT_ONCE] for n in range(0, len(ids), FORMS_AT_ONCE)]
        return sum(self.house.admissions.check_forms(by, half.id, part) for part in parts)

    def _rows(self, half: Call) -> list[Listed]:
        with self.house.db.read() as tx:
            return queries.listed(tx, half.id, states=[ApplicationState.SUBMITTED], limit=1_000_000)

    def _sift(self, halves: list[Call], dice: random.Random) -> int:
        done = 0
        for half in halves:
            assert half.file.reviewing is not None  # noqa: S101 - as the template says
            opinions = Opinions(half.file.reviewing, dice)
            with self.house.db.read() as tx:
                looks = queries.sifts(tx, half.id)
            if self.quick:
                many.looks(self.house, [(e.id, self._merit(opinions, e.reviewer, e.application)) for e in looks])
                done += len(looks)
                continue
            for each in looks:
                score = self._merit(opinions, each.reviewer, each.application)
                reviewer = self.house.people.actor(each.reviewer)
                self.house.admissions.sift(reviewer, each.id, score, "A first look.")
            done += len(looks)
        return done

    def _merit(self, opinions: Opinions, reviewer: str, application: str) -> int:
        return opinions.judge(reviewer, self.people[application]).scores["merit"]

    def _confirm(self, by: Actor, half: Call) -> int:
        below = [each for each in self.house.admissions.sift_tally(by, half.id) if each.below]
        for each in below:
            self.house.admissions.sift_out(by, each.application, "Under the line of the sift.")
        return len(below)

    def _review(self, halves: list[Call], dice: random.Random) -> int:
        done = 0
        for half in halves:
            assert half.file.reviewing is not None  # noqa: S101 - as the template says
            opinions = Opinions(half.file.reviewing, dice)
            with self.house.db.read() as tx:
                asked = queries.reviews(tx, half.id)
            said = [(e, opinions.judge(e.reviewer, self.people[e.application])) for e in asked]
            given = said[:BY_HAND] if self.quick else said
            for each, judgement in given:
                self.house.admissions.review(Actor(each.reviewer), each.id, judgement)
            many.judgements(self.house, [(each.id, judgement) for each, judgement in said[len(given) :]])
            done += len(asked)
        return done

    def _check(self, halves: list[Call]) -> None:
        """See that the budget adds up over both halves, and that nobody reviewed among their own competitors."""
        total = 0
        with self.house.db.read() as tx:
            for half in halves:
                held = queries.budget(tx, half.id)
                if not all(each.conserved for each in held.values()):
                    raise AssertionError(f"the account of {half.id} does not add up")
                total += held["passes"].budget
                here = {each.person for each in queries.applications(tx, half.id)}
                if any(each.reviewer in here for each in queries.reviews(tx, half.id)):
                    raise AssertionError("somebody reviewed in their own half")
        if total != halves[0].file.budget.passes + halves[1].file.budget.passes:
            raise AssertionError("the halves are not the whole")


def table(bulk: Bulk) -> Iterator[str]:
    """Spell what was measured."""
    yield f"{'step':26}{'done':>8}{'seconds':>10}{'ms each':>10}"
    for name, (seconds, done) in bulk.steps.items():
        yield f"{name:26}{done:8,}{seconds:10.2f}{1000 * seconds / max(1, done):10.2f}"
    yield f"{'all':26}{'':8}{sum(seconds for seconds, _ in bulk.steps.values()):10.2f}"


def main() -> None:
    """Play, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--applications", type=int, default=2_000)
    parser.add_argument("--reviews", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    clock = FixedClock()
    with many.house(clock) as house:
        bulk = Bulk(house, chosen.seed)
        bulk.play(chosen.applications, chosen.reviews)
        print(*table(bulk), sep="\n")


if __name__ == "__main__":
    main()
