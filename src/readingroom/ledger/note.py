"""Signed notes and verifier keys, as C2SP signed-note defines them, with Ed25519 keys. Pure but for key files."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.core.files import write_new

MAX_BYTES = 100_000  # of a note: some two dozen post-quantum signatures; a larger one is an attack
_ED25519 = b"\x01"
_DASH = "\u2014 "


class Unproven(Exception):  # noqa: N818 - named for what it says
    """What was to be proved is not; the message says why, in a sentence for whoever asked."""


def encode(data: bytes) -> str:
    """Spell bytes in base64 (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def decode(text: str) -> bytes:
    """Read base64 with one spelling only: stray characters and stray bits at the end are refused.

    Raises:
        Unproven: it is not base64, or not as `encode` would spell it.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unproven(f"{text[:80]!r} is not base64") from None
    if encode(data) != text:
        raise Unproven(f"{text[:80]!r} is not the one base64 spelling of its bytes")
    return data


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who signed, by which key (4 bytes), and the signature itself."""

    name: str
    key_id: bytes
    data: bytes

    def to_line(self) -> str:
        """Spell the line, with its newline."""
        return f"{_DASH}{self.name} {encode(self.key_id + self.data)}\n"

    @classmethod
    def parse(cls, line: str) -> Signature:
        """Read one line, without its newline."""
        name, _, spelled = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not _is_name(name):
            raise Unproven(f"{line[:80]!r} is not a signature line")
        data = decode(spelled)
        if len(data) <= 4:  # noqa: PLR2004 - the key id
            raise Unproven("a signature line holds no signature")
        return cls(name, data[:4], data[4:])


@dataclass(frozen=True, slots=True)
class Note:
    """A text (ending in a newline) and its signatures, none of them checked yet."""

    text: str
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """Spell the note."""
        return (self.text + "\n" + "".join(each.to_line() for each in self.signatures)).encode()

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """Read a note.

        Raises:
            Unproven: it is not a note.
        """
        if len(data) > MAX_BYTES:
            raise Unproven(f"the note is longer than {MAX_BYTES} bytes")
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Unproven("the note is not UTF-8") from None
        if any(each < " " and each != "\n" for each in whole):
            raise Unproven("the note holds control characters")
        text, blank, signed = whole.rpartition("\n\n")
        if not blank or not signed.endswith("\n"):
            raise Unproven("this is not a signed note: a text, an empty line and signature lines")
        return cls(text + "\n", tuple(Signature.parse(line) for line in signed[:-1].split("\n")))


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under a name: what an outsider must have from a source they trust."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys apart; no more than an index, since they are quickly forged."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def to_line(self) -> str:
        """Spell the verifier key: `name+keyid+base64`."""
        return f"{self.name}+{self.key_id.hex()}+{encode(_ED25519 + self.public)}"

    @classmethod
    def parse(cls, line: str) -> Verifier:
        """Read a verifier key.

        Raises:
            Unproven: it is not one, not Ed25519, or its key id does not fit.
        """
        name, _, rest = line.strip().partition("+")
        key_id, _, spelled = rest.partition("+")
        if not _is_name(name):
            raise Unproven("a verifier key looks like name+8 hex digits+base64")
        material = decode(spelled)
        if material[:1] != _ED25519 or len(material) != 33:  # noqa: PLR2004 - a type byte and 32 of the key
            raise Unproven("the verifier key is not an Ed25519 key")
        made = cls(name, material[1:])
        if made.key_id.hex() != key_id:
            raise Unproven("the verifier key's id does not fit its name and key; it was altered or mistyped")
        return made

    @classmethod
    def from_option(cls, option: str) -> Verifier:
        """Read a key given as text or as the path of a file, as every `--key` takes it.

        Raises:
            BadInput: it is neither.
        """
        try:
            named = Path(option).is_file()
        except (OSError, ValueError):  # no path can be like this
            named = False
        try:
            return cls.parse(_beginning(Path(option)) if named else option)
        except (OSError, ValueError, Unproven) as fault:
            cure = "Give the line that GET /ledger/key answers, or a file with it"
            told = f"no public key: {'' if named else 'there is no such file, and '}{fault}"
            raise BadInput([Problem("--key", told, cure)]) from None

    def open(self, data: bytes) -> str:
        """Return the text of a note that this key has signed; other keys' signatures are not looked at.

        Raises:
            Unproven: it is not a note, this key did not sign it, or the signature is not good.
        """
        note = Note.parse(data)
        mine = [each for each in note.signatures if (each.name, each.key_id) == (self.name, self.key_id)]
        if not mine:
            raise Unproven(f"it is not signed by {self.name} with the key {self.key_id.hex()}")
        for each in mine:
            try:
                Ed25519PublicKey.from_public_bytes(self.public).verify(each.data, note.text.encode())
            except InvalidSignature:
                raise Unproven(f"the signature of {self.name} is not good: text or signature was altered") from None
        return note.text


class Signer:
    """A private key under a name: the log's own."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        """Take a name (no spaces, no plus) and a key."""
        if not _is_name(name):
            cure = "Set `origin` in readingroom.toml to something like lab.example/log"
            raise BadInput([Problem("origin", f"{name!r} cannot name a log", cure)])
        self._key = key
        self.verifier = Verifier(name, key.public_key().public_bytes_raw())

    @property
    def name(self) -> str:
        """The name it signs under: a log's origin."""
        return self.verifier.name

    def sign(self, text: str) -> bytes:
        """Sign a text that ends in a newline."""
        signature = Signature(self.name, self.verifier.key_id, self._key.sign(text.encode()))
        return Note(text, (signature,)).to_bytes()

    @classmethod
    def generate(cls, name: str) -> Signer:
        """Make a key that is kept nowhere."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def create(cls, path: Path, name: str) -> Signer:
        """Make a key and keep it in a new file (PEM, PKCS #8) that only its owner can read.

        Raises:
            Broken: the file is there already or cannot be written; an old key is never overwritten.
        """
        made = cls.generate(name)
        pem = made._key.private_bytes(  # noqa: SLF001 - its own
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_new(path, pem)
        except OSError as fault:
            cure = "A log's key is made once; move the file away if it is not wanted"
            raise Broken(Problem(str(path), f"the key cannot be written: {fault.strerror}", cure)) from None
        return made

    @classmethod
    def load(cls, path: Path, name: str) -> Signer:
        """Read the key that `create` wrote.

        Raises:
            Broken: the file is not there, or holds no Ed25519 key.
        """
        cure = "Put the key back from a backup; a new key would be a new log"
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except OSError as fault:
            raise Broken(Problem(str(path), f"the log's key cannot be read: {fault.strerror}", cure)) from None
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise Broken(Problem(str(path), "this is not a private key in PEM", cure)) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise Broken(Problem(str(path), "this is not an Ed25519 key", cure))
        return cls(name, key)


def _beginning(path: Path) -> str:
    """Read a file no further than a note can be long."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES).decode()


def _is_name(name: str) -> bool:
    return bool(name) and name.isprintable() and not any(each.isspace() or each == "+" for each in name)
