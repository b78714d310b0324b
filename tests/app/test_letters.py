"""Every event has its letters or a reason for silence; letters say what binds, and leak and forge nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

import readingroom
from admissions.world import ANSWERS, World, judged
from readingroom.admissions.model import Draft, Outcome, Reason, Risk, Ruling
from readingroom.app.letters import post
from readingroom.app.letters.reminding import remind
from readingroom.app.letters.scene import Scene
from readingroom.app.letters.table import LETTERS, SILENT
from readingroom.app.letters.writing import TEMPLATES, as_html, quoted, write
from readingroom.core.clock import FixedClock
from readingroom.ledger import queries
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.model import Entry
from readingroom.ledger.service import Ledger
from readingroom.people.model import Role
from readingroom.post.model import Letter, Mailbox
from readingroom.post.service import Outbox
from readingroom.post.spelling import as_sent, compose, one_line
from readingroom.post.tables import letter as table
from readingroom.store.db import Database

BASE = "https://reading.example"
ROOMS = "people|ledger|dossier|stress|admissions|access|releases|gateway|publication|oversight|engines|app"
BOX = Mailbox(sender="room@lab.example")


def events_in_the_source() -> set[str]:
    """Return every event that the code names: the plain strings that have an event's form."""
    form = re.compile(rf'"((?:{ROOMS})\.[a-z]+\.[a-z-]+)"')
    source = Path(readingroom.__file__).parent
    files = [each for each in source.rglob("*.py") if "letters" not in each.parts and each.parent != source / "cli"]
    return {found for file in files for found in form.findall(file.read_text(encoding="utf-8"))}


def test_every_event_has_letters_or_is_silent_for_a_reason() -> None:
    said = events_in_the_source()
    assert len(said) > 50
    cure = "say in app/letters/table.py who is told of it, or why nobody is"
    assert said <= set(LETTERS) | set(SILENT), cure
    assert not set(LETTERS) & set(SILENT)
    assert all(len(why) > 20 for why in SILENT.values())


def test_every_template_is_used() -> None:
    used = {told.template for each in LETTERS.values() for told in each} | {"layout", "words", "due"}
    assert {each.stem for each in TEMPLATES.glob("*.txt")} == used


@pytest.fixture
def world(sqlite_db: Database, ledger: Ledger, clock: FixedClock) -> World:
    made = World(sqlite_db, ledger, clock)
    outbox = Outbox(sqlite_db, clock)
    post.listen(ledger, outbox, BOX, lambda: BASE)
    return made


def letters(world: World, to: str = "", event: str = "") -> list[Letter]:
    """Return what waits, oldest entry first."""
    with world.db.read() as tx:
        rows = tx.execute(sa.select(table).order_by(table.c.entry, table.c.id)).all()
    made = [
        Letter(r.id, r.event, r.entry, r.person, r.recipient, r.subject, r.text, r.html, r.made_at, r.calendar)
        for r in rows
    ]
    return [each for each in made if to in each.to and event in each.event]


def test_a_whole_call_is_told_step_by_step_to_whom_it_concerns(world: World) -> None:
    call, made = world.reviewed((20_000, 20_000), (judged(5, 5), judged(1, 1)))
    told = {each.event for each in letters(world)}
    assert told == {
        "admissions.call.opened", "admissions.application.submitted", "admissions.call.closed",
        "admissions.review.assigned",
    }  # fmt: skip
    world.desk.allocate(world.panel, call.id)
    before = len(letters(world))
    world.desk.publish(world.panel, call.id)
    after = letters(world)[before:]
    assert sorted(each.event for each in after) == ["admissions.application.decided", "admissions.award.made"]
    good = next(each for each in after if each.event == "admissions.award.made")
    assert "15,000 passes" in good.text
    assert "BEGIN:VEVENT" in good.calendar
    refused = world.desk.decision(world.people.actor(made[1].person), made[1].id)
    assert refused is not None
    bad = next(each for each in after if each.event == "admissions.application.decided")
    for said in (refused.reason.value, refused.text[:40], refused.differ[:40], refused.appeal[:40]):
        assert said in bad.text.replace("\n> ", " ")
    assert f"{refused.reapply_from:%-d %B %Y}" in bad.text
    # the checkpoint in the letter is the log's own, and its size the entry that the letter tells of
    note = "\n".join(line[4:] for line in bad.text.splitlines() if line.startswith("    "))
    kept = Checkpoint.open_own(note.encode() + b"\n", world.ledger.verifier)
    assert kept.size == (bad.entry or 0) + 1
    award = world.desk.my_awards(world.people.actor(made[0].person))[0]
    world.desk.accept_award(world.people.actor(made[0].person), award.id)
    assert letters(world)[-1].event == "admissions.award.accepted"


