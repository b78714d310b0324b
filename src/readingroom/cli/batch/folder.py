"""A batch's folder: what was asked and answered, written so that a kill at any moment loses no answer on disk.

`answers.jsonl` is the list of what is done: an answer's own file is on the disk before its line is. A line that a
kill cut short is taken off when the folder is opened again, and its question asked again under the same key.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from readingroom.cli.batch.lines import Line
from readingroom.core.canonical import Json
from readingroom.core.errors import BadInput, Problem
from readingroom.core.files import write_over
from readingroom.core.ids import new_id
from readingroom.ledger.collection import ANSWERS, CITATION, COLLECTION, RECEIPTS, REPLIES, REQUESTS

RUN = "run.json"


@dataclass
class Folder:
    """One batch's folder, held by one process at a time.

    Attributes:
        path: the folder.
        run: random; with a line's number it is that question's `Idempotency-Key`.
        rows: what is done, by line number.
    """

    path: Path
    run: str
    rows: dict[int, dict[str, Json]] = field(default_factory=dict)
    _journal: IO[bytes] | None = None
    _held: IO[bytes] | None = None

    @classmethod
    def open(cls, path: Path, questions: bytes) -> Folder:
        """Open a batch's folder, or begin one.

        Raises:
            BadInput: it is another file's, is in use, or is no batch's.
        """
        path.mkdir(parents=True, exist_ok=True)
        held = (path / ".lock").open("ab")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            held.close()
            cure = "Wait for it, or name another folder with --out"
            raise BadInput([Problem(str(path), "another process is asking into this folder", cure)]) from None
        try:
            for each in (REQUESTS, REPLIES, RECEIPTS):
                (path / each).mkdir(exist_ok=True)
            folder = cls(path, _run(path, hashlib.sha256(questions).hexdigest()), _held=held)
            folder._read()
        except BaseException:
            held.close()
            raise
        return folder

    def close(self) -> None:
        """Let go of the folder."""
        for each in (self._journal, self._held):
            if each is not None:
                each.close()

    def key(self, line: Line) -> str:
        """Return a question's idempotency key: the same however often it is sent."""
        return f"{self.run}-{line.number}"

    def sending(self, line: Line) -> None:
        """Keep the bytes that are about to be sent."""
        target = self.path / REQUESTS / line.name
        if not target.exists():
            write_over(target, line.body)

    def done(self, line: Line, status: int, body: bytes, receipt: str | None) -> None:
        """Keep an answer, down to the disk."""
        document = json.loads(body)
        row: dict[str, Json] = {"line": line.number, "custom_id": line.custom_id, "status": status, "receipt": receipt}
        row |= {"body": document} if status < 400 else {"error": document.get("error", document)}  # noqa: PLR2004
        write_over(self.path / REPLIES / line.name, body)
        assert self._journal is not None  # noqa: S101 - `open` opened it
        self._journal.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self._journal.flush()
        os.fsync(self._journal.fileno())
        self.rows[line.number] = row

    def receipt_file(self, number: int) -> Path:
        """Return where a line's receipt is kept."""
        return self.path / RECEIPTS / f"{number:06d}.json"

    def without_receipt(self) -> list[tuple[int, str]]:
        """Return lines whose receipt is not here yet, with the receipt's id."""
        rows = sorted(self.rows.items())
        return [(n, row["receipt"]) for n, row in rows if row["receipt"] and not self.receipt_file(n).exists()]

    def write(self, collection: bytes, citation: bytes) -> None:
        """Write the collection and its citation."""
        write_over(self.path / COLLECTION, collection)
        write_over(self.path / CITATION, citation)

    def _read(self) -> None:
        journal = self.path / ANSWERS
        data = journal.read_bytes() if journal.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        for number, each in enumerate(whole.splitlines(), 1):
            try:
                row = json.loads(each)
                self.rows[int(row["line"])] = row
                row["receipt"], row["custom_id"]
            except (ValueError, KeyError, TypeError):
                cure = "Take the line out, and its question is asked again"
                raise BadInput([Problem(f"{journal}:{number}", "is no answer of a batch", cure)]) from None
        self._journal = journal.open("ab")
        if len(whole) < len(data):
            self._journal.truncate(len(whole))


def _run(path: Path, digest: str) -> str:
    """Return the folder's run; a new folder gets one."""
    file = path / RUN
    if not file.exists():
        write_over(file, json.dumps({"run": new_id("run"), "questions": digest}).encode() + b"\n")
    try:
        found = json.loads(file.read_bytes())
        run, known = str(found["run"]), found["questions"]
    except (ValueError, KeyError, TypeError):
        raise BadInput([Problem(str(file), "is not what a batch wrote", "Name another folder with --out")]) from None
    if known != digest:
        told = "holds the answers to another file, or to this one before it, or --max-tokens, was changed"
        cure = "Name another folder with --out, or put the file and --max-tokens back as they were"
        raise BadInput([Problem(str(path), told, cure)])
    return run
