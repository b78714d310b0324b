"""The composition root: one house, with every room's service wired to the same database, ledger and clock."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from readingroom.access.adjusting import Adjustments
from readingroom.access.agreements import Agreements
from readingroom.access.queries import barred_until
from readingroom.access.restoring import Restorations
from readingroom.access.service import Access
from readingroom.admissions.service import Admissions
from readingroom.app import afterwards, processes, remembering
from readingroom.app.history import History
from readingroom.app.letters import post as letters
from readingroom.app.letters.reminding import remind
from readingroom.app.mail import Post, Sender
from readingroom.app.plans import RuleFiles
from readingroom.core.clock import Clock, SystemClock
from readingroom.core.errors import BadInput, Problem
from readingroom.core.settings import FILE, Settings, mail_password, sign_in_secret
from readingroom.dossier.service import Dossier
from readingroom.ledger.kept import Kept
from readingroom.ledger.note import Signer
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.service import Ledger
from readingroom.oversight.flags import Flag
from readingroom.oversight.investigations import Investigations
from readingroom.oversight.observations import Observations
from readingroom.oversight.service import Oversight
from readingroom.oversight.works import Works
from readingroom.people import providers
from readingroom.people.erasing import Held
from readingroom.people.model import Actor
from readingroom.people.service import People
from readingroom.post.carriers import make_carrier
from readingroom.post.model import read as read_mail
from readingroom.post.service import Outbox
from readingroom.publication.samples import Samples
from readingroom.publication.service import Publication
from readingroom.releases.inspecting import Inspections
from readingroom.releases.queries import plan_in_force, stage_facts
from readingroom.releases.service import Releases
from readingroom.store.db import Database
from readingroom.strategy.model import Retention
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
        self.mailbox = read_mail(settings.mail)
        self.post = Post(settings.outbox, self.clock, self.mailbox)
        self.outbox = Outbox(self.db, self.clock)
        core = (self.db, self.ledger, self.clock)
        self.sign_in = providers.parse(settings.sign_in, str(settings.home / FILE), sign_in_secret)
        self.people = People(*core, dev=settings.dev, sign_in=self.sign_in)
        self.held = Held(*core)
        self.dossier = Dossier(*core)
        self.stress = Stress(*core)
        self._rules = RuleFiles(settings.home)
        self.releases = Releases(*core, self._rules.parse_plan, History(), self._rules.screens)
        self.inspections = Inspections(*core)
        self.admissions = Admissions(*core, barred_until)
        self.access = Access(*core, dev=settings.dev)
        self.agreements = Agreements(*core, lambda tx: self._rules.in_force(plan_in_force(tx)))
        self.restorations = Restorations(*core)
        self.samples = Samples(*core)
        self.publication = Publication(*core, self.log, settings.keys / "release.key")
        self.oversight = Oversight(*core)
        self.works = Works(*core)
        self.observations = Observations(*core)
        self.investigations = Investigations(*core, settings.keys)
        processes.listen(self.ledger, self.dossier, self.access, self.admissions, self.clock)
        remembering.listen(self.ledger, self.access, settings.keys)
        adjustments = Adjustments(self.ledger, self.clock)
        afterwards.listen(self.ledger, self.admissions, self.access, adjustments)
        letters.listen(self.ledger, self.outbox, self.mailbox, self.address)

    def _daily(self) -> int:
        """Do what a day brings: forget the addresses of bars that are over; remind of dates. Returns the letters."""
        with self.db.write() as tx:
            self.access.forget_bars_within(tx)
        return remind(self.db, self.outbox, self.address)

    def sender(self) -> Sender:
        """Make what hands letters over; it is not started."""
        carrier = make_carrier(self.mailbox, self.settings.outbox, mail_password())
        due = self._daily
        return Sender(self.outbox, carrier, self.mailbox, self.settings.outbox, due)

    def flags(self, by: Actor, since: datetime | None = None) -> list[Flag]:
        """Return what screening found, by grant and rule, with what the rule files say of each rule."""
        with self.db.read() as tx:
            stages = stage_facts(tx, self.clock.now())
        return self.oversight.flags(by, self._rules.weights(stages), since)

    def retention(self, stage: str) -> Retention | None:
        """Return what a stage of the plan in force keeps of prompts and answers; None keeps nothing."""
        with self.db.read() as tx:
            adopted = plan_in_force(tx)
        found = adopted.plan.stage(stage) if adopted else None
        return found.retention if found else None

    def verifier_key(self) -> str:
        """Return the log's public key as a C2SP verifier key line."""
        return self.signer.verifier.to_line()

    def welcome(self, email: str, name: str, affiliation: str, after: str = "") -> str:
        """Send an address a one-time sign-in link and return the link's secret; empty where too many were asked for.

        The same happens whether or not the address is known: asking tells nobody who has an account.

        Args:
            email: where the link goes.
            name: of a newcomer.
            affiliation: of a newcomer.
            after: the portal's path to go on to, once signed in.
        """
        base = self.address()
        secret = self.people.ask(email, name=name, affiliation=affiliation)
        if secret:
            self._send_link(email.strip(), base + sign_in_path(secret, after))
        return secret

    def hand_link(self, by: Actor, email: str) -> tuple[str, bool]:
        """Make a sign-in link for somebody and return it, and whether it was sent to their address.

        A link is shown to whom it is for, and to anybody in a house for trials or before the first steward came;
        else one person at a terminal could sign in as everyone, and be a quorum alone.
        """
        base = self.address()
        shown = self.settings.dev or self.people.may_see_link(by, email)
        if not (shown or base):
            cure = "Set `public_url` in readingroom.toml, or run `readingroom serve` first"
            raise BadInput([Problem("public_url", "is not set, so the link in the letter would lead nowhere", cure)])
        secret = self.people.make_link_for(by, email, how="shown" if shown else "sent")
        if not shown:
            self._send_link(self.people.named(email).email, base + sign_in_path(secret))
        return base + sign_in_path(secret), not shown

    def ask_address(self, by: Actor, email: str) -> str:
        """Send a letter to an address that somebody wants to add to their account; return the path that it leads to."""
        base, secret = self.address(), self.people.ask_address(by, email)
        path = "/my/account/address?" + urlencode({"link": secret})
        if secret:
            text = f"Somebody wants to add this address to their account. If it was you, open this:\n\n{base}{path}\n"
            self.post.send(email.strip(), "Add this address to your account in the reading room", text)
        return path if secret else ""

    def address(self) -> str:
        """Return where readers reach this house: as it is set, else as it was served last; empty if it never was."""
        if self.settings.public_url:
            return self.settings.public_url.rstrip("/")
        try:
            return self.settings.served_at.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def _send_link(self, to: str, link: str) -> None:
        text = f"Open this link once, within a day:\n\n{link}\n"
        self.post.send(to, "Sign in to the reading room", text)

    def close(self) -> None:
        """Close the database."""
        self.db.close()


def sign_in_path(secret: str, after: str = "") -> str:
    """Return where a one-time link is redeemed, and the page to go on to."""
    return "/sign-in?" + urlencode({"link": secret, "next": after} if after else {"link": secret})
