"""What every command is given: the house, who acts, and how to print."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from readingroom.cli.output import Output
from readingroom.core.errors import BadInput, Problem
from readingroom.core.settings import home_from, load
from readingroom.people.model import Actor

if TYPE_CHECKING:  # a verifier needs no house, and loading one takes longer than verifying
    from readingroom.app.house import House

LOGIN = "login"  # HOME/run/login: the session secret of the person who signed in at this terminal


@dataclass
class Context:
    """One run of the program."""

    home_option: Path | None = None
    output: Output = field(default_factory=Output)
    _house: House | None = None

    @property
    def home(self) -> Path:
        """The folder of the house."""
        return home_from(self.home_option)

    @property
    def house(self) -> House:
        """The house, opened at first use."""
        if self._house is None:
            from readingroom.app.house import House

            self._house = House(load(self.home))
        return self._house

    @property
    def actor(self) -> Actor:
        """The person who signed in at this terminal, else the operator."""
        path = self.house.settings.run / LOGIN
        if not path.exists():
            return self.house.people.operator()
        person = self.house.people.session(path.read_text(encoding="utf-8", errors="replace").strip())
        if person is None:
            cure = "Sign in again with `readingroom login URL`, or `readingroom logout` to act as the operator"
            raise BadInput([Problem(str(path), "the sign-in at this terminal has expired", cure)])
        return self.house.people.actor(person.id)

    def signer(self, email: str) -> Actor:
        """Return the person `--as` names; only a house for trials has that option."""
        if not email:
            return self.actor
        if not self.house.settings.dev:
            cure = "Let that person sign in with `readingroom login URL`"
            raise BadInput([Problem("--as", "works only in a house for trials (init --dev)", cure)])
        found = self.house.people.find(email)
        if found is None:
            raise BadInput([Problem("--as", f"nobody here is {email!r}", "Add them with `person add`")])
        return self.house.people.actor(found.id)

    def close(self) -> None:
        """Close what was opened."""
        if self._house is not None:
            self._house.close()
