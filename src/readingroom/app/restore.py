"""Restoring: a backup into a new HOME and an empty database; its grants stay suspended (see `access.restoring`).

The backup is verified before anything is made: each file by its digest, the log entry by entry. The house is put
together under another name and moved to its place last; by then its leases are charged, everybody is signed out, and it
is marked as restored, on record.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path
from typing import Any

from readingroom.app.backup import DATABASE, HOME, Manifest, damaged, draft
from readingroom.app.house import House
from readingroom.app.serving import charge_all_leases
from readingroom.core.clock import Clock
from readingroom.core.errors import BadInput, Problem
from readingroom.core.files import write_new
from readingroom.core.settings import FILE, Settings, load
from readingroom.gateway.texts import NOT_COPIED
from readingroom.ledger.audit import StoredCheckpoint, StoredEntry, audit
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.note import Signer, Unproven
from readingroom.store import copy
from readingroom.store.db import Database, knows


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back.

    Attributes:
        size: entries of the log.
        leases: what workers had leased when the backup was made; each is charged in full.
        grants: how many grants are suspended now.
        moved: the database of the house that was backed up, where this one has another; else empty.
    """

    manifest: Manifest
    size: int
    leases: int
    grants: int
    moved: str


def restore(directory: Path, home: Path, database: str = "", clock: Clock | None = None) -> Restored:
    """Restore a backup into a new HOME.

    Args:
        directory: the backup.
        home: where the house will stand; nothing may be there yet.
        database: URL of an empty database; empty means SQLite in HOME.
        clock: of the house.

    Raises:
        BadInput: the backup is damaged or a newer program's, or HOME or the database are not empty.
        Broken: the disk or the database does not take it.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        cure = "Name a folder that is not there yet with --home; move what is left of the old house aside and keep it"
        raise BadInput([Problem(str(home), "is there already", cure)])
    manifest = Manifest.read(directory)
    came_back, settings = verify(directory, manifest)
    with draft(home) as made:
        _take_papers(directory / HOME, made, replace(settings, database=database), manifest)
        now = load(made)
        db = Database(now.database_url)
        with closing(db):
            if database and not copy.is_empty(db):
                cure = "Make a new, empty database and name that"
                raise BadInput([Problem("--database", "holds something already", cure)])
            try:
                _fill(db, directory, manifest)
                leases, grants = _mark(House(now, clock), manifest, came_back)
            except BaseException:
                if database:
                    copy.clear(db)
                raise
    old = settings.database if settings.database != database else ""
    return Restored(manifest, came_back.size, leases, grants, old)


def verify(directory: Path, manifest: Manifest) -> tuple[Checkpoint, Settings]:
    """Verify a backup: every file, then the log, entry by entry. Needs no house and changes nothing.

    Returns:
        The checkpoint at which it was made, and the settings of its house.

    Raises:
        BadInput: something in it is not as it was written, or it is a newer program's.
    """
    if not knows(manifest.schema):
        told = f"has a database of a newer program (migration {manifest.schema})"
        raise BadInput([Problem(str(directory), told, "Restore it with that program, or a newer one")])
    for name, digest in manifest.files.items():
        path = directory / name
        if Path(name).is_absolute() or ".." in Path(name).parts or Path(name).parts[0] not in {HOME, DATABASE}:
            raise damaged(path, "does not belong in a backup")
        try:
            with path.open("rb") as file:
                found = f"sha256:{file_digest(file, 'sha256').hexdigest()}"
        except OSError as fault:
            raise damaged(path, f"cannot be read ({fault.strerror})") from None
        if found != digest:
            raise damaged(path, "is not as it was written")
    settings = load(directory / HOME)
    signer = Signer.load(directory / HOME / "keys" / "ledger.key", settings.origin)
    entries, checkpoints = (directory / DATABASE / f"ledger_{name}.jsonl" for name in ("entry", "checkpoint"))
    try:
        came_back = Checkpoint.open_own(manifest.checkpoint, signer.verifier)
        stored = (StoredEntry(row["seq"], row["leaf"], row["leaf_hash"]) for row in _rows(entries))
        signed = (StoredCheckpoint(row["size"], row["note"], row["frontier"]) for row in _rows(checkpoints))
        report = audit(stored, signed, signer.verifier, [manifest.checkpoint])
    except (Unproven, ValueError, KeyError, TypeError, OSError) as fault:
        raise damaged(entries, f"holds no log ({fault})") from None
    problems = report.problems or ((f"it has {report.size} entries",) if report.size != came_back.size else ())
    if problems:
        raise damaged(entries, f"holds a log that is not whole: {problems[0]}")
    return came_back, settings


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        yield from copy.read_rows(lines)


def _take_papers(papers: Path, made: Path, settings: Settings, manifest: Manifest) -> None:
    """Copy the files of HOME; the settings file is spelled anew only where the database is another."""
    for folder in (settings.keys, settings.run, settings.outbox):
        (made / folder.name).mkdir(mode=0o700)
    for name in manifest.files:
        kind, _, place = name.partition("/")
        if kind == HOME:
            (made / place).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            same = place != FILE or settings.database == load(papers).database
            write_new(made / place, (papers / place).read_bytes() if same else settings.to_toml().encode())


def _fill(db: Database, directory: Path, manifest: Manifest) -> None:
    db.create(manifest.schema)
    with db.decide() as tx:
        for table in copy.tables(tx, NOT_COPIED):
            path = directory / DATABASE / f"{table.name}.jsonl"
            try:
                with path.open("rb") as lines:
                    copy.rows_in(tx, table, lines)
            except (OSError, ValueError, KeyError, TypeError) as fault:
                raise damaged(path, f"holds no table ({fault})") from None
    db.upgrade()


def _mark(house: House, manifest: Manifest, came_back: Checkpoint) -> tuple[int, int]:
    """Make of the copy a restored house: what was leased is charged, nobody is signed in, no grant is in force."""
    with closing(house):
        by = house.people.operator()
        with house.db.decide() as tx:
            house.people.end_sessions_within(tx)
            house.restorations.mark_within(tx, by, manifest.made_at, came_back)
        return charge_all_leases(house), len(house.access.grants(by))
