from __future__ import annotations

import stat
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint as OtherCheckpoint

from readingroom.core.errors import BadInput, Broken
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.merkle import EMPTY, leaf_hash
from readingroom.ledger.note import Note, Signer, Unproven, Verifier

# The example of the C2SP signed-note specification.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()


def test_the_example_of_the_specification_is_accepted() -> None:
    verifier = Verifier.parse(SPEC_KEY)
    assert verifier.open(SPEC_NOTE) == "This is an example message.\n"
    assert verifier.to_line() == SPEC_KEY
    assert Note.parse(SPEC_NOTE).to_bytes() == SPEC_NOTE


def test_every_changed_byte_of_a_note_is_refused() -> None:
    verifier = Verifier.parse(SPEC_KEY)
    for where in range(len(SPEC_NOTE)):
        for bit in (1, 0x20, 0x80):
            altered = bytearray(SPEC_NOTE)
            altered[where] ^= bit
            with pytest.raises(Unproven):
                verifier.open(bytes(altered))


def test_every_cut_of_a_note_is_refused() -> None:
    for end in range(len(SPEC_NOTE)):
        with pytest.raises(Unproven):
            Verifier.parse(SPEC_KEY).open(SPEC_NOTE[:end])


@given(st.binary(max_size=200))
def test_no_bytes_at_all_crash_the_reader_of_notes(data: bytes) -> None:
    with pytest.raises(Unproven):
        Verifier.parse(SPEC_KEY).open(data)


def test_signatures_of_unknown_keys_are_not_looked_at() -> None:
    witness = Signer.generate("witness.example")
    both = SPEC_NOTE + witness.sign("This is an example message.\n").split(b"\n\n")[1]
    assert Verifier.parse(SPEC_KEY).open(both) == "This is an example message.\n"
    assert witness.verifier.open(both) == "This is an example message.\n"


def test_a_bad_signature_of_a_known_key_spoils_the_note_even_beside_a_good_one() -> None:
    line = SPEC_NOTE.split(b"\n\n")[1]
    name, spelled = line.rstrip(b"\n").rsplit(b" ", 1)
    bent = bytearray(b64decode(spelled))
    bent[-1] ^= 1
    with pytest.raises(Unproven, match="not good"):
        Verifier.parse(SPEC_KEY).open(SPEC_NOTE + name + b" " + b64encode(bytes(bent)) + b"\n")


def test_a_key_of_the_same_name_is_another_key(signer: Signer) -> None:
    with pytest.raises(Unproven, match="not signed by"):
        Signer.generate(signer.name).verifier.open(signer.sign("text\n"))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "example.com/foo",
        SPEC_KEY.replace("530d903a", "530d903b"),
        SPEC_KEY.replace("example.com/foo", "example.com/bar"),
        SPEC_KEY[:-1] + "l",  # stray bits at the end of the base64
        SPEC_KEY.replace("+Aek", "+Bek"),  # another kind of key
        SPEC_KEY.replace("example.com/foo", "example .com"),
    ],
)
def test_an_altered_verifier_key_is_refused(line: str) -> None:
    with pytest.raises(Unproven):
        Verifier.parse(line)


def test_a_mistyped_path_of_a_key_is_told_as_that() -> None:
    with pytest.raises(BadInput, match="there is no such file"):
        Verifier.from_option("keys/lab-kye.txt")


def test_a_key_option_is_text_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    path.write_text(SPEC_KEY + "\n")
    assert Verifier.from_option(str(path)) == Verifier.from_option(SPEC_KEY) == Verifier.parse(SPEC_KEY)
    path.write_bytes(b"\xff\xfe")
    for wrong in (str(path), "nonsense", "x" * 10_000, "a\0b", str(tmp_path)):
        with pytest.raises(BadInput, match="--key: no public key"):
            Verifier.from_option(wrong)


def test_a_key_is_kept_for_its_owner_alone_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "ledger.pem"
    made = Signer.create(path, "lab.example/log")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    again = Signer.load(path, "lab.example/log")
    assert again.verifier == made.verifier
    assert made.verifier.open(again.sign("text\n")) == "text\n"


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "ledger.pem"
    Signer.create(path, "lab.example/log")
    before = path.read_bytes()
    with pytest.raises(Broken, match="cannot be written"):
        Signer.create(path, "lab.example/log")
    assert path.read_bytes() == before


def test_a_key_file_that_is_gone_or_none_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "ledger.pem"
    with pytest.raises(Broken, match="cannot be read"):
        Signer.load(path, "lab.example/log")
    path.write_text("no key")
    with pytest.raises(Broken, match="not a private key"):
        Signer.load(path, "lab.example/log")
    other = generate_private_key(SECP256R1())
    path.write_bytes(
        other.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    with pytest.raises(Broken, match="not an Ed25519 key"):
        Signer.load(path, "lab.example/log")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb"])
def test_a_log_needs_a_name_that_a_note_can_carry(name: str) -> None:
    with pytest.raises(BadInput, match="cannot name a log"):
        Signer.generate(name)


def test_a_checkpoint_is_accepted_by_another_reader_and_theirs_here(signer: Signer) -> None:
    made = Checkpoint(signer.name, 7, leaf_hash(b"x"))
    note = made.sign(signer)
    theirs = OtherCheckpoint.from_text(note.decode())
    theirs.verify(Vkey.from_string(signer.verifier.to_line()))
    assert (theirs.origin, theirs.size, theirs.root_hash) == (made.origin, made.size, made.root)
    assert Checkpoint.open(theirs.serialize().encode(), signer.verifier) == made


def test_a_checkpoint_of_another_log_is_refused_though_our_key_signed_it(signer: Signer) -> None:
    note = Checkpoint("other.example/log", 7, EMPTY).sign(signer)
    with pytest.raises(Unproven, match=r"of the log 'other.example/log'"):
        Checkpoint.open(note, signer.verifier)


@pytest.mark.parametrize(
    "text", ["o\n07\n{r}\n", "o\n-1\n{r}\n", "o\n7\n", "o\n7\nAAAA\n", "o\n\n{r}\n", "o\n\u0667\n{r}\n"]
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Unproven):
        Checkpoint.parse(text.format(r=b64encode(EMPTY).decode()))


def test_a_checkpoint_may_be_extended_but_ours_never_are(signer: Signer) -> None:
    plain = Checkpoint(signer.name, 1, EMPTY)
    extended = signer.sign(plain.text() + "extension\n")
    assert Checkpoint.open(extended, signer.verifier) == plain
    with pytest.raises(Unproven, match="more than was signed"):
        Checkpoint.open_own(extended, signer.verifier)
    witnessed = plain.sign(signer) + Signer.generate("w.example").sign(plain.text()).split(b"\n\n")[1]
    assert Checkpoint.open(witnessed, signer.verifier) == plain
    with pytest.raises(Unproven, match="more than was signed"):
        Checkpoint.open_own(witnessed, signer.verifier)
