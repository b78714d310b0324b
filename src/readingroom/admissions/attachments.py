"""Files that applicants attach: what they are by their bytes, and a name that is safe to hand out. Pure.

Nothing here, and nothing elsewhere in the house, opens, unpacks or renders a file. So what is hidden inside one, say a
page that grows to a terabyte, is never more than bytes to us; whoever downloads it gets a file, never a page of ours.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from readingroom.admissions.form import FileKind, Files, Kind, Question
from readingroom.core.canonical import sha256
from readingroom.core.errors import Problem

MOST_IN_ALL = 40  # files of one application, those of its earlier versions too
_NAME = 100  # characters
_BEGINS = (
    (b"%PDF-", FileKind.PDF),
    (b"\x89PNG\r\n\x1a\n", FileKind.PNG),
    (b"\xff\xd8\xff", FileKind.JPEG),
)
_TEXTS = frozenset({FileKind.CSV, FileKind.TXT})
_LINE_ENDS = b"\t\n\r"
_MEDIA = {
    FileKind.PDF: "application/pdf",
    FileKind.PNG: "image/png",
    FileKind.JPEG: "image/jpeg",
    FileKind.CSV: "text/csv; charset=utf-8",
    FileKind.TXT: "text/plain; charset=utf-8",
}
_ENDINGS = {".jpg": ".jpeg", ".jpe": ".jpeg", ".text": ".txt"}
_MEANS_SOMETHING = frozenset("\"<>|:*?\\/;%&'`$")  # to a shell, a browser, a header or a file system


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of one application, without its bytes.

    Attributes:
        digest: SHA-256 of the bytes, by which it is named everywhere.
        question: which it answers.
        name: as it is handed out; made safe, with the ending of what it is.
        removed_at: when the applicant took it out; it stays for a submitted version that holds it.
    """

    application: str
    digest: str
    question: str
    name: str
    kind: FileKind
    size: int
    added_at: datetime
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Handed:
    """A file on its way out: its bytes, and the headers without which they must not leave."""

    content: bytes
    headers: dict[str, str]
    media: str


def kind_of(content: bytes, name: str) -> FileKind | None:
    """Tell what a file is by its first bytes; of plain text, the name says whether it is a table. None is neither."""
    for begins, kind in _BEGINS:
        if content.startswith(begins):
            return kind
    if not content or not _is_text(content):
        return None
    return FileKind.CSV if name.strip().casefold().endswith(".csv") else FileKind.TXT


def _is_text(content: bytes) -> bool:
    if any(each < 0x20 and each not in _LINE_ENDS for each in set(content)):  # noqa: PLR2004 - ASCII's controls
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def clean_name(given: str, kind: FileKind) -> str:
    """Return a name that is safe in a header, a page, a shell and a folder, with the ending of what the file is.

    Only the last part of a path is kept; controls, what turns the direction of writing, and all that means something
    to a program are left out.
    """
    last = unicodedata.normalize("NFC", given[:10_000]).replace("\\", "/").rpartition("/")[2]
    plain = "".join(
        c if unicodedata.category(c)[0] not in "CZ" else " " if c.isspace() or c == " " else "" for c in last
    )
    plain = "".join(c for c in plain if c not in _MEANS_SOMETHING)
    stem, dot, ending = " ".join(plain.split()).rpartition(".")
    is_ending = dot and _ENDINGS.get(f".{ending.casefold()}", f".{ending.casefold()}") == f".{kind.value}"
    stem = stem if is_ending else f"{stem}{dot}{ending}"
    stem = stem.strip(" .-~")[: _NAME - 5].strip(" .-~")
    return f"{stem or 'file'}.{kind.value}"


def problem(question: Question | None, content: bytes, name: str, held: Sequence[Attachment]) -> Problem | None:
    """Say what stands against attaching a file; None where nothing does.

    Args:
        question: which it is to answer; None where the call has no such question.
        content: its bytes.
        name: as the applicant calls it.
        held: every file of the application, those that were removed too.
    """
    if question is None or question.kind is not Kind.ATTACHMENT:
        return Problem("question", "takes no file in this call", "Name a question of the type 'attachment'")
    allowed = question.files
    what = _unfit(allowed, content, kind_of(content, name)) or _too_many(question, sha256(content), held)
    return Problem(f"answers.{question.name}", *what) if what else None


def _unfit(allowed: Files, content: bytes, kind: FileKind | None) -> tuple[str, str] | None:
    kinds = f"Attach one of: {', '.join(each.value for each in allowed.kinds)}"
    if len(content) > allowed.size:
        return f"is larger than {allowed.size:,} bytes", "Make it smaller"
    if kind is None:
        found = "is empty" if not content else "is none of the kinds of file that are taken, whatever its name says"
        return found, kinds
    return None if kind in allowed.kinds else (f"is a {kind.value} file", kinds)


def _too_many(question: Question, digest: str, held: Sequence[Attachment]) -> tuple[str, str] | None:
    live = [each for each in held if each.removed_at is None]
    if (same := next((each for each in live if each.digest == digest), None)) is not None:
        return f"is attached already, as {same.name}", "Attach another file"
    most = question.files.most
    if sum(each.question == question.name for each in live) >= most:
        return f"takes {most} file{'s' if most > 1 else ''}, and has that already", "Remove one first"
    if len(held) >= MOST_IN_ALL and digest not in {each.digest for each in held}:
        return f"cannot take more than {MOST_IN_ALL} files in all", "Those of earlier versions count too; use fewer"
    return None


def attached(form: Collection[Question], held: Sequence[Attachment]) -> dict[str, tuple[str, ...]]:
    """Return what is attached now as answers: each question's digests, in the order in which they came."""
    found: dict[str, tuple[str, ...]] = {}
    for question in form:
        mine = [each for each in held if each.question == question.name and each.removed_at is None]
        if question.kind is Kind.ATTACHMENT and mine:
            found[question.name] = tuple(each.digest for each in sorted(mine, key=lambda a: (a.added_at, a.digest)))
    return found


def handed(found: Attachment, content: bytes, name: str = "") -> Handed:
    """Hand a file out: always as a download, never as a page that a browser would show or run under our address.

    Args:
        found: what it is.
        content: its bytes.
        name: in place of its own, for who must not learn whose it is.
    """
    name = name or found.name
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-()") else "_" for c in name)
    headers = {
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }
    return Handed(content, headers, _MEDIA[found.kind])
