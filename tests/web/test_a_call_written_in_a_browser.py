"""A steward who has never seen a terminal writes a call, closes the browser, comes back, mends it and opens it.

All of it with scripts turned off, and half of it on a phone; then every page of it is looked at by axe-core.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from crawl import grave
from readingroom.app.house import House
from readingroom.cli.demo.cast import STEWARD
from readingroom.cli.demo.command import served
from readingroom.core.canonical import sha256
from readingroom.core.settings import load
from readingroom.people.model import Role
from served import found
from visits import PATIENCE_MS, go, press

pytestmark = [
    pytest.mark.deep,
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not on the PATH; install it to run these"),
]
PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 800}


@dataclass(frozen=True)
class Lab:
    """A house whose reading room is open, before its first call."""

    url: str
    house: House

    def link(self) -> str:
        """Return the steward's sign-in link, as it comes by mail."""
        return f"{self.url}/sign-in?link={self.house.people.make_link_for(self.house.people.operator(), STEWARD.email)}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = found(tmp_path_factory.mktemp("lab") / "home")
    house = House(load(home))
    house.people.add(house.people.operator(), STEWARD.email, name=STEWARD.name, roles=[Role.STEWARD])
    with served(home, 0) as url:
        yield Lab(url, house)
    house.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])


def signed_in(browser: Browser, lab: Lab, size: dict[str, int], *, scripts: bool = False) -> Page:
    """Return a fresh browser, as of somebody who has just sat down."""
    context = browser.new_context(
        base_url=lab.url, viewport={"width": size["width"], "height": size["height"]}, java_script_enabled=scripts
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(lab.link())
    press(page, "Sign in")
    return page


def test_a_call_is_written_and_opened_through_the_form_alone(browser: Browser, lab: Lab) -> None:
    begun(signed_in(browser, lab, WIDE))
    page = signed_in(browser, lab, PHONE)  # another day, on the way
    call, text = gone_on_with(page)
    go(page, "Desk", "Write a new call")
    expect(page.get_by_text("Go on with a draft")).to_have_count(0)
    close(page)
    made = lab.house.admissions.call(call)
    assert made.digest == sha256(text)
    assert made.file.window.closes == datetime(2099, 2, 1, 12, 30, tzinfo=UTC)
    assert [each.name for each in made.file.form][-2:] == ["student", "machine"]


def begun(page: Page) -> None:
    """Start a call, save it half-finished, and close the browser."""
    go(page, "Desk")
    go(page, "Write a new call")
    press(page, "Start from this A competition")
    page.get_by_label("Title", exact=True).fill("Reading in winter")
    page.get_by_label("Purpose").fill("What a small model makes of old letters.")
    page.get_by_role("group", name="Budget").get_by_label("Passes").fill("2,000,000")
    page.get_by_label("Opens", exact=True).first.fill("2026-01-01T00:00")
    page.get_by_label("Closes", exact=True).first.fill("2099-02-01T12:30")
    press(page, "Add one question")
    asked = page.locator("details.entry[open]")
    asked.get_by_label("Question", exact=True).fill("Are you a student?")
    asked.get_by_label("Short name").fill("student")
    asked.get_by_label("Answered with", exact=True).select_option(label="one of a list")
    press(page, "Save")
    close(page)


def gone_on_with(page: Page) -> tuple[str, bytes]:
    """Find the draft, mend it, look at what it would do and open it; return the call, and its file as downloaded."""
    go(page, "Desk")
    go(page, "Write a new call")
    go(page, "Reading in winter")
    expect(page.get_by_text("to be filled in or mended before it can be opened")).to_be_visible()
    press(page, "Check and preview")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Questions, 7, Options: This is not filled in yet.")
    page.get_by_label("Options").last.fill("yes\nno")
    press(page, "Save")
    page.get_by_text("More: quotas").click()
    press(page, "Add one quota")
    quota = page.get_by_role("group", name="Quotas")
    quota.get_by_label("Name", exact=True).fill("students")
    quota.get_by_label("Question", exact=True).select_option("student")
    quota.get_by_label("Answer").fill("yes")
    quota.get_by_label("Per cent").fill("20")
    page.locator("summary", has_text="Question 7").click()
    press(page, "Move up Question 7: Are you a student?")
    expect(page.locator("summary", has_text="Question 6: Are you a student?")).to_be_visible()
    press(page, "Check and preview")
    expect(page.get_by_text("It can be opened. Nothing has been, so far.")).to_be_visible()
    expect(page.get_by_text("At least 20 % for students.")).to_be_visible()
    with page.expect_download() as file:
        page.get_by_role("link", name="Download the call file").click()
    text = Path(file.value.path()).read_bytes()
    press(page, "Open this call")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Reading in winter")
    return page.url.rpartition("/")[2], text


def close(page: Page) -> None:
    """Close the browser, and with it whatever only a page held."""
    context: BrowserContext = page.context
    context.close()


def test_every_page_of_the_form_is_fit_for_who_cannot_see_and_for_a_phone(browser: Browser, lab: Lab) -> None:
    page = signed_in(browser, lab, WIDE, scripts=True)
    go(page, "Desk", "Write a new call")
    looked = _looked(page)
    press(page, "Start from this A competition")
    draft = page.url
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    looked += _looked(page)
    page.get_by_label("Title", exact=True).fill("")
    press(page, "Add one question")
    press(page, "Check and preview")
    looked += _looked(page)
    page.goto(f"{draft}/preview")
    press(page, "Remove Question 7")
    page.get_by_label("Title", exact=True).fill("Again")
    press(page, "Check and preview")
    looked += _looked(page)
    assert not looked
    assert re.search(r"/preview$", page.url)


def _looked(page: Page) -> list[str]:
    faults = []
    for size in (WIDE, PHONE):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        wide = page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{page.url}: {wide} wide"] if wide > size["width"] else []
        faults += [f"{page.url}: {each}" for each in grave(page)]
    page.set_viewport_size({"width": WIDE["width"], "height": WIDE["height"]})
    return faults
