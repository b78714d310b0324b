"""Looks at the engine behind a stage: open doors and changed answers make its API stages inconclusive (promise 10).

A look that finds what the last one found is no news and no entry. One that finds something shuts the stages of that
model at once, and the time in which they were open ends. A later one that finds nothing opens nothing: a steward does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.dossier import queries as dossier
from readingroom.ledger.service import Ledger
from readingroom.releases import queries, rules, tables
from readingroom.releases.model import EngineLook
from readingroom.store.db import Database
from readingroom.strategy.model import Channel

BY = "releases"  # a look is the house's own, whoever started it


class Inspections:
    """What is known of the engines behind the stages."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        """Take database, ledger and clock."""
        self._db = db
        self._ledger = ledger
        self._clock = clock

    def begin(self, model_digest: str, within: timedelta) -> bool:
        """Claim the next look at an engine; False where another process began one within that time."""
        now, table = self._clock.now(), tables.engine
        with self._db.decide() as tx:
            known = tx.execute(sa.select(table.c.begun_at).where(table.c.model_digest == model_digest)).scalar()
            if known is not None and now - within < known <= now:
                return False
            _write(tx, model_digest, begun_at=now)
        return True

    def last(self, model_digest: str) -> EngineLook:
        """Return what the last look at an engine found."""
        with self._db.read() as tx:
            return _known(tx, model_digest)

    def fingerprint(self, model_digest: str) -> dict[str, Any] | None:
        """Return the fingerprint that was kept when the model was tested."""
        with self._db.read() as tx:
            return queries.fingerprint(tx, model_digest)

    def record(
        self,
        model_digest: str,
        doors: Sequence[str],
        unclear: Sequence[str] = (),
        *,
        same: bool | None = None,
        passes: int = 0,
    ) -> EngineLook:
        """Record a look; news goes into the ledger, and every worker hears of it.

        Args:
            model_digest: of the model that the engine answers as.
            doors: the names of those that were open.
            unclear: the names of those of which it could not be told.
            same: whether it answers as when it was tested; None if that was not asked.
            passes: that asking took.
        """
        with self._db.decide() as tx:
            before, now = _known(tx, model_digest), self._clock.now()
            doors, changed = rules.settled(before, doors, unclear, same=same)
            values = {"doors": list(doors), "changed": changed, "looked_at": now, "passes": before.passes + passes}
            _write(tx, model_digest, **values)
            if (doors, changed) != (before.doors, before.changed):
                self._tell(tx, model_digest, doors, changed=changed)
            return _known(tx, model_digest)

    def _tell(self, tx: Connection, model_digest: str, doors: Sequence[str], *, changed: bool) -> None:
        sound = not doors and not changed
        data: dict[str, Json] = {
            "model_digest": model_digest,
            "verdict": "met" if sound else "inconclusive",
            "doors": list(doors),
            "changed": changed,
        }
        entry = self._ledger.append(tx, "releases.engine.inspected", data, by=BY)
        if not sound:
            self._trouble(tx, model_digest, entry.seq)

    def keep_fingerprint(self, by: str, model_digest: str, kept: Mapping[str, Json], told: str, *, same: bool) -> None:
        """Keep the fingerprint of an engine that was just tested: what it is compared with from now on.

        Where it answers otherwise than when it was tested before, its stages are to be opened anew by somebody who
        has asked whether the earlier evidence still speaks of it.

        Args:
            by: who ran the test.
            model_digest: of the model that the engine answers as.
            kept: the fingerprint.
            told: its digest, for the ledger.
            same: whether it agrees with the one that was kept before, or there was none.
        """
        with self._db.decide() as tx:
            before, now = _known(tx, model_digest), self._clock.now()
            passes = before.passes + int(kept["passes"])
            if before.fingerprinted_at is not None and same and not before.changed:
                _write(tx, model_digest, passes=passes)  # the first one stays: small steps must not add up
                return
            values = {"fingerprint": dict(kept), "fingerprinted_at": now, "changed": False, "passes": passes}
            _write(tx, model_digest, **values)
            data = {"model_digest": model_digest, "fingerprint": told, "changed": not same, "passes": kept["passes"]}
            entry = self._ledger.append(tx, "releases.engine.fingerprinted", data, by=by)
            if not same:
                self._trouble(tx, model_digest, entry.seq)

    def _trouble(self, tx: Connection, model_digest: str, entry: int) -> None:
        """Note which entry told of it; the time in which the stages behind that engine were open ends."""
        _write(tx, model_digest, trouble=entry)
        adopted, table = queries.plan_in_force(tx), tables.interval
        for stage in adopted.plan.stages if adopted else ():
            model = dossier.model_by_name(tx, stage.model.artifact)
            if stage.channel is Channel.API and model is not None and model.digest == model_digest:
                still_open = (table.c.stage == stage.name) & table.c.closed_at.is_(None)
                tx.execute(table.update().where(still_open).values(closed_at=self._clock.now()))


def _known(tx: Connection, model_digest: str) -> EngineLook:
    return queries.engine_looks(tx).get(model_digest, EngineLook(model_digest))


def _write(tx: Connection, model_digest: str, **values: Any) -> None:  # noqa: ANN401 - columns of several types
    """Change what is known of an engine, or begin to know of it; nobody else writes at the same time."""
    table = tables.engine
    if tx.execute(table.update().where(table.c.model_digest == model_digest).values(values)).rowcount == 0:
        blank = {"doors": [], "changed": False, "trouble": 0, "passes": 0}
        tx.execute(table.insert().values({"model_digest": model_digest, **blank, **values}))
