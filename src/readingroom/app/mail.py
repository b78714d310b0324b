"""Letters to persons: each is written as an `.eml` file in HOME/outbox, for the lab's mailer to pick up.

Whole or not at all: a letter appears under its name only once it is complete.
"""

from __future__ import annotations

from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from readingroom.core.clock import Clock
from readingroom.core.errors import Broken, Problem
from readingroom.core.ids import new_id

SENDER = "reading-room@localhost"
# Lines may be as long as mail allows: a link stays whole, also where the letter is read as the file that it is.
_LETTER = policy.default.clone(max_line_length=998)


class Post:
    """Writes letters into a folder."""

    def __init__(self, outbox: Path, clock: Clock) -> None:
        """Take the folder and the clock that dates letters."""
        self._outbox = outbox
        self._clock = clock

    def send(self, to: str, subject: str, text: str) -> Path:
        """Write one letter and return its path. Header injection is refused by `EmailMessage` itself.

        Raises:
            Broken: the outbox cannot be written.
        """
        letter = EmailMessage(_LETTER)
        letter["From"], letter["To"], letter["Subject"] = SENDER, Address(addr_spec=to), subject
        letter["Date"] = format_datetime(self._clock.now())
        letter.set_content(text, cte="7bit" if text.isascii() else None)  # a link stays whole, to be read by eye too
        path = self._outbox / f"{self._clock.now():%Y%m%dT%H%M%S}-{new_id('letter')}.eml"
        draft = path.with_suffix(".draft")
        try:
            self._outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.touch(mode=0o600)
            draft.write_bytes(bytes(letter))
            draft.replace(path)
        except OSError as fault:
            cure = "Free disk space, or mend the folder's rights"
            raise Broken(Problem(str(self._outbox), f"cannot be written: {fault.strerror}", cure)) from None
        return path
