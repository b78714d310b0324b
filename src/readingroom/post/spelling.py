"""A letter as mail (RFC 5322, MIME): the same bytes each time, and no header of anybody else's making."""

from __future__ import annotations

import unicodedata
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from readingroom.post.model import Letter, Mailbox

# Lines may be as long as mail allows: a link stays whole, also where the letter is read as the file that it is.
LETTER = policy.default.clone(max_line_length=998)
SENT = policy.SMTP.clone(max_line_length=998)
_SUBJECT = 200  # characters
_NAME = "Reading Room"
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, format, surrogates, unassigned, line separators


def one_line(text: object, most: int = _SUBJECT) -> str:
    """Return a text as one line that shows what it is: no line ends, controls, direction marks or invisible letters.

    Whatever a person wrote passes here before it stands in a letter, so that it can be neither a header nor a
    paragraph of ours. An encoded word (RFC 2047, `=?...?=`) is broken up: the standard library decodes one in a
    subject, line ends and all, and would write a header of somebody else's making.
    """
    seen = "".join(
        " " if c.isspace() else c for c in str(text) if c.isspace() or unicodedata.category(c) not in _UNSEEN
    )
    line = " ".join(seen.replace("=?", "= ?").split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def message_id(letter_id: str, domain: str) -> str:
    """Return a letter's Message-ID, the same each time that it is sent."""
    return f"<{letter_id}@{domain}>"


def compose(letter: Letter, box: Mailbox) -> EmailMessage:
    """Return a letter as a message: plain text with the same words as HTML, and its calendar file.

    Raises:
        ValueError: the address is none.
    """
    made = EmailMessage(LETTER)
    user, _, domain = box.sender.rpartition("@")
    made["From"] = Address(_NAME, user, domain)
    made["To"], made["Subject"] = Address(addr_spec=letter.to), one_line(letter.subject)
    made["Date"] = format_datetime(letter.made_at)
    made["Message-ID"] = message_id(letter.id, box.domain)
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no machine is to answer it
    made.set_content(letter.text, cte="7bit" if letter.text.isascii() else None)
    if letter.html:
        made.add_alternative(letter.html, subtype="html")
    if letter.calendar:
        made.add_attachment(
            letter.calendar.encode(), maintype="text", subtype="calendar", filename="dates.ics",
            params={"charset": "utf-8", "method": "PUBLISH"},
        )  # fmt: skip
    for number, part in enumerate(made.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{letter.id}_{number}")  # made at random else: a repeat would be other bytes
    return made


def as_sent(message: EmailMessage) -> bytes:
    """Return a message as it crosses the net."""
    return message.as_bytes(policy=SENT)
