"""No page that anyone can reach by links has a serious accessibility fault (axe-core), or is wider than a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from crawl import faults, pages_of
from readingroom.app.founding import found_for_demo, template
from readingroom.cli.demo.cast import APPLICANTS, AUDITOR, CHAIR, REVIEWERS, STEWARD, TESTER, Member
from readingroom.cli.demo.command import served
from readingroom.cli.demo.simulator import LabSimulator
from readingroom.cli.demo.story import model_loaded, plan_checked, stage_opened, stress_run
from readingroom.cli.demo.tale import Tale

pytestmark = [
    pytest.mark.deep,
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not on the PATH; install it to run these"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabSimulator]:
    """A lab in the middle of a call: one published, one in review, one open."""
    home = tmp_path_factory.mktemp("lab") / "home"
    found_for_demo(home, None)
    with served(home, 0) as url:
        made = LabSimulator(url, home)
        tale = Tale(made, template("call.yaml"), home / "samples.yaml", None, fast=True)
        made.hire()
        made.person(STEWARD).post("/persons", {"email": CHAIR.email, "name": CHAIR.name, "roles": ["panel"]})
        for step in (model_loaded, plan_checked, stress_run, stage_opened):
            step(tale)
        for until in ("published", "in review", "open"):
            _call(made, tale.call_file, until)
        yield made
        made.close()


def _call(lab: LabSimulator, file: str, until: str) -> None:
    steward = lab.person(STEWARD)
    call = steward.post("/calls", {"text": file})["id"]
    who = APPLICANTS if until == "published" else APPLICANTS[:2]
    for applicant in who:
        lab.apply(applicant, call)
    if until == "open":
        return
    steward.post(f"/calls/{call}/close")
    steward.post(f"/calls/{call}/reviewers")
    if until == "published":
        lab.review_all()
        steward.post(f"/calls/{call}/allocate")
        steward.post(f"/calls/{call}/publish")
        person = lab.person(APPLICANTS[0])
        grant = person.post(f"/awards/{person.get('/awards/mine')[0]['id']}/accept")["grant"]
        steward.post("/sanctions", {"kind": "warn", "reason": "security", "grant": grant, "notice": "Mind your key."})
        appeal = {"ground": "procedure", "text": "One review speaks of another application."}
        lab.person(APPLICANTS[3]).post(f"/applications/{lab.applications[APPLICANTS[3].email]}/appeal", appeal)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield made
        made.close()


def _signed_in(browser: Browser, lab: LabSimulator, who: Member | None) -> Page:
    context = browser.new_context(base_url=lab.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    if who is not None:
        page.goto(lab.sign_in_url(who))
        page.get_by_role("button", name="Sign in").click()
    return page


@pytest.mark.parametrize(
    "who",
    [None, APPLICANTS[0], APPLICANTS[3], REVIEWERS[0], CHAIR, TESTER, AUDITOR, STEWARD],
    ids=lambda each: each.name if each else "public",
)
def test_no_page_has_a_serious_fault_or_is_too_wide(browser: Browser, lab: LabSimulator, who: Member | None) -> None:
    page = _signed_in(browser, lab, who)
    found = pages_of(page)
    assert len(found) >= (6 if who else 5)
    said = [each for path in found for each in faults(page, path)]
    page.context.close()
    assert said == []
