"""The public register holds no person; the whole one cannot run in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.oversight.register import (
    SMALL_CELL,
    SUPPRESSED,
    PublicRow,
    Row,
    as_json,
    counts,
    public,
    to_csv,
    two_digits,
)

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


def row(number: int, institution: str = "East University", **more: object) -> Row:
    """Give a reader's grant; whatever is the reader's own in it holds the word canary."""
    values: dict[str, object] = {
        "grant": f"grant_canary{number}", "reader": f"Canary Person{number}", "email": f"canary{number}@x.example",
        "institution": institution, "stage": "room", "tier": "text", "state": "active", "purpose": "canary purpose",
        "decided_by": "person_canary", "award": "award_canary", "since": NOW, "until": NOW, "ended_for": "Canary left",
        "awarded_passes": 1000, "used_passes": 123 + number, "used_tokens": 5, "used_calls": 1,
    }  # fmt: skip
    return Row(**{**values, **more})  # type: ignore[arg-type]


def shown(rows: list[Row]) -> str:
    """Spell the public form in every way in which it leaves the house."""
    return json.dumps([as_json(each) for each in public(rows)]) + to_csv(public(rows), PublicRow)


@given(st.lists(st.builds(row, st.integers(0, 9), st.sampled_from(["A", "B", ""])), max_size=20))
def test_no_name_address_or_pseudonym_is_in_the_public_form(rows: list[Row]) -> None:
    assert "canary" not in shown(rows).casefold()
    for name in ("A", "B"):
        readers = {each.email for each in rows if each.institution == name}
        assert any(each.institution == name for each in public(rows)) == (len(readers) >= SMALL_CELL)


TEXTS = ["grant", "reader", "email", "purpose", "decided_by", "award", "ended_for"]


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=12),
    st.dictionaries(st.sampled_from([*TEXTS, "institution"]), st.text("qxz", min_size=4), min_size=1),
)
def test_the_public_form_of_one_person_holds_nothing_of_theirs(grants: list[int], own: dict[str, str]) -> None:
    rows = [replace(row(9), used_passes=used, **own) for used in grants]  # type: ignore[arg-type]
    assert not any(word in shown(rows) for word in own.values())


def test_a_public_row_has_no_column_that_could_hold_a_person() -> None:
    columns = {each.name for each in fields(PublicRow)}
    assert columns.isdisjoint(TEXTS)
    assert shown([row(0)]).count("2026-01-05") == 0, "the day would tell"


def test_many_grants_of_few_readers_do_not_show_their_institution() -> None:
    rows = [row(n % (SMALL_CELL - 1)) for n in range(3 * SMALL_CELL)]
    assert {each.institution for each in public(rows)} == {SUPPRESSED}
    twice = [row(0, email=email) for email in ("a@x.example", "A@x.example") * SMALL_CELL]
    assert {each.institution for each in public(twice)} == {SUPPRESSED}


@given(st.permutations([row(n) for n in range(4)]))
def test_the_public_order_does_not_tell_who_came_first(rows: list[Row]) -> None:
    assert public(rows) == public(list(reversed(rows)))


def test_an_institution_shows_once_enough_share_it() -> None:
    assert {each.institution for each in public([row(n) for n in range(SMALL_CELL)])} == {"East University"}
    assert {each.institution for each in public([row(0)])} == {SUPPRESSED}


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


@pytest.mark.parametrize("text", ['=cmd|" /C calc"!A0', "+1", "-1", "@x", "\tx", "\n=1", "\uff1d1+1"])
def test_no_cell_is_run_as_a_formula(text: str) -> None:
    (read,) = csv.DictReader(io.StringIO(to_csv([row(0, purpose=text)], Row), newline=""))
    assert read["purpose"] == "'" + text


@given(st.lists(st.text(st.sampled_from('=+-@",;\r\n\t x'), max_size=8), min_size=1, max_size=4))
def test_no_text_breaks_out_of_its_cell(texts: list[str]) -> None:
    table = to_csv([row(n, purpose=text) for n, text in enumerate(texts)], Row)
    read = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [each["purpose"].removeprefix("'") for each in read] == texts
    assert all(not each["purpose"].startswith(tuple("=+-@\t\r\n")) for each in read)


def test_an_empty_register_still_has_its_heads_and_counts_add_up() -> None:
    assert to_csv([], Row).startswith("grant,reader,email")
    assert counts([row(0), row(1, state="revoked")]) == {"active": 1, "revoked": 1}
