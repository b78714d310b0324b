"""Letters reach a real mail server, once where nothing fails, and never end in silence where something does."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mailserver import PASSWORD, USER, MailServer, running
from readingroom.app.mail import SPOOL, STUCK, Post, Sender
from readingroom.core.clock import FixedClock
from readingroom.post.carriers import Folder, Smtp
from readingroom.post.model import Letter, Mailbox, Security, State, Undelivered
from readingroom.post.rules import LEASE, TRIED_FOR
from readingroom.post.service import Outbox
from readingroom.post.spelling import as_sent, compose
from readingroom.store.db import Database


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with running(tmp_path_factory.mktemp("mail")) as server:
        yield server


@pytest.fixture(autouse=True)
def emptied(mail: MailServer) -> None:
    mail.letters.clear()
    mail.answers.clear()


@dataclass
class Way:
    """A letter's way: from a database to the mail server."""

    db: Database
    clock: FixedClock
    mail: MailServer
    folder: Path

    @property
    def box(self) -> Mailbox:
        ca_file = str(self.mail.ca_file)
        return Mailbox("127.0.0.1", self.mail.port, Security.STARTTLS, USER, "room@lab.example", ca_file)

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.db, self.clock)

    def sender(self, password: str = PASSWORD, **changes: Any) -> Sender:
        box = replace(self.box, **changes)
        return Sender(self.outbox, Smtp(box, password), box, self.folder)


@pytest.fixture
def way(sqlite_db: Database, clock: FixedClock, mail: MailServer, tmp_path: Path) -> Way:
    return Way(sqlite_db, clock, mail, tmp_path / "outbox")


@pytest.fixture
def any_way(db: Database, clock: FixedClock, mail: MailServer, tmp_path: Path) -> Way:
    return Way(db, clock, mail, tmp_path / "outbox")


def letter(clock: FixedClock, name: str = "letter_1", to: str = "ada@lab.example", once: str = "") -> Letter:
    words = "Dear Ada,\n\nall is well. \u2013 Gr\u00fc\u00dfe\n"
    html = "<p>Dear Ada,</p>"
    return Letter(name, "test.letter.written", 1, "person_1", to, "A subject", words, html, clock.now(), "", once)


