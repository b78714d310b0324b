"""Each letter is written by the step that it tells of, in a house as it is wired: none lacks a fact, none is dead."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from admissions.world import ANSWERS, call_text
from readingroom.access.model import Amounts, Award, Grant, Reason
from readingroom.access.model import Kind as Kind_
from readingroom.access.sanctions import Wanted
from readingroom.admissions import queries as admissions
from readingroom.admissions.after import Ground
from readingroom.admissions.appeals.model import AppealState, Bar
from readingroom.admissions.call import Call
from readingroom.admissions.model import Draft, Outcome, Ruling
from readingroom.admissions.model import Reason as Why
from readingroom.admissions.pool import Scope
from readingroom.admissions.requests import Answer
from readingroom.app.desk import open_call
from readingroom.app.house import House
from readingroom.app.lending import issue_discretionary
from readingroom.app.letters.post import letters
from readingroom.app.letters.scene import Scene
from readingroom.app.letters.table import LETTERS
from readingroom.app.letters.writing import TEMPLATES
from readingroom.app.many import chosen, look
from readingroom.app.projects import invite
from readingroom.core.clock import FixedClock, SystemClock
from readingroom.core.settings import load
from readingroom.ledger.model import Entry
from readingroom.oversight.observation import Kind as Seen
from readingroom.oversight.work import Kind, Work
from readingroom.people.model import Actor, Role
from readingroom.post.model import Letter
from readingroom.post.tables import letter as table
from served import found

NOT_OF_EVENTS = {"layout.txt", "words.txt", "due.txt"}
GOOD = Work(Kind.NOTE, "Reading", ("A Reader",), 2026)


def names() -> set[str]:
    return {each.name for each in TEMPLATES.glob("*.txt")}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(load(found(tmp_path / "home")), FixedClock(SystemClock().now()))


def person(house: House, name: str, *roles: Role) -> Actor:
    made = house.people.add(house.people.operator(), f"{name}@{name}.example", affiliation=name, roles=roles)
    return house.people.actor(made.id)


def grant(house: House, by: Actor, email: str) -> Grant:
    ends = house.clock.now() + timedelta(days=30)
    lent = Award("", "reading-room", "text", Amounts(passes=100, tokens=5), ends, "test")
    return issue_discretionary(house, by, email, lent, accept_terms=False)[0]


def applications(house: House, steward: Actor) -> None:
    """Let applications take every way that there is."""
    lab, clock = house.admissions, house.clock
    single = open_call(house, steward, call_text(allocation={"policy": "by-person"}, review=None), "call.yaml")
    people = [person(house, name) for name in ("one", "two", "three", "four", "five")]
    made = [lab.submit(each, lab.start(each, single.id, Draft(ANSWERS, 10_000)).id) for each in people]
    lab.return_application(steward, made[0].id, "Say where.", clock.now() + timedelta(days=3))
    lab.submit(people[0], made[0].id)
    lab.withdraw(people[0], made[0].id)
    for each in made[1:4]:
        lab.decide(steward, each.id, Ruling(Outcome.AWARDED, Why.SUITABLE))
    lab.decide(steward, made[4].id, Ruling(Outcome.REFUSED, Why.UNCLEAR, "Not clear."))
    first, second, third = (lab.my_awards(each)[0] for each in people[1:4])
    lab.accept_award(people[1], first.id)
    lab.decline_award(people[2], second.id)
    assert isinstance(clock, FixedClock)
    clock.moment = third.accept_by + timedelta(seconds=1)
    lab.lapse_award(steward, third.id)


def reviews(house: House, steward: Actor) -> Call:
    """Let a reviewer be asked and let go; one application stays a draft."""
    lab = house.admissions
    more = {"review": {**yaml.safe_load(call_text())["review"], "per_application": 1}}
    now = house.clock.now()
    more["window"] = {"opens": (now - timedelta(days=1)).isoformat(), "closes": (now + timedelta(days=9)).isoformat()}
    call = open_call(house, steward, call_text(**more), "call.yaml")
    person(house, "reviewer", Role.REVIEWER)
    six, seven = person(house, "six"), person(house, "seven")
    lab.submit(six, lab.start(six, call.id, Draft(ANSWERS, 10_000)).id)
    lab.start(seven, call.id, Draft(ANSWERS, 10_000))
    lab.close_call(steward, call.id)
    (review,) = lab.assign_reviewers(steward, call.id)
    lab.release_review(steward, review.id)
    return call


def sanctions(house: House, steward: Actor) -> None:
    """Let a grant be stopped and put right, keys changed by the lab, terms changed, a stage shut, a person barred."""
    held, access = grant(house, steward, "reader@reader.example"), house.access
    key, _ = access.issue_key(steward, held.id)
    rotated, _ = access.rotate_key(steward, key.id)
    access.revoke_key(steward, rotated.id)
    access.suspend(steward, held.id, Reason.SECURITY)
    access.reinstate(steward, held.id, Reason.ERROR_CORRECTED)
    for material in (True, False):
        house.agreements.publish(steward, f"# Terms\n\n1. {material}\n", material=material, reason="better")
    reader = house.people.actor(held.holder)
    work = house.works.submit(reader, held.id, GOOD).id
    house.works.decline(steward, work, "The link is dead.")
    work = house.works.submit(reader, held.id, GOOD).id
    house.works.publish(steward, work)
    house.works.withdraw(steward, work, "By request.")
    house.observations.answer(steward, house.observations.report(reader, Seen.OTHER, "An odd answer.").id, "Thank you.")
    house.releases.hold(steward, "reading-room", "other", "a look")
    access.revoke(steward, held.id, Reason.PROJECT_ENDED)
    ends = house.clock.now() + timedelta(days=30)
    access.bar(steward, held.holder, ends, Reason.TERMS_BREACH)
    access.bar(steward, held.holder, ends - timedelta(days=1), Reason.ERROR_CORRECTED)


def afterwards(house: House, steward: Actor) -> None:
    """Let somebody report and be answered, and let refusals be appealed: one is heard, one is not."""
    lab, half = house.admissions, {"first": "50%", "after": "report"}
    single = {"allocation": {"policy": "by-person"}, "review": None, "tranches": half}
    call = open_call(house, steward, call_text(**single), "call.yaml")
    holder, one, two = (person(house, name) for name in ("holder", "appeals", "late"))
    made = [lab.submit(each, lab.start(each, call.id, Draft(ANSWERS, 10_000)).id) for each in (holder, one, two)]
    lab.decide(steward, made[0].id, Ruling(Outcome.AWARDED, Why.SUITABLE))
    for each in made[1:]:
        lab.decide(steward, each.id, Ruling(Outcome.REFUSED, Why.UNCLEAR, "Not clear."))
    award = lab.my_awards(holder)[0]
    lab.accept_award(holder, award.id)
    filed = lab.file_report(holder, award.id, {"text": "Half.", "found": "Something.", "used": "Prompts."})
    lab.decide_request(steward, filed.id, Answer(filed.passes, "Thank you."))
    panel = [person(house, f"hears{n}", Role.PANEL) for n in (1, 2)]
    heard, barred = (
        lab.appeal_refusal(who, each.id, Ground.PROCEDURE, "A step was left out.")
        for who, each in zip((one, two), made[1:], strict=True)
    )
    lab.admit_appeal(panel[0], heard.id)
    for hearer in panel:
        lab.speak(hearer, heard.id, AppealState.REJECTED, "No step was left out.")
    lab.conclude_appeal(panel[0], heard.id, "Every step was done.")
    lab.dismiss_appeal(panel[0], barred.id, Bar.NEW_FACTS, "It rests on new facts.")


def projects(house: House, steward: Actor) -> None:
    """Let members come and go, a project be sanctioned, many grants end at once, and two accounts become one."""
    held, access = grant(house, steward, "project@project.example"), house.access
    holder = house.people.actor(held.holder)
    for name, joins in (("joins", True), ("declines", False)):
        guest = person(house, name)
        invite(house, holder, held.id, f"{name}@{name}.example")
        (access.join if joins else access.decline)(guest, held.id)
        if joins:
            access.remove(holder, held.id, guest.id)
    slow = Wanted(Kind_.THROTTLE, Reason.SECURITY, grant_id=held.id, note="Too fast.", per_minute=6)
    access.lift(steward, access.impose(steward, slow).id, "cured")
    choice = chosen(house, stage="reading-room")
    seen = look(house, steward, choice, Reason.SECURITY)
    access.revoke_many(steward, choice, Reason.SECURITY, "A loophole.", seen.digest)
    house.people.merge(steward, person(house, "twice").id, person(house, "once").id, "Two accounts of one person.")


def pools(house: House, steward: Actor) -> None:
    """Let reviewers be invited, one not answer, others sift, and one review wait while the phase moves on."""
    lab, review = house.admissions, yaml.safe_load(call_text())["review"]
    more = {"review": {**review, "per_application": 1, "phases": ["independent", "panel"]}}
    more["sift"] = {"reviews": 1, "criterion": "merit", "line": 3}
    call = open_call(house, steward, call_text(**more), "call.yaml")
    asked = person(house, "asked", Role.REVIEWER)
    lab.invite_reviewer(steward, call.id, asked.id, Scope())
    lab.expire_invitation(steward, call.id, asked.id)
    eight = person(house, "eight")
    lab.submit(eight, lab.start(eight, call.id, Draft(ANSWERS, 10_000)).id)
    lab.close_call(steward, call.id)
    assert lab.assign_sift(steward, call.id) == 1


TOLD = (  # by their events, with real rows: the steps themselves are in the tests of their own rooms
    "admissions.application.admitted", "admissions.member.accepted",
    "admissions.member.declined", "admissions.member.left", "admissions.guarantor.accepted",
    "admissions.guarantor.declined", "admissions.call.phase-moved", "people.identity.added",
    "people.identity.removed", "people.address.chosen", "releases.stage.rolled-back", "releases.stage.withdrawn",
    "releases.stage.closed",
)  # fmt: skip


def tell(house: House, call: Call, who: Actor) -> list[Letter]:
    """Write the letters of events that no step above said."""
    more = {"finished": False, "call": call.id, "person": who.id, "applicant": who.id, "stage": "reading-room"}
    nine = person(house, "nine", Role.REVIEWER)
    house.admissions.assign_reviewers(house.people.operator(), call.id, [nine.id])
    held = grant(house, house.people.operator(), "last@last.example")
    assert held.stage == "reading-room"
    made: list[Letter] = []
    with house.db.read() as tx:
        (application,) = admissions.of_person(tx, who.id)
        for event in TOLD:
            entry = Entry(0, event, house.clock.now(), "operator", {**more, "application": application.id})
            found = list(letters(Scene(tx, entry, house.clock.now(), "https://reading.example"), house.mailbox))
            assert found, event
            made += found
    return made


def test_every_letter_is_written_by_the_step_that_it_tells_of(house: House) -> None:
    steward = person(house, "steward", Role.STEWARD, Role.TESTER)
    house.people.change_role(house.people.operator(), "steward@steward.example", Role.TESTER, add=False)
    applications(house, steward)
    call = reviews(house, steward)
    sanctions(house, steward)
    afterwards(house, steward)
    pools(house, steward)
    projects(house, steward)
    more = tell(house, call, house.people.actor(house.people.named("six@six.example").id))
    with house.db.read() as tx:
        rows = tx.execute(sa.select(table)).all()
    written = {row.event for row in rows}
    assert set(LETTERS) - written == set(TOLD)
    texts = [(row.subject, row.text, row.html) for row in rows]
    texts += [(each.subject, each.text, each.html) for each in more]
    assert {f"{each.template}.txt" for told in LETTERS.values() for each in told} | NOT_OF_EVENTS == names()
    assert all(subject and "Dear " in text and html for subject, text, html in texts)
    assert not [text for _, text, _ in texts if "None" in text or "{" in text]
    assert not [text for _, text, _ in texts if "`" in text], "marks of code are for pages"
    house.close()


def post_of(house: House, email: str) -> list[str]:
    """Return the subject and the text of each letter to an address, oldest first."""
    with house.db.read() as tx:
        rows = tx.execute(sa.select(table).where(table.c.recipient == email).order_by(table.c.entry, table.c.id))
        return [f"{row.subject}\n{' '.join(row.text.split())}" for row in rows]


def test_a_sanction_is_told_to_everybody_whom_it_stops_with_what_by_when_and_how_to_appeal(house: House) -> None:
    steward, guest = person(house, "steward", Role.STEWARD), person(house, "guest")
    held, access = grant(house, steward, "reader@reader.example"), house.access
    invite(house, house.people.actor(held.holder), held.id, "guest@guest.example")
    access.join(guest, held.id)
    mails, now = ("reader@reader.example", "guest@guest.example"), house.clock.now()
    wanted = [
        (
            Wanted(Kind_.THROTTLE, Reason.SECURITY, held.id, per_minute=1200, notice="Too fast."),
            "at most 1,200 requests",
        ),
        (
            Wanted(Kind_.SUSPEND, Reason.OTHER, held.id, cure_by=now + timedelta(days=9), notice="Too fast."),
            f"Your keys work until {now + timedelta(days=9):%-d %B}",
        ),
        (Wanted(Kind_.SUSPEND, Reason.SECURITY, held.id, notice="Too fast."), "is suspended: none of its keys works"),
        (Wanted(Kind_.REVOKE, Reason.SECURITY, held.id, notice="Too fast."), "was revoked: it is over"),
    ]
    for each, said in wanted:
        made = access.impose(steward, each)
        for mail in mails:
            newest = post_of(house, mail)[-1]
            assert said in newest
            assert "> Too fast." in newest
            assert f"you may appeal until {now + timedelta(days=14):%-d %B %Y}" in newest
            assert f"/my/sanctions/{made.id}/appeal" in newest
    before = len(post_of(house, mails[0]))
    alone = Wanted(Kind_.BAR, Reason.SECURITY, person=guest.id, until=now + timedelta(days=5), notice="For you.")
    access.impose(steward, alone)
    assert "> For you." in post_of(house, mails[1])[-1]
    assert len(post_of(house, mails[0])) == before, "individual, not collective"
    house.close()


def test_one_act_on_many_names_to_each_their_own(house: House) -> None:
    steward, guest = person(house, "steward", Role.STEWARD), person(house, "guest")
    mine, other = grant(house, steward, "reader@reader.example"), grant(house, steward, "other@other.example")
    invite(house, house.people.actor(mine.holder), mine.id, "guest@guest.example")
    house.access.join(guest, mine.id)
    choice = chosen(house, stage="reading-room")
    house.access.revoke_many(
        steward, choice, Reason.SECURITY, "A loophole.", look(house, steward, choice, Reason.SECURITY).digest
    )
    of = {each.grant_id: each.id for each in house.access.sanctions(steward)}
    for mail, grant_id in (("reader@reader", mine.id), ("guest@guest", mine.id), ("other@other", other.id)):
        newest = post_of(house, f"{mail}.example")[-1]
        assert [name for name, each in of.items() if each in newest] == [grant_id]
    house.close()


def test_what_an_award_and_an_appeal_really_give_is_what_the_letters_say(house: House) -> None:
    afterwards(house, person(house, "steward", Role.STEWARD))
    holder, appellant = post_of(house, "holder@holder.example"), post_of(house, "appeals@appeals.example")
    assert any("5,000 passes at once, and the rest after a progress report" in each for each in holder)
    assert any("You now hold a grant of 5,000 passes" in each for each in holder)
    assert any("released 5,000 of the 5,000 passes" in each and "> Thank you." in each for each in holder)
    assert any("Your appeal was rejected" in each and "> Every step was done." in each for each in appellant)
    refused = next(each for each in appellant if "was not successful" in each)
    assert "on the page of your application. Grounds" in refused
    told = {
        mail
        for mail in ("steward", "hears1", "hears2")
        if any("waits to be heard" in each for each in post_of(house, f"{mail}@{mail}.example"))
    }
    assert told == {"hears1", "hears2"}, "who decided is not asked to hear it"
    house.close()


def test_an_award_that_an_appeal_gives_does_not_repeat_the_refusal(house: House) -> None:
    steward, lab, one = person(house, "steward", Role.STEWARD), house.admissions, person(house, "one")
    call = open_call(house, steward, call_text(allocation={"policy": "by-person"}, review=None), "call.yaml")
    made = lab.submit(one, lab.start(one, call.id, Draft(ANSWERS, 10_000)).id)
    lab.decide(steward, made.id, Ruling(Outcome.REFUSED, Why.UNCLEAR, "Not clear."))
    appeal = lab.appeal_refusal(one, made.id, Ground.PROCEDURE, "A step was left out.")
    panel = [person(house, f"hears{n}", Role.PANEL) for n in (1, 2)]
    lab.admit_appeal(panel[0], appeal.id)
    for hearer in panel:
        lab.speak(hearer, appeal.id, AppealState.UPHELD, "It was.")
    lab.conclude_appeal(panel[0], appeal.id, "It was left out.")
    offer = next(each for each in post_of(house, "one@one.example") if "offered an award" in each)
    assert "follows from your appeal" in offer
    assert "Not clear." not in offer
    assert "unclear" not in offer
    house.close()