def test_who_reviews_and_what_is_hidden_stands_in_no_letter(world: World) -> None:
    call, made = world.reviewed((20_000, 20_000), (judged(), judged(2, 2, Risk.VETO)))
    ids = {each.id for each in made}
    for one in world.reviewers:
        own = letters(world, world_email(world, one.id))
        assert own
        assert not any(each in letter.text + letter.html for letter in own for each in ids), "blind"
    reviewers = {world_email(world, each.id) for each in world.reviewers} | {each.id for each in world.reviewers}
    for applicant in made:
        sent = letters(world, world_email(world, applicant.person))
        assert sent
        assert not any(each in letter.text + letter.html for letter in sent for each in reviewers)
        assert not any(re.search(r"\b(two|2) review|veto", letter.text) for letter in sent)
    assert call.id in letters(world, event="admissions.call.opened")[0].text


def world_email(world: World, person: str) -> str:
    with world.db.read() as tx:
        return str(tx.exec_driver_sql("select email from people_person where id = ?", (person,)).scalar_one())


def test_a_letter_is_there_exactly_if_its_decision_is(world: World) -> None:
    call = world.open_by_person()
    (one,) = world.applicants(1)
    made = world.apply(one, call)
    before = letters(world)

    def fail(_tx: object, _entry: object) -> None:
        raise RuntimeError

    world.ledger.on("admissions.application.withdrawn", fail)  # heard after the letter was put
    with pytest.raises(RuntimeError):
        world.desk.withdraw(one, made.id)
    assert letters(world) == before
    assert world.desk.my_applications(one)[0].state.value == "submitted"


def test_drafts_and_submitted_applications_are_told_different_things_at_the_close(world: World) -> None:
    call = world.open()
    one, two = world.applicants(2)
    world.apply(one, call)
    world.desk.start(two, call.id, Draft(ANSWERS, 5_000))
    world.clock.advance(days=400)
    world.desk.close_call(world.steward, call.id)
    (closed,) = letters(world, event="admissions.call.closed")
    (late,) = letters(world, event="admissions.application.late")
    assert (closed.to, late.to) == ("a@place0.example", "a@place1.example")
    assert "refusal" in late.text


def test_a_correction_and_a_single_decision_are_told_with_their_words(world: World) -> None:
    call = world.open_by_person()
    (one,) = world.applicants(1)
    made = world.apply(one, call)
    until = world.clock.now() + timedelta(days=3)
    world.desk.return_application(world.steward, made.id, "Say where.\n- and why\n\nBcc: x@y.example", until)
    (returned,) = letters(world, event="returned")
    assert "> Say where.\n> - and why\n>" in returned.text
    assert "correct-by" in returned.calendar
    world.desk.submit(one, made.id)
    world.clock.advance(days=400)
    world.desk.decide(world.panel, made.id, Ruling(Outcome.REFUSED, Reason.UNCLEAR, "Not clear."))
    (refused,) = letters(world, event="decided")
    assert "> Not clear." in refused.text


