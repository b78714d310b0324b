"""Letters, and where a house hands them over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from readingroom.core.errors import BadInput, Problem

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
FROM = "reading-room@localhost"
_MAX_PORT = 65_535
_WHERE = "readingroom.toml [mail]"


class State(StrEnum):
    """Where a letter stands."""

    WAITING = "waiting"
    SENT = "sent"  # a server took it; its text is removed some days later
    STUCK = "stuck"  # refused for good, or not taken for days: it stays until a person acts


class Security(StrEnum):
    """How the way to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"  # on this machine only


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to one person. All of it but `id`, `event` and `entry` is personal.

    Attributes:
        id: also its Message-ID, so that a letter that comes twice is recognised by mail programs.
        event: what it tells of, as in the ledger; or what reminds.
        entry: the ledger's entry of it; None for a reminder.
        person: the pseudonym of who is written to; empty where an address is all that is known.
        calendar: an iCalendar file that goes with it; empty for none.
        once: letters with the same key are written once; empty for any number.
    """

    id: str
    event: str
    entry: int | None
    person: str
    to: str
    subject: str
    text: str
    html: str
    made_at: datetime
    calendar: str = ""
    once: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a letter stands, without its text.

    Attributes:
        attempts: how often it was tried.
        next_at: from when it is tried again; None if it is not.
        problem: what the mail server, or the way to it, said last.
    """

    id: str
    event: str
    to: str
    state: State
    attempts: int
    made_at: datetime
    next_at: datetime | None
    problem: str


class Undelivered(Exception):  # noqa: N818 - it names what happened
    """A letter that was not taken.

    Attributes:
        final: the server refused this very letter; trying again is useless.
        said: what it said, shortened.
    """

    def __init__(self, said: str, *, final: bool = False) -> None:
        """Say what happened."""
        super().__init__(said)
        self.said = " ".join(said.split())[:300]
        self.final = final


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`[mail]` in readingroom.toml. Without a host, letters are files in HOME/outbox, for the lab's mailer to pick up.

    Attributes:
        host: of the mail server that takes letters.
        port: 587 is usual for `starttls`, 465 for `tls`.
        user: empty where the server asks for none; its password is in `READINGROOM_MAIL_PASSWORD`.
        sender: who letters come from (`from` in the file).
        ca_file: certificates to trust instead of the machine's own, as PEM.
        keep_days: how long a sent letter's text is kept.
    """

    host: str = ""
    port: int = 587
    security: Security = Security.STARTTLS
    user: str = ""
    sender: str = FROM
    ca_file: str = ""
    keep_days: int = 7

    @property
    def domain(self) -> str:
        """The right side of its letters' Message-IDs."""
        return self.sender.rpartition("@")[2]


def read(raw: Mapping[str, Any]) -> Mailbox:
    """Read the table `[mail]`.

    Raises:
        BadInput: with everything that is wrong in it.
    """
    blank = Mailbox()
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    known = [each.name for each in fields(Mailbox)]
    for key, value in raw.items():
        name = "sender" if key == "from" else key
        if key == "sender" or name not in known:
            names = ", ".join("from" if each == "sender" else each for each in known)
            problems.append(Problem(_WHERE, f"unknown setting {key!r}", f"Known: {names}"))
            continue
        wanted = str if name == "security" else type(getattr(blank, name))
        if type(value) is not wanted:
            problems.append(Problem(_WHERE, f"{key} must be of type {wanted.__name__}", f"Found {value!r}"))
            continue
        values[name] = value
    security = values.get("security", blank.security.value)
    if security not in set(Security):
        problems.append(Problem(_WHERE, f"security is {security!r}", "Use starttls, tls or none"))
    if problems:
        raise BadInput(problems)
    values["security"] = Security(security)
    made = Mailbox(**values)
    if found := _unsound(made):
        raise BadInput(found)
    return made


def _unsound(made: Mailbox) -> list[Problem]:
    found = []
    if not 0 < made.port <= _MAX_PORT:
        found.append(Problem(_WHERE, f"port is {made.port}", "Use 587 with starttls, or 465 with tls"))
    if made.keep_days < 0:
        found.append(Problem(_WHERE, "keep_days is negative", "0 removes a letter as soon as it is sent"))
    if made.host and made.security is Security.NONE and made.host not in LOOPBACK:
        cure = "Use starttls or tls; none is for a mail server on this machine"
        found.append(Problem(_WHERE, f"letters would cross the net to {made.host} in the clear", cure))
    if made.host and made.sender == FROM:
        found.append(Problem(_WHERE, "from is missing", "Name the address that letters come from"))
    local, at, domain = made.sender.rpartition("@")
    if not (at and local and domain) or any(c.isspace() or c in '<>,;:"()[]\\' or c < " " for c in made.sender):
        found.append(Problem(_WHERE, f"from is {made.sender!r}", "Write it as name@example.org"))
    return found
