"""Sheets of counters: shared by processes, kept by the kernel, added up by whoever is asked."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from readingroom.gateway import counts, observed
from readingroom.gateway.counts import Sheet, Spread, read, series

NOW = 1_000_000.0


def total(folder: Path, name: str) -> float:
    return read(folder, frozenset(), NOW).get(name, 0)


def test_sheets_are_added_up_and_a_successor_goes_on(tmp_path: Path) -> None:
    for seat, times in (("0", 3), ("1", 4), ("0", 5)):
        sheet = Sheet(tmp_path, seat)
        for _ in range(times):
            sheet.add(sheet.slot("a_total"))
    assert total(tmp_path, "a_total") == 12


def test_what_a_killed_process_counted_last_is_there(tmp_path: Path) -> None:
    code = (
        "import os, sys, signal; from pathlib import Path; from readingroom.gateway.counts import Sheet\n"
        "sheet = Sheet(Path(sys.argv[1]), '0'); slot = sheet.slot('a_total')\n"
        "for _ in range(1000): sheet.add(slot)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert total(tmp_path, "a_total") == 1000


def test_the_dead_say_nothing_of_the_moment(tmp_path: Path) -> None:
    for seat, heard in (("0", NOW - counts.SILENT_SECONDS - 1), ("1", NOW - 1), ("2", None)):
        sheet = Sheet(tmp_path, seat)
        sheet.put(sheet.slot("g"), 7)
        sheet.add(sheet.slot("a_total"))
        if heard is not None:
            sheet.beat(heard)
    assert read(tmp_path, frozenset({"g"}), NOW)["g"] == 7
    assert total(tmp_path, "a_total") == 3


def test_a_line_that_was_cut_off_is_none_and_its_number_is_not_the_next_ones(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path, "0")
    sheet.add(sheet.slot("a_total"))
    sheet.add(sheet.slot("lost_total"), 100)
    path = tmp_path / "0.series"
    path.write_bytes(path.read_bytes()[: -len("total\n")])
    sheet = Sheet(tmp_path, "0")
    sheet.add(sheet.slot("b_total"))
    assert total(tmp_path, "b_total") == 1
    assert total(tmp_path, "a_total") == 1


def test_a_full_disk_stops_no_call(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path, "0")
    sheet.add(sheet.slot("a_total"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        sheet.add(sheet.slot("b_total"))
        other = Sheet(tmp_path, "1")  # not even a file can be made
        other.add(other.slot("a_total"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    sheet.add(sheet.slot("a_total"))
    assert total(tmp_path, "a_total") == 2
    assert total(tmp_path, "b_total") == 0


def test_series_beyond_the_room_are_counted_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "SLOTS", 5)
    sheet = Sheet(tmp_path, "0")
    for number in range(6):
        sheet.add(sheet.slot(f"a{number}_total"))
    found = read(tmp_path, frozenset(), NOW)
    assert found["readingroom_gateway_series_without_room_total"] == 3
    assert [found.get(f"a{number}_total") for number in range(4)] == [1, 1, 1, None]


def test_others_of_this_machine_cannot_read_them(tmp_path: Path) -> None:
    Sheet(tmp_path / "metrics", "0")
    for path in [tmp_path / "metrics", *(tmp_path / "metrics").iterdir()]:
        assert path.stat().st_mode & 0o077 == 0


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5, unique=True))
def test_whatever_a_label_holds_the_reference_reader_reads_it_back(texts: list[str]) -> None:
    shown = "\n".join(f"{series('a', {'rule': each})} 1" for each in texts) + "\n"
    (family,) = text_string_to_metric_families("# TYPE a gauge\n" + shown)
    assert {sample.labels["rule"] for sample in family.samples} == set(texts)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("01"), st.floats(0, 20)), max_size=30))
def test_a_histogram_over_sheets_is_that_of_all_values(
    tmp_path_factory: pytest.TempPathFactory, seen: list[tuple[str, str, float]]
) -> None:
    folder, name = tmp_path_factory.mktemp("sheets"), "readingroom_gateway_call_seconds"
    spreads: dict[tuple[str, str], Spread] = {}
    sheets = {seat: Sheet(folder, seat) for seat in "01"}
    for stage, seat, value in seen:
        labels = {"stage": stage}
        each = spreads.setdefault((stage, seat), Spread(sheets[seat], name, (0.5, 2, 10), labels))
        each.see(value)
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(observed.page(folder, NOW, {}))
        for sample in family.samples
    }
    for stage in {stage for stage, _, _ in seen}:
        values = [value for other, _, value in seen if other == stage]
        for bound in (0.5, 2.0, 10.0):
            spelled = sorted([f"{bound:g}", stage])
            assert samples[name + "_bucket", *spelled] == sum(value <= bound for value in values)
        assert samples[name + "_count", stage] == len(values)
        assert samples[name + "_sum", stage] == pytest.approx(sum(values))


def test_a_server_begins_with_no_sheets(tmp_path: Path) -> None:
    Sheet(tmp_path, "7").add(0)
    counts.clear(tmp_path)
    assert not list(tmp_path.iterdir())
    assert read(tmp_path / "none", frozenset(), NOW) == {}