EVIL = [
    "x\r\nBcc: eve@evil.example", "x\nSubject: other", "\u2028Bcc: eve", "=?utf-8?q?=0d=0aBcc:_eve@evil.example?=",
    "a\u202egnp.exe", "\x00\x0b\x0c\x85", "<script>alert(1)</script>", "https://evil.example/login", "{{ 7*7 }}{% x %}",
    "'\"><img src=x onerror=y>", "\ufeffzero\u200bwidth", "&lt;b&gt;", "    indented", "> quoted", "- item",
]  # fmt: skip


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_that_a_person_wrote_is_a_header_markup_or_link(world: World, clock: FixedClock, evil: str) -> None:
    (one,) = world.applicants(1)
    call = world.open_by_person()
    world.apply(one, call)
    with world.db.read() as tx:
        entry = next(each for each in entries(world) if each.event == "admissions.application.submitted")
        scene = Scene(tx, entry, clock.now(), BASE)
        assert scene.call is not None
        scene.call = replace(scene.call, file=replace(scene.call.file, title=evil))
        (found,) = scene.persons([one.id])
        person = replace(found, name=evil)
        told = LETTERS["admissions.application.submitted"][0]
        subject, text, html = write("submitted", BASE, scene=scene, said=scene.data, person=person, told=told)
    letter = Letter("letter_1", "e", 1, "p", "ada@lab.example", subject, text, html, clock.now())
    raw = as_sent(compose(letter, BOX))
    read = message_from_bytes(raw, policy=policy.default)
    assert set(read.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"
    }  # fmt: skip
    assert raw.partition(b"\r\n\r\n")[0].lower().count(b"\nbcc:") == 0
    assert read["To"] == "ada@lab.example"
    plain = read.get_body(("plain",))
    assert plain is not None
    greeting = next(line for line in plain.get_content().splitlines() if line.startswith("Dear "))
    assert greeting == f"Dear {one_line(evil).replace('https://', 'https[:]//')},"
    harmless = letters(world, event="submitted")[0].text
    assert plain.get_content().count("\n") == harmless.count("\n"), "no line more"
    tags = set(re.findall(r"<(/?[a-z]+)", html))
    assert tags <= {"html", "/html", "head", "/head", "meta", "title", "/title", "body", "/body", "div", "/div", "p",
                    "/p", "br", "a", "/a", "pre", "/pre"}  # fmt: skip
    assert all(link.startswith(BASE) for link in re.findall(r'href="([^"]*)"', html))
    assert "evil.example/login" not in "".join(re.findall(r"[a-z]+://\S+", text))


def entries(world: World) -> list[Entry]:
    with world.db.read() as tx:
        return [Entry.parse(leaf) for leaf in queries.leaves(tx, 0, queries.size(tx))]


@given(st.text(max_size=400))
def test_quoting_and_lines_hold_whatever_is_in_them(text: str) -> None:
    assert all(line.startswith("> ") for line in quoted(text).split("\n"))
    assert len(one_line(text).splitlines()) <= 1
    html = as_html(one_line(text), quoted(text), BASE)
    assert set(re.findall(r"<(/?[a-z]+)", html.split("<div", 1)[1])) <= {
        "/div",
        "blockquote",
        "/blockquote",
        "br",
        "/body",
        "/html",
    }


def test_the_html_has_the_words_of_the_plain_text(world: World) -> None:
    world.reviewed((20_000, 20_000), (judged(5, 5), judged(1, 1)))
    for each in letters(world):
        bare = re.sub(r"<[^>]+>", " ", each.html.split("<div", 1)[1].split(">", 1)[1])
        words = re.findall(r"\w+", unescape(bare))
        assert words == re.findall(r"\w+", each.text), each.subject


def test_reminders_are_one_letter_a_day_to_each_person(world: World, clock: FixedClock) -> None:
    outbox, (one,) = Outbox(world.db, clock), world.applicants(1)
    call = world.open_by_person()
    world.desk.start(one, call.id, Draft(ANSWERS, 5_000))
    closes = call.file.window.closes
    clock.moment = closes - timedelta(days=3)
    assert remind(world.db, outbox, lambda: BASE) == 1
    assert remind(world.db, outbox, lambda: BASE) == 0
    clock.moment = closes - timedelta(days=2)
    assert remind(world.db, outbox, lambda: BASE) == 0, "not every day"
    clock.moment = closes - timedelta(days=1)
    assert remind(world.db, outbox, lambda: BASE) == 1
    clock.moment = closes + timedelta(days=1)
    assert remind(world.db, outbox, lambda: BASE) == 0
    (first, _) = [each for each in letters(world) if each.event == "reminder"]
    assert call.file.title in first.text


def test_a_role_is_told_to_who_holds_it(world: World) -> None:
    steward = world.steward
    person = world.people.add(steward, "new@lab.example", roles=[Role.REVIEWER])
    (told,) = letters(world, person.email)
    assert "reviewer" in told.subject
