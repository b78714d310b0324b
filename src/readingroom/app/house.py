"""The composition root: one house, with every room's service wired to the same database, ledger and clock."""

from __future__ import annotations

from readingroom.app.mail import Post
from readingroom.core.clock import Clock, SystemClock
from readingroom.core.settings import Settings
from readingroom.ledger.note import Signer
from readingroom.ledger.service import Ledger
from readingroom.people.service import People
from readingroom.store.db import Database


class House:
    """One house. Doors (cli, web, api) are given it and reach every room through it."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """Wire the rooms; opens no connection and starts nothing."""
        self.settings = settings
        self.clock = clock or SystemClock()
        self.db = Database(settings.database_url)
        self.ledger = Ledger(self.clock, _ledger_key(settings))
        self.post = Post(settings.outbox, self.clock)
        self.people = People(self.db, self.ledger, self.clock, dev=settings.dev)

    def welcome(self, email: str, name: str, affiliation: str) -> None:
        """Make an account if there is none, and send its address a one-time sign-in link.

        The same happens whether or not the address is known: registration tells nobody who has an account.
        """
        person = self.people.register(email, name=name, affiliation=affiliation)
        link = f"{self.settings.public_url}/sign-in?link={self.people.make_link(person.id)}"
        self.post.send(person.email, "Sign in to the reading room", f"Open this link once, within a day:\n\n{link}\n")

    def close(self) -> None:
        """Close the database."""
        self.db.close()


def _ledger_key(settings: Settings) -> Signer:
    """Load the log's key; a new house makes one. A log that another key has signed is not appended to."""
    path = settings.keys / "ledger.pem"
    return Signer.load(path, settings.origin) if path.exists() else Signer.create(path, settings.origin)
