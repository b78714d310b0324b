"""A bundle is exactly what was signed, or it fails by name; and a rehearsal never passes for a release."""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readingroom.core.canonical import canonical, sha256
from readingroom.core.clock import FixedClock
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor, Role
from readingroom.publication import manifest as manifests
from readingroom.publication import oms
from readingroom.publication.manifest import Manifest
from readingroom.publication.record import Grounds
from readingroom.publication.service import Publication
from readingroom.publication.verify import verify
from readingroom.store.db import Database

STEWARD = Actor("person_s", frozenset({Role.STEWARD}))


class Press:
    """A house's press: everything that a bundle needs."""

    def __init__(self, db: Database, ledger: Ledger, clock: FixedClock, folder: Path) -> None:
        oms.create_key(folder / "release.key", folder / "release.pub")
        log = LedgerReader(db)
        self.publication = Publication(db, ledger, clock, log, folder / "release.key")
        self.key = oms.public_from_option(str(folder / "release.pub"))
        self.weights = folder / "weights.gguf"
        self.weights.write_bytes(b"weights" * 1000)
        self.folder = folder / "bundle"
        self.grounds = Grounds(
            "lm",
            "publication",
            False,
            "sha256:p",
            "sha256:g",
            "small",
            sha256(self.weights.read_bytes()),
            (),
            ledger.verifier.to_line(),
        )

    def last_leaf(self) -> bytes:
        with self.publication._db.read() as tx:
            leaf: bytes = tx.execute(sa.text("select leaf from ledger_entry order by seq desc limit 1")).scalar_one()
        return leaf

    def make(self, *, released: bool = False) -> Path:
        grounds = replace(self.grounds, open=released)
        documents = {"model_card.md": b"# Card", "energy.md": b"1 kWh"}
        self.publication.build(STEWARD, grounds, self.weights, documents, self.folder)
        self.publication.sign(STEWARD, self.folder, stage_open=released)
        return self.folder


@pytest.fixture
def press(sqlite_db: Database, ledger: Ledger, clock: FixedClock, tmp_path: Path) -> Press:
    return Press(sqlite_db, ledger, clock, tmp_path)


def test_a_signed_bundle_verifies_and_says_that_it_is_a_rehearsal(press: Press) -> None:
    report = verify(press.make(), press.key)
    assert report.ok
    assert (report.released, report.status, report.files) == (False, "NOT RELEASED", 4)


def test_a_released_one_says_so(press: Press) -> None:
    assert verify(press.make(released=True), press.key).released


def test_a_rehearsal_is_never_pushed_and_what_is_pushed_still_verifies(press: Press, tmp_path: Path) -> None:
    target = tmp_path / "public"
    with pytest.raises(Refused, match="publication/not-released"):
        press.publication.push(STEWARD, press.make(), target, stage_open=lambda _: True)
    shutil.rmtree(press.folder)
    with pytest.raises(Refused, match="publication/not-released"):
        press.publication.push(STEWARD, press.make(released=True), target, stage_open=lambda _: False)
    press.publication.push(STEWARD, press.folder, target, stage_open=lambda _: True)
    assert verify(target, press.key).released
    assert b"publication.bundle.pushed" in press.last_leaf()
    with pytest.raises(BadInput, match="is there already"):
        press.publication.push(STEWARD, press.folder, target, stage_open=lambda _: True)


def test_a_stage_that_closes_while_its_bundle_is_copied_publishes_nothing(press: Press, tmp_path: Path) -> None:
    looks = iter([True, False])
    with pytest.raises(Refused, match="publication/not-released"):
        press.publication.push(
            STEWARD, press.make(released=True), tmp_path / "public", stage_open=lambda _: next(looks)
        )
    assert not (tmp_path / "public").exists()


def test_a_stand_in_is_a_rehearsal_even_where_the_stage_is_open(press: Press) -> None:
    press.grounds = replace(press.grounds, stand_in=True)
    press.weights.write_text("no weights")
    report = verify(press.make(released=True), press.key)
    assert (report.ok, report.released, report.status) == (True, False, "NOT RELEASED")


@pytest.mark.parametrize(
    "model",
    [
        {"digest": "sha256:00"},
        {"digest": "sha256:00", "file": "small.gguf", "stand_in": False},
        {"digest": "sha256:00", "file": "none", "stand_in": True},
    ],
)
def test_a_record_that_names_other_weights_than_the_bundle_holds_does_not_verify(
    press: Press, monkeypatch: pytest.MonkeyPatch, model: object
) -> None:
    good = Grounds.to_json
    monkeypatch.setattr(Grounds, "to_json", lambda self, file: {**good(self, file), "model": model})
    press.grounds = replace(press.grounds, open=True)
    press.publication.build(STEWARD, press.grounds, press.weights, {}, press.folder)
    press.publication.sign(STEWARD, press.folder, stage_open=True)
    report = verify(press.folder, press.key)
    assert not report.ok
    assert "weights" in report.problems[0]


