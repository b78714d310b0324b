"""A whole call in a real browser, by everyone who has a part in it; nobody types an address, and nobody a command.

Each page but the first of a person is reached by links and buttons, as people do; letters are answered by their links.
Where a step has no page, this does not get past it: that is what it proves.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page, expect, sync_playwright

from readingroom.app.founding import found_for_demo, template
from readingroom.cli.demo.cast import (
    APPLICANTS,
    AUDITOR,
    CHAIR,
    COLLEAGUE,
    GUARANTOR,
    HEARERS,
    REVIEWERS,
    STEWARD,
    THIRD_REVIEWER,
    Applicant,
)
from readingroom.cli.demo.command import served
from readingroom.cli.demo.simulator import LabSimulator
from readingroom.cli.demo.story import model_loaded, plan_checked, stage_opened, stress_run
from readingroom.cli.demo.tale import Tale
from visits import Room, go, press, recorded

pytestmark = [
    pytest.mark.deep,
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not on the PATH; install it to run these"),
]
WINNER, LOSER = APPLICANTS[0], APPLICANTS[3]
READERS = (*REVIEWERS, THIRD_REVIEWER)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A lab whose reading room is open, before its first call."""
    home = tmp_path_factory.mktemp("lab") / "home"
    found_for_demo(home, None)
    with served(home, 0) as url, sync_playwright() as playwright:
        lab = LabSimulator(url, home)
        tale = Tale(lab, template("call.yaml"), home / "samples.yaml", None, fast=True)
        lab.hire()
        for step in (model_loaded, plan_checked, stress_run, stage_opened):
            step(tale)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        made = Room(lab, tale, browser)
        yield made
        browser.close()
        lab.close()
        assert made.faults == []


def test_a_whole_call_is_driven_by_everyone_in_a_browser(room: Room) -> None:
    steward_gives_roles_and_opens_a_call(room)
    applicant_applies_with_a_file_a_colleague_and_a_guarantor(room)
    steward_closes_and_assigns(room)
    reviewers_review_and_one_steps_back(room)
    reviewers_read_each_other(room)
    chair_reads_fixes_and_publishes(room)
    key = applicant_reads_the_reasons_accepts_signs_and_makes_a_key(room)
    applicant_reads_the_model(room, key)
    refused_appeals_and_others_hear_it(room)
    steward_warns_and_the_reader_sees_it(room)
    reader_files_a_work_and_it_is_published(room)
    auditor_looks_at_everything(room)
    applicant_takes_their_data_along(room)


def _call_file() -> str:
    raw = yaml.safe_load(template("call.yaml"))
    raw["title"], raw["guarantor"] = "Reading by turns", "optional"
    raw["window"] = {
        name: f"{each:%Y-%m-%dT%H:%M:%SZ}" if hasattr(each, "year") else each for name, each in raw["window"].items()
    }
    raw["form"].append(
        {"name": "plan", "type": "attachment", "types": ["txt"], "required": False, "label": "A plan of the prompts"}
    )
    raw["review"] |= {"phases": ["independent", "consolidation", "panel"]}
    return yaml.safe_dump(raw, sort_keys=False)


def steward_gives_roles_and_opens_a_call(room: Room) -> None:
    page = room.of(STEWARD)
    for who in (CHAIR, *HEARERS, THIRD_REVIEWER):
        go(page, "People")
        page.get_by_text("Add a person").click()
        page.get_by_label("E-mail address").fill(who.email)
        page.get_by_label("Name", exact=True).fill(who.name)
        page.get_by_label("Institution").fill(who.affiliation)
        page.get_by_label(f"{who.roles[0]}:").check()
        press(page, "Add this person")
        expect(page.get_by_role("button", name=f"Take the role of {who.roles[0]}")).to_be_visible()
    room.look(go(page, "People"), "people")
    go(page, "Desk")
    go(page, "Write a new call")
    page.get_by_text("Or paste it").click()
    page.get_by_label("Its text").fill(_call_file().replace("passes: 40000", "passes: 40000.5"))
    press(page, "Start from this file")
    press(page, "Check and preview")
    expect(page.get_by_role("alert")).to_contain_text("Budget, Passes")
    page.get_by_role("group", name="Budget").get_by_label("Passes").fill("40,000")
    press(page, "Check and preview")
    expect(page.get_by_text("It can be opened. Nothing has been, so far.")).to_be_visible()
    expect(page.get_by_role("heading", name="Rehearsal")).to_be_visible()
    expect(page.get_by_role("img", name="Scores from 1 to 5")).to_be_visible()
    room.look(page, "rehearsal")
    press(page, "Open this call")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Reading by turns")
    go(page, "Its review")
    for who in READERS:
        page.get_by_label("E-mail address").fill(who.email)
        page.get_by_label("Knows").fill("negation, models")
        press(page, "Invite")
        expect(page.get_by_role("row", name=who.name)).to_contain_text("invited")
    for who in READERS:
        mine = room.of(who)
        go(mine, "Reviews")
        press(mine, "Accept")
        expect(mine.get_by_text("Nothing waits for you")).to_be_visible()


