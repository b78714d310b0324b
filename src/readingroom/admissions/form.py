"""What a call's applicants are asked: questions, their kinds, conditions and files, and who vouches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

REQUIRED_QUESTIONS = ("purpose", "asks", "why", "egress", "risks", "machine")  # every form asks these


class Kind(StrEnum):
    """What a question is answered with."""

    TEXT = "text"
    LONG_TEXT = "long-text"
    NUMBER = "number"
    CHOICE = "choice"
    MULTIPLE_CHOICE = "multiple-choice"
    DATE = "date"
    YES_NO = "yes-no"
    ATTACHMENT = "attachment"


TEXTS = frozenset({Kind.TEXT, Kind.LONG_TEXT})


YES_NO = ("yes", "no")


class FileKind(StrEnum):
    """What an attached file may be, judged by its bytes and never by its name."""

    PDF = "pdf"
    PNG = "png"
    JPEG = "jpeg"
    CSV = "csv"
    TXT = "txt"


MAX_FILE = 5_000_000  # bytes of one attached file, whatever a call says


class Guarantor(StrEnum):
    """Whether somebody who signs for an institution must vouch; silence is no vouching."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"
    LISTED = "listed"  # required, and of who is confirmed as signing for an institution that the applicant names

    @property
    def needed(self) -> bool:
        """Tell whether nothing is awarded without a word."""
        return self in {Guarantor.REQUIRED, Guarantor.LISTED}


@dataclass(frozen=True, slots=True)
class Condition:
    """When a question is asked: once an earlier one has one of these answers, each spelled as in the call file."""

    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Files:
    """What may be attached in answer to one question.

    Attributes:
        kinds: of file.
        most: how many.
        size: bytes of each, at most.
    """

    kinds: tuple[FileKind, ...] = tuple(FileKind)
    most: int = 1
    size: int = 2_000_000


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the form.

    Attributes:
        words: the limit of a text's length.
        options: what a choice chooses from.
        shown: whether reviewers see the answer; False for what tells who asks (where it will run).
        help: what stands beside it, in words.
        section: the heading that begins above it; empty where it goes on under the one before.
        least, most: bounds of a number (inclusive), or how many options may be chosen.
        earliest, latest: bounds of a date, as `2026-12-31`; empty where there is none.
        files: what may be attached.
        shown_if: asked only then; None is always.
    """

    name: str
    label: str
    kind: Kind
    required: bool = True
    words: int = 0
    options: tuple[str, ...] = ()
    shown: bool = True
    help: str = ""
    section: str = ""
    least: int = 0
    most: int = 2**53 - 1
    earliest: str = ""
    latest: str = ""
    files: Files = Files()
    shown_if: Condition | None = None
