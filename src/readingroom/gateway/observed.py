"""What an operator may see of the data plane: how many, how long, how it ended; never who, and never a word of a text.

No label names a grant, a person, a key or anything that a reader wrote: stages, rules and codes are the house's own
words. The figures of a call are read off its record, in which there is no text either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.gateway.counts import Sheet, Spread, read, series
from readingroom.gateway.model import UNITS, Ended

if TYPE_CHECKING:
    from readingroom.gateway.flow import Flow
    from readingroom.gateway.frames import End
    from readingroom.gateway.purse import Purse
    from readingroom.gateway.spans import Spans
    from readingroom.gateway.turns import Turns
    from readingroom.gateway.watch import Watch

LOOK_SECONDS = 0.5  # between two looks at how things stand
DURATION = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)  # seconds
FIRST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds
REVOCATION = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)  # seconds


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, as the page and the documentation tell of it.

    Attributes:
        name: `readingroom_<room>_...`, with its unit.
        kind: `counter`, `gauge` or `histogram`.
        labels: what its series differ by.
        help: one sentence.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


_G = "readingroom_gateway_"
METRICS = tuple(
    Metric(*each)
    for each in (
        ("readingroom_build_info", "gauge", ("version",), "1, of the version that runs."),
        ("readingroom_ledger_entries", "gauge", (), "Entries in the ledger; absent while the database is."),
        (_G + "workers", "gauge", (), "Workers that were heard of in the last five seconds."),
        (_G + "workers_started_total", "counter", (), "Starts of workers; those beyond their number are restarts."),
        (_G + "calls_total", "counter", ("stage", "ended"), "Calls that came past the door, by how they ended."),
        (_G + "refusals_total", "counter", ("code",), "Refusals, at the door or in the answer, by code."),
        (_G + "replays_total", "counter", (), "Answers given again under their Idempotency-Key, and not charged."),
        (_G + "lost_calls_total", "counter", (), "Calls whose worker died: what they held is charged in full."),
        (_G + "charged_passes_total", "counter", ("stage",), "Passes charged."),
        (_G + "charged_tokens_total", "counter", ("stage",), "Tokens charged, of prompts and answers."),
        (_G + "call_seconds", "histogram", ("stage",), "From a call's admission to the end of its answer."),
        (_G + "first_chunk_seconds", "histogram", ("stage",), "To the first piece of a streamed answer."),
        (_G + "screened_total", "counter", ("side", "rule", "result"), "Calls that a rule stopped or flagged."),
        (_G + "revocation_seconds", "histogram", (), "From a decision seen by a worker to its last stop."),
        (_G + "revoked_streams_total", "counter", (), "Answers that a decision stopped while they flowed."),
        (_G + "flowing", "gauge", (), "Answers that flow or wait in line now."),
        (_G + "waiting", "gauge", (), "Requests that wait in line for the engine now."),
        (_G + "leased", "gauge", ("unit", "state"), "Leased of all meters together: held by calls, or free."),
        (_G + "trips_total", "counter", (), "Trips of workers to the meters in the database."),
        (_G + "trip_failures_total", "counter", (), "Of them, failed; what they carried goes on the next."),
        (_G + "unposted_charges", "gauge", (), "Charges that are in a journal and not in the database yet."),
        (_G + "journal_bytes", "gauge", (), "Bytes in the journals of living workers."),
        (_G + "blind", "gauge", (), "Workers that cannot confirm any grant, as the database does not answer."),
        (_G + "blind_seconds_total", "counter", (), "Seconds in which they could not, added up over workers."),
        (_G + "series_without_room_total", "counter", (), "Counted where there was no room for a new series."),
    )
)  # fmt: skip
OF_THE_MOMENT = frozenset(each.name for each in METRICS if each.kind == "gauge")


class Observer:
    """Sees nothing: what a gateway has that nobody watches."""

    def start(self, watch: Watch, turns: Turns, purse: Purse) -> None:
        """Begin to look at how things stand, now and then."""

    async def stop(self) -> None:
        """Look no more."""

    def ended(self, record: Mapping[str, Json], flow: Flow | None = None, end: End | None = None) -> None:
        """See a call's end: its record, and its answer if it had one."""

    def refused(self, code: str) -> None:
        """See a refusal at the door."""

    def replayed(self) -> None:
        """See an answer that is given again."""