def _fills(page: Page, who: Applicant) -> None:
    page.get_by_label("What do you want to find out?").fill(who.purpose)
    page.get_by_label("What will you ask the model?").fill(who.asks)
    page.get_by_label("How many passes do you want, and why so many?").fill(who.why)
    page.get_by_label("text only").check()
    page.get_by_label("What could go wrong, and how do you handle it?").fill(who.risks)
    page.get_by_label("Where will it run?").fill("A laptop")
    page.get_by_label("Passes wanted").fill(f"{who.passes:,}")


def applicant_applies_with_a_file_a_colleague_and_a_guarantor(room: Room) -> None:
    page = room.of(WINNER)
    expect(page.get_by_text("How one becomes a reader")).to_be_visible()
    go(page, "Apply to a call", "Apply to this call")
    _fills(page, WINNER)
    press(page, "Save, and add files")
    plan = {"name": "plan of prompts.txt", "mimeType": "text/plain", "buffer": b"600 prompts, each asked 20 times\n"}
    page.get_by_label("Choose a file").set_input_files(plan)  # type: ignore[arg-type]
    press(page, "Attach")
    expect(page.get_by_role("link", name="plan of prompts.txt")).to_be_visible()
    go(page, "Back to the form")
    expect(page.get_by_label("What do you want to find out?")).to_have_value(WINNER.purpose)
    room.look(page, "form")
    press(page, "Submit")
    expect(page.get_by_text("the desk: it waits for the window to close")).to_be_visible()
    page.get_by_label("Invite somebody into the team").fill(COLLEAGUE.email)
    press(page, "Send the letter")
    page.get_by_label("Name your guarantor").fill(GUARANTOR.email)
    page.locator("button[value=guarantor]").click()
    for who, does in ((COLLEAGUE, "Join the team"), (GUARANTOR, "I vouch for this")):
        link = room.letter(who, r"http\S+/invitations/[\w-]+")
        other = room.of(who)
        other.goto(link)
        expect(other.get_by_text(WINNER.email)).to_be_visible()
        press(other, does)
    go(page, "My reading", "Reading by turns")
    expect(page.get_by_role("row", name=COLLEAGUE.email)).to_contain_text("accepted")
    expect(page.get_by_role("row", name=GUARANTOR.email)).to_contain_text("vouched for version 1")
    room.look(page, "application")
    go(room.of(COLLEAGUE), "My reading", "Reading by turns")
    expect(room.of(COLLEAGUE).get_by_role("button", name="Leave this team")).to_be_visible()
    other = room.of(LOSER)
    go(other, "Apply", "Apply to this call")
    _fills(other, LOSER)
    press(other, "Submit")
    expect(other.get_by_text("the desk: it waits for the window to close")).to_be_visible()


def steward_closes_and_assigns(room: Room) -> None:
    page = room.of(STEWARD)
    go(page, "Desk", "Reading by turns")
    press(page, "Close submission")
    go(page, "Its review")
    press(page, "Assign")
    expect(page.get_by_text("0 of 4 reviews given")).to_be_visible()
    room.look(page, "lead")


def _scores(page: Page, who: Applicant, index: int) -> None:
    for name, points in who.scores[index].items():
        page.get_by_role("group", name=name.capitalize()).get_by_role("radio", name=str(points)).check()
    page.get_by_label("Comment on the whole").fill("Scored against the anchors.")


def _open_reviews(page: Page) -> list[str]:
    go(page, "Reviews")
    rows = page.get_by_role("row").filter(has_text="to do").get_by_role("link")
    return rows.all_inner_texts()


