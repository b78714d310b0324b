"""The portal in a real browser: an applicant's whole path, and the button that revokes.

With READINGROOM_SCREENSHOTS=1 the pictures of the README and the docs are taken on the way.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from readingroom.app.founding import found_for_demo, template
from readingroom.cli.demo.cast import APPLICANTS, STEWARD
from readingroom.cli.demo.command import served
from readingroom.cli.demo.simulator import LabSimulator
from readingroom.cli.demo.story import model_loaded, plan_checked, stage_opened, stress_run
from readingroom.cli.demo.tale import Tale
from visits import recorded

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not on the PATH; install it to run these"),
]
PICTURES = Path(__file__).parents[2] / "docs" / "images"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def tale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tale]:
    """A lab whose reading room is open and whose call is about to open."""
    home = tmp_path_factory.mktemp("lab") / "home"
    found_for_demo(home, None)
    with served(home, 0) as url:
        lab = LabSimulator(url, home)
        made = Tale(lab, template("call.yaml"), home / "samples.yaml", None, fast=True)
        lab.hire()
        for step in (model_loaded, plan_checked, stress_run, stage_opened):
            step(made)
        yield made
        lab.close()


@pytest.fixture
def page(browser: Browser, tale: Tale) -> Iterator[Page]:
    context = browser.new_context(base_url=tale.lab.url, viewport={"width": 1100, "height": 800})
    made = context.new_page()
    faults: list[str] = []
    made.on("pageerror", lambda fault: faults.append(str(fault)))
    yield made
    context.close()
    assert faults == []


def picture(page: Page, name: str) -> None:
    if os.environ.get("READINGROOM_SCREENSHOTS"):
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=str(PICTURES / f"{name}.png"), clip={"x": 0, "y": 0, "width": 1100, "height": 800})


def sign_in(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()


def test_the_public_page_shows_stages_and_what_opens_next(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="manuscript-lm")).to_be_visible()
    expect(page.get_by_text("What opens next")).to_be_visible()
    expect(page.get_by_text("open-desk opens when every one of these is met")).to_be_visible()
    expect(page.locator("blockquote").first).to_contain_text("what is a reading room?")
    expect(page.get_by_role("link", name="Verify it")).to_be_visible()
    picture(page, "release")
    page.get_by_role("link", name="Why this way").click()
    expect(page.get_by_role("columnheader", name="Not releasing")).to_be_visible()


def test_an_applicant_goes_from_the_form_to_a_working_key_and_a_steward_revokes_it(page: Page, tale: Tale) -> None:
    lab, applicant = tale.lab, APPLICANTS[0]
    steward = lab.person(STEWARD)
    tale.call = steward.post("/calls", {"text": tale.call_file})["id"]
    lab.person(applicant)  # registers, and receives a letter
    sign_in(page, lab.sign_in_url(applicant))
    _applies(page)
    for other in APPLICANTS[1:]:
        lab.apply(other, tale.call)
    steward.post(f"/calls/{tale.call}/close")
    steward.post(f"/calls/{tale.call}/reviewers")
    lab.review_all()
    steward.post(f"/calls/{tale.call}/allocate")
    steward.post(f"/calls/{tale.call}/publish")
    key = _accepts(page)
    answer = tale.client(key).chat.completions.create(
        model=tale.model, messages=[{"role": "user", "content": "one two three"}]
    )
    assert answer.choices[0].message.content == "one two three"
    recorded(lab.home)  # a page shows what it finds, and the ledger grows by itself until then
    page.goto("/my")
    expect(page.get_by_text("3 used of 12,000")).to_be_visible()
    expect(page.get_by_text(key)).to_have_count(0)
    _revokes(page, tale)
    for _ in range(600):  # until the worker that is asked has heard of it
        refused = lab.http.post(
            "/v1/chat/completions",
            json={"model": tale.model, "messages": [{"role": "user", "content": "x"}]},
            headers={"authorization": f"Bearer {key}"},
        )
        if refused.is_error:
            break
        time.sleep(0.05)
    assert refused.json()["error"]["code"] == "access/grant-revoked"


def _applies(page: Page) -> None:
    """Fill the form wrong, see that nothing is lost, and submit it right."""
    applicant = APPLICANTS[0]
    page.goto("/apply")
    page.get_by_role("link", name="Apply to this call").click()
    page.get_by_label("What do you want to find out?").fill(applicant.purpose)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("alert")).to_contain_text("There is something to mend")
    expect(page.get_by_label("What do you want to find out?")).to_have_value(applicant.purpose)
    page.get_by_label("What will you ask the model?").fill(applicant.asks)
    page.get_by_label("How many passes do you want, and why so many?").fill(applicant.why)
    page.get_by_label("text only").check()
    page.get_by_label("What could go wrong, and how do you handle it?").fill(applicant.risks)
    page.get_by_label("Where will it run?").fill("A laptop")
    page.get_by_label("Passes wanted").fill("12,000")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("it waits for the window to close").first).to_be_visible()


def _accepts(page: Page) -> str:
    """Accept the award and the terms, make a key, and return it."""
    page.goto("/my")
    page.get_by_role("button", name="Accept the award").click()
    expect(page.get_by_text("access/terms-not-accepted").first).to_be_visible()
    page.get_by_label("Your name").fill("A Reader")
    page.get_by_role("button", name="I accept these terms").click()
    page.get_by_role("button", name="Make a key").click()
    key = page.locator("#key").inner_text()
    assert key.startswith("rr_")
    return key


def _revokes(page: Page, tale: Tale) -> None:
    context = page.context.browser
    assert context is not None
    other = context.new_context(base_url=tale.lab.url, viewport={"width": 1100, "height": 800})
    desk = other.new_page()
    sign_in(desk, tale.lab.sign_in_url(STEWARD))
    desk.goto("/steward")
    _presses_enter_everywhere(desk)
    desk.goto("/steward")
    desk.get_by_role("link", name="Suspend or revoke").first.click()
    desk.get_by_role("combobox", name="Reason").select_option("security")
    desk.get_by_role("button", name="Revoke").click()
    expect(desk.get_by_text("revoked for security")).to_be_visible()
    other.close()


def _presses_enter_everywhere(desk: Page) -> None:
    """Press Enter in every field of the steward's pages: nothing is decided by it."""
    links = desk.locator('main a[href^="/steward/"]:not([href$=".csv"])').evaluate_all("e => e.map(a => a.pathname)")
    last = {link.split("/")[-1] for link in links}
    assert last >= {"stop", "texts", "register", "works", "revoke-many", "letters"}
    assert {each for each in last if each.startswith("grant_")}
    for path in ["/steward", *(each for each in links if not each.endswith(".json"))]:
        desk.goto(path)
        for index in range(desk.locator("main input:not([type=hidden]), main textarea, main select").count()):
            desk.goto(path)  # a look at the register is on record; what Enter does is looked at after it
            size = _size(desk)
            desk.locator("main input:not([type=hidden]), main textarea, main select").nth(index).press("Enter")
            assert _size(desk) == size, path


