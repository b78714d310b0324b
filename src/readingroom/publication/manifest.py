"""The manifest of a bundle: the SHA-256 of every file in it, and no way to leave one out.

Two files stand outside, since they are made from the manifest: the signature and the ledger's proof of it. There is
no ignore list: with one, a signer could leave the weights themselves unsigned.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SIGNATURE = "model.sig"
PROOF = "release.tlog-proof"
OUTSIDE = frozenset({SIGNATURE, PROOF})

Progress = Callable[[int, int], None]  # files hashed so far, files in all


@dataclass(frozen=True, slots=True)
class Manifest:
    """POSIX paths relative to the bundle, with the hex SHA-256 of each file, sorted by path."""

    digests: tuple[tuple[str, str], ...]

    @property
    def root(self) -> str:
        """SHA-256, in hex, over the digests in order: the one value that stands for the whole bundle (OMS 1.0)."""
        return hashlib.sha256(b"".join(bytes.fromhex(digest) for _, digest in self.digests)).hexdigest()


def read(folder: Path, progress: Progress = lambda _done, _total: None) -> tuple[Manifest, list[str]]:
    """Hash every file below a folder.

    Returns:
        The manifest, and what cannot be in a bundle, by name: links, devices, names that are not UTF-8, and
        what this user may not read (a folder that was passed over could hide anything).
    """
    files, problems = _walk(folder)
    digests = []
    for count, (name, path) in enumerate(sorted(files.items()), start=1):
        try:
            digests.append((name, hash_file(path)))
        except OSError as fault:
            problems.append(f"{name}: cannot be read ({fault.strerror})")
        progress(count, len(files))
    return Manifest(tuple(digests)), problems


def hash_file(path: Path) -> str:
    """Return a file's SHA-256, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _walk(folder: Path) -> tuple[dict[str, Path], list[str]]:
    files: dict[str, Path] = {}
    problems: list[str] = []

    def unread(fault: OSError) -> None:
        problems.append(f"{Path(fault.filename).relative_to(folder).as_posix()}: cannot be read ({fault.strerror})")

    for current, folders, names in os.walk(folder, onerror=unread, followlinks=False):
        for name in sorted([*folders, *names]):
            path = Path(current) / name
            shown = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            if not _is_portable(shown):
                problems.append(f"{shown!a}: has a name that not every system can keep")
            elif stat.S_ISLNK(mode):
                problems.append(f"{shown}: is a link; a bundle holds files only")
            elif stat.S_ISREG(mode):
                if shown not in OUTSIDE:
                    files[shown] = path
            elif not stat.S_ISDIR(mode):
                problems.append(f"{shown}: is neither a file nor a folder")
    return files, problems


def is_inside(name: str) -> bool:
    """Tell whether a name from a manifest stays inside the bundle, in its one spelling."""
    path = PurePosixPath(name)
    stays = bool(path.parts) and not path.is_absolute() and ".." not in path.parts
    return stays and str(path) == name and name not in OUTSIDE and _is_portable(name)


def _is_portable(name: str) -> bool:
    """Tell whether every system and terminal can keep this name: no control characters, no Windows separators."""
    return name.isprintable() and "\\" not in name


def differences(signed: Manifest, found: Manifest) -> list[str]:
    """Say by name which files were changed, added or removed since the bundle was signed."""
    was, now = dict(signed.digests), dict(found.digests)
    told = [f"{name}: was changed after signing" for name in was if name in now and was[name] != now[name]]
    told += [f"{name}: is signed but not there" for name in was if name not in now]
    told += [f"{name}: is there but not signed" for name in now if name not in was]
    return sorted(told)
