"""A backup: a copy of a house at one checkpoint, made while it serves.

    DIR/backup.json            what is in it, with the SHA-256 of each file; written last
    DIR/database/TABLE.jsonl   every row of every table, all from one snapshot
    DIR/home/...               settings, plan, rules, keys, and the log's checkpoint in that snapshot

What a copy of the database's own files would not do: it goes into either kind of database, and into a newer program.
It is made beside its place under another name and moved there once it is whole, so what was cut off is no backup.
Letters that wait to be sent, and weights, are not in it. Nor are texts kept for investigations, or either half of their
keys: what was erased, or is past its days, must not come back.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import readingroom
from readingroom.app.house import House
from readingroom.core.canonical import Json, canonical, digest, parse
from readingroom.core.clock import parse_rfc3339, rfc3339
from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.core.files import settle, write_new
from readingroom.core.settings import Settings
from readingroom.gateway import ratchet
from readingroom.gateway.texts import NOT_COPIED
from readingroom.ledger import queries as ledger
from readingroom.releases import queries as releases
from readingroom.store import copy

FORMAT = 1
MANIFEST = "backup.json"
HOME, DATABASE = "home", "database"
_FOLDERS = ("keys", "rules")
_PAPERS = {".toml", ".yaml", ".yml", ".md"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        made_at: when.
        schema: the migration that its database stands at.
        checkpoint: the signed checkpoint of the log in it.
        files: SHA-256 of each file, by its path below the backup.
    """

    made_at: datetime
    schema: str
    checkpoint: bytes
    files: dict[str, str]

    def to_bytes(self) -> bytes:
        """Spell it, with a digest of itself: a flipped byte in it is found, too."""
        said: dict[str, Json] = {
            "format": FORMAT,
            "program": readingroom.__version__,
            "made_at": rfc3339(self.made_at),
            "schema": self.schema,
            "checkpoint": self.checkpoint.decode(),
            "files": self.files,
        }
        return canonical({"backup": said, "digest": digest(said)}) + b"\n"

    @classmethod
    def read(cls, directory: Path) -> Manifest:
        """Read the manifest of a backup.

        Raises:
            BadInput: there is none, it is damaged, or a newer program wrote it.
        """
        path = directory / MANIFEST
        try:
            whole = parse(path.read_bytes())
            said, whole_as_written = whole["backup"], whole["digest"] == digest(whole["backup"])
            if whole_as_written and said["format"] == FORMAT:
                at, note = parse_rfc3339(said["made_at"]), said["checkpoint"].encode()
                return cls(at, str(said["schema"]), note, {str(k): str(v) for k, v in said["files"].items()})
        except FileNotFoundError:
            cure = "Name the folder that `readingroom backup` made; one that was cut off is none"
            raise BadInput([Problem(str(directory), f"is no backup: it has no {MANIFEST}", cure)]) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
            raise damaged(path, f"cannot be read ({fault})") from None
        if not whole_as_written:
            raise damaged(path, "is not as it was written")
        told = f"was made by a newer program ({said.get('program')})"
        raise BadInput([Problem(str(path), told, "Restore it with that program, or a newer one")])


def damaged(path: Path, how: str) -> BadInput:
    """Return the fault of a backup of which a file is not as it was written."""
    return BadInput([Problem(str(path), f"is damaged: it {how}", "Take another backup; nothing was changed")])


def back_up(house: House, directory: Path) -> Manifest:
    """Copy a house into a new folder, consistently, whether or not it is being served.

    Raises:
        BadInput: something is there already.
        Broken: the log is not whole, or the disk does not take the copy; nothing is left of it.
    """
    directory = directory.absolute()
    if os.path.lexists(directory) and not _is_empty(directory):
        cure = "Name a folder that is not there yet; nothing here was changed"
        raise BadInput([Problem(str(directory), "is there already", cure)])
    report = house.log.audit(house.signer.verifier)
    if not report.ok:
        cure = "A backup of it could not be restored; `readingroom ledger verify` names what was altered"
        raise Broken(Problem("ledger", f"the log is not whole: {report.problems[0]}", cure))
    with draft(directory) as made:
        files: dict[str, str] = {}
        with house.db.read() as tx:
            note = ledger.checkpoint(tx)
            now = house.clock.now()
            if note is None:
                raise Broken(Problem("ledger", "is empty", "A house that was founded has entries; run `doctor`"))
            for table in copy.tables(tx, NOT_COPIED):
                files |= _write(made, f"{DATABASE}/{table.name}.jsonl", copy.rows_out(tx, table))
            schema = copy.schema(tx)
            named = {name for stage in releases.stage_facts(tx, now) for name in stage.screening}
        for path in _papers(house.settings, named):
            name = path.relative_to(house.settings.home).as_posix()
            files |= _write(made, f"{HOME}/{name}", [path.read_bytes()])
        files |= _write(made, f"{HOME}/{house.settings.kept_checkpoint.name}", [note])
        manifest = Manifest(now, schema, note, files)
        write_new(made / MANIFEST, manifest.to_bytes())
    return manifest


@contextmanager
def draft(directory: Path) -> Iterator[Path]:
    """Make a folder under another name, and move it to its place once it is whole; on any fault, none is left.

    Raises:
        Broken: the disk does not take it.
    """
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", suffix=".part", dir=directory.parent))
        try:
            yield made
            for folder in sorted({path for path in made.rglob("*") if path.is_dir()} | {made}):
                settle(folder)
            made.rename(directory)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        settle(directory.parent)
    except OSError as fault:
        cure = "Free disk space, mend its rights, or name a folder elsewhere; nothing was left behind"
        where = str(fault.filename or directory)
        raise Broken(Problem(where, f"cannot be written: {fault.strerror or fault}", cure)) from None


def _papers(settings: Settings, named: Iterable[str]) -> list[Path]:
    """Return the files of HOME that are the house's own, and the rule sets that its stages name."""
    home = settings.home
    found = [path for path in home.iterdir() if path.suffix in _PAPERS]
    for folder in _FOLDERS:
        found += (home / folder).rglob("*")
    found += (home / name for name in named)
    own = {path for path in found if path.is_file() and path.resolve().is_relative_to(home.resolve())}
    return sorted(path for path in own if not path.name.startswith(".") and path.name != ratchet.FILE)


def _write(made: Path, name: str, parts: Iterable[bytes]) -> dict[str, str]:
    """Write one file down to the disk; only its owner can read it. Returns its digest by its name."""
    path, hashed = made / name, sha256()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, stat.S_IRUSR | stat.S_IWUSR), "wb") as file:
        for part in parts:
            file.write(part)
            hashed.update(part)
        file.flush()
        os.fsync(file.fileno())
    return {name: f"sha256:{hashed.hexdigest()}"}


def _is_empty(directory: Path) -> bool:
    return directory.is_dir() and not directory.is_symlink() and not any(directory.iterdir())