def test_a_bundle_that_was_touched_is_not_pushed(press: Press, tmp_path: Path) -> None:
    folder = press.make(released=True)
    (folder / "energy.md").write_bytes(b"0 kWh")
    with pytest.raises(Refused, match=r"energy\.md"):
        press.publication.push(STEWARD, folder, tmp_path / "public", stage_open=lambda _: True)


def test_a_rehearsal_whose_record_was_edited_is_not_signed(press: Press) -> None:
    record = press.make() / "release.json"
    record.write_bytes(record.read_bytes().replace(b"NOT RELEASED", b"RELEASED"))
    with pytest.raises(Refused, match="publication/not-released"):
        press.publication.sign(STEWARD, press.folder, stage_open=False)
    assert not verify(press.folder, press.key).released


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"status": "RELEASED"}', '{"status": []}', "[" * 100_000])
def test_what_is_no_bundle_is_neither_signed_nor_pushed(press: Press, tmp_path: Path, text: str) -> None:
    (press.make() / "release.json").write_text(text)
    with pytest.raises(BadInput, match="is no bundle"):
        press.publication.sign(STEWARD, press.folder, stage_open=True)
    with pytest.raises(BadInput, match="is no bundle"):
        press.publication.push(STEWARD, press.folder, tmp_path / "public", stage_open=lambda _: True)


def test_other_weights_than_the_evidence_is_about_are_not_bundled(press: Press) -> None:
    press.weights.write_bytes(b"other weights")
    with pytest.raises(Refused, match="publication/other-weights"):
        press.make()
    assert not press.folder.exists()


def test_only_the_steward_builds_signs_and_pushes(press: Press, tmp_path: Path) -> None:
    folder, reader = press.make(released=True), Actor("person_r")
    acts: list[Callable[[], object]] = [
        lambda: press.publication.build(reader, press.grounds, press.weights, {}, tmp_path / "other"),
        lambda: press.publication.sign(reader, folder, stage_open=True),
        lambda: press.publication.push(reader, folder, tmp_path / "public", stage_open=lambda _: True),
    ]
    for act in acts:
        with pytest.raises(Refused, match="people/not-allowed"):
            act()


MUTATIONS = ("flip", "truncate", "remove", "rename", "add", "link", "swap", "folder-link", "hidden")


def mutate(folder: Path, kind: str, victim: str, at: int) -> str:
    """Change a bundle and return the name that the verifier must tell."""
    path = folder / victim
    if kind == "flip":
        data = bytearray(path.read_bytes())
        data[at % len(data)] ^= 1
        path.write_bytes(bytes(data))
    elif kind == "truncate":
        path.write_bytes(path.read_bytes()[: at % path.stat().st_size])
    elif kind == "remove":
        path.unlink()
    elif kind == "rename":
        path.rename(folder / "other.bin")
    elif kind == "add":
        (folder / "extra.bin").write_bytes(b"x")
        return "extra.bin"
    elif kind == "hidden":
        (folder / ".gitattributes").write_bytes(b"x")
        return ".gitattributes"
    elif kind == "link":
        path.rename(folder.parent / "aside.bin")
        path.symlink_to(folder.parent / "aside.bin")
    elif kind == "folder-link":
        (folder / "elsewhere").symlink_to(folder.parent)
        return "elsewhere"
    else:
        other = folder / ("energy.md" if victim != "energy.md" else "model_card.md")
        mine = path.read_bytes()
        path.write_bytes(other.read_bytes())
        other.write_bytes(mine)
    return victim


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(MUTATIONS),
    st.sampled_from(["small.gguf", "release.json", "model_card.md", "energy.md", "model.sig", "release.tlog-proof"]),
    st.integers(0, 10**6),
)
def test_any_change_fails_and_is_named(press: Press, kind: str, victim: str, at: int) -> None:
    if not press.folder.exists():
        press.make()
    copy = press.folder.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    (press.folder.parent / "aside.bin").unlink(missing_ok=True)
    shutil.copytree(press.folder, copy)
    named = mutate(copy, kind, victim, at)
    report = verify(copy, press.key)
    assert not report.ok
    assert not report.released
    assert any(problem.startswith(named) for problem in report.problems), report


@pytest.mark.parametrize("name", ["model.sig", "release.tlog-proof"])
def test_no_single_byte_beside_the_manifest_is_idle(press: Press, name: str) -> None:
    path = press.make() / name
    good = path.read_bytes()
    unnoticed = []
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        report = verify(press.folder, press.key)
        if report.ok or not report.problems[0].startswith(name):
            unnoticed.append((at, report))
    assert unnoticed == []