class Counting(Observer):
    """Counts into this worker's sheet, and tells a tracer of each call where there is one.

    What a call costs is a handful of additions in memory: series are found once and kept.
    """

    def __init__(self, clock: Clock, sheet: Sheet, spans: Spans | None = None) -> None:
        """Take the clock, the sheet, and what makes spans of calls."""
        self._clock, self._sheet, self._spans = clock, sheet, spans
        self._kept: dict[tuple[str, ...], int] = {}
        self._of_stage: dict[str, _Stage] = {}
        self._revocation = Spread(sheet, _G + "revocation_seconds", REVOCATION, {})
        self._before: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._add("workers_started_total")
        self._add("revoked_streams_total", amount=0)  # a counter that is there from the start shows its first step

    def start(self, watch: Watch, turns: Turns, purse: Purse) -> None:
        """Look at how things stand, twice a second."""
        self._watch, self._turns, self._purse = watch, turns, purse
        watch.stopped = self._stopped
        self._blind_since: float | None = None
        self._look()

    async def stop(self) -> None:
        """Look no more, and say so: a worker that left stands for nothing."""
        if self._timer is not None:
            self._timer.cancel()
        self._sheet.beat(0)
        if self._spans is not None:
            await asyncio.to_thread(self._spans.close)

    def ended(self, record: Mapping[str, Json], flow: Flow | None = None, end: End | None = None) -> None:
        """Count a call that is over, and tell of it."""
        ended = end.ended if end is not None else Ended.REFUSED
        stage = self._of_stage.get(str(record["stage"])) or self._new_stage(str(record["stage"]))
        stage.ended(ended)
        self._screened(record)
        if flow is None or end is None:
            return
        if end.refusal is not None:
            self.refused(end.refusal.code)
        seconds = monotonic() - flow.began
        first = flow.first_after or (seconds if end.last is not None else 0.0)
        stage.charged(end.charged.passes, end.charged.tokens)
        stage.seconds.see(seconds)
        if flow.streamed and first:
            stage.first.see(first)
        if self._spans is not None:
            self._spans.ended(record, flow, end, seconds, first)

    def refused(self, code: str) -> None:
        """Count a refusal."""
        self._add("refusals_total", ("code", code))

    def replayed(self) -> None:
        """Count an answer that is given again."""
        self._add("replays_total")

    def _stopped(self, answers: int, seconds: float) -> None:
        self._add("revoked_streams_total", amount=answers)
        self._revocation.see(seconds)

    def _screened(self, record: Mapping[str, Json]) -> None:
        """Count what the screens left on record."""
        for side, seen in record.get("screened", {}).items():
            if "stopped_by" in seen:
                self._add("screened_total", ("side", side), ("rule", seen["stopped_by"]), ("result", seen["action"]))
            for rule in seen.get("failed", ()):
                self._add("screened_total", ("side", side), ("rule", rule), ("result", "no-verdict"))
            for rule in record.get(f"flagged_{side}", ()):
                self._add("screened_total", ("side", side), ("rule", rule), ("result", "flag"))

    def _add(self, name: str, *labels: tuple[str, str], amount: float = 1) -> None:
        self._sheet.add(self._slot(name, labels), amount)

    def _slot(self, name: str, labels: tuple[tuple[str, str], ...]) -> int:
        key = (name, *(value for _, value in labels))
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._sheet.slot(series(_G + name, dict(labels)))
        return found

    def _new_stage(self, name: str) -> _Stage:
        made = self._of_stage[name] = _Stage(self._sheet, name)
        return made

    def _look(self) -> None:
        """Write down how things stand."""
        loop = asyncio.get_running_loop()
        held, free = self._purse.leased()
        stands: dict[str, float] = {
            "workers": 1,
            "flowing": self._watch.flowing,
            "waiting": self._turns.in_line,
            "unposted_charges": self._purse.unposted,
            "journal_bytes": self._purse.journal.bytes,
            "blind": self._watch.blind,
        }
        for name, value in stands.items():
            self._sheet.put(self._slot(name, ()), value)
        for state, amount in (("held", held), ("free", free)):
            for unit in UNITS:
                self._sheet.put(self._slot("leased", (("unit", unit), ("state", state))), getattr(amount, unit))
        made = {
            "trips": self._purse.trips,
            "trip_failures": self._purse.failures,
            "lost_calls": self._purse.workers.lost,
        }
        for name, count in made.items():
            self._add(name + "_total", amount=count - self._before.get(name, 0))
        self._before = made
        now = loop.time()
        blind, self._blind_since = self._blind_since, now if self._watch.blind else None
        self._add("blind_seconds_total", amount=now - blind if blind is not None and self._watch.blind else 0)
        self._sheet.beat(self._clock.now().timestamp())
        self._timer = loop.call_later(LOOK_SECONDS, self._look)


