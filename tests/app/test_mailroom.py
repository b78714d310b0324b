"""The house's mail as its steward sees it, and as a server that runs sends it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import icalendar
import pytest

from mailserver import PASSWORD, USER, MailServer, running
from readingroom.app import mailroom
from readingroom.app.checkup import LATE, Finding, examine
from readingroom.app.house import House
from readingroom.app.mail import SPOOL
from readingroom.core.clock import FixedClock, SystemClock
from readingroom.core.errors import BadInput, Broken
from readingroom.core.refusal import Refused
from readingroom.core.settings import MAIL_PASSWORD, Settings, load
from readingroom.people.model import Actor, Role
from readingroom.post.model import Letter, State, read
from readingroom.store.db import Database
from served import found, program, run, served


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with running(tmp_path_factory.mktemp("mail")) as server:
        yield server


def set_mail(home: Path, mail: MailServer, **changes: object) -> None:
    values = {"host": "127.0.0.1", "port": mail.port, "user": USER, "from": "room@lab.example"}
    values |= {"ca_file": str(mail.ca_file)} | changes
    lines = [f"{name} = {value if isinstance(value, int) else repr(value)}" for name, value in values.items()]
    with (home / "readingroom.toml").open("a") as file:
        file.write("\n[mail]\n" + "\n".join(lines) + "\n")


@pytest.fixture
def home(tmp_path: Path, mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    mail.letters.clear()
    monkeypatch.setenv(MAIL_PASSWORD, PASSWORD)
    made = found(tmp_path / "home")
    set_mail(made, mail)
    return made


def letters_line(house: House) -> Finding:
    return next(each for each in examine(house) if each.name == "mail")


def test_a_letter_that_cannot_be_sent_is_told_by_doctor_and_can_be_tried_anew_or_removed(
    home: Path, mail: MailServer
) -> None:
    clock = FixedClock(SystemClock().now())
    house = House(load(home), clock)
    operator = house.people.operator()
    house.people.add(operator, "nobody@lab.example", roles=[Role.REVIEWER])
    assert letters_line(house).ok, "it waits, and nothing is wrong yet"
    assert house.sender().round() == 0
    (stuck,) = mailroom.unsent(house, operator)
    assert (stuck.state, stuck.to) == (State.STUCK, "nobody@lab.example")
    told = letters_line(house)
    assert not told.ok
    assert "1 are stuck" in told.detail
    assert "mail list" in told.cure
    assert run(home, "mail", "list")[0]["problem"].startswith("550")
    assert run(home, "mail", "retry", stuck.id) == {"retried": 1}
    assert house.outbox.counts()[State.WAITING] == 1
    assert run(home, "mail", "drop", stuck.id) == {"dropped": stuck.id}
    assert "post/letter-unknown" in str(run(home, "mail", "drop", stuck.id, code=1))
    assert letters_line(house).ok
    assert mail.letters == []
    house.close()


def test_letters_that_wait_in_vain_for_an_hour_are_told_too(home: Path, mail: MailServer) -> None:
    clock = FixedClock(SystemClock().now())
    house = House(load(home), clock)
    house.outbox.put([Letter("letter_1", "e", None, "", "ada@lab.example", "s", "t", "", clock.now())])
    mail.answers.append("451 later")
    house.sender().round()
    assert letters_line(house).ok
    clock.advance(seconds=LATE.total_seconds() + 1)
    assert "none could be sent since" in letters_line(house).detail
    assert not letters_line(house).ok
    house.close()


def test_a_password_that_is_missing_is_told_and_never_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(load(home))
    monkeypatch.delenv(MAIL_PASSWORD)
    assert any(MAIL_PASSWORD in each.cure for each in examine(house) if each.name == "mail")
    assert PASSWORD not in (home / "readingroom.toml").read_text()
    house.close()


def test_a_trial_letter_says_whether_the_server_takes_it(home: Path, mail: MailServer) -> None:
    assert run(home, "mail", "try", "ada@lab.example")["by"] == f"127.0.0.1:{mail.port}"
    assert mail.messages()[-1]["To"] == "ada@lab.example"
    code, _, err = program("--home", str(home), "mail", "try", "nobody@lab.example")
    assert code == 1
    assert "550" in err
    run(home, "mail", "try", "ada@lab.example\nBcc: eve@evil.example", code=2)


def test_the_mail_is_the_stewards_and_the_operators_alone(tmp_path: Path) -> None:
    house = House(load(found(tmp_path / "home")))
    for role in Role:
        by = Actor("person_x", frozenset({role}))
        for ask in (mailroom.unsent, mailroom.counts, mailroom.retry):
            with contextlib.nullcontext() if role is Role.STEWARD else pytest.raises(Refused, match="not-allowed"):
                ask(house, by)
    house.close()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"hots": "x"}, "unknown setting"), ({"port": "25"}, "must be of type int"), ({"port": 0}, "port is 0"),
        ({"security": "ssl"}, "Use starttls, tls or none"), ({"keep_days": -1}, "negative"),
        ({"host": "mail.lab.example", "security": "none", "from": "a@b.example"}, "in the clear"),
        ({"host": "mail.lab.example"}, "from is missing"), ({"from": "a@b\r\nBcc: c@d"}, "from is"),
        ({"from": "nobody"}, "from is"), ({"sender": "a@b.example"}, "unknown setting"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant_are_told(changes: dict[str, int | str], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        read(changes)


def test_settings_are_read_back_as_they_are_spelled(tmp_path: Path) -> None:
    mail: dict[str, int | str] = {"host": "mail.lab.example", "port": 465, "security": "tls", "from": "a@b.example"}
    settings = Settings(home=tmp_path, mail=mail, engine_options={"words_per_second": 5})
    (tmp_path / "readingroom.toml").write_text(settings.to_toml())
    assert load(tmp_path) == settings


def test_dates_are_given_out_over_the_command_line(home: Path) -> None:
    issued = run(home, "grant", "issue", "--to", "operator@localhost", "--reason", "trial", "--accept-terms")
    made = run(home, "calendar", "mine")["calendar"]
    assert icalendar.Calendar.from_ical(made) is not None
    code, out, _ = program("--home", str(home), "calendar", "call", "call_x")
    assert code == 1, out
    assert issued["id"]


def until(holds: Callable[[], object], what: str) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError(f"waited in vain: {what}")


def wait_for(mail: MailServer, count: int) -> None:
    until(lambda: len(mail.letters) >= count, f"{count} letters")


def subjects(mail: MailServer) -> list[str]:
    return [str(each["Subject"]) for each in mail.messages()]


@pytest.mark.deep
def test_a_server_sends_and_what_its_death_left_is_sent_by_the_next(home: Path, mail: MailServer) -> None:
    with served(home) as house:
        assert house.http.post("/api/register", json={"email": "ada@lab.example"}).status_code == 202
        wait_for(mail, 1)
        assert "/sign-in?link=" in mail.messages()[0].get_content()
        until(lambda: not list((home / "outbox" / SPOOL).glob("*.eml")), "its file is removed")
        house.run("grant", "issue", "--to", "ada@lab.example", "--reason", "trial", "--accept-terms")
        wait_for(mail, 2)
        (portal,) = house.portal()
        mail.answers.append("451 later")
        house.run("person", "role", "ada@lab.example", "+reviewer")
        database = Database(load(home).database_url)

        def tried() -> object:
            with database.read() as tx:
                return tx.exec_driver_sql("select 1 from post_letter where attempts > 0").first()

        until(tried, "the letter that the server does not take yet")
        os.kill(portal, signal.SIGKILL)
        house.run("mail", "retry")
        wait_for(mail, 3)  # by the portal that was started again
        house.run("person", "role", "ada@lab.example", "+panel")
    mail.answers.clear()
    run(home, "person", "role", "ada@lab.example", "-panel")
    with served(home):
        until(lambda: any("taken from you: panel" in each for each in subjects(mail)), "the last letter")
    database.close()
    assert any("reviewer" in each for each in subjects(mail))


def test_a_mail_server_that_is_away_stops_nothing(home: Path) -> None:
    house = House(load(home))
    house.mailbox = type(house.mailbox)(host="127.0.0.1", port=1, sender="room@lab.example")
    with pytest.raises(Broken, match="not taken"):
        mailroom.try_address(house, house.people.operator(), "ada@lab.example")
    house.people.add(house.people.operator(), "ada@lab.example", roles=[Role.PANEL])
    assert house.sender().round() == 0
    assert house.outbox.counts()[State.WAITING] == 1
    house.close()
