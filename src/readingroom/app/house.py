"""The composition root: one house, with every room's service wired to the same database, ledger and clock."""

from __future__ import annotations

from readingroom.access.agreements import Agreements
from readingroom.access.service import Access
from readingroom.admissions.service import Admissions
from readingroom.app import processes
from readingroom.app.history import History
from readingroom.app.mail import Post
from readingroom.app.plans import RuleFiles
from readingroom.core.clock import Clock, SystemClock
from readingroom.core.settings import FILE, Settings
from readingroom.dossier.service import Dossier
from readingroom.ledger.kept import Kept
from readingroom.ledger.note import Signer
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.service import Ledger
from readingroom.oversight.service import Oversight
from readingroom.people.service import People
from readingroom.publication.samples import Samples
from readingroom.publication.service import Publication
from readingroom.releases.service import Releases
from readingroom.store.db import Database
from readingroom.stress.service import Stress


class House:
    """One house. Doors (cli, web, api) are given it and reach every room through it."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """Wire the rooms; opens no connection and starts nothing."""
        self.settings = settings
        self.clock = clock or SystemClock()
        self.db = Database(settings.database_url)
        self.signer = Signer.load(settings.keys / "ledger.key", settings.origin)
        kept = Kept(settings.kept_checkpoint, self.signer.verifier, (settings.home / FILE).exists())
        self.ledger = Ledger(self.clock, self.signer, kept)
        self.log = LedgerReader(self.db, kept)
        self.post = Post(settings.outbox, self.clock)
        core = (self.db, self.ledger, self.clock)
        self.people = People(*core, dev=settings.dev)
        self.dossier = Dossier(*core)
        self.stress = Stress(*core)
        rules = RuleFiles(settings.home)
        self.releases = Releases(*core, rules.parse_plan, History(), rules.screens)
        self.admissions = Admissions(*core)
        self.access = Access(*core, dev=settings.dev)
        self.agreements = Agreements(*core)
        self.samples = Samples(*core)
        self.publication = Publication(*core, self.log, settings.keys / "release.key")
        self.oversight = Oversight(self.db, self.clock)
        processes.listen(self.ledger, self.dossier, self.access, self.clock)

    def verifier_key(self) -> str:
        """Return the log's public key as a C2SP verifier key line."""
        return self.signer.verifier.to_line()

    def welcome(self, email: str, name: str, affiliation: str) -> str:
        """Make an account if there is none, send its address a one-time sign-in link, and return the link's secret.

        The same happens whether or not the address is known: registration tells nobody who has an account.
        """
        person = self.people.register(email, name=name, affiliation=affiliation)
        secret = self.people.make_link(person.id)
        link = f"{self.settings.public_url}/sign-in?link={secret}"
        self.post.send(person.email, "Sign in to the reading room", f"Open this link once, within a day:\n\n{link}\n")
        return secret

    def close(self) -> None:
        """Close the database."""
        self.db.close()