def count_lost(sheet: Sheet, calls: int) -> None:
    """Count calls that somebody who is no worker found lost."""
    sheet.add(sheet.slot(_G + "lost_calls_total"), calls)


class _Stage:
    """The series of one stage, found once."""

    def __init__(self, sheet: Sheet, name: str) -> None:
        """Find them."""
        self._sheet, labels = sheet, {"stage": name}
        self._ended: dict[Ended, int] = {
            each: sheet.slot(series(_G + "calls_total", {**labels, "ended": each}))
            for each in Ended
            if each is not Ended.LOST
        }
        self._passes = sheet.slot(series(_G + "charged_passes_total", labels))
        self._tokens = sheet.slot(series(_G + "charged_tokens_total", labels))
        self.seconds = Spread(sheet, _G + "call_seconds", DURATION, labels)
        self.first = Spread(sheet, _G + "first_chunk_seconds", FIRST, labels)

    def ended(self, how: Ended) -> None:
        self._sheet.add(self._ended[how])

    def charged(self, passes: int, tokens: int) -> None:
        self._sheet.add(self._passes, passes)
        self._sheet.add(self._tokens, tokens)


def page(folder: Path, now: float, more: Mapping[str, float]) -> str:
    """Return the metrics of all workers in Prometheus's text format.

    Args:
        folder: of the workers' sheets.
        now: seconds since 1970.
        more: series that no worker counts.
    """
    values = {**read(folder, OF_THE_MOMENT, now), **more}
    lines: list[str] = []
    for metric in METRICS:
        found = list(_of(metric, values))
        if found:
            lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}", *found]
    return "\n".join(lines) + "\n"


def _of(metric: Metric, values: Mapping[str, float]) -> Iterable[str]:
    if metric.kind != "histogram":
        return [_line(name, value) for name, value in sorted(values.items()) if name.partition("{")[0] == metric.name]
    lines, start = [], metric.name + "_bucket{"
    buckets: dict[str, dict[float, str]] = {}  # by labels, the series of each bound
    for name in values:
        if name.startswith(start):
            labels, _, bound = name[len(start) : -1].rpartition("le=")
            buckets.setdefault(labels.rstrip(","), {})[float(bound.strip('"'))] = name
    for labels, found in sorted(buckets.items()):
        spelled, total = f"{{{labels}}}" if labels else "", 0.0
        for _, name in sorted(found.items()):
            total += values[name]
            lines.append(_line(name, total))
        lines += [_line(f"{metric.name}_sum{spelled}", values.get(f"{metric.name}_sum{spelled}", 0.0))]
        lines += [_line(f"{metric.name}_count{spelled}", total)]
    return lines


def _line(name: str, value: float) -> str:
    return f"{name} {value:.17g}"
