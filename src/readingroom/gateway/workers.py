"""Which processes hold reservations, and what becomes of the holds of those that died."""

from __future__ import annotations

import logging
import os
import platform
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.core.clock import Clock
from readingroom.core.ids import new_id
from readingroom.gateway import usage
from readingroom.gateway.meter import settle
from readingroom.gateway.model import UNITS, Amount, Ended, Usage, Worker
from readingroom.gateway.rules import is_dead
from readingroom.gateway.tables import hold as hold_table
from readingroom.gateway.tables import worker as worker_table
from readingroom.store.db import Database

_PROC = Path("/proc")

log = logging.getLogger("readingroom.gateway")


class Workers:
    """The register of this process and its peers."""

    def __init__(self, db: Database, clock: Clock) -> None:
        """Take the database and the clock; nothing is written yet."""
        self._db = db
        self._clock = clock
        self.id = new_id("worker")

    def enter(self) -> None:
        """Register this process; before its first reservation."""
        with self._db.write() as tx:
            pid = os.getpid()
            values = {"host": here(), "pid": pid, "began": began(pid), "heartbeat": self._clock.now()}
            tx.execute(worker_table.insert().values(id=self.id, **values))

    def beat(self) -> None:
        """Say that this process lives."""
        with self._db.write() as tx:
            mine = worker_table.update().where(worker_table.c.id == self.id)
            if tx.execute(mine.values(heartbeat=self._clock.now())).rowcount == 0:
                self._return(tx)

    def leave(self) -> None:
        """Leave the register; what it still holds is charged, as for the dead."""
        self._bury(self.id)

    def recover(self) -> int:
        """Charge the holds of all dead workers in full and forget those workers; return how many holds."""
        with self._db.read() as tx:
            # Owners first: each was registered before it held anything, so the register read after knows it.
            owners = set(tx.execute(sa.select(hold_table.c.worker).distinct()).scalars())
            known = [Worker(*row) for row in tx.execute(sa.select(worker_table))]
        now = self._clock.now()
        dead = {each.id for each in known if each.id != self.id and is_dead(each, here(), now, runs)}
        dead |= owners - {each.id for each in known} - {self.id}  # an owner that was forgotten before
        return sum(self._bury(each) for each in sorted(dead))

    def _bury(self, worker: str) -> int:
        """Charge a worker's holds, each by itself: one that cannot be settled must not keep the others."""
        with self._db.read() as tx:
            holds = tx.execute(sa.select(hold_table).where(hold_table.c.worker == worker)).all()
        stuck = 0
        for row in holds:
            try:
                self._charge(row)
            except sa.exc.IntegrityError:
                log.exception("the hold %s cannot be settled", row.id)
                stuck += 1
        if not stuck:
            with self._db.write() as tx:
                tx.execute(worker_table.delete().where(worker_table.c.id == worker))
        return len(holds) - stuck

    def _charge(self, row: Row[Any]) -> None:
        held, now = Amount(*(getattr(row, unit) for unit in UNITS)), self._clock.now()
        with self._db.write() as tx:
            if settle(tx, row.id, held) is not None:
                record = usage.finished(row.record, held, Ended.LOST, now)
                usage.put(tx, Usage(row.id, row.grant_id, record, row.salt), now)

    def _return(self, tx: Connection) -> None:
        """Register again: a peer took us for dead. What we held is charged already."""
        pid = os.getpid()
        values = {"host": here(), "pid": pid, "began": began(pid), "heartbeat": self._clock.now()}
        tx.execute(worker_table.insert().values(id=self.id, **values))


def here() -> str:
    """Name the place in which a pid has a meaning: machine, its boot, its space of process ids."""
    parts = [platform.node()]
    for name in ("sys/kernel/random/boot_id", "self/ns/pid"):
        path = _PROC / name
        try:
            parts.append(str(path.readlink()) if path.is_symlink() else path.read_text(encoding="ascii").strip())
        except OSError:  # not Linux: the name alone must do
            continue
    return "/".join(parts)


def began(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; 0 where the system does not tell."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    fields = stat.rpartition(")")[2].split()  # the name in parentheses may hold anything
    return 0 if fields[0] in "ZX" else int(fields[19])  # a zombie holds nothing any more


def runs(pid: int, since: int) -> bool:
    """Tell whether the process of this pid, started then, still runs here."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's process: it exists
        return True
    return began(pid) == since
