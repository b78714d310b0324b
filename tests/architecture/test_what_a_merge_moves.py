"""What a merge of two accounts moves: every column that can hold a person's id says so, also within documents."""

from __future__ import annotations

import re

import sqlalchemy as sa

from migration import import_tables
from readingroom.store.db import Moment, metadata
from readingroom.store.moving import references
from strays import STAYS

NAME_NOBODY = {  # documents of words, figures, digests, and ids of other things
    "admissions_application.draft",
    "admissions_version.draft",
    "admissions_call.tickets",
    "admissions_review.judgement",
    "admissions_review_version.judgement",
    "admissions_allocation.result",
    "admissions_decision.sheet",
    "admissions_observed.usage",
    "admissions_request.answers",
    "admissions_request.observed",
    "admissions_appeal.told",
    "admissions_reviewer.topics",
    "dossier_evidence.payload",
    "oversight_work.work",
    "releases_engine.doors",
    "releases_engine.fingerprint",
    "stress_run.gate_versions",
    "stress_run.counts",
    "stress_run.floor",
}


def test_every_column_that_is_named_after_a_person_says_that_it_refers_to_one() -> None:
    """A merge moves what is marked so (`store.moving`); what is not marked stays behind, and would count twice."""
    import_tables()
    named = re.compile(r"(person|person_id|holder|reviewer|reviewer_id|applicant|guarantor|member|author|.+_by|by)")
    marked = set(references("person"))
    left = {
        str(column)
        for table in metadata.sorted_tables
        for column in table.columns
        if named.fullmatch(column.name) and not isinstance(column.type, Moment) and column not in marked
    }
    assert left == {"people_merge.person_id"}, "mark it: sa.Column(..., info=refers('person')), see store/moving.py"


def test_every_document_in_a_column_is_moved_with_persons_or_can_hold_none() -> None:
    import_tables()
    held = {str(c) for t in metadata.sorted_tables for c in t.columns if isinstance(c.type, sa.JSON)}
    left = held - set(map(str, references("person"))) - STAYS - NAME_NOBODY
    assert left == set(), "mark it: refers('person'), or say in NAME_NOBODY that it can hold no person's id"
