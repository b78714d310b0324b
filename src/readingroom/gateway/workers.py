"""Which processes hold leases, and what becomes of the leases of those that died."""

from __future__ import annotations

import logging
import os
import platform
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.canonical import Json, commitment
from readingroom.core.clock import Clock
from readingroom.core.ids import new_id, random_bytes
from readingroom.gateway import journal, meter, rates, usage
from readingroom.gateway.model import Amount, Call, Usage, Worker
from readingroom.gateway.rules import is_dead
from readingroom.gateway.tables import lease as lease_table
from readingroom.gateway.tables import worker as worker_table
from readingroom.store.db import Database

_PROC = Path("/proc")

log = logging.getLogger("readingroom.gateway")


class Workers:
    """The register of this process and its peers."""

    def __init__(self, db: Database, clock: Clock, journals: Path) -> None:
        """Take the database, the clock and the folder of journals; nothing is written yet."""
        self._db = db
        self._clock = clock
        self._journals = journals
        self.id = new_id("worker")
        self.lost = 0  # requests of dead workers that this one found

    def enter(self) -> None:
        """Register this process; before its first lease."""
        with self._db.write() as tx:
            self.register(tx)

    def register(self, tx: Connection) -> None:
        """Register this process, under a new name if it has had one that was forgotten."""
        self.id, pid = new_id("worker"), os.getpid()
        values = {"host": here(), "pid": pid, "began": began(pid), "heartbeat": self._clock.now()}
        tx.execute(worker_table.insert().values(id=self.id, **values))

    def beat(self, tx: Connection) -> bool:
        """Say that this process lives; False if a peer took it for dead."""
        mine = worker_table.update().where(worker_table.c.id == self.id)
        return tx.execute(mine.values(heartbeat=self._clock.now())).rowcount == 1

    def leave(self) -> None:
        """Leave the register; what is still open is charged, as for the dead."""
        self._bury(self.id, trusted=True)

    def recover(self, *, alone: bool = False) -> int:
        """End the leases of all dead workers and forget those workers; return how many requests were lost.

        Args:
            alone: no other server of this house runs, so whoever left a journal here is dead, whatever it seems.
        """
        with self._db.read() as tx:
            # Owners first: each was registered before it leased anything, so the register read after knows it.
            leasing = set(tx.execute(sa.select(lease_table.c.worker).distinct()).scalars())
            leasing |= rates.owners(tx)
            known = {row.id: Worker(*row) for row in tx.execute(sa.select(worker_table))}
        now, place = self._clock.now(), here()
        dead = {each.id for each in known.values() if is_dead(each, place, now, runs)}
        dead |= leasing - known.keys()  # one that was forgotten before
        if alone:
            dead |= journal.owners(self._journals)
        dead.discard(self.id)
        # Of this boot, a journal is whole: the kernel has what the dead wrote. Of an earlier, its end may be lost.
        same_boot = {name for name in dead if name in known and _boot(known[name].host) == _boot(place)}
        lost = sum(self._bury(each, trusted=each in same_boot) for each in sorted(dead))
        self.lost += lost
        return lost

    def charge_all(self) -> int:
        """Charge every lease in full: what its worker used of it after a backup, the backup's house does not know.

        Returns:
            How many leases.
        """
        with self._db.read() as tx:
            leases = [tuple(row) for row in tx.execute(sa.select(lease_table.c.worker, lease_table.c.grant_id))]
            owners = {worker for worker, _ in leases} | set(tx.execute(sa.select(worker_table.c.id)).scalars())
        for each in sorted(owners):
            self._bury(each, trusted=False)
        return len(leases)

    def _bury(self, worker: str, *, trusted: bool) -> int:
        """End a worker's leases, each by itself: one that cannot be ended must not keep the others."""
        found = journal.read(self._journals, worker)
        trusted = trusted and found.whole
        with self._db.read() as tx:
            grants = meter.leased_by(tx, worker)
        stuck, lost = 0, 0
        for grant in grants:
            try:
                lost += self._end_lease(worker, grant, found, trusted=trusted)
            except sa.exc.IntegrityError:
                log.exception("the lease of %s on %s cannot be ended", worker, grant)
                stuck += 1
        if not stuck:
            with self._db.write() as tx:
                rates.forget(tx, worker)
                # What charged nothing needs no lease: requests that the entrance turned away.
                usage.put(tx, [each for each in found.done.values() if each.charged == Amount()], again=True)
                tx.execute(worker_table.delete().where(worker_table.c.id == worker))
            journal.forget(self._journals, worker)
        return lost

    def _end_lease(self, worker: str, grant: str, found: journal.Written, *, trusted: bool) -> int:
        now = self._clock.now()
        lost = [usage.lost(call, held, now) for call, held in found.open.values() if call.grant == grant]
        done = [each for each in found.done.values() if each.grant == grant]
        with self._db.write() as tx:
            leased = meter.lease_of(tx, worker, grant)
            if leased is None:  # charged in full already, by whoever took it for dead before
                return 0
            records = usage.put(tx, [*done, *lost], again=True)
            charged = sum((each.charged for each in records), Amount())
            if not trusted and leased != charged:
                usage.put(tx, [_rest(grant, leased - charged, now)])
                charged = leased
            meter.bury(tx, worker, grant, charged)
        return len(lost) if trusted else max(1, len(lost))


def _rest(grant: str, amount: Amount, now: datetime) -> Usage:
    """Return the record of what a worker had leased and left no account of: all of it is charged."""
    salt, name = random_bytes(32), new_id("receipt")
    record: dict[str, Json] = {"v": usage.VERSION, "id": name, "grant": commitment(salt, grant.encode())}
    return usage.lost(Call(name, grant, record, salt), amount, now)


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


def _boot(place: str) -> str:
    """Return machine and boot of a place."""
    return "/".join(place.split("/")[:2])


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
