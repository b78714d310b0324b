"""The standalone verifier: an exported log, or one proof, against the log's public key. No database, no HOME.

It trusts nothing but the key: every hash is computed again from the entries.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.merkle import SIZE, Frontier, leaf_hash, root
from readingroom.ledger.model import Entry
from readingroom.ledger.note import MAX_BYTES, Unproven, Verifier
from readingroom.ledger.proof import Proof
from readingroom.ledger.report import Findings, Report
from readingroom.ledger.tiles import CHECKPOINT, WIDTH, Tile, largest, tiles_of, unbundle


def verify_proof(text: str, leaf: bytes, verifier: Verifier) -> Report:
    """Verify that a leaf is in the log, by a tlog-proof."""
    try:
        signed = Proof.parse(text).verify(leaf, verifier)
    except Unproven as fault:
        return Report(problems=(str(fault),))
    return Report(signed.size, signed.root.hex())


def verify_export(folder: Path, verifier: Verifier, since: bytes | None = None) -> Report:
    """Verify an exported log.

    Args:
        folder: what `export` wrote, or a copy of what a house serves below `/ledger`.
        verifier: the log's public key.
        since: an older checkpoint that somebody kept; it must be a prefix of the log.
    """
    findings = Findings()
    try:
        signed = Checkpoint.open(_read(folder / CHECKPOINT, MAX_BYTES), verifier)
        kept = Checkpoint.open(since, verifier) if since is not None else None
    except Unproven as fault:
        findings.note(f"checkpoint: {fault}")
        return findings.report()
    found = _Export(folder, findings, kept).check(signed)
    _check_names(folder, signed.size, findings)
    if found.root() != signed.root:
        findings.note(f"the entries do not lead to the root that was signed at size {signed.size}")
    return findings.report(signed.size, signed.root)


@dataclass
class _Export:
    folder: Path
    findings: Findings
    kept: Checkpoint | None
    levels: dict[int, list[bytes]] = field(default_factory=dict)  # hashes of each level above the leaves

    def check(self, signed: Checkpoint) -> Frontier:
        """Check all tiles of a size and return the tree that the entries make."""
        tree = Frontier()
        self._compare(tree)
        for tile in tiles_of(signed.size):
            if tile.level is None:
                for hashed in self._bundle(tile):
                    tree = tree.append(hashed)
                    self._compare(tree)
            elif tile.level > 0:
                self._upper(tile)
        if self.kept and self.kept.size > signed.size:
            self.findings.note(f"the kept checkpoint has {self.kept.size} entries, the log only {signed.size}")
        return tree

    def _compare(self, tree: Frontier) -> None:
        if self.kept and self.kept.size == tree.size and self.kept.root != tree.root():
            self.findings.note(f"the kept checkpoint of size {tree.size} is no prefix of this log: it was rewritten")

    def _bundle(self, tile: Tile) -> Iterator[bytes]:
        """Hash a bundle's entries, check them against the tile of their hashes, and yield the hashes."""
        try:
            leaves = unbundle(_read(self.folder / tile.path(), largest(tile)))
        except Unproven as fault:
            self.findings.note(f"{tile.path()}: {fault}")
            leaves = []
        hashes = list(map(leaf_hash, leaves))
        if len(leaves) != tile.width:
            self.findings.note(f"{tile.path()}: holds {len(leaves)} entries in place of {tile.width}")
        for seq, (leaf, hashed, told) in enumerate(zip(leaves, hashes, self._hashes(tile), strict=False), tile.start):
            problem = _entry_problem(seq, leaf) or (None if hashed == told else "altered: its hash is another")
            if problem:
                self.findings.note(f"entry {seq}: {problem}")
        self._climb(0, tile, hashes)
        yield from hashes

    def _hashes(self, bundle: Tile) -> list[bytes]:
        tile = Tile(0, bundle.index, bundle.width)
        try:
            data = _read(self.folder / tile.path(), largest(tile))
        except Unproven as fault:
            self.findings.note(f"{tile.path()}: {fault}")
            return []
        if len(data) != largest(tile):
            self.findings.note(f"{tile.path()}: has {len(data)} bytes in place of {largest(tile)}")
        return [data[at : at + SIZE] for at in range(0, len(data), SIZE)]

    def _upper(self, tile: Tile) -> None:
        """Check a tile above the leaves against what was computed below it."""
        level = tile.level or 0
        hashes = self.levels.get(level, [])[tile.start : tile.start + tile.width]
        try:
            if _read(self.folder / tile.path(), largest(tile)) != b"".join(hashes):
                self.findings.note(f"{tile.path()}: altered: it does not follow from the tiles below")
        except Unproven as fault:
            self.findings.note(f"{tile.path()}: {fault}")
        self._climb(level, tile, hashes)

    def _climb(self, level: int, tile: Tile, hashes: list[bytes]) -> None:
        """Keep the root of a full tile: it is one hash of the level above."""
        if tile.width == WIDTH:
            self.levels.setdefault(level + 1, []).append(root(hashes))


def _entry_problem(seq: int, leaf: bytes) -> str | None:
    try:
        inside = Entry.parse(leaf).seq
    except ValueError:
        return "altered: it is no entry any more"
    return None if inside == seq else f"here stands entry {inside}: reordered"


def _check_names(folder: Path, size: int, findings: Findings) -> None:
    """Note every file that the log of this size does not have: an auditor must not be led to read it."""
    known = {CHECKPOINT, *(tile.path() for tile in tiles_of(size))}
    for path, _, files in os.walk(folder):
        for name in files:
            relative = (Path(path) / name).relative_to(folder).as_posix()
            if relative not in known:
                findings.note(f"{relative}: is no file of this log")


def _read(path: Path, most: int) -> bytes:
    try:
        if path.is_symlink() or not path.is_file():
            raise Unproven("is missing")
        if path.stat().st_size > most:
            raise Unproven(f"is larger than the {most} bytes it can have")
        return path.read_bytes()
    except OSError as fault:
        raise Unproven(f"cannot be read: {fault.strerror}") from None
