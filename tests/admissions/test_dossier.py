"""A call's dossier, from a real house to an outsider who has a file and a key, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from admissions.world import ANSWERS, World, judged
from readingroom.admissions.after import Ground
from readingroom.admissions.allocation.drawing import ticket
from readingroom.admissions.appeals.model import AppealState
from readingroom.admissions.call import Call
from readingroom.admissions.dossier import signed_text
from readingroom.admissions.model import Application, Draft, Risk
from readingroom.admissions.verify import Verdict, verify_dossier
from readingroom.app.dossiers import call_dossier
from readingroom.app.house import House
from readingroom.core.clock import FixedClock
from readingroom.core.refusal import Refused
from readingroom.core.settings import load
from readingroom.ledger.note import Signer
from readingroom.people.model import Role
from served import found

CLOSES = datetime(2026, 2, 1, tzinfo=UTC)
PUBLIC_AT = datetime(2026, 3, 1, tzinfo=UTC)
VALUE = "c0ffee00" * 8
DRAW = {"source": "other", "named": "the beacon of the test, pulse 7", "at": "2026-03-01T00:00:00Z"}
WINDOW = {"opens": "2026-01-01T00:00:00Z", "closes": "2026-02-01T00:00:00Z"}
QUOTAS = [{"name": "text only", "question": "egress", "answer": "text only", "percent": 30}]
ASKS = [12_000, 9_000, 15_000, 8_000, 11_000, 20_000]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(load(found(tmp_path_factory.mktemp("dossier") / "home")), FixedClock())
    yield made
    made.close()


@pytest.fixture(scope="module")
def world(house: House) -> World:
    assert isinstance(house.clock, FixedClock)
    return World(house.db, house.ledger, house.clock)


def run(world: World, **changes: Any) -> tuple[Call, list[Application]]:
    """Run a call up to its reviews, with ties at the funding line."""
    world.clock.moment = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    call = world.open(**{"window": WINDOW, "draw": DRAW, "quotas": QUOTAS, **changes})
    made = []
    for number, ask in enumerate(ASKS):
        who = world.person(f"{call.id}{number}@place{number}.example", f"Place {number}")
        made.append(world.apply(who, call, ask, egress="text only" if number < 2 else "logprobs"))
    world.clock.moment = CLOSES
    world.desk.close_call(world.steward, call.id)
    world.desk.assign_reviewers(world.steward, call.id, [each.id for each in world.reviewers])
    risky = {made[5].id: judged(5, 5, Risk.VETO), made[0].id: judged(3, 3), made[1].id: judged(3, 4)}
    world.review_all(risky)
    return call, made


@pytest.fixture(scope="module")
def published(world: World) -> tuple[Call, list[Application]]:
    call, made = run(world, allocation={"policy": "partial-lottery", "interval": 90, "adjust": "additive"})
    world.clock.moment = PUBLIC_AT
    world.desk.allocate(world.steward, call.id, public_value=VALUE)
    world.desk.publish(world.steward, call.id)
    return call, made


def verdict(house: House, call: Call, *, public: bool = True, by: Any = None) -> Verdict:
    made = call_dossier(house, None if public else by, call.id)
    return verify_dossier(json.dumps(made).encode(), house.signer.verifier)


def told(seen: Verdict, name: str) -> str:
    return next(each.told for each in seen.checks if each.name == name)


def test_an_outsider_runs_the_call_again_from_either_dossier(
    house: House, world: World, published: tuple[Call, list[Application]]
) -> None:
    call, _ = published
    for seen in (verdict(house, call), verdict(house, call, public=False, by=world.panel)):
        assert seen.ok, seen
        names = [each.name for each in seen.checks]
        assert names == [
            "signature",
            "ledger",
            "file",
            "seed",
            "public-value",
            "inputs",
            "allocation",
            "awards",
            "account",
        ]
        assert [each.split(": the beacon")[0] for each in seen.notes] == [
            *(
                each
                for each in seen.notes
                if each.startswith(f"Movements are told up to entry {house.log.size() - 1};")
            ),
            "Look up for yourself that this is what was published",
            *(each for each in seen.notes if each.startswith("The times are of the lab's own clock.")),
        ]
        assert len(seen.notes) == 3
        assert "before 2026-03-01T00" in seen.notes[2]


def test_the_public_dossier_holds_no_id_name_or_answer(
    house: House, world: World, published: tuple[Call, list[Application]]
) -> None:
    call, made = published
    text = json.dumps(call_dossier(house, None, call.id))
    persons = [each.person for each in made] + [each.id for each in world.reviewers]
    for hidden in [*persons, *(each.id for each in made), "place1.example", "negation", "Against the anchors"]:
        assert hidden not in text
    internal = json.dumps(call_dossier(house, world.panel, call.id))
    assert made[0].id in internal
    assert "place1.example" not in internal


def test_an_applicant_finds_themselves_by_the_ticket_on_the_decision(
    house: House, world: World, published: tuple[Call, list[Application]]
) -> None:
    call, made = published
    told = world.desk.decision(world.people.actor(made[1].person), made[1].id)
    assert told is not None
    assert made[1].submitted is not None
    assert told.sheet["ticket"] == ticket(made[1].submitted.salt)
    sheets = {each["application"]: each for each in call_dossier(house, None, call.id)["dossier"]["result"]["sheets"]}
    assert sheets[told.sheet["ticket"]]["text"] == told.text


def altered(change: Callable[[Any], None]) -> Callable[[Any, Signer | None], bytes]:
    def make(made: Any, signer: Signer | None) -> bytes:
        whole = json.loads(json.dumps(made))
        change(whole["dossier"])
        if signer:  # as the lab itself could: a changed dossier, signed with the true key
            whole["signature"] = signer.sign(signed_text(whole["dossier"])).decode()
        return json.dumps(whole).encode()

    return make


def test_an_award_after_an_appeal_is_told_apart_and_unseats_nobody(house: House, world: World) -> None:
    call, made = run(world)
    world.clock.moment = PUBLIC_AT
    world.desk.allocate(world.steward, call.id, public_value=VALUE)
    world.desk.publish(world.steward, call.id)
    lost = next(each for each in made if world.desk.application(world.steward, each.id).state == "refused")
    who = world.people.actor(lost.person)
    appeal = world.desk.appeal_refusal(who, lost.id, Ground.PROCEDURE, "A step was left out.")
    bench = [world.person(f"{n}@bench.example", "Bench", Role.PANEL) for n in range(2)]
    world.desk.admit_appeal(bench[0], appeal.id)
    for each in bench:
        world.desk.speak(each, appeal.id, AppealState.UPHELD, "So I find.")
    assert world.desk.conclude_appeal(bench[0], appeal.id, "It was left out.", None).passes
    found = verdict(house, call)
    assert [each.name for each in found.checks if not each.ok] == []
    assert "and 1 later" in next(each.told for each in found.checks if each.name == "awards")


def _raise_score(dossier: Any) -> None:
    dossier["inputs"][0]["reviews"][0]["scores"]["merit"] = 1


def _other_file(dossier: Any) -> None:
    dossier["call"]["file"] = dossier["call"]["file"].replace("days: 90", "days: 91")


def _other_seed(dossier: Any) -> None:
    dossier["result"]["seed"] = "00" * 32


def _other_value(dossier: Any) -> None:
    dossier["result"]["public_value"] = "11" * 32


def _other_ticket(dossier: Any) -> None:
    dossier["tickets"] = dossier["tickets"][1:]


def _other_award(dossier: Any) -> None:
    dossier["awards"][0]["amounts"]["passes"] += 1


def _other_entry(dossier: Any) -> None:
    dossier["ledger"][0]["entry"]["data"]["seed_commitment"] = "sha256:" + "0" * 64


def _no_entry(dossier: Any) -> None:
    del dossier["ledger"][1]


def _odd(dossier: Any) -> None:
    dossier["inputs"] = 7


CHANGES: dict[Callable[[Any], None], str] = {
    _raise_score: "inputs", _other_file: "file", _other_seed: "seed", _other_value: "public-value",
    _other_ticket: "inputs", _other_award: "awards", _other_entry: "ledger", _no_entry: "ledger", _odd: "inputs",
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_altered_is_found_also_when_the_lab_signs_it_again(
    house: House, published: tuple[Call, list[Application]], change: Callable[[Any], None]
) -> None:
    made = call_dossier(house, None, published[0].id)
    unsigned = verify_dossier(altered(change)(made, None), house.signer.verifier)
    assert [each.name for each in unsigned.checks if not each.ok] == ["signature"]
    signed = verify_dossier(altered(change)(made, house.signer), house.signer.verifier)
    assert [each.name for each in signed.checks if not each.ok] == [CHANGES[change]]


def test_another_key_and_what_is_no_dossier_prove_nothing(house: House, published: tuple[Call, Any]) -> None:
    made = json.dumps(call_dossier(house, None, published[0].id)).encode()
    assert not verify_dossier(made, Signer.generate("other.example/log").verifier).ok
    for odd in (b"", b"{}", b"[1]", b"\xff", b'{"dossier": {}, "signature": "x"}', b'{"dossier": 1, "signature": 2}'):
        assert not verify_dossier(odd, house.signer.verifier).ok
    alone = verify_dossier(made)
    assert alone.ok
    assert any("key came with the file" in each for each in alone.notes)


def test_a_lab_cannot_pick_among_values_or_know_one_before_the_window_closes(house: House, world: World) -> None:
    call, _ = run(world)
    for at, value, code in (
        (CLOSES, VALUE, "public-value-early"),
        (PUBLIC_AT - timedelta(seconds=1), "", "public-value-early"),
        (PUBLIC_AT, "", "public-value-missing"),
        (PUBLIC_AT, "not hex", "public-value-odd"),
        (PUBLIC_AT, "00", "public-value-odd"),
    ):
        world.clock.moment = at
        with pytest.raises(Refused, match=f"admissions/{code}"):
            world.desk.allocate(world.steward, call.id, public_value=value)
    world.desk.allocate(world.steward, call.id, public_value=VALUE)
    with pytest.raises(Refused, match="admissions/wrong-state"):
        world.desk.allocate(world.steward, call.id, public_value="11" * 32)
    with pytest.raises(Refused, match="admissions/no-dossier-yet"):
        call_dossier(house, None, call.id)
    with pytest.raises(Refused, match="people/not-allowed"):
        call_dossier(house, world.reviewers[0], call.id)
    seen = verdict(house, call, public=False, by=world.panel)
    assert seen.ok
    assert "none offered yet" in told(seen, "awards")


def test_without_a_public_value_the_seed_alone_draws_and_the_weakness_is_told(house: House, world: World) -> None:
    call, _ = run(world, draw=None)
    with pytest.raises(Refused, match="admissions/no-draw"):
        world.desk.allocate(world.steward, call.id, public_value=VALUE)
    world.desk.allocate(world.steward, call.id)
    world.desk.publish(world.steward, call.id)
    seen = verdict(house, call)
    assert seen.ok
    assert any("seed alone" in each and "knew it all along" in each for each in seen.notes)


def test_a_review_after_the_value_was_public_is_told(house: House, world: World) -> None:
    call, made = run(world)
    world.clock.moment = PUBLIC_AT + timedelta(days=1)
    world.review(world.reviewers[0], made[2].id, judged(5, 5))
    world.desk.allocate(world.steward, call.id, public_value=VALUE)
    world.desk.publish(world.steward, call.id)
    assert any("was known already" in each for each in verdict(house, call).notes)


def test_one_that_is_admitted_late_draws_too_and_that_it_joined_is_told(house: House, world: World) -> None:
    world.clock.moment = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    call = world.open(window=WINDOW, draw=DRAW, quotas=QUOTAS)
    first, late = (world.person(f"{call.id}late{n}@late{n}.example", f"Late {n}") for n in range(2))
    world.apply(first, call, 9_000)
    begun = world.desk.start(late, call.id, Draft(dict(ANSWERS), 8_000))
    world.clock.moment = CLOSES
    world.desk.close_call(world.steward, call.id)
    world.desk.submit(late, begun.id)
    world.clock.moment = PUBLIC_AT + timedelta(days=1)
    world.desk.admit_late(world.steward, begun.id, "The site was down.")
    world.desk.assign_reviewers(world.steward, call.id, [each.id for each in world.reviewers])
    world.review_all({})
    world.desk.allocate(world.steward, call.id, public_value=VALUE)
    world.desk.publish(world.steward, call.id)
    seen = verdict(house, call)
    assert seen.ok
    assert any("2 applications, tickets fixed when the last late one was admitted" in each.told for each in seen.checks)
    assert any(
        "admitted after the call had closed" in each and "the public value to everyone" in each for each in seen.notes
    )


def test_the_conflicts_that_were_handled_are_counted_by_kind_and_disposition(house: House, world: World) -> None:
    call, made = run(world)
    world.recuse(world.reviewers[0], made[3].id, "a friend")
    third = world.person("three@place2.example", "West", *world.reviewers[0].roles)
    world.desk.assign_reviewers(world.steward, call.id, [third.id])
    world.review(third, made[3].id, judged())
    world.clock.moment = PUBLIC_AT
    world.desk.allocate(world.steward, call.id, public_value=VALUE)
    counts = call_dossier(house, world.panel, call.id)["dossier"]["conflicts"]
    assert {(each["kind"], each["disposition"]): each["count"] for each in counts} == {
        ("declared", "recused"): 1, ("domain", "stands"): 1,
    }  # fmt: skip


def test_the_command_writes_and_verifies_without_a_house(
    house: House, published: tuple[Call, list[Application]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from readingroom.cli.app import main

    def command(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return int(ended.value.code or 0)

    call, out = published[0], tmp_path / "dossier.json"
    home = str(house.settings.home)
    assert command("--home", home, "call", "dossier", call.id, "--public", "-o", str(out)) == 0
    assert command("--home", home, "call", "dossier", call.id, "--public", "-o", str(out)) == 2, "never overwritten"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READINGROOM_HOME", str(tmp_path / "no-house"))
    assert command("call", "verify", str(out), "--key", house.verifier_key()) == 0
    out.write_text(out.read_text(encoding="utf-8").replace(VALUE, "11" * 32), encoding="utf-8")
    assert command("call", "verify", str(out), "--key", house.verifier_key()) == 1


def test_a_call_that_is_closed_when_the_value_is_known_is_told(house: House, world: World) -> None:
    """No deadline closes a call; until a person does, the lab could make tickets with the result in sight."""
    world.clock.moment = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    call = world.open(window=WINDOW, draw=DRAW, quotas=QUOTAS)
    world.apply(world.person(f"{call.id}@alone.example", "Alone"), call, 9_000)
    world.clock.moment = PUBLIC_AT
    world.desk.close_call(world.steward, call.id)
    world.desk.assign_reviewers(world.steward, call.id, [each.id for each in world.reviewers])
    world.review_all({})
    world.desk.allocate(world.steward, call.id, public_value=VALUE)
    world.desk.publish(world.steward, call.id)
    seen = verdict(house, call)
    assert seen.ok
    assert any("was closed at 2026-03-01" in each and "tickets are made" in each for each in seen.notes)


def test_the_log_is_written_in_no_order_that_ties_a_ticket_to_an_applicant(
    house: House, published: tuple[Call, list[Application]]
) -> None:
    """The public result is in the order of rank: decisions in that order would tell whose each ticket is."""
    call, made = published
    entries = [house.log.entry(seq) for seq in range(house.log.size())]
    decided = [
        str(each.data["application"])
        for each in entries
        if each and each.event == "admissions.application.decided" and each.data["call"] == call.id
    ]
    assert decided == sorted(each.id for each in made), "by their random ids"
