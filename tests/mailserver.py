"""A real mail server in this process: STARTTLS, a user with a password, and faults on demand."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "reading-room", "correct horse"


@dataclass
class MailServer:
    """What it was sent, and what it is to answer next.

    Attributes:
        answers: to the next letters, in order: an SMTP answer, or `hang up`; afterwards everything is taken.
    """

    ca_file: Path
    port: int = 0
    letters: list[bytes] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    sessions: int = 0

    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(each, policy=policy.default) for each in self.letters]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 there is nobody of this name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer == "hang up":
            transport: Any = server.transport
            transport.abort()
            return "421 gone"
        if answer.startswith("250"):
            self.letters.append(cast("bytes", envelope.original_content))
        return answer

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: Any) -> AuthResult:
        self.sessions += 1
        right = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)


class _AnyPort(Controller):
    """Listens at a port that is free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def running(folder: Path, *, starttls: bool = True) -> Iterator[MailServer]:
    """Run one; its certificate is its own, and in `ca_file`."""
    key, made = folder / "mail.key", MailServer(folder / "mail.pem")
    _certify(key, made.ca_file)
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.ca_file, key)
    more: dict[str, Any] = {"tls_context": context, "require_starttls": True, "auth_required": True} if starttls else {}
    controller = _AnyPort(made, hostname="127.0.0.1", port=0, authenticator=made.authenticate, **more)
    controller.start()
    try:
        made.port = controller.port
        yield made
    finally:
        controller.stop()


def _certify(key_path: Path, path: Path) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
