"""A lab whose people each have a browser: how they go from page to page, and what is looked at on the way."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Response

from crawl import grave
from readingroom.cli.demo.cast import (
    Member,
)
from readingroom.cli.demo.outside import letters_to
from readingroom.cli.demo.simulator import LabSimulator
from readingroom.cli.demo.tale import Tale

LOOKS = ((1280, "wide"), (360, "phone"))


@dataclass
class Room:
    """The house, and the browser of each person."""

    lab: LabSimulator
    tale: Tale
    browser: Browser
    contexts: dict[str, BrowserContext] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def of(self, who: Member) -> Page:
        """Return somebody's page as they left it; the first time they sign in by the letter's link."""
        if who.email not in self.pages:
            context = self.browser.new_context(base_url=self.lab.url, viewport={"width": 1280, "height": 800})
            context.set_default_timeout(60_000)
            page = self.pages[who.email] = context.new_page()
            page.on("pageerror", lambda fault: self.faults.append(str(fault)))
            page.on("response", self._heard)
            page.goto(self.lab.sign_in_url(who))
            page.get_by_role("button", name="Sign in").click()
            self.contexts[who.email] = context
        return self.pages[who.email]

    def _heard(self, answer: Response) -> None:
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.faults.append(f"{answer.status} {answer.url}")

    def letter(self, who: Member, pattern: str) -> str:
        """Return the newest link of a kind in somebody's letters, once it is there."""
        for _ in range(600):
            for each in reversed(letters_to(self.lab.home / "outbox", who.email)):
                parts = [part for part in each.walk() if part.get_content_type() == "text/plain"]
                text = "".join(part.get_payload(decode=True).decode() for part in parts)  # type: ignore[union-attr]
                if found := re.search(pattern, text):
                    return found[0]
            time.sleep(0.1)
        raise AssertionError(f"no letter to {who.email} holds {pattern}")

    def look(self, page: Page, name: str) -> None:
        """See that nobody is shut out of a page as it stands, and take its picture for whoever asked for them."""
        for width, word in LOOKS:
            page.set_viewport_size({"width": width, "height": 800})
            if folder := os.environ.get("READINGROOM_LOOKS"):
                page.screenshot(path=str(Path(folder) / f"{name}-{word}.png"), full_page=True)
            if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
                self.faults.append(f"{name} at {width}: {wide} wide")
        self.faults += [f"{name}: {each}" for each in grave(page)]
        page.set_viewport_size({"width": 1280, "height": 800})


def go(page: Page, *names: str) -> Page:
    """Follow links by their words, one after the other."""
    for name in names:
        page.get_by_role("link", name=name).first.click()
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()
