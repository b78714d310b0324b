"""What screening found, for those who review it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.guards import guard, watching
from gateway.rooms import Room, room
from readingroom.core.clock import FixedClock
from readingroom.core.refusal import Refused
from readingroom.gateway import queries
from readingroom.gateway.tables import usage
from readingroom.oversight.flags import Flag, fold
from readingroom.people.model import Actor
from readingroom.store.db import Database
from served import run

RULES = """
rules:
  - {id: owls, side: both, literal: ["owl"], action: flag, clause: "1", severity: low}
  - {id: herons, side: entrance, literal: ["heron"], action: refuse, clause: "2", severity: high}
  - {id: geese, side: exit, literal: ["goose"], action: cut, clause: "3"}
"""


async def ask(here: Room, text: str) -> None:
    flow = await here.gateway.open(here.key, here.ask(text))
    async for _ in flow.frames():
        pass


async def test_flags_refusals_and_cuts_are_counted_by_grant_and_rule_the_gravest_first(tmp_path: Path) -> None:
    async with room(tmp_path, rules=RULES, passes=50) as here:
        for text in ("an owl and an owl", "an owl", "a goose", "plain"):
            await ask(here, text)
        with pytest.raises(Refused):
            await ask(here, "a heron")
        await here.quiet()
        found = here.house.flags(here.house.people.operator())
        assert [(f.rule, f.severity, f.clause) for f in found] == [
            ("herons", "high", "2"),
            ("geese", "medium", "3"),
            ("owls", "low", "1"),
        ]
        assert all(f.grant == here.grant.id and f.last for f in found)
        assert [(f.flagged, f.refused, f.stopped, f.failed, f.calls) for f in found] == [
            (0, 1, 0, 0, 1),
            (0, 0, 1, 0, 1),
            (6, 0, 0, 0, 2),
        ]
        assert here.house.flags(here.house.people.operator(), here.house.clock.now() + timedelta(1)) == []
        with pytest.raises(Refused, match="people/not-allowed"):
            here.house.flags(Actor("p", frozenset()))
    shown = run(tmp_path / "home", "report", "flags")
    assert [each["rule"] for each in shown] == ["herons", "geese", "owls"]
    assert run(tmp_path / "home", "report", "flags", "--since", "2100-01-01") == []
    for text in ("heron", "goose", "plain"):
        assert text not in str(shown).replace("herons", "")


def test_long_histories_are_read_page_by_page_and_none_is_left_out(
    db: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_PAGE", 10)
    leaf = b'{"stage": "s", "flagged_exit": {"owls": 2}}'
    rows = [
        {"id": f"receipt_{n}", "grant_id": "g", "passes": 1, "leaf": leaf, "salt": b"", "at": clock.now()}
        for n in range(35)
    ]
    with db.write() as tx:
        tx.execute(usage.insert(), rows)
    with db.read() as tx:
        (flag,) = fold(queries.records(tx), {})
        assert next(iter(queries.records(tx)))[0] == "g"  # who stops reading midway keeps nobody from the next
        assert len(list(queries.records(tx))) == 35
    assert (flag.calls, flag.flagged) == (35, 70)


async def test_a_judge_without_a_verdict_is_counted_apart(tmp_path: Path) -> None:
    async with guard(watching("x")) as judge:
        rules = judge.rule()
    async with room(tmp_path, rules=rules) as here:
        await ask(here, "an owl")
        await here.quiet()
        (found,) = here.house.flags(here.house.people.operator())
        assert (found.rule, found.failed, found.stopped, found.refused) == ("guard", 1, 0, 0)


def test_a_rule_that_is_gone_is_told_without_a_weight_and_an_older_record_is_read() -> None:
    records: list[tuple[str, Any]] = [("g", {"stage": "s", "flagged_exit": {"gone": 2}, "at": "t"}), ("g", {})]
    assert fold(records, {}) == [Flag("g", "s", "gone", "unknown", "", flagged=2, calls=1, last="t")]
