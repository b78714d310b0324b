"""Ids that a merge of two accounts would leave behind: those in columns that do not say that they refer to persons."""

from __future__ import annotations

import re

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.people.tables import person
from readingroom.store.db import metadata
from readingroom.store.moving import references

STAYS = {  # where an id stands for good
    "people_person.id",  # the account's own row
    "people_person.email",
    "people_merge.person_id",  # from where it leads on
    "admissions_allocation.inputs",  # the ledger holds a commitment to its bytes
    "post_letter.once",  # a key by which a letter is not put twice; nothing is asked of whom it names
}


def strays(tx: Connection) -> dict[str, str]:
    """Return the columns, outside the ledger, that hold any person's id and are not moved with it, each with one id."""
    people = set(tx.execute(sa.select(person.c.id)).scalars())
    any_id = re.compile(r"person_[0-9a-z]+")
    marked = {str(each) for each in references("person")} | STAYS
    found = {}
    for table in metadata.sorted_tables:
        looked_at = [c for c in table.columns if str(c) not in marked and isinstance(c.type, (sa.String, sa.JSON))]
        if not looked_at or table.name.startswith("ledger_"):
            continue
        for row in tx.execute(sa.select(*(sa.cast(each, sa.Text) for each in looked_at))):
            for column, text in zip(looked_at, row, strict=True):
                if ids := people.intersection(any_id.findall(text or "")):
                    found[str(column)] = min(ids)
    return found