def _size(desk: Page) -> str:
    return desk.request.get("/ledger/checkpoint").text().split("\n")[1]


def test_a_form_from_another_site_is_refused(page: Page, tale: Tale) -> None:
    sign_in(page, tale.lab.sign_in_url(STEWARD))
    cookie = next(each for each in page.context.cookies() if each["name"] == "rr_session")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    forged = tale.lab.http.post(
        "/steward/stages/reading-room/stop",
        data={"do": "hold", "reason": "incident", "token": "guessed"},
        headers={"cookie": f"rr_session={cookie['value']}"},
    )
    assert forged.status_code == 403
    assert tale.stage("reading-room")["open"]


@pytest.mark.parametrize("path", ["/", "/apply", "/log", "/register", "/strategies", "/sign-in?link=x"])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_wider_than_the_screen_and_each_has_one_heading(page: Page, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(path)
    _is_whole(page, width)


def test_so_are_the_pages_of_those_who_are_signed_in_also_in_the_dark(page: Page, tale: Tale) -> None:
    sign_in(page, tale.lab.sign_in_url(STEWARD))
    page.emulate_media(color_scheme="dark")
    for path in ("/", "/my", "/desk", "/steward", "/steward/stages/reading-room/stop", "/people", "/strategies"):
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(path)
            _is_whole(page, width)
            assert page.locator("nav [aria-current]").count() == 1


def _is_whole(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1").count() == 1
    assert page.locator("main").count() == 1
    unlabelled = (
        "[...document.querySelectorAll('input:not([type=hidden]),textarea,select')].filter(e=>!e.labels.length).length"
    )
    assert page.evaluate(unlabelled) == 0


def test_everything_works_without_a_script_since_there_is_none(page: Page) -> None:
    page.goto("/")
    assert page.locator("script").count() == 0
    answer = page.request.get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
