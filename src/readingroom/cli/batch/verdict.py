"""What a house's answer means for the batch, and what the batch can need. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from readingroom.cli.batch.lines import Line
from readingroom.core.canonical import Json
from readingroom.core.numbers import whole

MOST_TRIES = 8
MOST_WAITS = 600  # for an answer that is being made; a second each, as the house says
LONGEST_WAIT = 30.0  # seconds; a house that names a longer one is heeded
_OK, _UNAUTHORISED, _FORBIDDEN, _CONFLICT, _LIMITED = 200, 401, 403, 409, 429
_TIMED_OUT, _SERVER = 408, 500
UNITS = ("passes", "tokens", "calls")


class Verdict(Enum):
    """What to do with a question after an answer."""

    DONE = "done"  # answered
    REFUSED = "refused"  # this question can never be answered as it stands; the others can
    AGAIN = "again"  # waiting may cure it
    WAIT = "wait"  # it is being answered: asked again under the same key, it has that answer
    STOP = "stop"  # nothing more can be asked for now


def judge(status: int, headers: Mapping[str, str]) -> Verdict:
    """Judge an answer by its status, and by what its headers say of trying again."""
    if status == _OK:
        return Verdict.DONE
    hopeless = headers.get("x-should-retry") == "false"
    if status in {_UNAUTHORISED, _FORBIDDEN} or (status == _LIMITED and hopeless):
        return Verdict.STOP
    if status == _CONFLICT:
        return Verdict.REFUSED if hopeless else Verdict.WAIT
    if status in {_TIMED_OUT, _LIMITED} or status >= _SERVER:
        return Verdict.STOP if hopeless else Verdict.AGAIN
    return Verdict.REFUSED


def pause(tries: int, headers: Mapping[str, str]) -> float:
    """Return the seconds to wait after so many tries: what the house says, else twice as long each time."""
    stated = whole(headers.get("retry-after", ""))
    doubled: float = min(LONGEST_WAIT, 0.5 * 2.0 ** (tries - 1))
    return max(float(stated), 0.1) if stated is not None else doubled


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a batch can need at most, against what its grant has left.

    Attributes:
        needs: unit by unit.
        left: unit by unit; None is unmetered.
        lines: questions still to be asked.
    """

    needs: Mapping[str, int]
    left: Mapping[str, int | None]
    lines: int

    @property
    def short(self) -> list[str]:
        """The units that it may not fit into."""
        return [unit for unit in UNITS if not _fits(self.needs[unit], self.left[unit])]

    def to_json(self) -> dict[str, Json]:
        """Spell it for `--json`."""
        return {"lines": self.lines, "at_most": dict(self.needs), "left": dict(self.left), "fits": not self.short}

    def text(self) -> str:
        """Spell it for people."""
        rows = [f"{self.lines:,} to ask; at most:"]
        for unit in UNITS:
            left = self.left[unit]
            rows.append(f"  {self.needs[unit]:,} {unit}, of {'unmetered' if left is None else f'{left:,} left'}")
        return "\n".join(rows)


def estimate(lines: Sequence[Line], grant: Mapping[str, Json]) -> Estimate:
    """Estimate what questions can need at most, against what `GET /v1/grant` answered."""
    passes = sum(each.passes for each in lines)
    needs = {"passes": passes, "tokens": passes + sum(each.prompt for each in lines), "calls": len(lines)}
    left: dict[str, int | None] = {}
    for unit in UNITS:
        limit = grant["allocation"].get(unit)
        left[unit] = None if limit is None else limit - grant["used"][unit] - grant["reserved"][unit]
    return Estimate(needs, left, len(lines))


def _fits(need: int, left: int | None) -> bool:
    return left is None or need <= left