def test_white_space_around_a_signature_is_another_signature(press: Press) -> None:
    signature = press.make() / manifests.SIGNATURE
    signature.write_bytes(signature.read_bytes() + b"\n")
    assert "model.sig" in verify(press.folder, press.key).problems[0]


def test_base64_with_idle_bits_set_is_another_signature(press: Press) -> None:
    path = press.make() / "model.sig"
    said = json.loads(path.read_text())
    payload = said["dsseEnvelope"]["payload"]
    said["dsseEnvelope"]["payload"] = payload + "===="
    assert base64.b64decode(payload + "====") == base64.b64decode(payload)
    path.write_bytes(canonical(said))
    assert "model.sig" in verify(press.folder, press.key).problems[0]


def test_a_folder_that_cannot_be_read_is_told_and_not_passed_over(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = press.make()
    (folder / "attic").mkdir()
    scan = os.scandir

    def shut(path: str) -> Any:  # chmod would not keep root out
        if str(path).endswith("attic"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", shut)
    assert verify(folder, press.key).problems == ("attic: cannot be read (Permission denied)",)


def test_another_labs_key_proves_nothing(press: Press, tmp_path: Path) -> None:
    oms.create_key(tmp_path / "k", tmp_path / "p")
    report = verify(press.make(), oms.public_from_option((tmp_path / "p").read_text()))
    assert not report.ok
    assert "model.sig" in report.problems[0]


def test_the_proof_of_another_bundle_is_told(press: Press) -> None:
    first = press.make()
    proof = (first / manifests.PROOF).read_bytes()
    press.grounds = replace(press.grounds, plan="sha256:other")
    (press.make() / manifests.PROOF).write_bytes(proof)
    assert "is of another bundle" in verify(press.folder, press.key).problems[0]


def test_the_signature_of_another_bundle_names_what_differs(press: Press) -> None:
    first = press.make()
    signature = (first / manifests.SIGNATURE).read_bytes()
    press.grounds = replace(press.grounds, plan="sha256:other")
    (press.make() / manifests.SIGNATURE).write_bytes(signature)
    assert verify(press.folder, press.key).problems == ("release.json: was changed after signing",)


OUTSIDE = ["../outside", "/etc/passwd", "a/../b", "model.sig", "", ".", "a//b", "./a", "a/", "a\\b", "a\x1b[2Jb"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_manifest_cannot_reach_outside(press: Press, tmp_path: Path, name: str) -> None:
    forged = Manifest(((name, "00" * 32),))
    signature = oms.sign(forged, "bundle", oms.load_private(tmp_path / "release.key"))
    with pytest.raises(oms.Untrusted, match="outside the bundle"):
        oms.verify(signature, press.key)


@pytest.mark.parametrize("names", [("a", "a"), ("b", "a")])
def test_a_manifest_names_each_file_once_and_in_order(press: Press, tmp_path: Path, names: tuple[str, str]) -> None:
    forged = Manifest(tuple((name, "00" * 32) for name in names))
    signature = oms.sign(forged, "bundle", oms.load_private(tmp_path / "release.key"))
    with pytest.raises(oms.Untrusted, match="twice or out of order"):
        oms.verify(signature, press.key)


@pytest.mark.parametrize("kind", ["pipe", "link", "loop", "device"])
def test_what_is_no_file_is_neither_signed_nor_accepted(press: Press, kind: str) -> None:
    folder = press.make()
    if kind == "pipe":
        os.mkfifo(folder / kind)
    elif kind == "device":
        if os.getuid() != 0:
            pytest.skip("only root makes devices")
        os.mknod(folder / kind, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    else:
        (folder / kind).symlink_to(folder if kind == "loop" else folder / "energy.md")
    assert [each.partition(":")[0] for each in verify(folder, press.key).problems] == [kind]
    with pytest.raises(BadInput, match=kind):
        press.publication.sign(STEWARD, folder, stage_open=False)


def test_an_outsider_needs_none_of_our_rooms() -> None:
    code = (
        "import sys, readingroom.publication.verify; "
        "print([m for m in sys.modules if m.split('.')[0] in ('sqlalchemy', 'litestar', 'typer')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.deep
def test_another_implementation_accepts_our_signature(press: Press, tmp_path: Path) -> None:
    program = shutil.which("model_signing")
    if program is None:
        pytest.skip(
            "the package model-signing (with pyopenssl) is not on the PATH; see docs/explanation/publication.md"
        )
    folder = press.make()
    (folder / manifests.PROOF).unlink()  # it knows nothing of ours beside the signature
    command = [program, "verify", "key", str(folder), "--signature", str(folder / "model.sig")]
    subprocess.run([*command, "--public_key", str(tmp_path / "release.pub")], check=True, capture_output=True)


def test_the_release_record_is_plain_json_in_the_bundle(press: Press) -> None:
    record = json.loads((press.make() / "release.json").read_text())
    assert record["stage"] == "publication"
    assert record["ledger_key"].count("+") >= 2
