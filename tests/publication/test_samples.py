"""Facsimiles are signed off by someone who may, once each, and a mistake in their file is told by its place."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from readingroom.core.clock import FixedClock
from readingroom.core.document import read
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.ledger.service import Ledger
from readingroom.ledger.tables import entry
from readingroom.people.model import Actor, Role
from readingroom.publication.samples import Samples
from readingroom.store.db import Database

STEWARD = Actor("person_s", frozenset({Role.STEWARD}))
TEXT = "- {prompt: canary p, output: canary o, model: canary m}\n"


@pytest.fixture
def samples(db: Database, ledger: Ledger, clock: FixedClock) -> Samples:
    return Samples(db, ledger, clock)


def test_a_sample_is_signed_off_once(samples: Samples) -> None:
    first = samples.add(STEWARD, read(TEXT + TEXT, "s.yaml"))
    assert len(first) == 1
    assert first[0].signed_by == STEWARD.id
    assert samples.add(STEWARD, read(TEXT, "s.yaml")) == first


def test_the_ledger_says_who_signed_off_and_no_text(samples: Samples, db: Database) -> None:
    (shown,) = samples.add(STEWARD, read(TEXT, "s.yaml"))
    with db.read() as tx:
        (row,) = tx.execute(sa.select(entry)).mappings().all()
    said = repr(dict(row))
    assert "publication.sample.signed-off" in said
    assert shown.id in said
    assert STEWARD.id in said
    assert "canary" not in said


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("- {promt: p, output: o, model: m}\n", "s.yaml:1:"),
        (TEXT + "- {prompt: p, model: m}\n", "s.yaml:2:3"),
        (TEXT + "-\n  prompt: p\n  output: [o]\n  model: m\n", "s.yaml:4:11"),
        ("prompt: p\n", "s.yaml:1:1"),
        (TEXT + "- {prompt: p, prompt: q, output: o, model: m}\n", "s.yaml:2:"),
    ],
)
def test_a_mistake_is_told_by_line_and_column_and_nothing_is_shown(samples: Samples, text: str, place: str) -> None:
    with pytest.raises(BadInput) as told:
        samples.add(STEWARD, read(text, "s.yaml"))
    assert place in str(told.value)
    assert samples.all() == []


def test_every_mistake_of_a_file_is_told_at_once(samples: Samples) -> None:
    with pytest.raises(BadInput) as told:
        samples.add(STEWARD, read("- {prompt: p}\n- {output: o}\n", "s.yaml"))
    assert "s.yaml:1:" in str(told.value)
    assert "s.yaml:2:" in str(told.value)


@pytest.mark.parametrize("role", [None, Role.REVIEWER, Role.AUDITOR, Role.TESTER])
def test_others_show_nothing(samples: Samples, role: Role | None) -> None:
    with pytest.raises(Refused, match="people/not-allowed"):
        samples.add(Actor("person_x", frozenset({role} if role else ())), read(TEXT, "s.yaml"))
