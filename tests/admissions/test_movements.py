"""A call's account in its dossier: each movement by its entry of the ledger; none dropped, changed or made up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from admissions.test_dossier import CLOSES, PUBLIC_AT, VALUE, altered, run, told, verdict
from admissions.test_the_account import TEXTS
from admissions.world import World
from readingroom.admissions.after import Ground
from readingroom.admissions.appeals.model import AppealState
from readingroom.admissions.call import Call
from readingroom.admissions.model import Amounts, Application, Outcome, Reason, Ruling
from readingroom.admissions.movements import replay
from readingroom.admissions.requests import Answer
from readingroom.admissions.verify import verify_dossier
from readingroom.app.dossiers import call_dossier
from readingroom.app.house import House
from readingroom.core.clock import FixedClock
from readingroom.core.settings import load
from readingroom.ledger.note import Unproven, Verifier
from readingroom.people.model import Role
from served import found

OLD = Path(__file__).parent / "data" / "dossier-before-movements.json"
RICH = {
    "quotas": [], "budget": {"passes": 60_000, "tokens": 1_234_567}, "second_chance": True, "appeal_reserve": 15_000,
    "tranches": {"first": "40%", "after": "report"}, "supplements": {"at_most": "50%", "times": 2},
    "allocation": {"policy": "rank-and-cut", "at_line": "stop"},
}  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(load(found(tmp_path_factory.mktemp("movements") / "home")), FixedClock())
    yield made
    made.close()


@pytest.fixture(scope="module")
def world(house: House) -> World:
    assert isinstance(house.clock, FixedClock)
    return World(house.db, house.ledger, house.clock)


def appeal(world: World, lost: Application, name: str) -> None:
    """Let a refused application be awarded by another panel, out of the reserve."""
    lodged = world.desk.appeal_refusal(
        world.people.actor(lost.person), lost.id, Ground.PROCEDURE, "A step was left out."
    )
    bench = [world.person(f"{n}@{name}.example", "Bench", Role.PANEL) for n in range(2)]
    world.desk.admit_appeal(bench[0], lodged.id, "Heard, however late.")
    for each in bench:
        world.desk.speak(each, lodged.id, AppealState.UPHELD, "So I find.")
    assert world.desk.conclude_appeal(bench[0], lodged.id, "It was left out.", None).passes


@pytest.fixture(scope="module")
def lived(world: World) -> tuple[Call, list[Application]]:
    """A call after which all of it happened: declined, second chance, appeal, release, supplement, return."""
    call, made = run(world, **RICH)
    world.clock.moment = PUBLIC_AT
    world.desk.allocate(world.steward, call.id, public_value=VALUE)
    awards = {each.application: each for each in world.desk.publish(world.steward, call.id)}
    first, second = awards[made[2].id], awards[made[4].id]
    who = world.people.actor(first.person)
    world.desk.accept_award(who, first.id)
    world.desk.decline_award(world.people.actor(second.person), second.id)
    world.desk.second_chance(world.steward, call.id)
    lost = [each for each in made if world.desk.application(world.steward, each.id).state == "refused"]
    appeal(world, lost[0], "bench")
    report = world.desk.file_report(who, first.id, TEXTS)
    world.desk.decide_request(world.steward, report.id, Answer(1_000, "The rest was not explained."))
    with world.db.decide() as tx:
        world.desk.return_within(tx, who, first.id, Amounts(77, 7))
    more = world.desk.ask_supplement(who, first.id, TEXTS, 500)
    world.desk.decide_request(world.steward, more.id, Answer(500, "As it stands."))
    return call, made


def test_all_that_moved_since_the_publication_is_told_by_its_entry(
    house: House, world: World, lived: tuple[Call, list[Application]]
) -> None:
    call, _ = lived
    for seen in (verdict(house, call), verdict(house, call, public=False, by=world.panel)):
        assert [(each.name, each.told) for each in seen.checks if not each.ok] == []
        assert told(seen, "account").startswith(
            "9 movements are in the log, and the account adds up to the unit after each"
        )
        causes = [[part.split()[0] for part in each.split(": ", 1)[1].split(", ")] for each in seen.later]
        assert [sorted(set(each)) for each in causes] == [
            ["accepted", "held-back"], ["declined", "pooled"], ["awarded", "drawn"], ["awarded", "unreserved"],
            ["pooled", "released", "withheld"], ["pooled", "returned"], ["supplemented"],
        ]  # fmt: skip
        entries = [int(each.removeprefix("entry ").split(",")[0]) for each in seen.later]
        for each in entries:
            entry = house.log.entry(each)
            assert entry is not None
            assert entry.event == "admissions.call.moved"


def test_movements_tell_nobody_who_had_them(house: House, world: World, lived: tuple[Call, list[Application]]) -> None:
    call, made = lived
    text = json.dumps(call_dossier(house, None, call.id)["dossier"]["movements"])
    awards = [each.id for each in world.desk.awards(world.steward, call.id)]
    for hidden in (*awards, *(each.id for each in made), *(each.person for each in made), "person_", "award_"):
        assert hidden not in text


def _drop(at: int) -> Callable[[Any], None]:
    def change(dossier: Any) -> None:
        del dossier["movements"][at]

    change.__name__ = f"drop_{at}"
    return change


def _drop_all(dossier: Any) -> None:
    dossier["movements"] = []


def _leave_out(dossier: Any) -> None:
    """As an older edition would, and with its account: only an award that is there already tells."""
    del dossier["movements"][5:]
    dossier["account"] = dossier["movements"][-1]["entry"]["data"]["after"]


def _change_an_amount(dossier: Any) -> None:
    dossier["movements"][5]["entry"]["data"]["moves"][0]["amount"] += 1


def _invent(dossier: Any) -> None:
    one = json.loads(json.dumps(dossier["movements"][-1]))
    one["entry"]["seq"] += 1
    dossier["movements"].append(one)


def _twice(dossier: Any) -> None:
    dossier["movements"].append(dossier["movements"][-1])


def _reorder(dossier: Any) -> None:
    moved = dossier["movements"]
    moved[3], moved[4] = moved[4], moved[3]


def _another_account(dossier: Any) -> None:
    dossier["account"]["passes"]["rest"] += 1


def _invent_an_award(dossier: Any) -> None:
    lost = next(each for each in dossier["result"]["sheets"] if not each["amounts"])
    one = json.loads(json.dumps(dossier["awards"][0])) | {"application": lost["application"]}
    dossier["awards"].append(one)


def _drop_an_award(dossier: Any) -> None:
    given = {each["application"] for each in dossier["result"]["sheets"] if each["amounts"]}
    dossier["awards"] = [each for each in dossier["awards"] if each["application"] in given]


def _drop_a_first_award(dossier: Any) -> None:
    given = {each["application"] for each in dossier["result"]["sheets"] if each["amounts"]}
    dossier["awards"].remove(next(each for each in dossier["awards"] if each["application"] in given))


def _another_state(dossier: Any) -> None:
    next(each for each in dossier["awards"] if each["state"] == "declined")["state"] = "accepted"


def _another_event(dossier: Any) -> None:
    dossier["movements"].append(dossier["ledger"][-1])


CHANGES: dict[Callable[[Any], None], str] = {
    _drop(0): "account", _drop(1): "account", _drop(4): "account", _drop(8): "account", _drop_all: "account",
    _leave_out: "account", _change_an_amount: "ledger", _invent: "ledger", _twice: "account", _reorder: "account",
    _another_account: "account", _invent_an_award: "account", _drop_an_award: "account", _drop_a_first_award: "account",
    _another_state: "account", _another_event: "ledger",
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_dropped_changed_invented_or_reordered_is_found_also_when_the_lab_signs_it(
    house: House, lived: tuple[Call, list[Application]], change: Callable[[Any], None]
) -> None:
    made = call_dossier(house, None, lived[0].id)
    seen = verify_dossier(altered(change)(made, house.signer), house.signer.verifier)
    assert [each.name for each in seen.checks if not each.ok] == [CHANGES[change]], seen


def test_an_older_edition_is_the_beginning_of_a_later_one(house: House, world: World) -> None:
    call, _ = run(world, **RICH)
    world.clock.moment = PUBLIC_AT
    world.desk.allocate(world.steward, call.id, public_value=VALUE)
    (one, *_) = world.desk.publish(world.steward, call.id)
    older = call_dossier(house, None, call.id)
    world.desk.accept_award(world.people.actor(one.person), one.id)
    newer = call_dossier(house, None, call.id)["dossier"]["movements"]
    assert [each["entry"] for each in newer[:-1]] == [each["entry"] for each in older["dossier"]["movements"]]
    seen = verify_dossier(json.dumps(older).encode(), house.signer.verifier)
    assert seen.ok
    assert not seen.later
    assert any("in a later edition" in each for each in seen.notes)


def test_of_a_call_that_was_opened_before_movements_were_entered_those_since_are_told(
    house: House, lived: tuple[Call, list[Application]]
) -> None:
    moved = [each["entry"] for each in call_dossier(house, None, lived[0].id)["dossier"]["movements"]]
    whole = replay(moved, whole=True)
    assert replay(moved[3:], whole=False) == whole[3:]
    with pytest.raises(Unproven, match="a movement before"):
        replay(moved[3:], whole=True)
    with pytest.raises(Unproven, match="a movement before"):
        replay([*moved[3:5], *moved[6:]], whole=False)


def test_one_that_was_refused_before_the_allocation_can_be_awarded_on_appeal(house: House, world: World) -> None:
    """It is in no input and on no sheet: the dossier names it by its ticket, and its movement vouches for it."""
    call, made = run_with_one_refused_early(world)
    world.clock.moment = PUBLIC_AT
    world.desk.allocate(world.steward, call.id, public_value=VALUE)
    world.desk.publish(world.steward, call.id)
    appeal(world, made, "court")
    for seen in (verdict(house, call), verdict(house, call, public=False, by=world.panel)):
        assert [(each.name, each.told) for each in seen.checks if not each.ok] == []
    text = json.dumps(call_dossier(house, None, call.id))
    assert made.id not in text
    assert made.person not in text


def run_with_one_refused_early(world: World) -> tuple[Call, Application]:
    world.clock.moment = CLOSES - timedelta(days=20)
    call = world.open(**RICH, window={"opens": "2026-01-01T00:00:00Z", "closes": "2026-02-01T00:00:00Z"},
                      draw={"source": "other", "named": "a pulse", "at": "2026-03-01T00:00:00Z"})  # fmt: skip
    who = [world.person(f"{call.id}{n}@early{n}.example", f"Early {n}") for n in range(2)]
    kept, lost = (world.apply(each, call, 9_000) for each in who)
    world.desk.return_application(world.steward, lost.id, "Correct the table.", CLOSES - timedelta(days=1))
    world.clock.moment = CLOSES
    world.desk.close_call(world.steward, call.id)
    world.desk.decide(world.steward, lost.id, Ruling(Outcome.REFUSED, Reason.OTHER, "It was not corrected."))
    world.desk.assign_reviewers(world.steward, call.id, [each.id for each in world.reviewers])
    world.review_all({})
    assert kept.id
    return call, lost


def test_a_dossier_of_before_still_verifies_and_it_is_said_what_it_does_not_carry() -> None:
    data = OLD.read_bytes()
    key = Verifier.parse(json.loads(data)["dossier"]["key"])
    seen = verify_dossier(data, key)
    assert seen.ok, seen
    assert "account" not in [each.name for each in seen.checks]
    assert any(each.startswith("The dossier carries no movements of the call's account") for each in seen.notes)


@pytest.mark.parametrize(
    ("amount", "after", "said"),
    [
        (5, {"budget": 9, "rest": 4, "offered": 5}, ""),
        (11, {"budget": 9, "rest": -2, "offered": 11}, "does not add up in passes"),
        (5, {"budget": 9, "rest": 9}, "is not what the entry says"),
        (0, {"budget": 9, "rest": 9}, "moves nothing"),
    ],
)
def test_what_the_lab_entered_itself_is_added_up_too(amount: int, after: dict[str, int], said: str) -> None:
    def entry(seq: int, cause: str, much: int, held: dict[str, int]) -> Any:
        moves = [{"cause": cause, "unit": "passes", "amount": much}]
        return {"seq": seq, "at": "", "data": {"first": seq, "count": 1, "moves": moves, "after": {"passes": held}}}

    entries = [entry(1, "opened", 9, {"budget": 9, "rest": 9}), entry(2, "awarded", amount, after)]
    if said:
        with pytest.raises(Unproven, match=said):
            replay(entries, whole=True)
    else:
        assert [each.last for each in replay(entries, whole=True)] == [1, 2]
