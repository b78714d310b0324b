"""Every write path is killed before its touches of the disk; after each kill the house is whole."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.counting import Counter
from readingroom.app.house import House
from readingroom.core.settings import load
from readingroom.gateway.model import Amount, Wish
from served import found, program, run

CRASH = Path(__file__).with_name("crash.py")
KILLED = -9
MANY = 400  # touches; more than any command makes
CALL = Path(__file__).parents[2] / "src/readingroom/app/templates/call.yaml"


def killed_at(touch: int, home: Path, *arguments: str) -> bool:
    """Run a command that dies at a touch; tell whether it came so far."""
    command = [sys.executable, str(CRASH), str(touch), "--home", str(home), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1, KILLED}, done.stderr
    return done.returncode == KILLED


def is_whole(home: Path) -> None:
    """The ledger verifies, no grant is over its allocation, and what the tables say is what the ledger was told."""
    ended, out, _ = program("--home", str(home), "--json", "ledger", "verify")
    assert ended == 0, out
    house = House(load(home))
    with house.db.read() as tx:
        leaves = [
            json.loads(leaf) for leaf in tx.execute(sa.text("select leaf from ledger_entry order by seq")).scalars()
        ]
        grants = tx.execute(sa.text("select id, state from access_grant")).all()
        keys = tx.execute(sa.text("select count(*), count(ends_at) from access_key")).one()
        over = "limit_passes is not null and used_passes + reserved_passes > limit_passes"
        assert not tx.execute(sa.text(f"select * from gateway_meter where {over}")).all()  # noqa: S608 - our own words
        calls = tx.execute(sa.text("select id, state from admissions_call")).all()
        persons = tx.execute(sa.text("select count(*) from people_person")).scalar_one()
    house.close()
    assert _states(leaves, "access.grant.", "grant") == dict(grants)
    assert _count(leaves, "access.key.issued") == keys[0]
    assert _count(leaves, "access.key.rotated") + _count(leaves, "access.key.revoked") == keys[1]
    assert _states(leaves, "admissions.call.", "call") == dict(calls)
    assert _count(leaves, "people.person.added") == persons


def _states(leaves: list[dict[str, Any]], prefix: str, what: str) -> dict[str, str]:
    """Return where each thing stands, by what the ledger was told last."""
    names = {"issued": "active", "reinstated": "active", "opened": "open"}
    said = [leaf for leaf in leaves if leaf["event"].startswith(prefix) and what in leaf["data"]]
    return {leaf["data"][what]: names.get(act := leaf["event"].removeprefix(prefix), act) for leaf in said}


def _count(leaves: list[dict[str, Any]], event: str) -> int:
    return sum(1 for leaf in leaves if leaf["event"] == event)


def use(home: Path, grant: str, passes: int) -> None:
    """Use some passes and leave some reserved, so that being over the allocation is possible."""

    async def ask() -> None:
        house = House(load(home))
        counter = Counter(house.db, house.clock, home / "journal").start()
        hold = await counter.reserve(grant, Wish(prompt=1, maximum=passes))
        counter.charge(hold, Amount(passes, passes + 1, 1))
        await counter.reserve(grant, Wish(prompt=1, maximum=passes))
        await counter.die()
        house.close()

    asyncio.run(ask())


def write_paths(home: Path) -> list[tuple[str, ...]]:
    issued = run(home, "grant", "issue", "--to", "a@b.example", "--passes", "9", "--reason", "x")
    grant, key = issued["id"], issued["key_id"]
    use(home, grant, 4)
    samples = home / "samples.yaml"
    samples.write_text("[{prompt: p, output: o, model: echo}]")
    call = run(home, "call", "open", str(CALL))["id"]
    return [
        ("grant", "issue", "--to", "c@d.example", "--passes", "10", "--accept-terms", "--reason", "x"),
        ("grant", "suspend", grant, "--reason", "security"),
        ("grant", "reinstate", grant, "--reason", "error-corrected"),
        ("key", "issue", grant),
        ("key", "rotate", key),
        ("grant", "revoke", grant, "--reason", "security"),
        ("person", "add", "e@f.example", "--role", "reviewer"),
        ("person", "role", "e@f.example", "+tester"),
        ("call", "open", str(CALL)),
        ("call", "close", call),
        ("call", "allocate", call),
        ("call", "publish", call),
        ("samples", "add", str(samples)),
        ("model", "add", str(CALL), "--name", "file"),
        ("stage", "hold", "reading-room", "--reason", "incident"),
        ("stage", "open", "reading-room"),
        ("stage", "rollback", "reading-room", "--reason", "incident"),
        ("plan", "adopt", str(home / "release.yaml"), "--reason", "again"),
        ("stage", "sign", "reading-room"),
        ("stage", "withdraw", "reading-room", "--reason", "incident"),
        ("stress", "run", "--model", "echo", "--suite", "core"),
    ]


@pytest.mark.deep
def test_a_kill_before_any_touch_of_the_disk_leaves_the_house_whole(tmp_path: Path) -> None:
    home = found(tmp_path / "home")
    points = 0
    for arguments in write_paths(home):
        stride = 7 if arguments[0] == "stress" else 2
        for touch in range(1, MANY, stride):
            if not killed_at(touch, home, *arguments):
                break
            points += 1
            is_whole(home)
        is_whole(home)
    assert points >= 50, f"only {points} points were tried"


def test_a_revocation_killed_at_any_touch_is_either_made_and_recorded_or_neither(tmp_path: Path) -> None:
    home = found(tmp_path / "home")
    grant = run(home, "grant", "issue", "--to", "a@b.example", "--passes", "9", "--reason", "x")["id"]
    use(home, grant, 4)
    points = 0
    for touch in range(1, MANY, 2):
        if not killed_at(touch, home, "grant", "revoke", grant, "--reason", "security"):
            break
        points += 1
        is_whole(home)
    assert points >= 4
    is_whole(home)
    assert run(home, "grant", "show", grant)["state"] == "revoked"


@pytest.mark.deep
def test_a_founding_that_is_killed_can_be_run_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    points = 0
    for touch in range(1, MANY, 5):
        if not killed_at(touch, home, "init", "--dev", "--engine", "echo"):
            break
        points += 1
    assert points >= 10
    is_whole(home)
    assert program("--home", str(home), "init", "--dev", "--engine", "echo")[0] == 1, "a house is not overwritten"
