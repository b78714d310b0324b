"""Reads of the admissions room, open to the rooms on its left. Who may see what is judged in the service."""

from __future__ import annotations

from readingroom.admissions.queries.applications import (
    application,
    applications,
    of_person,
    party,
    sides,
    team,
    versions,
)
from readingroom.admissions.queries.calls import budget, call, call_text, calls, postings
from readingroom.admissions.queries.decisions import allocation, award, awards, awards_of, decision, last_refusal
from readingroom.admissions.queries.dossiers import conflict_counts, entries, fixed, tickets, tickets_at_closing
from readingroom.admissions.queries.reviews import declared, judgement, review, reviews, reviews_by

__all__ = [
    "allocation",
    "application",
    "applications",
    "award",
    "awards",
    "awards_of",
    "budget",
    "call",
    "call_text",
    "calls",
    "conflict_counts",
    "decision",
    "declared",
    "entries",
    "fixed",
    "judgement",
    "last_refusal",
    "of_person",
    "party",
    "postings",
    "review",
    "reviews",
    "reviews_by",
    "sides",
    "team",
    "tickets",
    "tickets_at_closing",
    "versions",
]
