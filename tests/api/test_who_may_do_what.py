"""Who may do what over the control API: every operation of its document, asked by somebody of each role.

Whatever is asked for exists, so 404 is a refusal here too: what is not somebody's is answered like what is not there.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import yaml
from litestar import Litestar
from litestar.exceptions import LitestarDeprecationWarning
from litestar.testing import TestClient

from admissions.world import ANSWERS, call_text
from api.rights import ELSEWHERE, EVERYONE, ROLES, SEEN, SIGNED_IN, TABLE, TO_ITSELF, WORK
from readingroom.access.model import Amounts, Award, Kind
from readingroom.access.model import Reason as Cause
from readingroom.access.sanctions import Wanted
from readingroom.admissions.after import Ground
from readingroom.admissions.model import Draft, Outcome, Reason, Ruling
from readingroom.admissions.pool import Scope, TieKind
from readingroom.api.control import create_control
from readingroom.app.desk import open_call
from readingroom.app.house import House
from readingroom.app.lending import issue_discretionary
from readingroom.cli.portal import OPENAPI
from readingroom.core.settings import load
from readingroom.oversight.observation import Kind as Seen
from readingroom.oversight.work import Kind as Form
from readingroom.oversight.work import Work
from readingroom.people.model import Actor, Claim, FactKind, Role
from readingroom.post.model import Letter, Undelivered
from readingroom.web.app import create_web
from served import found


@dataclass
class Desk:
    """A house with one of everything in it, and a session of each."""

    house: House
    client: TestClient[Litestar]
    sessions: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def person(self, name: str, *roles: Role) -> Actor:
        people = self.house.people
        made = people.add(people.operator(), f"{name}@{name}.example", affiliation=name, roles=roles)
        answer = self.client.post("/api/sign-in", json={"link": people.make_link_for(people.operator(), made.email)})
        self.sessions[name] = answer.json()["session"]
        return people.actor(made.id)

    def ask(self, name: str, method: str, path: str, body: Any) -> tuple[int, str]:
        headers = {"authorization": f"Bearer {self.sessions[name]}"} if name in self.sessions else {}
        answer = self.client.request(method, path.format(**self.ids), json=body, headers=headers)
        return answer.status_code, str(answer.json()["error"]["code"]) if answer.status_code >= 400 else ""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    house = House(load(found(tmp_path_factory.mktemp("who") / "home")))
    with warnings.catch_warnings():  # of Litestar 3, which asks for another way to name what is injected
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        app = create_web(house, [create_control(house)], OPENAPI)
    made = Desk(house, TestClient(app, raise_server_exceptions=False))
    furnish(made)
    yield made
    house.close()


def furnish(desk: Desk) -> None:
    """Put one of everything in the house: a call in review, an award on offer, a grant with a key."""
    people = {name: desk.person(name, *({Role(name)} if name in ROLES else ())) for name in SIGNED_IN - {"idle"}}
    owner, steward, lab = people["owner"], people["steward"], desk.house.admissions
    form = [*yaml.safe_load(call_text())["form"], {"name": "plan", "type": "attachment", "label": "Plan", "files": 2}]
    call = open_call(desk.house, steward, call_text(review=one_review(), form=form), "call.yaml")
    begun = lab.start(owner, call.id, Draft(ANSWERS, 10_000)).id
    digest = lab.attach(owner, begun, "plan", "plan.txt", b"our plan").digest
    application = lab.submit(owner, begun)
    _, secret = lab.invite(owner, begun, "member@member.example")
    lab.answer(people["member"], secret, accept=True)
    invitation, _ = lab.invite(owner, begun, "friend@friend.example")
    lab.close_call(steward, call.id)
    (review,) = lab.assign_reviewers(steward, call.id)
    people["idle"] = desk.person("idle", Role.REVIEWER)
    lab.invite_reviewer(steward, call.id, people["idle"].id, Scope())
    ((_, case),) = lab.risks_to_judge(people["safety"])
    tie = lab.declare_tie(owner, TieKind.COAUTHOR, "someone@else.example")
    by_person = open_call(desk.house, steward, call_text(allocation={"policy": "by-person"}, review=None), "call.yaml")
    lab.decide(
        steward,
        lab.submit(owner, lab.start(owner, by_person.id, Draft(ANSWERS, 10_000)).id).id,
        Ruling(Outcome.AWARDED, Reason.SUITABLE),
    )
    (award,) = lab.my_awards(owner)
    ends = desk.house.clock.now() + timedelta(days=1)
    lent = Award("", "reading-room", "text", Amounts(passes=100), ends, "test")
    grant, key, _ = issue_discretionary(desk.house, steward, "owner@owner.example", lent, accept_terms=False)
    with desk.house.db.decide() as tx:
        desk.house.access.invite_within(tx, owner, grant.id, people["idle"].id)
    warned = desk.house.access.impose(steward, Wanted(Kind.WARN, Cause.SECURITY, grant.id))
    work = desk.house.works.submit(owner, grant.id, Work(Form.NOTE, "Reading", ("A Reader",), 2026))
    WORK["grant"] = SEEN["grant"] = grant.id
    now, outbox = desk.house.clock.now(), desk.house.outbox
    outbox.put([Letter("letter_1", "e", 1, owner.id, "owner@owner.example", "s", "t", "", now - timedelta(days=9))])
    claimed = outbox.claim()
    assert claimed is not None
    outbox.not_sent(claimed[0].id, claimed[1], Undelivered("550 nobody", final=True))
    desk.ids |= {
        "work": work.id,
        "observation": desk.house.observations.report(owner, Seen.OTHER, "Something.").id,
        "letter": claimed[0].id,
        "sanction": warned.id,
        "person": owner.id,
        "call": call.id,
        "application": application.id,
        "review_id": review.id,
        "look": "sift_x",
        "case": case.view.review,
        "tie_id": tie.id,
        "award": award.id,
        "grant": grant.id,
        "key": key.id,
        "fact": desk.house.people.claim_fact(owner, Claim(FactKind.TRAINING, "An institute")).id,
        "name": "reading-room",
        "digest": digest,
        "invitation": invitation.id,
    }
    follow_up(desk, people)


def follow_up(desk: Desk, people: dict[str, Actor]) -> None:
    """Put in what follows a decision: a project that has reported, and a refusal that is appealed."""
    owner, steward, lab = people["owner"], people["steward"], desk.house.admissions
    half = {"first": "50%", "after": "report"}
    text = call_text(allocation={"policy": "by-person"}, review=None, tranches=half)
    ids = []
    for ruling in (Ruling(Outcome.AWARDED, Reason.SUITABLE), Ruling(Outcome.REFUSED, Reason.UNCLEAR, "Unclear.")):
        call = open_call(desk.house, steward, text, "call.yaml")
        ids.append(lab.submit(owner, lab.start(owner, call.id, Draft(ANSWERS, 10_000)).id).id)
        lab.decide(steward, ids[-1], ruling)
    award = next(each for each in lab.my_awards(owner) if each.application == ids[0])
    lab.accept_award(owner, award.id)
    project = next(each for each in desk.house.access.my_grants(owner) if each.award_id == award.id)
    report = lab.file_report(owner, award.id, {"text": "half", "found": "something", "used": "prompts"})
    appeal = lab.appeal_refusal(owner, ids[1], Ground.PROCEDURE, "A step was left out.")
    desk.ids |= {"project": project.id, "request_id": report.id, "refused": ids[1], "appeal": appeal.id}
    TO_ITSELF["to"] = project.id


def one_review() -> dict[str, Any]:
    """Give the shipped call's way of reviewing, with one review to each application."""
    return {**yaml.safe_load(call_text())["review"], "per_application": 1, "safety_opinions": 1}


