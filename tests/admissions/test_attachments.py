"""Attached files as attacks: what they are not, whose they are not, and where they must not be shown."""

from __future__ import annotations

import base64
import io
import re
import unicodedata
import zipfile
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from admissions.world import ANSWERS, CALL, World
from readingroom.admissions import attachments, tables
from readingroom.admissions.form import FileKind
from readingroom.admissions.model import Application, Draft
from readingroom.core.canonical import sha256
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.gateway.texts import NOT_COPIED
from readingroom.people.model import Actor, Role
from readingroom.store import copy, personal
from readingroom.store.db import metadata
from readingroom.store.personal import Someone

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 20
PLAN: dict[str, Any] = {"name": "plan", "type": "attachment", "label": "Your plan", "required": False, "files": 2}
CV: dict[str, Any] = PLAN | {"name": "cv", "label": "CV", "shown_to_reviewers": False, "types": ["pdf"], "megabytes": 1}
FORM = [*yaml.safe_load(CALL)["form"], PLAN, CV]
AT = datetime(2026, 1, 1, tzinfo=UTC)


def zipped(name: str = "x.txt") -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        file.writestr(name, "x")
    return held.getvalue()


def begun(world: World) -> tuple[Actor, Application]:
    call = world.open(form=FORM)
    (who,) = world.applicants(1)
    return who, world.desk.start(who, call.id, Draft(ANSWERS, 9_000))


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (PDF, "plan.pdf", FileKind.PDF),
        (PDF, "plan.png", FileKind.PDF),
        (PDF + b"<script>alert(1)</script>", "a.html", FileKind.PDF),
        (PNG, "x", FileKind.PNG),
        (JPEG, "x.zip", FileKind.JPEG),
        (b"a,b\n1,2\n", "t.CSV", FileKind.CSV),
        ("\ufeffgrün".encode(), "t.txt", FileKind.TXT),
        (b"<html><script>alert(1)</script>", "page.html", FileKind.TXT),
        (zipped(), "plan.pdf", None),
        (zipped("word/document.xml"), "plan.docx", None),
        (zlib.compress(b"\0" * 1_000_000), "plan.pdf", None),
        (b"\x1f\x8b\x08\0", "t.txt", None),
        (b"MZ\x90\0", "setup.txt", None),
        (b" %PDF-1.7\0", "late.pdf", None),
        (b"nul \0 in it", "t.txt", None),
        (b"\xff\xfea\0", "utf-16.txt", None),
        (b"\x1b]0;title\x07", "terminal.txt", None),
        (b"", "empty.txt", None),
    ],
)
def test_a_file_is_what_its_bytes_are_whatever_its_name_says(content: bytes, name: str, kind: FileKind | None) -> None:
    assert attachments.kind_of(content, name) is kind


def test_archives_and_what_is_too_large_too_many_or_of_another_kind_are_refused(lite: World) -> None:
    who, made = begun(lite)

    def attach(question: str, content: bytes) -> attachments.Attachment:
        return lite.desk.attach(who, made.id, question, "a.pdf", content)

    for question, content, what in (
        ("plan", zipped(), "none of the kinds"),
        ("plan", b"", "is empty"),
        ("plan", PDF + b"x" * 2_000_000, "larger than 2,000,000 bytes"),
        ("cv", PNG, "is a png file"),
        ("purpose", PDF, "takes no file"),
        ("state", PDF, "takes no file"),
    ):
        with pytest.raises(BadInput, match=what):
            attach(question, content)
    attach("plan", PDF)
    with pytest.raises(BadInput, match=r"is attached already, as a\.pdf"):
        attach("cv", PDF)
    attach("plan", PNG)
    with pytest.raises(BadInput, match="takes 2 files, and has that already"):
        attach("plan", JPEG)


