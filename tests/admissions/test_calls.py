from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from admissions.world import CALL, STAGE, World, call_text
from readingroom.admissions.model import ApplicationState, CallState
from readingroom.core.canonical import parse, sha256
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.ledger.model import Entry
from readingroom.strategy.model import Audience, Channel


def test_opening_puts_the_files_digest_and_the_seeds_commitment_into_the_ledger(world: World) -> None:
    heard: list[Entry] = []
    world.ledger.on("admissions.call.opened", lambda _tx, entry: heard.append(entry))
    call = world.desk.open_call(world.steward, CALL, STAGE)
    assert call.state is CallState.OPEN
    assert heard[0].data["digest"] == call.digest == sha256(CALL.encode())
    assert heard[0].data["seed_commitment"] == call.seed_commitment
    assert world.desk.calls() == [call]
    held = world.desk.budget(call.id)["passes"]
    assert (held.budget, held.rest, held.reserve) == (40_000, 36_000, 4_000)


def test_a_bad_file_opens_nothing(world: World) -> None:
    with pytest.raises(BadInput, match=r"my\.yaml:1:1"):
        world.desk.open_call(world.steward, "title: x", STAGE, "my.yaml")
    assert world.desk.calls() == []


def test_only_a_stage_that_is_lent_by_grants_can_be_offered(world: World) -> None:
    for stage, code in (
        (None, "admissions/stage-unknown"),
        (replace(STAGE, channel=Channel.WEIGHTS), "admissions/stage-not-lent"),
        (replace(STAGE, audience=Audience.PUBLIC), "admissions/stage-not-lent"),
        (replace(STAGE, tiers={}), "admissions/tier-unknown"),
    ):
        with pytest.raises(Refused, match=code):
            world.desk.open_call(world.steward, CALL, stage)
    past = {"opens": "2025-01-01T00:00:00Z", "closes": "2025-02-01T00:00:00Z"}
    with pytest.raises(Refused, match="admissions/window-closed"):
        world.open(window=past)


def test_a_call_that_pins_its_terms_opens_under_no_others(world: World) -> None:
    pinned, others = sha256(b"these"), sha256(b"others")
    for in_force in ("", others):
        with pytest.raises(Refused, match="admissions/other-terms"):
            world.desk.open_call(world.steward, call_text(terms=pinned), STAGE, terms=in_force)
    assert world.desk.calls() == []
    assert world.desk.open_call(world.steward, call_text(terms=pinned), STAGE, terms=pinned).terms_digest == pinned
    assert world.desk.open_call(world.steward, CALL, STAGE, terms=others).terms_digest == others  # a name pins nothing


def test_a_call_is_opened_and_closed_by_who_may(world: World) -> None:
    (applicant,) = world.applicants(1)
    for by in (applicant, world.reviewers[0], world.panel):
        with pytest.raises(Refused, match="people/not-allowed"):
            world.desk.open_call(by, call_text(), STAGE)
    call = world.open()
    with pytest.raises(Refused, match="people/not-allowed"):
        world.desk.close_call(applicant, call.id)
    with pytest.raises(Refused, match="admissions/call-unknown"):
        world.desk.close_call(world.steward, "call_x")


def test_a_promised_window_is_kept_open_to_its_end(world: World) -> None:
    window = {"opens": "2026-01-01T00:00:00Z", "closes": "2026-02-01T00:00:00Z", "may_close_early": False}
    call = world.open(window=window)
    with pytest.raises(Refused, match="admissions/window-open"):
        world.desk.close_call(world.steward, call.id)
    world.clock.moment = datetime(2026, 2, 1, tzinfo=UTC)
    assert world.desk.close_call(world.steward, call.id).state is CallState.CLOSED
    with pytest.raises(Refused, match="admissions/wrong-state"):
        world.desk.close_call(world.steward, call.id)


def test_a_deadline_closes_submission_and_decides_nothing(world: World) -> None:
    window = {"opens": "2026-01-06T00:00:00Z", "closes": "2026-02-01T00:00:00Z", "may_close_early": False}
    call = world.open(window=window)
    one, two, three = world.applicants(3)
    with pytest.raises(Refused, match="admissions/window-not-open"):
        world.apply(one, call)
    world.clock.advance(days=2)
    submitted, draft = world.apply(one, call), world.desk.start(two, call.id)
    world.clock.moment = datetime(2030, 1, 1, tzinfo=UTC)
    with pytest.raises(Refused, match="admissions/window-closed"):
        world.desk.start(three, call.id)
    with pytest.raises(Refused, match="admissions/window-closed"):
        world.desk.submit(one, submitted.id)
    assert draft.state is ApplicationState.DRAFT
    assert world.desk.call(call.id).state is CallState.OPEN
    assert world.desk.my_applications(one)[0].state is ApplicationState.SUBMITTED
    assert world.desk.my_applications(two)[0].state is ApplicationState.DRAFT


def test_a_call_is_kept_byte_for_byte(world: World) -> None:
    heard: list[Entry] = []
    world.ledger.on("admissions.call.opened", lambda _tx, entry: heard.append(entry))
    text = CALL + "# a comment at the end: ünïcode\n"
    call = world.desk.open_call(world.steward, text, STAGE)
    assert world.desk.call_text(call.id) == text
    assert parse(heard[0].leaf())["data"]["digest"] == sha256(text.encode()) == call.digest