def test_every_operation_of_the_document_stands_in_the_table(desk: Desk) -> None:
    paths = desk.client.get("/api/openapi.json").json()["paths"]
    known = {(method, path) for path, methods in paths.items() for method in methods if path.startswith("/api/")}
    assert known == {(method, path.partition("?")[0]) for method, path in TABLE} | ELSEWHERE


@pytest.mark.parametrize(("method", "path"), TABLE, ids=[f"{method} {path}" for method, path in TABLE])
def test_exactly_who_may_is_let_in(desk: Desk, method: str, path: str) -> None:
    allowed, body = TABLE[method, path]
    size = desk.house.log.size()
    refused = {name: desk.ask(name, method, path, body) for name in sorted(EVERYONE - allowed)}
    assert desk.house.log.size() == size, "a refusal decided something"
    assert {name: answer for name, answer in refused.items() if answer[0] not in {401, 403, 404}} == {}
    if "anonymous" in refused:
        assert refused["anonymous"] == (401, "people/not-signed-in")
    let_in = {name: desk.ask(name, method, path, body) for name in sorted(allowed)}
    assert {name: answer for name, answer in let_in.items() if answer[0] in {401, 403, 404, 500}} == {}


def test_a_link_makes_a_session_and_nothing_else_does(desk: Desk) -> None:
    assert desk.ask("steward", "post", "/api/sign-in", {"link": "guessed"})[0] in {401, 403}


def test_an_address_is_added_by_a_letter_and_two_accounts_are_merged_by_a_session_of_each(desk: Desk) -> None:
    elder, younger = desk.person("elder"), desk.person("younger")
    link = desk.house.people.ask_address(elder, "second@elder.example")
    assert desk.ask("younger", "post", "/api/me/addresses/add", {"link": link})[0] == 403
    assert desk.ask("elder", "post", "/api/me/addresses/choose", {"email": "second@elder.example"})[0] == 404
    assert desk.ask("elder", "post", "/api/me/addresses/add", {"link": link})[0] == 200
    assert desk.ask("elder", "post", "/api/me/addresses/choose", {"email": "second@elder.example"})[0] == 200
    assert desk.ask("elder", "post", "/api/me/merge", {"other": "guessed"})[0] == 401
    headers = {"authorization": f"Bearer {desk.sessions['elder']}"}
    answer = desk.client.post("/api/me/merge", json={"other": desk.sessions["younger"]}, headers=headers)
    assert answer.json()["person"] == elder.id
    assert desk.ask("younger", "get", "/api/me", None)[0] == 401
    desk.sessions["elder"] = answer.json()["session"]
    shown = desk.client.get(
        f"/api/persons/{younger.id}", headers={"authorization": f"Bearer {desk.sessions['steward']}"}
    )
    assert shown.json()["merged"] == [younger.id]
    assert desk.ask("elder", "post", "/api/me/sign-out", None)[0] == 200
    assert desk.ask("elder", "get", "/api/me", None)[0] == 401