def reviewers_review_and_one_steps_back(room: Room) -> None:
    first = next(each for each in READERS if WINNER.purpose in _open_reviews(room.of(each)))
    page = go(room.of(first), WINNER.purpose)
    expect(page.get_by_text(WINNER.name)).to_have_count(0)
    expect(page.get_by_role("link", name="File 1")).to_be_visible()
    room.look(page, "review")
    page.get_by_text("I know who this may be, or have an interest").click()
    page.get_by_label("In a few words").fill("We wrote a paper together.")
    press(page, "Declare a conflict")
    expect(page.get_by_role("link", name=WINNER.purpose)).to_have_count(0)
    steward = room.of(STEWARD)
    press(steward, "Assign")
    expect(steward.get_by_text("declared").first).to_be_attached()
    for who in READERS:
        for index, purpose in enumerate(_open_reviews(room.of(who))):
            page = go(room.of(who), "Reviews", purpose)
            _scores(page, WINNER if purpose == WINNER.purpose else LOSER, index % 2)
            press(page, "Give this review")
        expect(room.of(who).get_by_text("to do")).to_have_count(0)


def reviewers_read_each_other(room: Room) -> None:
    steward = room.of(STEWARD)
    go(steward, "Desk", "Reading by turns", "Its review")
    expect(steward.get_by_text("4 of 4 reviews given")).to_be_visible()
    press(steward, "Move on to: reading each other")
    who = next(each for each in READERS if room.of(each).get_by_role("link", name=LOSER.purpose).count())
    page = go(room.of(who), "Reviews", LOSER.purpose)
    expect(page.get_by_text("What the others say")).to_be_visible()
    page.get_by_label("Comment on the whole").fill("A product, and no study.")
    page.get_by_label("Why you amend it").fill("The other saw what I had missed.")
    press(page, "Amend this review")
    press(steward, "Move on to: the panel")
    expect(steward.get_by_role("button", name="Move on to")).to_have_count(0)


def chair_reads_fixes_and_publishes(room: Room) -> None:
    page = room.of(CHAIR)
    go(page, "Desk", "Bring Reading by turns to its decision", "The panel's page")
    expect(page.get_by_text("The other saw what I had missed.").first).to_be_attached()
    page.get_by_label("Your rank").first.fill("1")
    page.get_by_label("Your comment").first.fill("To be funded.")
    press(page, "Keep this note")
    room.look(page, "panel")
    go(page, "the call's page")
    press(page, "Fix the allocation")
    expect(page.get_by_role("heading", name="As it was fixed")).to_be_visible()
    room.look(page, "call")
    go(page, "Publish the awards")
    press(page, "Publish the awards of Reading by turns")
    expect(page.get_by_role("heading", name="Awards")).to_be_visible()


def applicant_reads_the_reasons_accepts_signs_and_makes_a_key(room: Room) -> str:
    page = room.of(WINNER)
    go(page, "My reading", "Reading by turns")
    expect(page.get_by_role("heading", name="Decision: awarded")).to_be_visible()
    for said in ("Score", "Rank", "What would have had to differ"):
        expect(page.get_by_text(said, exact=True)).to_be_visible()
    room.look(page, "decision")
    go(page, "To my awards")
    press(page, "Accept the award")
    page.get_by_label("Your name").fill(WINNER.name)
    press(page, "I accept these terms")
    press(page, "Make a key")
    return page.locator("#key").inner_text()


def applicant_reads_the_model(room: Room, key: str) -> None:
    said = "one two three"
    answer = room.tale.client(key).chat.completions.create(
        model=room.tale.model, messages=[{"role": "user", "content": said}]
    )
    assert answer.choices[0].message.content == said
    recorded(room.lab.home)
    page = go(room.of(WINNER), "My reading")
    expect(page.get_by_text("3 used of 12,000")).to_be_visible()
    expect(page.get_by_text(key)).to_have_count(0)
    room.look(page, "my")
    expect(go(room.of(COLLEAGUE), "My reading").get_by_role("heading", name="Grants")).to_be_visible()


