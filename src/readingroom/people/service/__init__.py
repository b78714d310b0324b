"""Use cases of the people room: persons, their roles, how they sign in, what is known of them, and who is one."""

from __future__ import annotations

from readingroom.people.service.accounts import LETTERS_IN_ALL, LETTERS_PER_ADDRESS, Accounts
from readingroom.people.service.base import LINK_LIFE, SESSION_LIFE
from readingroom.people.service.facts import Facts
from readingroom.people.service.identities import Identities
from readingroom.people.service.merging import Merging

__all__ = ["LETTERS_IN_ALL", "LETTERS_PER_ADDRESS", "LINK_LIFE", "SESSION_LIFE", "People"]


class People(Accounts, Identities, Facts, Merging):
    """Persons, roles, sign-in links, identities, facts and sessions."""
