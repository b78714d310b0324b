"""Letters to persons, from the house's side: sign-in letters, and the sender of all that wait.

A sign-in letter holds a secret that opens a session. So it never enters the database, nor a backup: it is a file in
HOME/outbox from the start. Without a mail server the lab's mailer picks it up there; with one, the sender does, from a
folder of its own below. Every other letter is in the post room's table, put there in the transaction of the decision
that it tells of (`app.letters`), and the sender hands it over.

The sender is one thread of the portal's process (ADR 19), so there is one in each server; should there be two, each
letter is claimed by one of them. It never ends by itself, and no letter ends in silence.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path

from readingroom.core.clock import Clock
from readingroom.core.errors import Broken, Problem
from readingroom.core.files import write_over
from readingroom.core.ids import new_id
from readingroom.people.service import LINK_LIFE
from readingroom.post.carriers import Carrier
from readingroom.post.model import Letter, Mailbox, State, Undelivered
from readingroom.post.rules import pause
from readingroom.post.service import Outbox
from readingroom.post.spelling import LETTER, compose
from readingroom.store.db import FAILED

log = logging.getLogger("readingroom.mail")
SPOOL = "sign-in"  # below HOME/outbox: sign-in letters that a mail server is to take
STUCK = ".stuck"
_EVERY_SECONDS = 1.0
_TIDY_EVERY = timedelta(minutes=10)


class Post:
    """Writes sign-in letters into a folder, whole or not at all."""

    def __init__(self, outbox: Path, clock: Clock, box: Mailbox | None = None) -> None:
        """Take the folder, the clock that dates letters, and how the house's mail is set."""
        self._box = box or Mailbox()
        self._outbox = outbox / SPOOL if self._box.host else outbox
        self._clock = clock

    def send(self, to: str, subject: str, text: str) -> Path:
        """Write one letter and return its path.

        Raises:
            Broken: the outbox cannot be written.
        """
        made = Letter(new_id("letter"), "people.link.made", None, "", to, subject, text, "", self._clock.now())
        path = self._outbox / f"{file_name(made)}.eml"
        try:
            self._outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_over(path, bytes(compose(made, self._box)))
        except OSError as fault:
            cure = "Free disk space, or mend the folder's rights"
            raise Broken(Problem(str(self._outbox), f"cannot be written: {fault.strerror}", cure)) from None
        return path


def file_name(letter: Letter) -> str:
    """Return the name of a letter's file: the same each time, in the order of time."""
    return f"{letter.made_at:%Y%m%dT%H%M%S}-{letter.id}"


class Sender:
    """Hands over what waits."""

    def __init__(
        self,
        outbox: Outbox,
        carrier: Carrier,
        box: Mailbox,
        folder: Path,
        remind: Callable[[], object] = lambda: None,
    ) -> None:
        """Take what it needs; nothing is started.

        Args:
            outbox: the letters.
            carrier: who takes them.
            box: how the house's mail is set.
            folder: HOME/outbox.
            remind: puts the day's reminders into the outbox.
        """
        self._outbox, self._carrier, self._box, self._clock = outbox, carrier, box, outbox.clock
        self._spool = folder / SPOOL
        self._remind = remind
        self._tidied: datetime | None = None
        self._tries: dict[str, tuple[int, datetime]] = {}  # of sign-in letters: how many, and when the next is
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mail", daemon=True)

    def start(self) -> None:
        """Begin to send, in a thread."""
        self._thread.start()

    def stop(self, seconds: float = 2.0) -> None:
        """End; a letter that is on the way may be sent again by the next sender."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                self.round()
            except FAILED as fault:  # the database is away, say: letters wait in it
                log.warning("letters wait: %s", type(fault).__name__)
            except Exception:
                log.exception("a round of the mail failed")
            self._end.wait(_EVERY_SECONDS)
        self._carrier.close()

    def round(self) -> int:
        """Send whatever is due, and return how many letters were taken."""
        taken = self._send_spool()
        while not self._end.is_set() and (found := self._outbox.claim()) is not None:
            taken += self._send(*found)
        self._carrier.close()  # no server likes a connection that says nothing
        now = self._clock.now()
        if self._tidied is None or now - self._tidied >= _TIDY_EVERY:
            self._tidied = now
            self._outbox.clear(self._box.keep_days)
            self._remind()
        return taken

    def _send(self, letter: Letter, claim: str) -> bool:
        try:
            message = compose(letter, self._box)
        except ValueError:
            why = Undelivered("the address is none that a letter can be written to", final=True)
            self._outbox.not_sent(letter.id, claim, why)
            return False
        try:
            self._carrier.carry(message, file_name(letter))
        except Undelivered as why:
            if self._outbox.not_sent(letter.id, claim, why) is State.STUCK:
                log.warning("letter %s is stuck; `readingroom mail list` shows why", letter.id)
            return False
        self._outbox.sent(letter.id, claim)
        return True

    def _send_spool(self) -> int:
        """Send sign-in letters; one that was not taken for as long as its link lives is set aside, and told."""
        taken = 0
        for path in sorted(self._spool.glob("*.eml")) if self._box.host else ():
            tries, due = self._tries.get(path.name, (0, self._clock.now()))
            if due <= self._clock.now() and not self._end.is_set():
                taken += self._send_file(path, tries)
        return taken

    def _send_file(self, path: Path, tries: int) -> bool:
        now = self._clock.now()
        message = message_from_bytes(path.read_bytes(), policy=LETTER)
        try:
            self._carrier.carry(message, path.stem)
        except Undelivered as why:
            old = now - message["Date"].datetime >= LINK_LIFE
            self._tries[path.name] = (tries + 1, now + pause(tries + 1))
            if why.final or old:
                path.replace(path.with_suffix(STUCK))
                log.warning("sign-in letter %s is stuck: %s", path.stem, why.said)
            return False
        path.unlink(missing_ok=True)
        self._tries.pop(path.name, None)
        return True
