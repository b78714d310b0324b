"""Python screens of somebody's own: found by entry point, run in threads, believed only when they say True or False."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.plugins import installed, write
from gateway.rooms import room
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.engines.model import Chunk, Kind
from readingroom.gateway import judges as judging
from readingroom.gateway.exits import ChoiceExit
from readingroom.gateway.frames import Delta, Finish
from readingroom.gateway.gate import Gate
from readingroom.gateway.judges import Judges, windows
from readingroom.gateway.model import Ended
from readingroom.gateway.screening.load import load_text
from readingroom.gateway.screening.model import Rule, RuleSet, Side
from readingroom.gateway.screening.stream import Screen

SOURCE = """
import asyncio
import time

def heron(text, side):
    return "heron" in text

async def slowly(text, side):
    await asyncio.sleep(0.01)
    return "heron" in text

def only_at_the_exit(text, side):
    return side == "exit"

def stuck(text, side):
    time.sleep(3600)

def raises(text, side):
    raise ValueError(text)

def leaves(text, side):
    raise SystemExit(text)

def forgets(text, side):
    "heron" in text

def counts(text, side):
    return text.count("heron")
"""


@pytest.fixture(scope="module")
def screens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = write(tmp_path_factory.mktemp("site"), SOURCE, names="none = ourscreens:no_such\nbroken = nomodule:x")
    lines = (folder / "ourscreens-1.0.dist-info" / "entry_points.txt").read_text()
    names = ["heron", "slowly", "only_at_the_exit", "stuck", "raises", "leaves", "forgets", "counts"]
    more = "\n".join(f"{name} = ourscreens:{name}" for name in names)
    (folder / "ourscreens-1.0.dist-info" / "entry_points.txt").write_text(f"{lines}{more}\n")
    with installed(folder):
        yield folder


def rules(name: str, **changes: str) -> str:
    fields = {"id": "ours", "side": "exit", "action": "refuse", "clause": '"7"', "python": name, **changes}
    return "rules:\n  - {" + ", ".join(f"{key}: {value}" for key, value in fields.items()) + "}\n"


def loaded(name: str, **changes: str) -> RuleSet:
    return load_text(rules(name, **changes), "rules.yaml")


def rule(name: str, **changes: str) -> Rule:
    return loaded(name, **changes).rules[0]


@pytest.mark.usefixtures("screens")
@pytest.mark.parametrize("name", ["heron", "slowly"])
async def test_a_function_and_a_coroutine_judge_alike(name: str) -> None:
    judges = Judges()
    assert (await judges.ask(rule(name), Side.EXIT, "a heron")).match
    assert not (await judges.ask(rule(name), Side.EXIT, "an owl")).match
    assert (await judges.ask(rule("only_at_the_exit"), Side.EXIT, "")).match
    assert not (await judges.ask(rule("only_at_the_exit"), Side.ENTRANCE, "")).match


@pytest.mark.usefixtures("screens")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("stuck", "timeout"),
        ("raises", "raised"),
        ("leaves", "raised"),
        ("forgets", "malformed"),
        ("counts", "malformed"),
        ("none", "raised"),
        ("broken", "raised"),
    ],
)
async def test_a_screen_that_does_not_say_true_or_false_in_time_has_failed(
    name: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seconds = "0.2" if why == "timeout" else "20"
    outcome = await Judges().ask(rule(name, seconds=seconds), Side.EXIT, "a secret heron")
    assert (outcome.failed, outcome.match, outcome.closes) == (why, False, True)
    assert "secret" not in caplog.text


@pytest.mark.usefixtures("screens")
async def test_screens_that_never_return_close_the_way_and_stall_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "THREADS", 3)
    judges = Judges()
    began = time.monotonic()
    stuck = [judges.ask(rule("stuck", seconds="0.2"), Side.EXIT, "x") for _ in range(20)]
    assert all(each.failed == "timeout" for each in await asyncio.gather(*stuck))
    assert time.monotonic() - began < 30  # not one after the other, and not for an hour
    assert (await judges.ask(rule("heron", seconds="0.2"), Side.EXIT, "x")).failed == "timeout"  # no thread is left


@pytest.mark.usefixtures("screens")
async def test_a_whole_gateway_asks_them_at_both_sides(tmp_path: Path) -> None:
    async with room(tmp_path, rules=rules("heron", side="both")) as here:
        with pytest.raises(Refused, match="screening/entrance"):
            await here.gateway.open(here.key, here.ask("a heron"))
        text, end = await here.read(here.ask("an owl"))
        assert (text, end.ended) == ("an owl", Ended.COMPLETE)
    async with room(tmp_path / "b", rules=rules("heron")) as here:
        text, end = await here.read(here.ask("a heron"))
        assert (text, end.ended) == ("", Ended.SCREENED)


@pytest.mark.usefixtures("screens")
def test_a_screen_that_is_not_installed_is_named_with_those_that_are() -> None:
    with pytest.raises(BadInput) as caught:
        loaded("haron")
    assert "there is no Python screen 'haron'" in str(caught.value)
    assert "heron" in str(caught.value)


def test_two_packages_with_one_name_are_refused_and_another_version_is_another_rule_set(tmp_path: Path) -> None:
    digests = []
    for version in ("1.0", "1.1"):
        with installed(write(tmp_path / version, SOURCE, version)):
            digests.append(loaded("heron").digest)
    assert digests[0] != digests[1]
    write(tmp_path / "two", SOURCE)
    with (
        installed(write(tmp_path / "two", SOURCE, package="others")),
        pytest.raises(BadInput, match="several packages"),
    ):
        loaded("heron")


async def test_a_package_that_changed_under_a_running_house_is_not_asked(tmp_path: Path) -> None:
    with installed(write(tmp_path / "old", SOURCE)):
        old = rule("heron")
    with installed(write(tmp_path / "new", SOURCE, "2.0")):
        assert (await Judges().ask(old, Side.EXIT, "a heron")).failed == "raised"


@given(st.text(max_size=300), st.text(max_size=900), st.integers(10, 200), st.data())
def test_whatever_is_half_a_window_long_is_seen_whole(context: str, new: str, size: int, data: st.DataObject) -> None:
    shown = list(windows(context, new, size))
    assert all(len(each) <= size for each in shown)
    assert bool(shown) == bool(new)
    whole = context + new
    end = data.draw(st.integers(len(context) + 1, len(whole))) if new else 0
    start = data.draw(st.integers(max(0, end - size // 2), end)) if new else 0
    assert not new or any(whole[start:end] in each for each in shown)


pieces = st.lists(
    st.sampled_from(["a heron", "her", "on", "he", "ron", " ", "x", "quite another text", "\n"]), max_size=30
)


@pytest.mark.usefixtures("screens")
@given(said=pieces, more=st.lists(st.booleans(), min_size=31, max_size=31), every=st.integers(1, 50))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_part_of_a_match_leaves_however_it_comes_and_all_else_leaves(
    said: list[str], more: list[bool], every: int
) -> None:
    text = "".join(said)
    left, finish = asyncio.run(_through(said, more, every))
    if "heron" in text:
        assert finish is Finish.CONTENT_FILTER
        assert text.startswith(left)
        assert len(left) <= text.index("heron")
    else:
        assert (left, finish) == (text, Finish.STOP)


async def _through(said: list[str], more: list[bool], every: int) -> tuple[str, Finish | None]:
    sets = [loaded("heron", every=str(every), overlap=str(len("heron") - 1), window="100")]
    out = ChoiceExit(0, Screen(sets, Side.EXIT), Kind.CHAT)
    gate = Gate(Judges(), out.screen.judged, [out], "")
    free: list[Delta] = []
    for piece, ahead in zip([*said, None], more, strict=False):
        chunk = Chunk(finish_reason="stop") if piece is None else Chunk(text=piece, tokens=1)
        delta = out.push(chunk)
        free += await gate.through([] if delta.empty else [delta], more=ahead)
    assert gate.texts == ["".join(each.text for each in free)]
    return gate.texts[0], free[-1].finish if free else None
