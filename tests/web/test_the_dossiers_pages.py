"""What the portal shows of an allocation: the rule beforehand, the sheet, the public value, the dossiers."""

from __future__ import annotations

import re

from admissions.world import World, judged
from portal import Portal
from readingroom.admissions.verify import verify_dossier


def test_an_applicant_sees_the_sheet_and_anybody_downloads_what_can_be_run_again(portal: Portal) -> None:
    world = World(portal.house.db, portal.house.ledger, portal.house.clock)  # type: ignore[arg-type]
    lottery = {"policy": "partial-lottery", "interval": 95}
    call = world.open(allocation=lottery, quotas=[
        {"name": "text only", "question": "egress", "answer": "text only", "percent": 10},
    ])  # fmt: skip
    assert "It serves: the best where the scores can tell" in portal.visit("somebody").get("/apply").text
    answers = {"answer-purpose": "p", "answer-asks": "a", "answer-why": "w", "answer-egress": "text only"}
    answers |= {"answer-risks": "r", "answer-machine": "mine", "passes": "15000", "do": "submit"}
    portal.visit("somebody").post(f"/apply/{call.id}", answers)
    made = [world.apply(world.person(f"p{n}@p{n}.example", f"P{n}"), call, 15_000) for n in range(3)]
    world.desk.close_call(world.steward, call.id)
    world.desk.assign_reviewers(world.steward, call.id, [each.id for each in world.reviewers])
    world.review_all({each.id: judged(4, 3 + n % 2) for n, each in enumerate(made)})
    steward = portal.visit("steward")
    steward.post(f"/desk/calls/{call.id}", {"do": "allocate"})
    shown = steward.get(f"/desk/calls/{call.id}").text
    assert "The dossier with ids" in shown
    assert "The public dossier" not in shown
    assert "Kept for text only" in shown
    assert re.search(r'data-head="Chance" class="num">[\d.]+ %', shown)
    assert portal.visit("somebody").get(f"/calls/{call.id}/dossier").status_code == 409
    steward.post(f"/desk/calls/{call.id}", {"do": "publish"})
    mine = portal.visit("somebody").get("/my").text
    application = re.findall(r'href="/applications/(application_\w+)"', mine)[0]
    sheet = portal.visit("somebody").get(f"/applications/{application}").text
    assert re.search(r"ticket-[0-9a-f]{32}", sheet)
    assert "What would have had to differ" in sheet
    answer = portal.visit("somebody").get(f"/calls/{call.id}/dossier")
    assert answer.headers["content-disposition"] == 'attachment; filename="dossier-public.json"'
    assert verify_dossier(answer.content, portal.house.signer.verifier).ok
    assert verify_dossier(steward.get(f"/desk/calls/{call.id}/dossier").content, portal.house.signer.verifier).ok
    assert portal.visit("somebody").get(f"/desk/calls/{call.id}/dossier").status_code == 403


def test_a_call_with_a_draw_asks_for_the_public_value_and_takes_none_before_its_time(portal: Portal) -> None:
    world = World(portal.house.db, portal.house.ledger, portal.house.clock)  # type: ignore[arg-type]
    call = world.open(draw={"source": "other", "named": "the numbers of <b>a beacon</b>", "at": "2100-01-01T00:00:00Z"})
    world.apply(world.person("q@q.example", "Q"), call)
    world.desk.close_call(world.steward, call.id)
    world.desk.assign_reviewers(world.steward, call.id, [each.id for each in world.reviewers])
    world.review_all({})
    steward = portal.visit("steward")
    shown = steward.get(f"/desk/calls/{call.id}").text
    assert "the numbers of &lt;b&gt;a beacon" in shown
    assert 'name="public_value"' in shown
    answer = steward.post(f"/desk/calls/{call.id}", {"do": "allocate", "public_value": "00" * 32})
    assert answer.status_code == 409
    assert "public from 2100-01-01" in answer.text
