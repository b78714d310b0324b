"""What a reader's own name for a question stands for, and the seal on what is kept under it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from readingroom.access.keys import make
from readingroom.core.ids import random_bytes
from readingroom.gateway.ask import Ask, Kind
from readingroom.gateway.kept import MOST_BYTES, Found, Question, Row, find, refusal, seal, unseal

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
KEY = make().reveal()


def question(
    key: str = KEY, name: str = "n", body: bytes = b"{}", kind: Kind = Kind.CHAT, under: bytes = b""
) -> Question:
    return Question.of(key, name, Ask(kind, "echo", {}, body), under)


ASKED = question()
KEPT = Row(ASKED.body, ASKED.under, running=False, alive=False, whole=True, expires_at=NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("row", "asked", "found"),
    [
        (None, ASKED, Found.FREE),
        (KEPT, ASKED, Found.KEPT),
        (replace(KEPT, expires_at=NOW), ASKED, Found.FREE),
        (replace(KEPT, whole=False), ASKED, Found.TOO_LONG),
        (KEPT, question(under=b"other rules"), Found.CHANGED),
        (KEPT, question(body=b"[]"), Found.OTHER),
        (KEPT, question(kind=Kind.COMPLETION), Found.OTHER),
        (replace(KEPT, running=True, alive=True, whole=False), ASKED, Found.RUNNING),
        (replace(KEPT, running=True, alive=True, whole=False), question(under=b"other rules"), Found.RUNNING),
        (replace(KEPT, running=True, alive=True, whole=False), question(body=b"[]"), Found.OTHER),
        (replace(KEPT, running=True, alive=False, whole=False), question(body=b"[]"), Found.FREE),
    ],
)
def test_what_a_name_stands_for(row: Row | None, asked: Question, found: Found) -> None:
    assert find(row, asked, NOW) is found


any_rows = st.builds(
    Row,
    body=st.just(ASKED.body) | st.binary(),
    under=st.just(ASKED.under) | st.binary(),
    running=st.booleans(),
    alive=st.booleans(),
    whole=st.booleans(),
    expires_at=st.sampled_from([NOW - timedelta(1), NOW, NOW + timedelta(1)]),
)


@given(any_rows)
def test_an_answer_is_given_again_only_to_its_own_question_while_it_is_kept(row: Row) -> None:
    if find(row, ASKED, NOW) is Found.KEPT:
        assert (row.body, row.under, row.running, row.whole) == (ASKED.body, ASKED.under, False, True)
        assert row.expires_at > NOW


@pytest.mark.parametrize("found", [Found.OTHER, Found.RUNNING, Found.CHANGED, Found.TOO_LONG])
def test_only_what_is_being_answered_is_worth_waiting_for(found: Found) -> None:
    assert refusal(found).facts["waiting_helps"] is (found is Found.RUNNING)


@given(st.binary(max_size=2000))
def test_what_was_sealed_opens_for_its_own_question_alone(answer: bytes) -> None:
    sealed = seal(ASKED, answer)
    assert sealed is not None
    assert unseal(ASKED, sealed) == answer
    assert unseal(question(make().reveal()), sealed) is None  # another reader's key
    assert unseal(question(name="m"), sealed) is None  # under another name: rows that were exchanged
    assert unseal(ASKED, sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
    assert unseal(ASKED, sealed[:20]) is None


def test_the_same_answer_is_never_sealed_alike() -> None:
    assert seal(ASKED, b"one") != seal(ASKED, b"one")


def test_what_is_too_long_is_not_kept() -> None:
    assert seal(ASKED, random_bytes(MOST_BYTES + 1)) is None
    assert seal(ASKED, b"word " * MOST_BYTES) is not None


def test_nothing_that_stands_in_the_database_is_alike_for_two_readers_or_two_names() -> None:
    others = [question(make().reveal()), question(name="m")]
    for other in others:
        assert {ASKED.id, ASKED.body, ASKED.under}.isdisjoint({other.id, other.body, other.under})


def test_a_question_does_not_show_its_readers_key() -> None:
    assert KEY not in repr(ASKED)
