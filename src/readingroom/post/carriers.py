"""Who takes letters: a folder, or a mail server (SMTP, by the standard library: ADR 19)."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from readingroom.core.files import write_over
from readingroom.post.model import Mailbox, Security, Undelivered

SECONDS = 30.0  # that one step of the protocol may take
_REFUSED = range(500, 600)  # SMTP: this letter is not taken, now or later


class Carrier(Protocol):
    """Takes letters."""

    def carry(self, message: EmailMessage, name: str) -> None:
        """Take one letter; `name` is the same each time that it is brought.

        Raises:
            Undelivered: it was not taken.
        """

    def close(self) -> None:
        """Let go of whatever is held open."""


class Folder:
    """Writes each letter as an `.eml` file, whole or not at all; one that comes twice stands there once."""

    def __init__(self, folder: Path) -> None:
        """Take the folder."""
        self._folder = folder

    def carry(self, message: EmailMessage, name: str) -> None:
        """Write it."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_over(self._folder / f"{name}.eml", bytes(message))
        except OSError as fault:
            raise Undelivered(f"{self._folder} cannot be written: {fault.strerror}") from None

    def close(self) -> None:
        """Hold nothing open."""


class Smtp:
    """Hands letters to a mail server; one connection serves as many as follow each other."""

    def __init__(self, box: Mailbox, password: str) -> None:
        """Take where, and the password of `box.user`; nothing is connected."""
        self._box = box
        self._password = password
        self._server: smtplib.SMTP | None = None

    def carry(self, message: EmailMessage, name: str) -> None:  # noqa: ARG002 - its Message-ID is its name
        """Send it. What concerns this very letter is final where the server says so; all else may pass."""
        server = self._connected()
        try:
            server.send_message(message, self._box.sender, [message["To"].addresses[0].addr_spec])
        except smtplib.SMTPRecipientsRefused as fault:
            self._reset(server)
            code, said = next(iter(fault.recipients.values()))
            raise Undelivered(_told(code, said), final=code in _REFUSED) from None
        except smtplib.SMTPDataError as fault:
            self._reset(server)
            raise Undelivered(_told(fault.smtp_code, fault.smtp_error), final=fault.smtp_code in _REFUSED) from None
        except (smtplib.SMTPNotSupportedError, UnicodeError) as fault:
            self._reset(server)
            raise Undelivered(f"the mail server cannot take such an address: {fault}", final=True) from None
        except (smtplib.SMTPException, OSError) as fault:  # it hung up, say; or it does not like who we are
            self.close()
            raise Undelivered(_fault(fault)) from None

    def close(self) -> None:
        """Hang up."""
        if self._server is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._server.quit()
            self._server.close()
            self._server = None

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            try:
                self._server = self._connect()
            except (smtplib.SMTPException, OSError, ValueError) as fault:
                raise Undelivered(_fault(fault)) from None
        return self._server

    def _connect(self) -> smtplib.SMTP:
        box = self._box
        if box.security is Security.TLS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(box.host, box.port, timeout=SECONDS, context=self._context())
        else:
            server = smtplib.SMTP(box.host, box.port, timeout=SECONDS)
        try:
            if box.security is Security.STARTTLS:
                server.starttls(context=self._context())  # raises where it is not offered: never in the clear
            if box.user:
                server.login(box.user, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._box.ca_file or None)

    def _reset(self, server: smtplib.SMTP) -> None:
        try:
            server.rset()
        except (smtplib.SMTPException, OSError):
            self.close()


def make_carrier(box: Mailbox, outbox: Path, password: str) -> Carrier:
    """Return who takes the letters of a house."""
    return Smtp(box, password) if box.host else Folder(outbox)


def _told(code: int, said: bytes | str) -> str:
    return f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"


def _fault(fault: Exception) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        return _told(fault.smtp_code, fault.smtp_error)
    if isinstance(fault, smtplib.SMTPSenderRefused):
        return _told(fault.smtp_code, fault.smtp_error)
    return f"{type(fault).__name__}: {fault}"
