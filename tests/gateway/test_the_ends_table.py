"""The page on how an answer ends, held to the code that charges."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from readingroom.core.clock import FixedClock
from readingroom.engines.echo import EchoEngine
from readingroom.engines.model import ForwardRequest, Kind, Usage
from readingroom.gateway.exits import ChoiceExit
from readingroom.gateway.flow import Flow
from readingroom.gateway.frames import End
from readingroom.gateway.model import Amount, Call, Ended, Hold, Limits, Reading
from readingroom.gateway.screening.model import Side
from readingroom.gateway.screening.stream import Screen
from readingroom.gateway.usage import lost

PAGE = (Path(__file__).parents[2] / "docs/explanation/how-an-answer-ends.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
TABLE = {end: (record.strip("`"), charged) for end, record, _, charged in ROWS[2:]}

CHARGES = {
    "nothing": Amount(),
    "counted": Amount(4, 5 + 4, 1),
    "usage": Amount(6, 5 + 6, 1),
    "reserved": Amount(20, 60, 1),
}


NOTHING = Screen([], Side.EXIT)


def _never(*_: object) -> End:
    raise AssertionError("nothing is settled here")


class Whole(EchoEngine):
    """An engine that keeps no count."""

    def gives_whole(self, _request: ForwardRequest) -> bool:
        return True


# Row of the table, by how it begins -> how the answer's state differs from one that flows in a stream.
STATES: dict[str, tuple[Ended, dict[str, Any]]] = {
    "the engine comes to its end": (Ended.COMPLETE, {"usage": Usage(5, 6)}),
    "the same, of an engine that gives no usage": (Ended.COMPLETE, {}),
    "the engine goes beyond": (Ended.COMPLETE, {"usage": Usage(5, 6), "_overrun": True}),
    "the screen of the exit": (Ended.SCREENED, {"usage": Usage(5, 6)}),
    "a judge gives no verdict, nothing": (Ended.UNSCREENED, {"delivered": False}),
    "a judge gives no verdict in": (Ended.UNSCREENED, {}),
    "the reader hangs up before a whole": (Ended.HUNG_UP, {"engine": Whole(), "generated": {}}),
    "the reader hangs up while": (Ended.HUNG_UP, {"reached": False}),
    "the reader hangs up": (Ended.HUNG_UP, {}),
    "grant, key": (Ended.STOPPED, {}),
    "nothing can be confirmed": (Ended.STOPPED, {}),
    "the server": (Ended.CLOSING, {}),
    "the engine fails or is lost, nothing": (Ended.BROKEN, {"streamed": False}),
    "the engine fails or is lost in": (Ended.BROKEN, {}),
}
ELSEWHERE = {"the screen of the entrance": Ended.REFUSED, "the worker is killed": Ended.LOST}


def flow(**state: Any) -> Flow:
    reading = Reading(Limits(passes=100), Amount(), Amount())
    hold = Hold(Call("receipt_x", "grant_x", {}, b""), CHARGES["reserved"], 20, reading)
    request = ForwardRequest(Kind.CHAT, {})
    made = Flow(EchoEngine(), request, hold, "", 5, [ChoiceExit(0, NOTHING, Kind.CHAT)], _never)
    known = {"reached": True, "streamed": True, "delivered": True, "generated": {0: 4}}
    for name, value in {**known, **state}.items():
        setattr(made, name, value)
    return made


def row(begins: str) -> tuple[str, str]:
    exact = TABLE.get(begins)
    return exact or next(value for end, value in TABLE.items() if end.startswith(begins))


@pytest.mark.parametrize("begins", STATES)
def test_each_end_charges_what_the_page_says(begins: str) -> None:
    ended, state = STATES[begins]
    record, charged = row(begins)
    assert flow(**state)._used(ended) == CHARGES[charged]
    assert record == (ended.value if charged != "nothing" or ended is Ended.UNSCREENED else "")


def test_a_lost_call_is_charged_all_that_was_reserved() -> None:
    record, charged = row("the worker is killed")
    call = Call("receipt_x", "grant_x", {}, b"")
    made = lost(call, CHARGES["reserved"], FixedClock().now())
    assert made.charged == CHARGES[charged]
    assert f'"ended":"{record}"'.encode() in made.leaf


def test_every_row_is_held_to_the_code_and_every_end_has_a_row() -> None:
    assert len(TABLE) == len(STATES) + len(ELSEWHERE)
    assert {record for record, _ in TABLE.values()} - {""} == {each.value for each in Ended}
    assert {charged for _, charged in TABLE.values()} == set(CHARGES)
    assert row("the screen of the entrance") == (Ended.REFUSED.value, "nothing")
    assert re.findall(r"^- \*\*(\w+)\*\*[:;]", PAGE, re.MULTILINE) == ["nothing", "usage", "counted", "reserved"]
