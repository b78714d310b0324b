"""A server that is stopped as it should be leaves nothing behind: no lease, no worker, no record outside the ledger."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from readingroom.app.house import House
from readingroom.core.settings import load
from served import found, run, served


@pytest.mark.deep
def test_what_was_leased_returns_and_the_last_records_are_in_the_ledger(tmp_path: Path) -> None:
    with served(found(tmp_path / "home"), workers=2) as house:
        grant = house.grant(passes=100)
        assert house.chat(grant["key"], {}).status_code == 200
    shown = run(tmp_path / "home", "grant", "show", grant["id"])
    assert (shown["used"]["passes"], shown["reserved"]["passes"]) == (3, 0)
    counts = {
        "gateway_lease": "select count(*) from gateway_lease",
        "gateway_worker": "select count(*) from gateway_worker",
        "waiting": "select count(*) from gateway_usage where entry_seq is null",
    }
    with closing(House(load(tmp_path / "home"))) as stopped, stopped.db.read() as tx:
        assert {name: tx.execute(sa.text(query)).scalar_one() for name, query in counts.items()} == dict.fromkeys(
            counts, 0
        )
        newest = stopped.log.checkpoint()
    assert (tmp_path / "home/ledger.checkpoint").read_bytes() == newest
