"""The public register holds no person, and no two of its copies give one away; the whole one runs in no spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.core.canonical import parse
from readingroom.oversight.register import (
    DISCRETION,
    SMALL_CELL,
    PublicRow,
    Row,
    as_json,
    document,
    full_batches,
    public,
    summary,
    to_csv,
    two_digits,
)

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
CALL = "Reading tickets"
OLDER = timedelta(days=1)


def row(number: int, institution: str = "East University", call: str = CALL, **more: object) -> Row:
    """Give a reader's grant; whatever is the reader's own in it holds the word canary."""
    values: dict[str, object] = {
        "grant": f"grant_canary{number}", "reader": f"Canary Person{number}", "email": f"canary{number}@x.example",
        "institution": institution, "stage": "room", "tier": "text", "state": "active", "purpose": "canary purpose",
        "decided_by": "person_canary", "award": "award_canary", "call": call, "since": NOW + OLDER * number,
        "until": NOW, "ended_for": "Canary left", "awarded_passes": 1000, "awarded_tokens": None,
        "awarded_calls": None, "used_passes": 123 + number, "used_tokens": 5, "used_calls": 1,
        "sanctions": ("warn: canary",),
    }  # fmt: skip
    return Row(**{**values, **more})  # type: ignore[arg-type]


def shown(rows: list[Row]) -> str:
    """Spell the public form in every way in which it leaves the house."""
    return json.dumps([as_json(each) for each in public(rows)]) + to_csv(public(rows), PublicRow)


def purpose(rows: list[Row], name: str = CALL) -> PublicRow:
    return next(each for each in public(rows) if (each.kind, each.name) == ("purpose", name))


@given(st.lists(st.builds(row, st.integers(0, 9), st.sampled_from(["A", "B", ""])), max_size=20))
def test_no_name_address_or_pseudonym_is_in_the_public_form(rows: list[Row]) -> None:
    assert "canary" not in shown(rows).casefold()
    for name in ("A", "B"):
        readers = {each.email for each in rows if each.institution == name}
        told = [each for each in public(rows) if (each.kind, each.name) == ("institution", name)]
        assert len(told) == (len(readers) >= SMALL_CELL)
        assert all(each.readers == len(readers) // 5 * 5 and each.awarded_passes is None for each in told)


TEXTS = ["grant", "reader", "email", "purpose", "decided_by", "award", "ended_for"]


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=12),
    st.dictionaries(st.sampled_from([*TEXTS, "institution"]), st.text("qxz", min_size=4), min_size=1),
)
def test_the_public_form_of_one_person_holds_nothing_of_theirs(grants: list[int], own: dict[str, str]) -> None:
    rows = [replace(row(9), used_passes=used, **own) for used in grants]  # type: ignore[arg-type]
    assert not any(word in shown(rows) for word in own.values())
    assert purpose(rows) == PublicRow("purpose", CALL, "room", None), "and no figure"


def test_a_public_row_has_no_column_that_could_hold_a_person_or_a_date() -> None:
    columns = {each.name for each in fields(PublicRow)}
    assert columns.isdisjoint([*TEXTS, "since", "until", "state", "sanctions"])
    assert "2026" not in shown([row(n) for n in range(7)])


@st.composite
def registers(draw: st.DrawFn) -> list[Row]:
    """Draw a register in the order in which its grants were issued; readers may hold several."""
    count = draw(st.integers(0, 16))
    return [
        row(
            number, draw(st.sampled_from(["A", "B", ""])), draw(st.sampled_from([CALL, "Another", ""])),
            email=f"canary{draw(st.integers(0, 8))}@x.example", used_passes=draw(st.integers(0, 10**6)),
            awarded_passes=draw(st.one_of(st.none(), st.integers(0, 10**6))),
        )
        for number in range(count)
    ]  # fmt: skip


@given(registers(), st.integers(0, 10**6), st.integers(0, 10**6))
def test_two_copies_that_differ_by_one_reader_do_not_give_away_the_readers_figures(
    rows: list[Row], used: int, moved: int
) -> None:
    newest = row(99, "A", email="canary99@x.example", used_passes=used, awarded_passes=used)
    calls = [(CALL, "room")]
    before, after = public(rows, calls), public([*rows, newest], calls)
    held = [each for each in rows if each.call == CALL]
    if full_batches(held) == full_batches([*held, newest]):
        amounts = [[replace(each, readers=None) for each in copy if each.kind == "purpose"] for copy in (before, after)]
        assert amounts[0] == amounts[1], "held back: nothing has changed, whatever the newcomer's figures are"
        return
    # The newcomer fills a batch, with four readers or more who were held back before. Another world, in which the
    # newcomer used less and one of these four more, has the same two copies: so they do not tell which it is.
    neighbour = next(each for each in reversed(held) if each not in full_batches(held))
    shift = min(moved, newest.used_passes)
    other = [replace(each, used_passes=each.used_passes + shift) if each is neighbour else each for each in rows]
    assert public(other, calls) == before
    assert public([*other, replace(newest, used_passes=newest.used_passes - shift)], calls) == after


@given(registers(), registers())
def test_what_was_shown_is_never_cut_anew(rows: list[Row], later: list[Row]) -> None:
    later = [replace(each, since=each.since + OLDER * 100, grant=f"z{n}") for n, each in enumerate(later)]
    for call in (CALL, "Another", ""):
        first = full_batches([each for each in rows if each.call == call])
        second = full_batches([each for each in [*rows, *later] if each.call == call])
        assert second[: len(first)] == first
        new = second[len(first) :]
        assert not new or len({each.email for each in new}) >= SMALL_CELL, "the difference is of five readers too"


def test_the_sums_are_of_full_batches_and_of_five_different_readers() -> None:
    four = [row(n % 4, since=NOW + OLDER * n) for n in range(12)]
    assert purpose(four).readers is None, "many grants of few readers"
    five = [*four, row(12)]
    assert purpose(five) == PublicRow(
        "purpose", CALL, "room", 5, 13, 13_000, two_digits(sum(r.used_passes for r in five))
    )
    assert purpose([*five, row(13), row(14)]) == purpose(five), "the next four are held back"
    unmetered = [row(n, awarded_passes=None if n == 2 else 10) for n in range(5)]
    assert purpose(unmetered).awarded_passes is None


def test_one_reader_under_two_spellings_is_one() -> None:
    twice = [row(n, email=email) for n, email in enumerate(("a@x.example", "A@x.example") * SMALL_CELL)]
    assert public(twice) == [PublicRow("purpose", CALL, "room", None)]


def test_no_total_gives_away_what_is_held_back() -> None:
    rows = [row(n) for n in range(5)] + [row(20 + n, call="Small") for n in range(4)]
    assert summary(public(rows)) == (5, purpose(rows).used_passes)
    assert purpose(rows, "Small").used_passes is None


def test_a_call_has_its_line_whether_or_not_anybody_reads() -> None:
    calls = [(CALL, "room"), ("Empty", "room")]
    before, after = public([], calls), public([row(0)], calls)
    assert before == after, "the first reader changes nothing"
    assert [each.name for each in before] == ["Empty", CALL]
    assert purpose([row(0, call="")], DISCRETION).readers is None


@given(st.permutations([row(n) for n in range(7)]))
def test_the_order_in_which_rows_are_read_does_not_matter(rows: list[Row]) -> None:
    assert public(rows) == public(sorted(rows, key=lambda each: each.grant))


@pytest.mark.parametrize(("readers", "told"), [(1, False), (2, False), (4, False), (5, True), (6, True)])
def test_an_institution_of_fewer_than_five_readers_is_not_told(readers: int, *, told: bool) -> None:
    assert ("East University" in shown([row(n) for n in range(readers)])) is told


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, 0), (4, 0), (73, 70), (99, 100), (100, 100), (12_345, 12_000), (12_500, 13_000), (999, 1000)],
)
def test_use_is_rounded_to_two_digits_or_to_tens(count: int, shown: int) -> None:
    assert two_digits(count) == shown


@given(st.integers(0, 10**15))
def test_rounding_is_off_by_half_a_unit_at_most_and_keeps_two_digits(count: int) -> None:
    digits = str(two_digits(count))
    assert set(digits[2:]) <= {"0"}
    assert abs(two_digits(count) - count) * 2 <= 10 ** max(1, len(str(count)) - 2)


@pytest.mark.parametrize(
    "text", ['=cmd|" /C calc"!A0', "+1", "-1", "@x", "\tx", "\n=1", "\uff1d1+1", " =1+1", "\u00a0@x"]
)
def test_no_cell_is_run_as_a_formula(text: str) -> None:
    (read,) = csv.DictReader(io.StringIO(to_csv([row(0, purpose=text)], Row), newline=""))
    assert read["purpose"] == "'" + text
    (read,) = csv.DictReader(io.StringIO(to_csv([row(0, sanctions=(text, "x"))], Row), newline=""))
    assert read["sanctions"] == f"'{text}; x"


@given(st.lists(st.text(st.sampled_from('=+-@",;\r\n\t x'), max_size=8), min_size=1, max_size=4))
def test_no_text_breaks_out_of_its_cell(texts: list[str]) -> None:
    table = to_csv([row(n, purpose=text) for n, text in enumerate(texts)], Row)
    read = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [each["purpose"].removeprefix("'") for each in read] == texts
    assert all(not each["purpose"].startswith(tuple("=+-@\t\r\n")) for each in read)


def test_an_empty_register_still_has_its_heads() -> None:
    assert to_csv([], Row).startswith("grant,reader,email")


def test_what_a_look_commits_to_is_the_json_that_is_given_out() -> None:
    assert parse(document([row(0)])) == [as_json(row(0))]
