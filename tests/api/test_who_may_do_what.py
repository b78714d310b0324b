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
from readingroom.oversight.work import Kind as Form
from readingroom.oversight.work import Work
from readingroom.people.model import Actor, Claim, FactKind, Role
from readingroom.post.model import Letter, Undelivered
from readingroom.web.app import create_web
from served import found

ROLES = frozenset({"steward", "tester", "reviewer", "panel", "safety", "auditor"})
# `owner` has applied, was awarded, and holds the grant; `member` is in the team; `idle` is a reviewer whom nobody
# asked; `reader` is nobody.
SIGNED_IN = ROLES | {"owner", "member", "idle", "reader"}
EVERYONE = SIGNED_IN | {"anonymous"}
NOBODY_ELSE = frozenset({"owner"})
STEWARD = frozenset({"steward"})
READS_APPLICATIONS = frozenset({"steward", "panel", "auditor"})
IS_SHOWN_IT = READS_APPLICATIONS | {"owner", "member"}
DECIDES = frozenset({"steward", "panel"})
READS_GRANTS = frozenset({"steward", "safety", "auditor"})
SANCTIONS = frozenset({"steward", "safety"})

FILE = {"question": "plan", "name": "plan.txt", "content": "cGxhbg=="}
LATER = "2099-01-01T00:00:00Z"
WHY = {"reason": "other"}  # of a sanction: `other` needs a note, so that who may is told so and nothing changes
STOP = {"reason": "other"}
TO_ITSELF: dict[str, Any] = {"to": "", "passes": 1}  # of a transfer: named once there is a grant
WORK = {"grant": "GRANT", "kind": "note", "title": "On reading", "authors": ["A Reader"], "year": 2026}
TABLE: dict[tuple[str, str], tuple[frozenset[str], Any]] = {
    # operation: who may, and what is sent
    ("post", "/api/register"): (EVERYONE, {"email": "new@new.example"}),
    ("get", "/api/me"): (SIGNED_IN, None),
    ("get", "/api/me/held"): (SIGNED_IN, None),
    ("post", "/api/me/erase"): (SIGNED_IN, {"email": "mistyped@reader.example"}),  # so that nobody is
    ("post", "/api/persons/erase"): (STEWARD, {"email": "steward@steward.example", "basis": "order"}),  # in office
    ("get", "/api/persons"): (STEWARD, None),
    ("post", "/api/persons"): (STEWARD, {"email": "new@new.example", "roles": ["steward"]}),
    ("post", "/api/persons/role"): (STEWARD, {"email": "reader@reader.example", "role": "auditor", "give": False}),
    ("get", "/api/persons/{person}"): (STEWARD, None),
    ("post", "/api/persons/merge"): (STEWARD, {"one": "x", "other": "y", "reason": ""}),
    ("post", "/api/persons/{person}/facts"): (STEWARD, {"kind": "training", "body": "x"}),
    ("post", "/api/facts/{fact}/confirm"): (STEWARD, {}),
    ("post", "/api/facts/{fact}/end"): (STEWARD | {"owner"}, None),
    ("get", "/api/me/account"): (SIGNED_IN, None),
    ("post", "/api/me/facts"): (SIGNED_IN, {"kind": "training", "body": "x"}),
    ("post", "/api/me/addresses"): (SIGNED_IN, {"email": "second@new.example"}),
    ("post", "/api/me/identities/remove"): (NOBODY_ELSE, {"issuer": "mailto:", "subject": "owner@owner.example"}),
    ("post", "/api/persons/bar"): (SANCTIONS, {"email": "reader@reader.example", "until": LATER, **WHY}),
    ("get", "/api/release"): (EVERYONE, None),
    ("get", "/api/models"): (EVERYONE, None),
    ("post", "/api/stages/{name}/sign"): (STEWARD, None),  # the gate asks for a steward's signature
    ("post", "/api/stages/{name}/open"): (STEWARD, None),
    ("get", "/api/calls"): (EVERYONE, None),
    ("post", "/api/calls"): (STEWARD, {"text": "title: x"}),
    ("post", "/api/calls/check"): (STEWARD, {"text": "title: x"}),
    ("post", "/api/calls/rehearse"): (STEWARD, {"text": "title: x"}),
    ("get", "/api/calls/{call}/desk"): (READS_APPLICATIONS, None),
    ("get", "/api/calls/{call}/overdue"): (READS_APPLICATIONS, None),
    ("post", "/api/calls/{call}/forms"): (STEWARD, {"applications": ["application_x"]}),
    ("post", "/api/applications/{application}/ineligible"): (DECIDES, {"reason": "incomplete", "note": "x"}),
    ("post", "/api/applications/{application}/admit"): (STEWARD, {"note": "x"}),
    ("post", "/api/applications/{application}/next-round"): (NOBODY_ELSE, None),
    ("post", "/api/calls/{call}/sift"): (STEWARD, None),
    ("get", "/api/calls/{call}/sift"): (READS_APPLICATIONS, None),
    ("post", "/api/applications/{application}/sift"): (DECIDES, {"note": "x", "out": False}),
    ("get", "/api/looks"): (frozenset({"reviewer", "idle"}), None),
    ("post", "/api/looks/{look}"): (frozenset(), {"score": 1, "comment": "x"}),  # nobody is asked for a look here
    ("post", "/api/calls/{call}/peers"): (STEWARD, None),
    ("get", "/api/calls/{call}/peers"): (READS_APPLICATIONS, None),
    ("post", "/api/applications/{application}/drop"): (DECIDES, {"note": "x"}),
    ("get", "/api/calls/{call}"): (EVERYONE, None),
    ("get", "/api/calls/{call}/file"): (EVERYONE, None),
    ("get", "/api/calls/{call}/dossier"): (READS_APPLICATIONS, None),
    ("get", "/api/calls/{call}/dossier/public"): (EVERYONE, None),
    ("post", "/api/calls/{call}/close"): (STEWARD, None),
    ("post", "/api/calls/{call}/reviewers"): (STEWARD, {}),
    ("post", "/api/calls/{call}/allocate"): (DECIDES, {}),
    ("post", "/api/calls/{call}/publish"): (DECIDES, None),
    ("get", "/api/calls/{call}/applications"): (READS_APPLICATIONS, None),
    ("post", "/api/calls/{call}/applications"): (SIGNED_IN, {}),
    ("get", "/api/applications/mine"): (SIGNED_IN, None),
    ("patch", "/api/applications/{application}"): (NOBODY_ELSE, {"passes": 5000}),
    ("post", "/api/applications/{application}/submit"): (NOBODY_ELSE, None),
    ("post", "/api/applications/{application}/return"): (STEWARD, {"note": "x", "until": "2020-01-01T00:00:00Z"}),
    ("post", "/api/applications/{application}/decide"): (DECIDES, {"outcome": "refused", "reason": "unclear"}),
    ("get", "/api/applications/{application}/decision"): (IS_SHOWN_IT, None),
    ("get", "/api/applications/{application}"): (IS_SHOWN_IT, None),
    ("get", "/api/applications/{application}/history"): (IS_SHOWN_IT, None),
    ("get", "/api/applications/{application}/versions"): (IS_SHOWN_IT, None),
    ("get", "/api/applications/{application}/difference?old=1&new=1"): (IS_SHOWN_IT, None),
    ("get", "/api/applications/{application}/attachments"): (IS_SHOWN_IT, None),
    ("post", "/api/applications/{application}/attachments"): (NOBODY_ELSE, FILE),
    ("get", "/api/applications/{application}/attachments/{digest}"): (IS_SHOWN_IT, None),
    ("delete", "/api/applications/{application}/attachments/{digest}"): (NOBODY_ELSE, None),
    ("get", "/api/reviews/{review_id}/attachments/{digest}"): (frozenset({"reviewer"}), None),
    ("get", "/api/applications/{application}/team"): (IS_SHOWN_IT, None),
    ("post", "/api/applications/{application}/invitations"): (NOBODY_ELSE, {"email": "new@new.example"}),
    ("post", "/api/invitations/{invitation}/remind"): (NOBODY_ELSE, None),
    ("delete", "/api/invitations/{invitation}"): (NOBODY_ELSE, None),
    ("post", "/api/applications/{application}/leave"): (frozenset({"member"}), None),
    ("get", "/api/reviews"): (frozenset({"reviewer", "idle"}), None),
    ("post", "/api/reviews/{review_id}"): (frozenset({"reviewer"}), {"scores": {"no-such": 1}}),
    ("post", "/api/reviews/{review_id}/conflict"): (frozenset({"reviewer"}), {"reason": "a friend"}),
    ("post", "/api/reviews/{review_id}/release"): (STEWARD, None),
    ("get", "/api/calls/{call}/pool"): (STEWARD, None),
    ("post", "/api/calls/{call}/pool"): (STEWARD, {"email": "idle@idle.example"}),
    ("post", "/api/calls/{call}/pool/answer"): (frozenset({"idle"}), {"accept": True}),
    ("post", "/api/calls/{call}/pool/expire"): (STEWARD, {"email": "idle@idle.example"}),
    ("get", "/api/reviewers/mine"): (SIGNED_IN, None),
    ("get", "/api/calls/{call}/conflicts"): (STEWARD, None),
    ("post", "/api/calls/{call}/conflicts/check"): (STEWARD, {"email": "idle@idle.example"}),
    ("post", "/api/conflicts"): (STEWARD, {"application": "x", "email": "idle@idle.example", "kind": "domain",
                                           "disposition": "waived"}),
    ("get", "/api/calls/{call}/progress"): (READS_APPLICATIONS, None),
    ("post", "/api/calls/{call}/phase"): (STEWARD, {"to": "panel"}),
    ("get", "/api/calls/{call}/reviews"): (READS_APPLICATIONS, None),
    ("get", "/api/calls/{call}/cases"): (READS_APPLICATIONS, None),
    ("post", "/api/cases/{case}/note"): (DECIDES, {"comment": "x"}),
    ("get", "/api/risks"): (frozenset({"safety"}), None),
    ("post", "/api/risks/{case}"): (frozenset({"safety"}), {"opinion": "ok"}),
    ("get", "/api/ties/mine"): (SIGNED_IN, None),
    ("post", "/api/ties"): (SIGNED_IN, {"kind": "co-author", "who": "someone@else.example"}),
    ("delete", "/api/ties/{tie_id}"): (NOBODY_ELSE, None),
    ("post", "/api/applications/{application}/withdraw"): (NOBODY_ELSE, None),
    ("get", "/api/awards/mine"): (SIGNED_IN, None),
    ("post", "/api/awards/{award}/lapse"): (DECIDES, None),
    ("post", "/api/awards/{award}/accept"): (NOBODY_ELSE, None),
    ("post", "/api/awards/{award}/decline"): (NOBODY_ELSE, None),
    ("get", "/api/awards/overdue"): (DECIDES, None),
    ("get", "/api/calls/{call}/account"): (EVERYONE, None),
    ("post", "/api/calls/{call}/second-chance"): (DECIDES, None),
    ("post", "/api/calls/{call}/give-back"): (DECIDES, None),
    ("post", "/api/calls/{call}/free-reserve"): (DECIDES, None),
    ("get", "/api/grants/{project}/held"): (frozenset({"steward", "auditor", "owner"}), None),
    ("post", "/api/grants/{project}/reports"): (NOBODY_ELSE, {"text": "", "found": "", "used": ""}),
    ("post", "/api/grants/{project}/supplements"): (NOBODY_ELSE, {"passes": 1, "purpose": "", "why": ""}),
    ("post", "/api/grants/{project}/return"): (STEWARD | {"owner"}, {"passes": 10**9}),  # his, once it is over
    ("post", "/api/grants/{project}/transfer"): (NOBODY_ELSE, TO_ITSELF),
    ("get", "/api/requests"): (READS_APPLICATIONS, None),
    ("get", "/api/requests/{request_id}"): (READS_APPLICATIONS | {"owner"}, None),
    ("post", "/api/requests/{request_id}/answer"): (DECIDES, {"passes": 10**9}),
    ("post", "/api/requests/{request_id}/withdraw"): (NOBODY_ELSE, None),
    ("post", "/api/applications/{refused}/appeal"): (NOBODY_ELSE, {"ground": "procedure", "text": ""}),
    ("post", "/api/sanctions/{sanction}/appeal"): (NOBODY_ELSE, {"ground": "procedure", "text": ""}),
    ("get", "/api/appeals"): (DECIDES, None),
    ("get", "/api/appeals/mine"): (SIGNED_IN, None),
    ("get", "/api/appeals/{appeal}"): (frozenset({"panel", "owner"}), None),  # the steward decided what is appealed
    ("post", "/api/appeals/{appeal}/admit"): (frozenset({"panel"}), {}),
    ("post", "/api/appeals/{appeal}/dismiss"): (frozenset({"panel"}), {"reason": "no-ground", "note": ""}),
    ("post", "/api/appeals/{appeal}/voices"): (frozenset({"panel"}), {"outcome": "rejected", "reason": ""}),
    ("post", "/api/appeals/{appeal}/conclude"): (frozenset({"panel"}), {"note": "x"}),
    ("post", "/api/appeals/{appeal}/withdraw"): (NOBODY_ELSE, None),
    ("get", "/api/terms"): (EVERYONE, None),
    ("post", "/api/terms/accept"): (SIGNED_IN, {"hash": "another"}),
    ("get", "/api/terms/mine"): (SIGNED_IN, None),
    ("get", "/api/terms/map"): (EVERYONE, None),
    ("get", "/api/terms/changes"): (EVERYONE, None),
    ("get", "/api/sanctions"): (READS_GRANTS, None),
    ("post", "/api/sanctions"): (SANCTIONS, {"kind": "suspend", **WHY}),
    ("get", "/api/sanctions/mine"): (SIGNED_IN, None),
    ("get", "/api/sanctions/rules"): (EVERYONE, None),
    ("get", "/api/sanctions/{sanction}"): (READS_GRANTS | {"owner"}, None),
    ("post", "/api/sanctions/{sanction}/lift"): (SANCTIONS, WHY),
    ("post", "/api/sanctions/{sanction}/acknowledge"): (NOBODY_ELSE, {"reply": "mended"}),
    ("post", "/api/revocations/look"): (STEWARD, {"reason": "security", "tier": "text"}),
    ("post", "/api/revocations"): (STEWARD, {"reason": "security", "tier": "no-such", "digest": "x"}),
    ("get", "/api/grants/{grant}/members"): (READS_GRANTS | {"owner"}, None),
    ("post", "/api/grants/{grant}/members"): (STEWARD | {"owner"}, {"email": "new@new.example"}),
    ("delete", "/api/grants/{grant}/members/{person}"): (SANCTIONS | {"owner"}, None),  # who stays all the same
    ("post", "/api/grants/{grant}/decline"): (frozenset({"idle"}), None),  # who was invited
    ("post", "/api/grants/{grant}/join"): (frozenset(), None),  # nobody any more
    ("get", "/api/invitations/mine"): (SIGNED_IN, None),
    ("get", "/api/grants"): (READS_GRANTS, None),
    ("get", "/api/grants/mine"): (SIGNED_IN, None),
    ("get", "/api/grants/{grant}"): (READS_GRANTS | {"owner"}, None),
    ("get", "/api/grants/{grant}/why"): (READS_GRANTS | {"owner"}, None),
    ("post", "/api/grants/{grant}/keys"): (STEWARD | {"owner"}, None),
    ("delete", "/api/keys/{key}"): (SANCTIONS | {"owner"}, None),
    ("post", "/api/grants/{grant}/suspend"): (SANCTIONS, WHY),
    ("post", "/api/grants/{grant}/reinstate"): (SANCTIONS, WHY),
    ("post", "/api/grants/{grant}/revoke"): (SANCTIONS, WHY),
    ("post", "/api/grants/{grant}/retention/agree"): (NOBODY_ELSE, {"digest": "another"}),
    ("get", "/api/grants/{grant}/texts"): (SANCTIONS, None),
    ("post", "/api/texts/read"): (SANCTIONS, {"receipts": ["receipt_x"], "reason": ""}),
    ("post", "/api/grants/{grant}/texts/erase"): (STEWARD, {"reason": "x"}),
    ("get", "/api/texts/readings"): (READS_GRANTS, None),
    ("get", "/api/restoration"): (READS_GRANTS, None),
    ("post", "/api/restoration/confirm"): (SANCTIONS, {"reason": "x"}),
    ("post", "/api/restoration/match"): (SANCTIONS, {"checkpoint": "x", "reason": "x"}),
    ("get", "/api/register/public"): (EVERYONE, None),
    ("get", "/api/register/mine"): (SIGNED_IN, None),
    ("get", "/api/register/looks"): (READS_GRANTS, None),
    ("get", "/api/works"): (EVERYONE, None),
    ("get", "/api/works/csl"): (EVERYONE, None),
    ("get", "/api/works/bibtex"): (EVERYONE, None),
    ("get", "/api/works/mine"): (SIGNED_IN, None),
    ("get", "/api/works/waiting"): (STEWARD, None),
    ("post", "/api/works"): (NOBODY_ELSE, WORK),
    ("post", "/api/works/{work}/publish"): (STEWARD, None),
    ("post", "/api/works/{work}/decline"): (STEWARD, {"reason": ""}),
    ("post", "/api/works/{work}/withdraw"): (STEWARD | {"owner"}, {"reason": ""}),
    ("get", "/api/mail"): (STEWARD, None),
    ("post", "/api/mail/{letter}/retry"): (STEWARD, None),
    ("post", "/api/mail/{letter}/drop"): (STEWARD, None),
    ("get", "/api/calls/{call}/calendar.ics"): (EVERYONE, None),
    ("get", "/api/calendar/mine.ics"): (SIGNED_IN, None),
    ("get", "/api/register/whole"): (READS_GRANTS, None),
    ("get", "/api/samples"): (EVERYONE, None),
    ("post", "/api/stages/{name}/hold"): (STEWARD, STOP),
    ("post", "/api/stages/{name}/rollback"): (STEWARD, STOP),
    ("post", "/api/stages/{name}/withdraw"): (STEWARD, STOP),
}  # fmt: skip
ELSEWHERE = {  # these ask for a link or a session rather than for a person, or end those of this test: below
    ("post", "/api/sign-in"),
    ("post", "/api/me/addresses/add"),
    ("post", "/api/me/addresses/choose"),
    ("post", "/api/me/merge"),
    ("post", "/api/me/sign-out"),
}
# These ask for a link, and not who somebody is: below, and `test_applying_by_api.py`.
ELSEWHERE = {("post", "/api/sign-in"), ("post", "/api/letters/read"), ("post", "/api/letters/answer")}


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
    WORK["grant"] = grant.id
    now, outbox = desk.house.clock.now(), desk.house.outbox
    outbox.put([Letter("letter_1", "e", 1, owner.id, "owner@owner.example", "s", "t", "", now - timedelta(days=9))])
    claimed = outbox.claim()
    assert claimed is not None
    outbox.not_sent(claimed[0].id, claimed[1], Undelivered("550 nobody", final=True))
    desk.ids |= {
        "work": work.id,
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
