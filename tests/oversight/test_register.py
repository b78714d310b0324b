"""The public register holds no person; the whole one cannot run in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
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
    fields: dict[str, object] = {
        "grant": f"grant_canary{number}", "reader": f"Canary Person{number}", "email": f"canary{number}@x.example",
        "institution": institution, "stage": "room", "tier": "text", "state": "active", "purpose": "canary purpose",
        "decided_by": "person_canary", "award": "", "since": NOW, "until": NOW, "ended_for": "",
        "awarded_passes": 1000, "used_passes": 123 + number, "used_tokens": 5, "used_calls": 1,
    }  # fmt: skip
    return Row(**{**fields, **more})  # type: ignore[arg-type]


@given(st.lists(st.builds(row, st.integers(0, 9), st.sampled_from(["A", "B", ""])), max_size=12))
def test_no_name_address_or_pseudonym_is_in_the_public_form(rows: list[Row]) -> None:
    shown = json.dumps([as_json(each) for each in public(rows)]) + to_csv(public(rows), PublicRow)
    assert "canary" not in shown.casefold()
    for name in ("A", "B"):
        few = sum(each.institution == name for each in rows) < SMALL_CELL
        assert not (few and any(each.institution == name for each in public(rows)))


@given(st.permutations([row(n) for n in range(4)]))
def test_the_public_order_does_not_tell_who_came_first(rows: list[Row]) -> None:
    assert public(rows) == public(list(reversed(rows)))


def test_an_institution_shows_once_enough_share_it() -> None:
    assert {each.institution for each in public([row(n) for n in range(SMALL_CELL)])} == {"East University"}
    assert {each.institution for each in public([row(0)])} == {SUPPRESSED}


@pytest.mark.parametrize(
    ("count", "shown"), [(0, 0), (99, 99), (100, 100), (12_345, 12_000), (12_500, 13_000), (999, 1000)]
)
def test_use_is_rounded_to_two_digits(count: int, shown: int) -> None:
    assert two_digits(count) == shown


@pytest.mark.parametrize("text", ['=cmd|" /C calc"!A0', "+1", "-1", "@x", "\tx"])
def test_no_cell_is_run_as_a_formula(text: str) -> None:
    (read,) = csv.DictReader(io.StringIO(to_csv([row(0, purpose=text)], Row)))
    assert read["purpose"] == "'" + text


def test_an_empty_register_still_has_its_heads_and_counts_add_up() -> None:
    assert to_csv([], Row).startswith("grant,reader,email")
    assert counts([row(0), row(1, state="revoked")]) == {"active": 1, "revoked": 1}