def refused_appeals_and_others_hear_it(room: Room) -> None:
    page = room.of(LOSER)
    go(page, "My reading", "Reading by turns")
    expect(page.get_by_role("heading", name="Decision: refused")).to_be_visible()
    room.look(page, "refused")
    go(page, "Appeal this refusal")
    page.get_by_role("radio").first.check()
    page.get_by_label("What went wrong, and where").fill("One review speaks of another application.")
    press(page, "Lodge the appeal")
    expect(go(room.of(CHAIR), "Appeals").get_by_text("None waits to be heard by you")).to_be_visible()
    one, two = (room.of(each) for each in HEARERS)
    for hearer in (one, two):
        go(hearer, "Desk", "1 appeal to be heard", "a refusal in")
    press(one, "Admit it")
    for hearer in (one, two):
        go(hearer, "Appeals", "a refusal in")
        hearer.get_by_role("radio", name="Uphold it").check()
        hearer.get_by_label("Why", exact=False).last.fill("The review is of another application.")
        press(hearer, "Say so")
    room.look(two, "appeal")
    two.get_by_label("Reasons").fill("The second review was of another application.")
    press(two, "Conclude it")
    go(page, "My reading", "Reading by turns", "To the appeal")
    expect(page.get_by_text("The second review was of another application.")).to_be_visible()
    expect(page.get_by_text("out of the reserve")).to_be_visible()
    go(page, "accept it")
    press(page, "Accept the award")
    expect(page.get_by_text("Accept the terms to read")).to_be_visible()


def steward_warns_and_the_reader_sees_it(room: Room) -> None:
    page = room.of(STEWARD)
    go(page, "Steward")
    room.look(page, "steward")
    page.get_by_role("row", name=WINNER.name).get_by_role("link", name="Members and sanctions").click()
    page.get_by_label("Sanction").select_option("warn")
    page.get_by_role("combobox", name=re.compile("^Of")).select_option(label=f"{WINNER.name}, holder")
    page.get_by_label("Reason").select_option("security")
    page.get_by_label("Notice").fill("Your key was seen in a public place.")
    press(page, "Impose it")
    expect(page.get_by_role("heading", name="Warning in force")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text="not yet")).to_be_visible()
    reader = go(room.of(WINNER), "My reading")
    expect(reader.get_by_text("Your key was seen in a public place.")).to_be_visible()
    room.look(reader, "notice")
    press(reader, "I have read this")
    go(reader, "My reading", "Warning for security", "Appeal it")
    reader.get_by_role("radio").first.check()
    reader.get_by_label("What went wrong, and where").fill("The key that was seen is not mine.")
    press(reader, "Lodge the appeal")
    expect(reader.get_by_role("heading", name="Appeal of a sanction")).to_be_visible()
    page.reload()
    expect(page.get_by_role("definition").filter(has_text="not yet")).to_have_count(0)


def reader_files_a_work_and_it_is_published(room: Room) -> None:
    page = go(room.of(WINNER), "My reading", "My works")
    page.get_by_label("Title").fill("Negation in small models")
    page.get_by_label("Authors").fill(WINNER.name)
    page.get_by_label("Year").fill("2026")
    press(page, "Hand it in")
    expect(page.get_by_text("waits for the lab")).to_be_visible()
    steward = go(room.of(STEWARD), "Steward", "1 work of a reader to look at")
    press(steward, "Publish")
    go(page, "page of works")
    expect(page.get_by_role("heading", name="Negation in small models")).to_be_visible()
    room.look(page, "works")


def auditor_looks_at_everything(room: Room) -> None:
    page = room.of(AUDITOR)
    go(page, "register of readers")
    expect(page.get_by_role("row", name=WINNER.name)).to_contain_text("warn")
    expect(page.get_by_role("row", name=AUDITOR.name).first).to_contain_text("page")
    room.look(page, "register")
    go(page, "Desk", "Reading by turns")
    with page.expect_download() as begun:
        go(page, "The public dossier")
    room.lab.program.run("call", "verify", str(begun.value.path()))
    go(page, "Ledger")
    expect(page.get_by_role("cell", name="admissions.call.published").first).to_be_visible()
    room.look(page, "ledger")


def applicant_takes_their_data_along(room: Room) -> None:
    page = go(room.of(WINNER), "My reading", "What is held of me")
    room.look(page, "held")
    with page.expect_download() as begun:
        go(page, "Take it along, as a file")
    held = json.loads(Path(begun.value.path()).read_text())
    assert WINNER.purpose in json.dumps(held)
    assert LOSER.purpose not in json.dumps(held)
