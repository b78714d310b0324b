"""The LabSimulator: the named cast doing what people do, through the doors that people use.

It speaks HTTP to a house that is being served and runs the `readingroom` program beside it; it knows nothing of
the rooms. The demo, the journey tests and the screenshots share it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import openai

from readingroom.cli.demo.cast import APPLICANTS, REVIEWERS, STAFF, STEWARD, Applicant, Member
from readingroom.cli.demo.outside import Person, Program, letters_to, sign_in
from readingroom.cli.demo.stage import expect

_URL = re.compile(r"http\S+/sign-in\?link=[\w-]+")


@dataclass
class LabSimulator:
    """A lab, its reviewers and its applicants, against one running house."""

    url: str
    home: Path
    http: httpx.Client = field(init=False)
    clients: list[openai.OpenAI] = field(default_factory=list)
    program: Program = field(init=False)
    signed_in: dict[str, Person] = field(default_factory=dict)
    applications: dict[str, str] = field(default_factory=dict)
    awards: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare the outsiders' tools."""
        self.http = httpx.Client(base_url=self.url, timeout=30)
        self.program = Program(self.home)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()
        for each in self.clients:
            each.close()

    def hire(self) -> None:
        """Let the steward, whom the house knows from its plan, give everyone their roles."""
        steward = self.person(STEWARD)
        for member in STAFF:
            body = {"name": member.name, "affiliation": member.affiliation, "roles": member.roles}
            steward.post("/persons", {"email": member.email, **body})

    def person(self, member: Member) -> Person:
        """Return a member of the cast as signed in by the link in their letter."""
        if member.email not in self.signed_in:
            link = parse_qs(urlsplit(self.sign_in_url(member)).query)["link"][0]
            self.signed_in[member.email] = sign_in(self.http, link)
        return self.signed_in[member.email]

    def sign_in_url(self, member: Member) -> str:
        """Ask for a one-time link for the portal, as anyone does, and return it from the letter."""
        body = {"email": member.email, "name": member.name, "affiliation": member.affiliation}
        self.http.post("/api/register", json=body).raise_for_status()
        letters = letters_to(self.home / "outbox", member.email)
        expect(bool(letters), f"no letter reached {member.email}")
        read = (_URL.search(str(each.get_payload())) for each in reversed(letters))  # others tell of what was decided
        found = next((each for each in read if each), None)
        expect(found is not None, "no sign-in link in the letter")
        return found[0] if found else ""

    def apply(self, applicant: Applicant, call: str) -> str:
        """Fill in, save and submit an application; return its id."""
        person = self.person(applicant)
        answers = {
            "purpose": applicant.purpose,
            "asks": applicant.asks,
            "why": applicant.why,
            "egress": "text only",
            "risks": applicant.risks,
            "machine": "a laptop at " + applicant.affiliation,
        }
        body = {"answers": answers, "passes": applicant.passes}
        made = str(person.post(f"/calls/{call}/applications", body)["id"])
        person.post(f"/applications/{made}/submit")
        self.applications[applicant.email] = made
        return made

    def review_all(self) -> int:
        """Let both reviewers score every application that they are shown; return the number of reviews."""
        by_purpose = {each.purpose: each for each in APPLICANTS}
        done = 0
        for index, reviewer in enumerate(REVIEWERS):
            person = self.person(reviewer)
            for task in person.get("/reviews"):
                applicant = by_purpose[task["answers"]["purpose"]]
                person.post(f"/reviews/{task['review']}", _review(applicant, index))
                done += 1
        return done


def _review(applicant: Applicant, index: int) -> dict[str, Any]:
    return {
        "scores": applicant.scores[index],
        "comment": "Scored against the anchors of the call.",
        "risk": applicant.risk_opinion,
        "risk_reason": "Asks for protected text at scale." if applicant.risk_opinion == "veto" else "",
    }
