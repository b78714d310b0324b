"""Every column that can hold somebody's words is declared as personal, or is listed here as nobody's, with why."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import sqlalchemy as sa

import readingroom
from readingroom.store.db import Moment, metadata
from readingroom.store.personal import columns, owner_of

for _path in Path(readingroom.__file__).parent.glob("*/tables.py"):
    importlib.import_module(f"readingroom.{_path.parent.name}.tables")

OFFICE = "a decision of the lab, kept with it; who took it is a pseudonym"
NOT_PERSONAL = {
    "access_restoration_word.reason": OFFICE,
    "access_restoration_word.salt": OFFICE,
    "access_terms.reason": OFFICE,
    "access_terms.salt": OFFICE,
    "access_terms.text": "the terms",
    "admissions_allocation.inputs": "figures and codes of pseudonyms",
    "admissions_allocation.result": "figures and codes of pseudonyms",
    "admissions_allocation.salt": "of figures and codes",
    "admissions_appeal.involved": "pseudonyms",
    "admissions_appeal.told": "codes of a sanction",
    "admissions_call.file": "the call, public",
    "admissions_call.seed": "of a draw",
    "admissions_call.tickets": "hashes",
    "admissions_call_draft.text": "a call before it is public, of the lab",
    "admissions_decision.appeal": "a fixed sentence",
    "admissions_decision.differ": "a sentence by rule",
    "admissions_decision.sheet": "figures and sentences by rule",
    "admissions_observed.usage": "figures of grants",
    "admissions_request.observed": "figures of a grant",
    "admissions_review.assigned_salt": "of pseudonyms",
    "admissions_step.data": "ids, figures and codes, as in the ledger",
    "dossier_document.content": "of a model",
    "dossier_evidence.payload": "of a model",
    "gateway_kept.body": "made with the reader's key, which the house does not have",
    "gateway_kept.sealed": "made with the reader's key, which the house does not have",
    "gateway_kept.under": "made with the reader's key, which the house does not have",
    "gateway_usage.leaf": "the record: commitments, figures and pseudonyms",
    "ledger_checkpoint.frontier": "hashes",
    "ledger_checkpoint.note": "hashes",
    "ledger_entry.leaf": "promise 9",
    "ledger_entry.leaf_hash": "hashes",
    "oversight_look.salt": OFFICE,
    "oversight_reading.reason": OFFICE,
    "oversight_reading.salt": OFFICE,
    "publication_sample.answer": "curated by the lab",
    "publication_sample.note": "curated by the lab",
    "publication_sample.output": "curated by the lab",
    "publication_sample.prompt": "curated by the lab",
    "publication_sample.receipt": "curated by the lab",
    "publication_sample.request": "curated by the lab",
    "releases_engine.doors": "of an engine",
    "releases_engine.fingerprint": "of an engine",
    "releases_note.salt": OFFICE,
    "releases_plan.salt": OFFICE,
    "releases_plan.text": "the plan, public",
    "releases_waiver.salt": OFFICE,
    "stress_run.counts": "of a model",
    "stress_run.floor": "of a model",
    "stress_run.gate_versions": "of a model",
    "stress_sample.answer": "of a model",
}


def _holds_words(column: sa.Column[object]) -> bool:
    return isinstance(column.type, (sa.Text, sa.JSON, sa.LargeBinary)) and not isinstance(column.type, Moment)


def test_every_column_that_can_hold_words_is_declared_or_listed_as_nobodys() -> None:
    found = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if _holds_words(column) and column.name not in columns(table) and not _goes(table)
    }
    assert found == set(NOT_PERSONAL)


def _goes(table: sa.Table) -> bool:
    owner = owner_of(table)
    return owner is not None and owner.gone


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda each: each.name)
def test_personal_columns_stand_in_tables_that_say_whose_they_are(table: sa.Table) -> None:
    assert not columns(table) or owner_of(table) is not None


def test_every_column_that_names_a_person_leads_to_whose_the_row_is() -> None:
    """A column `person...` or `holder` that is no path would be a row of somebody's that they are not shown."""
    names = {"person", "person_id", "holder", "reviewer_id"}
    office = {"access_restoration_word", "oversight_look", "oversight_reading", "releases_signature"}
    for table in metadata.sorted_tables:
        owner = owner_of(table)
        paths = {path.partition(" -> ")[0] for path in owner.paths} if owner else set()
        assert table.name in office or names & set(table.columns.keys()) <= paths, table.name