def test_a_bomb_is_bytes_and_no_more(lite: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every way to unpack taken away, a page that grows to gigabytes is kept and handed out."""
    bomb = b"%PDF-1.7\n<< /Filter /FlateDecode >> stream\n" + zlib.compress(b"\0" * 30_000_000) + b"\nendstream"

    def unpack(*_: object, **__: object) -> None:
        raise AssertionError("a file was unpacked")

    for module, name in ((zlib, "decompress"), (zlib, "decompressobj"), (zipfile, "ZipFile")):
        monkeypatch.setattr(module, name, unpack)
    who, made = begun(lite)
    kept = lite.desk.attach(who, made.id, "plan", "bomb.pdf", bomb)
    assert lite.desk.attachment(who, made.id, kept.digest).content == bomb
    assert kept.size == len(bomb) < 100_000


NASTY = [
    "../../etc/passwd", "..\\..\\boot.ini", "C:\\x\\y.pdf", "a\r\nSet-Cookie: x=1.pdf", 'a"; filename="b.exe',
    "a\0.pdf", "invoice\u202efdp.exe", "\u2066x\u2069.pdf", "<img src=x onerror=alert(1)>.pdf",
    "'\"><script>alert(1)</script>.pdf", "", ".", "..", "   ", ".htaccess", "-rf.pdf", "a" * 5_000 + ".pdf",
    "x.pdf.exe", "naïve plan.PDF", "\ud800.pdf", "a;b|c&d`e$f.pdf", "%2e%2e%2fetc", "\u2028\u2029.pdf",
    "plan.jpg", "\u200bx\ufeff.pdf",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(name=st.text(max_size=60), kind=st.sampled_from(FileKind))
@example(name="plan.jpg", kind=FileKind.JPEG)
def test_every_name_becomes_one_that_harms_nobody(name: str, kind: FileKind) -> None:
    clean = attachments.clean_name(name, kind)
    assert clean.endswith(f".{kind.value}")
    assert len(clean) <= 100
    assert clean[0] not in ". -~"
    assert not set(clean) & set("\"<>|:*?\\/;%&'`$\r\n\0")
    assert all(unicodedata.category(each)[0] != "C" for each in clean)
    assert attachments.clean_name(clean, kind) == clean, "a clean name stays as it is"


@pytest.mark.parametrize("name", NASTY)
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    clean = attachments.clean_name(name, FileKind.PDF)
    about = attachments.Attachment("a", "sha256:0", "plan", clean, FileKind.PDF, 1, AT)
    headers = attachments.handed(about, PDF).headers
    assert re.fullmatch(
        r"attachment; filename=\"[\w ().-]+\.pdf\"; filename\*=UTF-8''[\w.%~-]+\.pdf",
        headers["content-disposition"],
        re.ASCII,
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    test_every_name_becomes_one_that_harms_nobody.hypothesis.inner_test(name, FileKind.PDF)  # type: ignore[attr-defined]


def test_a_draft_cannot_name_files_that_it_does_not_hold(lite: World) -> None:
    who, made = begun(lite)
    (other,) = [lite.person("b@other.example")]
    theirs = lite.desk.start(other, made.call, Draft(ANSWERS, 9_000))
    kept = lite.desk.attach(other, theirs.id, "plan", "theirs.pdf", PDF)
    with pytest.raises(BadInput, match="does not name what is attached"):
        lite.desk.save(who, made.id, Draft({**ANSWERS, "plan": (kept.digest,)}, 9_000))
    with pytest.raises(BadInput, match="does not name what is attached"):
        lite.desk.start(lite.person("c@c.example"), made.call, Draft({"plan": (kept.digest,)}))
    for act in (lite.desk.attachment, lite.desk.detach):
        for application, digest in ((theirs.id, kept.digest), (made.id, kept.digest)):
            with pytest.raises(Refused, match="unknown"):
                act(who, application, digest)
    mine = lite.desk.attach(who, made.id, "plan", "mine.pdf", PDF)
    assert mine.digest == kept.digest, "the same bytes are kept twice: none learns of the other"
    same = lite.desk.save(who, made.id, Draft({**ANSWERS, "plan": (mine.digest,)}, 9_000))
    assert same.draft.answers["plan"] == (sha256(PDF),)


def test_what_a_version_holds_is_kept_for_it_and_what_none_holds_is_gone(world: World) -> None:
    who, made = begun(world)
    one = world.desk.attach(who, made.id, "plan", "one.pdf", PDF)
    two = world.desk.attach(who, made.id, "plan", "two.png", PNG)
    world.desk.detach(who, made.id, two.digest)
    sent = world.desk.submit(who, made.id)
    assert sent.submitted is not None
    assert sent.submitted.draft.answers["plan"] == (one.digest,)
    world.desk.detach(who, made.id, one.digest)
    assert "plan" not in world.desk.application(who, made.id).draft.answers
    assert world.desk.attachment(who, made.id, one.digest).content == PDF, "the first version still has it"
    assert world.desk.attachment(world.steward, made.id, one.digest).content == PDF
    with world.db.read() as tx:
        assert tx.execute(sa.select(tables.attachment.c.digest)).scalars().all() == [one.digest]
    world.desk.submit(who, made.id)
    with pytest.raises(Refused, match="attachment-unknown"):
        world.desk.attachment(world.steward, made.id, one.digest)
    again = world.desk.attach(who, made.id, "plan", "again.pdf", PDF)
    assert (again.name, again.removed_at) == ("again.pdf", None)


def test_a_reviewer_downloads_what_the_form_shows_under_a_name_of_nobody(lite: World) -> None:
    who, made = begun(lite)
    shown = lite.desk.attach(who, made.id, "plan", "Plan of Ada Applicant.png", PNG)
    hidden = lite.desk.attach(who, made.id, "cv", "CV.pdf", PDF)
    lite.desk.submit(who, made.id)
    lite.desk.close_call(lite.steward, made.call)
    lite.desk.assign_reviewers(lite.steward, made.call)
    one, idle = lite.reviewers[0], lite.person("idle@west.example", "West", Role.REVIEWER)
    (task,) = lite.desk.reviews_to_do(one)
    found = lite.desk.review_attachment(one, task.view.review, shown.digest)
    assert found.content == PNG
    assert "plan-1.png" in found.headers["content-disposition"]
    assert "Ada" not in str(found.headers)
    with pytest.raises(Refused, match="attachment-unknown"):
        lite.desk.review_attachment(one, task.view.review, hidden.digest)
    for by in (idle, lite.steward, who):
        with pytest.raises(Refused, match="not-a-reviewer"):
            lite.desk.review_attachment(by, task.view.review, shown.digest)
    for by in (one, idle, lite.person("x@x.example")):
        with pytest.raises(Refused):
            lite.desk.attachment(by, made.id, shown.digest)


def test_a_window_that_closed_takes_no_files(lite: World) -> None:
    who, made = begun(lite)
    kept = lite.desk.attach(who, made.id, "plan", "one.pdf", PDF)
    lite.desk.close_call(lite.steward, made.call)
    with pytest.raises(Refused, match="window-closed"):
        lite.desk.attach(who, made.id, "plan", "two.png", PNG)
    with pytest.raises(Refused, match="window-closed"):
        lite.desk.detach(who, made.id, kept.digest)
    assert lite.desk.attachment(who, made.id, kept.digest).content == PDF, "what was kept is still its applicant's"


def test_an_applicant_who_is_erased_leaves_no_file_and_no_address(world: World) -> None:
    who, made = begun(world)
    secret_plan = b"Nobody else wrote this sentence."
    world.desk.attach(who, made.id, "plan", "plan.txt", secret_plan)
    world.desk.submit(who, made.id)
    world.desk.invite(who, made.id, "friend@far.example")
    with world.db.write() as tx:
        shown = personal.held(tx, metadata, Someone(frozenset({who.id}), frozenset({"a@place0.example"})))
        assert shown["admissions_attachment"][0]["name"] == "plan.txt"
        assert "hash" not in shown["admissions_invitation"][0]
        personal.erase(tx, metadata, Someone(frozenset({who.id}), frozenset({"a@place0.example"})))
        rows = b"".join(line for table in copy.tables(tx) for line in copy.rows_out(tx, table))
    for gone in (base64.b64encode(secret_plan)[:-4], b"plan.txt", b"friend@far.example", b"place0.example"):
        assert gone not in rows


def test_a_backup_holds_the_files(world: World) -> None:
    who, made = begun(world)
    world.desk.attach(who, made.id, "plan", "plan.pdf", PDF)
    with world.db.read() as tx:
        (table,) = [each for each in copy.tables(tx, NOT_COPIED) if each.name == "admissions_attachment"]
        (_, row) = list(copy.rows_out(tx, table))
    assert base64.b64encode(PDF) in row