def test_a_letter_goes_out_encrypted_and_signed_in_with_both_its_forms(any_way: Way) -> None:
    outbox = any_way.outbox
    outbox.put([letter(any_way.clock, "letter_1"), letter(any_way.clock, "letter_2")])
    before = any_way.mail.sessions
    assert any_way.sender().round() == 2
    assert any_way.mail.sessions == before + 1, "one connection for letters that follow each other"
    first, second = any_way.mail.messages()
    assert (first["To"], first["From"].addresses[0].addr_spec) == ("ada@lab.example", "room@lab.example")
    assert {first["Message-ID"], second["Message-ID"]} == {"<letter_1@lab.example>", "<letter_2@lab.example>"}
    plain, html = (first.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert "Gr\u00fc\u00dfe" in plain.get_content()
    assert html.get_content().strip() == "<p>Dear Ada,</p>"
    assert outbox.counts() == {State.WAITING: 0, State.SENT: 2, State.STUCK: 0}
    assert any_way.sender().round() == 0, "and once only"


@pytest.mark.parametrize("answer", ["451 4.3.0 later, please", "hang up", "421 4.3.2 closing"])
def test_what_the_server_cannot_take_now_is_tried_again_later(way: Way, answer: str) -> None:
    outbox, post = way.outbox, way.sender()
    outbox.put([letter(way.clock)])
    way.mail.answers.append(answer)
    assert post.round() == 0
    (waiting,) = outbox.unsent()
    assert (waiting.state, waiting.attempts) == (State.WAITING, 1)
    assert waiting.problem
    assert post.round() == 0, "not at once"
    way.clock.advance(minutes=1)
    assert post.round() == 1
    assert len(way.mail.letters) == 1


@pytest.mark.parametrize(("to", "answer"), [("nobody@lab.example", ""), ("ada@lab.example", "554 5.7.1 not this")])
def test_what_the_server_refuses_for_good_stays_until_a_person_acts(way: Way, to: str, answer: str) -> None:
    outbox, post = way.outbox, way.sender()
    outbox.put([letter(way.clock, to=to), letter(way.clock, "letter_2", "eve@lab.example")])
    way.mail.answers += [answer] if answer else []
    assert post.round() == 1, "the next letter is not held up"
    way.clock.advance(days=400)
    assert post.round() == 0
    outbox.clear(7)
    (stuck,) = outbox.unsent()
    assert (stuck.state, stuck.to, stuck.problem[:2]) == (State.STUCK, to, "55")
    assert outbox.retry(stuck.id) == 1
    assert post.round() == (1 if answer else 0)


def test_after_three_days_in_vain_a_letter_is_stuck_and_not_gone(way: Way) -> None:
    outbox = way.outbox
    outbox.put([letter(way.clock)])
    post = way.sender(port=1)  # nobody listens there
    tries = 0
    while outbox.counts()[State.WAITING]:
        post.round()
        tries += 1
        way.clock.advance(hours=6)
    assert tries == TRIED_FOR / timedelta(hours=6) + 1
    (stuck,) = outbox.unsent()
    assert "Refused" in stuck.problem


def test_a_wrong_password_holds_letters_up_and_condemns_none(way: Way) -> None:
    outbox = way.outbox
    outbox.put([letter(way.clock)])
    assert way.sender("wrong").round() == 0
    (waiting,) = outbox.unsent()
    assert waiting.state is State.WAITING
    assert waiting.problem.startswith("535")
    assert "wrong" not in waiting.problem
    assert outbox.retry() == 1
    assert way.sender().round() == 1
    assert len(way.mail.letters) == 1


def test_nothing_is_said_in_the_clear_nor_to_a_server_with_another_name(way: Way, tmp_path: Path) -> None:
    outbox = way.outbox
    outbox.put([letter(way.clock)])
    before = way.mail.sessions
    assert way.sender(ca_file="").round() == 0, "a certificate nobody vouches for"
    with running(tmp_path, starttls=False) as plain:
        outbox.retry()
        assert way.sender(port=plain.port).round() == 0, "no STARTTLS"
        assert (plain.sessions, plain.letters) == (0, [])
    assert way.mail.sessions == before


KILLED = """
import os, signal, sys
from pathlib import Path
from readingroom.app.mail import Sender
from readingroom.core.clock import FixedClock
from readingroom.post.carriers import Smtp
from readingroom.post.model import Mailbox, Security
from readingroom.post.service import Outbox
from readingroom.store.db import Database

class DiesBeforeTheMark(Outbox):
    def sent(self, letter_id, claim):
        os.kill(os.getpid(), signal.SIGKILL)

url, port, ca, user, password, folder = sys.argv[1:]
box, clock = Mailbox("127.0.0.1", int(port), Security.STARTTLS, user, "room@lab.example", ca), FixedClock()
Sender(DiesBeforeTheMark(Database(url), clock), Smtp(box, password), box, Path(folder)).round()
"""


def test_a_kill_between_the_servers_yes_and_the_mark_repeats_the_letter_and_never_loses_it(way: Way) -> None:
    outbox = way.outbox
    outbox.put([letter(way.clock)])
    given = [way.db.url, str(way.mail.port), str(way.mail.ca_file), USER, PASSWORD, str(way.folder)]
    died = subprocess.run([sys.executable, "-c", KILLED, *given], check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    assert len(way.mail.letters) == 1
    post = way.sender()
    assert post.round() == 0, "another may be at it"
    way.clock.advance(seconds=LEASE.total_seconds())
    assert post.round() == 1
    one, other = way.mail.letters
    assert one == other, "byte for byte, so that a mail program knows it by its Message-ID"
    assert outbox.counts()[State.SENT] == 1


def test_two_senders_never_hold_the_same_letter_and_a_late_one_marks_nothing(db: Database, clock: FixedClock) -> None:
    outbox = Outbox(db, clock)
    outbox.put([letter(clock), letter(clock, "letter_2")])
    first, second = outbox.claim(), outbox.claim()
    assert first is not None
    assert second is not None
    assert {first[0].id, second[0].id} == {"letter_1", "letter_2"}
    assert outbox.claim() is None
    clock.advance(seconds=LEASE.total_seconds())
    again = outbox.claim()
    assert again is not None
    late = first if again[0].id == first[0].id else second
    outbox.sent(*(late[0].id, late[1]))
    outbox.not_sent(late[0].id, late[1], Undelivered("late", final=True))
    assert outbox.counts()[State.WAITING] == 2
    outbox.sent(again[0].id, again[1])
    assert outbox.counts() == {State.WAITING: 1, State.SENT: 1, State.STUCK: 0}


def test_a_letter_with_a_key_is_written_once_and_sent_ones_are_removed(db: Database, clock: FixedClock) -> None:
    outbox = Outbox(db, clock)
    assert outbox.put([letter(clock, once="due:1"), letter(clock, "letter_2", once="due:1"), letter(clock, "l3")]) == 2
    for _ in range(2):
        claimed = outbox.claim()
        assert claimed is not None
        outbox.sent(claimed[0].id, claimed[1])
    assert outbox.clear(7) == 0
    clock.advance(days=7)
    assert outbox.clear(7) == 2
    assert outbox.put([letter(clock, "letter_4", once="due:1")]) == 0, "what was told is known still"
    with db.read() as tx:
        stored = repr(tx.exec_driver_sql("select * from post_letter").all())
    assert not any(word in stored for word in ("ada@", "Dear", "subject"))


def test_in_a_folder_a_letter_that_comes_twice_stands_once(
    sqlite_db: Database, clock: FixedClock, tmp_path: Path
) -> None:
    outbox = Outbox(sqlite_db, clock)
    outbox.put([letter(clock)])
    post = Sender(outbox, Folder(tmp_path), Mailbox(), tmp_path)
    assert post.round() == 1
    assert outbox.claim() is None
    Folder(tmp_path).carry(compose(letter(clock), Mailbox()), next(tmp_path.glob("*.eml")).stem)
    assert len(list(tmp_path.glob("*.eml"))) == 1


def test_a_folder_that_cannot_be_written_holds_letters_up(
    sqlite_db: Database, clock: FixedClock, tmp_path: Path
) -> None:
    outbox, folder = Outbox(sqlite_db, clock), tmp_path / "outbox"
    folder.touch()
    outbox.put([letter(clock)])
    assert Sender(outbox, Folder(folder), Mailbox(), folder).round() == 0
    assert "cannot be written" in outbox.unsent()[0].problem


def test_a_sign_in_letter_goes_through_the_server_and_never_through_the_database(way: Way) -> None:
    post, by = way.sender(), Post(way.folder, way.clock, way.box)
    by.send("ada@lab.example", "Sign in", "https://reading.example/sign-in?link=secret\n")
    way.mail.answers.append("451 later")
    assert post.round() == 0
    way.clock.advance(minutes=1)
    assert post.round() == 1
    assert "link=secret" in way.mail.messages()[0].get_content()
    assert not list((way.folder / SPOOL).iterdir())
    with way.db.read() as tx:
        assert not tx.exec_driver_sql("select * from post_letter").all()


def test_a_sign_in_letter_that_nobody_takes_is_set_aside_and_kept(way: Way) -> None:
    post, by = way.sender(), Post(way.folder, way.clock, way.box)
    by.send("nobody@lab.example", "Sign in", "x\n")
    by.send("ada@lab.example", "Sign in", "y\n")
    way.mail.answers += ["451 later", "451 later"]
    assert post.round() == 0
    assert [each.suffix for each in (way.folder / SPOOL).iterdir()].count(STUCK) == 1
    way.clock.advance(days=1)
    assert post.round() == 0
    assert [each.suffix for each in (way.folder / SPOOL).iterdir()] == [STUCK, STUCK]


def test_the_same_letter_is_always_the_same_bytes(clock: FixedClock) -> None:
    one = replace(letter(clock), calendar="BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    assert as_sent(compose(one, Mailbox())) == as_sent(compose(one, Mailbox()))
