"""Calendar files are what RFC 5545 says: another reader finds in them what was put in, whatever it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import icalendar
from hypothesis import given
from hypothesis import strategies as st

from readingroom.post.calendar import Date, calendar, fold
from readingroom.post.spelling import one_line

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
# What people type: any character that a text of several lines may hold (core.text).
TYPED = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=300)


def date(title: str = "A date", text: str = "", **more: object) -> Date:
    values: dict[str, object] = {"uid": "call_1/closes", "at": NOW, "made_at": NOW, "changed_at": NOW, "url": ""}
    return Date(title=title, text=text, **{**values, **more})  # type: ignore[arg-type]


def read(text: str) -> list[icalendar.Event]:
    return [each for each in icalendar.Calendar.from_ical(text).walk("VEVENT") if isinstance(each, icalendar.Event)]


@given(TYPED, TYPED)
def test_another_reader_finds_the_same_words(title: str, text: str) -> None:
    (event,) = read(calendar([date(title, text)], "lab.example"))
    assert str(event["SUMMARY"]) == one_line(title)
    assert str(event.get("DESCRIPTION", "")) == text
    assert event.start == NOW
    assert event["UID"] == "call_1/closes@lab.example"


@given(TYPED)
def test_every_line_has_at_most_75_octets_and_unfolds_to_what_it_was(text: str) -> None:
    line = text.replace("\n", "")
    folded = fold(line)
    assert all(len(each.encode()) <= 75 for each in folded.split("\r\n"))
    assert folded.replace("\r\n ", "") == line


@given(TYPED)
def test_no_title_can_add_a_line_of_its_own(title: str) -> None:
    made = calendar([date(title + "\r\nATTENDEE:mailto:eve@evil.example\r\n", title)], "lab.example")
    assert made.count("\n") == made.count("\r\n") == made.count("\r")
    names = [line.split(":")[0] for line in made.replace("\r\n ", "").split("\r\n")]
    assert "ATTENDEE" not in names


def test_what_is_moved_keeps_its_uid_and_has_a_higher_sequence() -> None:
    was, moved = date(), date(at=NOW + timedelta(days=1), changed_at=NOW + timedelta(seconds=5))
    again = date(at=NOW, changed_at=NOW + timedelta(seconds=9))
    (first,), (second,), (third,) = (read(calendar([each], "lab.example")) for each in (was, moved, again))
    assert first["UID"] == second["UID"] == third["UID"]
    sequences = [int(str(each["SEQUENCE"])) for each in (first, second, third)]
    assert sequences == [0, 5, 9]
    assert date(changed_at=NOW + timedelta(microseconds=1)).sequence == 1


def test_an_empty_calendar_is_one_too() -> None:
    assert icalendar.Calendar.from_ical(calendar([], "lab.example"))["PRODID"] == "-//Reading Room//EN"
    assert calendar([], "lab.example").endswith("END:VCALENDAR\r\n")
