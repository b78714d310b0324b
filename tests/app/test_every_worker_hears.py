"""Promise 2: every decision that can end a stream raises the counter that all workers poll."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from readingroom.access import queries as access
from readingroom.access.model import Amounts, Award, Kind, Reason
from readingroom.access.sanctions import Wanted
from readingroom.app.founding import default_plan, found
from readingroom.app.lending import issue_discretionary
from readingroom.app.projects import invite
from readingroom.core.settings import Settings
from readingroom.engines.identity import ECHO_DIGEST


def test_whatever_can_end_a_stream_is_heard_by_every_worker(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", dev=True, engine="echo")
    house = found(settings, default_plan(settings))
    by, ends = house.people.operator(), house.clock.now() + timedelta(days=9)
    grant, key, _ = issue_discretionary(
        house, by, "r@x.example", Award("", "", "text", Amounts(), ends, "why"), accept_terms=True
    )
    another, _ = house.access.issue_key(by, grant.id)
    plan = settings.plan_file.read_text().replace("trying the house out", "trying it again")
    acts: list[Callable[[], object]] = [
        lambda: house.access.rotate_key(by, key.id),
        lambda: house.access.revoke_key(by, another.id),
        lambda: house.access.bar(by, grant.holder, ends, Reason.SECURITY),
        lambda: invite(house, by, grant.id, "m@x.example"),
        lambda: house.access.remove(by, grant.id, house.people.named("m@x.example").id),
        lambda: house.access.impose(by, Wanted(Kind.THROTTLE, Reason.SECURITY, grant.id, per_minute=6)),
        lambda: house.access.lift(by, house.access.sanctions(by, grant.id)[0].id, "cured"),
        lambda: house.access.suspend(by, grant.id, Reason.SECURITY),
        lambda: house.access.reinstate(by, grant.id, Reason.ERROR_CORRECTED),
        lambda: house.access.revoke(by, grant.id, Reason.SECURITY),
        lambda: house.agreements.publish(by, "Other terms.", material=True, reason="clearer"),
        lambda: house.releases.hold(by, "reading-room", "maintenance"),
        lambda: house.releases.open(by, "reading-room"),
        lambda: house.inspections.record(ECHO_DIGEST, ["GET /slots"]),
        lambda: house.inspections.record(ECHO_DIGEST, []),
        lambda: house.releases.open(by, "reading-room"),
        lambda: house.inspections.keep_fingerprint(by.id, ECHO_DIGEST, {"passes": 1}, "sha256:f", same=False),
        lambda: house.releases.rollback(by, "reading-room", "incident"),
        lambda: house.releases.adopt(by, plan, "release.yaml", "another"),
        lambda: house.releases.withdraw(by, "reading-room", "incident"),
    ]
    for number, act in enumerate(acts):
        with house.db.read() as tx:
            before = access.version(tx)
        act()
        with house.db.read() as tx:
            assert access.version(tx) > before, f"act {number} is not heard"
    house.close()
