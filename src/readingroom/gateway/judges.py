"""Asking judges: classifiers and Python screens. A judge who fails or is too slow closes the way, unless told else.

No verdict is ever made up: what a judge did not say in time and in form is a failure, and a failure is on record.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from readingroom.core.refusal import Refusal
from readingroom.core.settings import screen_key
from readingroom.engines.classifier import Classifier, NoVerdict, Said
from readingroom.engines.moderation import Moderation
from readingroom.gateway.ask import Ask
from readingroom.gateway.entrance import Screens, Seen, refused, texts
from readingroom.gateway.screening.judged import installed
from readingroom.gateway.screening.model import Action, OnFailure, PythonScreen, Rule, Side
from readingroom.gateway.verdicts import Verdicts

LONG_BYTES = 16_384  # of a request, above which its screening is done in a thread, so that others' streams flow on
THREADS = 16  # Python screens that run at a time; one that never returns keeps its thread
MOST_WINDOWS = 64  # of one request that a judge is shown: a body of a megabyte must not buy a thousand questions
PARALLEL = 8  # of them at a time
_FAILED = "The screens of this stage cannot judge at the moment, so nothing passes; try again."

log = logging.getLogger("readingroom.gateway")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking about one window; `failed` says why there is no verdict."""

    rule: Rule
    match: bool = False
    failed: str = ""

    @property
    def closes(self) -> bool:
        """Whether nothing may pass, as there is no verdict and the rule does not say otherwise."""
        assert self.rule.judged is not None  # noqa: S101 - only such rules are asked
        return bool(self.failed) and self.rule.judged.on_failure is OnFailure.REFUSE

    def note(self, verdicts: Verdicts, characters: int) -> None:
        """Put it on record, for so many new characters."""
        judged = self.rule.judged
        assert judged is not None  # noqa: S101
        if self.failed:
            verdicts.failed[self.rule.id] += 1
            flagged = judged.on_failure is OnFailure.FLAG
        else:
            verdicts.judged[self.rule.id] += characters
            flagged = self.match and self.rule.action is Action.FLAG
        if flagged:
            verdicts.flags[self.rule.id] += 1

    @property
    def ends(self) -> bool:
        """Whether it is a match that ends the text."""
        return self.match and self.rule.action is not Action.FLAG


def windows(context: str, new: str, size: int) -> Iterator[str]:
    """Yield what a judge is shown of new text, with as much context before it as fits.

    Each window ends at most half a window after the one before, so whatever is at most that long is seen whole.
    """
    whole = context + new
    for end in range(len(context) + size // 2, len(whole) + size // 2, size // 2):
        last = min(end, len(whole))
        yield whole[max(0, last - size) : last]


class Judges:
    """The judges of one worker."""

    def __init__(self, key_of: Callable[[str], str] = screen_key) -> None:
        """Take what returns a key by its name."""
        self._moderation = Moderation(key_of)
        self._screens: dict[PythonScreen, Callable[[str, str], object]] = {}
        self._threads = asyncio.Semaphore(THREADS)
        self.failures: dict[str, str] = {}  # per rule, why there was no verdict last

    async def ask(self, rule: Rule, side: Side, text: str, asked: str = "") -> Outcome:
        """Ask the judge of a rule about one window, within the rule's deadline."""
        assert rule.judged is not None  # noqa: S101 - only such rules are asked
        try:
            async with asyncio.timeout(rule.judged.seconds):
                said = await self._said(rule.judged.judge, side, text, asked)
        except TimeoutError:
            return self._no_verdict(rule, "timeout")
        except NoVerdict as none:
            return self._no_verdict(rule, none.why)
        return Outcome(rule, said.match)

    def _no_verdict(self, rule: Rule, why: str) -> Outcome:
        self.failures[rule.id] = why
        log.warning("the screen %s gave no verdict: %s", rule.id, why)
        return Outcome(rule, failed=why)

    async def _said(self, judge: Classifier | PythonScreen, side: Side, text: str, asked: str) -> Said:
        if isinstance(judge, Classifier):
            return await self._moderation.ask(judge, text, asked)
        await self._threads.acquire()
        said = await _in_thread(lambda: self._call(judge, side, text), self._threads.release)
        if not isinstance(said, bool):  # None is a forgotten return, not a no
            raise NoVerdict("malformed")
        return Said(said)

    def _call(self, judge: PythonScreen, side: Side, text: str) -> object:
        """Call a Python screen; runs in a thread, as does its import."""
        screen = self._screens.get(judge) or _load(judge)
        self._screens[judge] = screen
        said = screen(text, side.value)
        return asyncio.run(_awaited(said)) if inspect.isawaitable(said) else said

    async def look(self, screens: Screens, ask: Ask) -> Seen:
        """Look at a request: by the rules at hand first, and then, if they let it through, by its judges."""
        if len(ask.committed) > LONG_BYTES:
            seen = await asyncio.to_thread(screens.check, ask)
        else:
            seen = screens.check(ask)
        if seen.refusal is None and screens.entrance.judged:
            return await self.request(screens.entrance.judged, ask, seen)
        return seen

    async def request(self, rules: Sequence[Rule], ask: Ask, seen: Seen) -> Seen:
        """Ask all judges of the entrance about a request that the rules at hand let through."""
        text = "\n".join(each for each in texts(ask.body) if each)
        outcomes = [each for one in await asyncio.gather(*(self._all(rule, text) for rule in rules)) for each in one]
        for rule in rules:
            mine = [each for each in outcomes if each.rule is rule]
            for place, each in enumerate(mine):
                each.note(seen.verdicts, 0 if place else len(text))
        ending = next((each for each in outcomes if each.ends), None)
        closing = next((each for each in outcomes if each.closes), None)
        if ending:
            return seen.stopped(refused(ending.rule.clause), ending.rule.id, ending.rule.action.value)
        if closing:
            return seen.stopped(failed(), closing.rule.id, "failed")
        return seen

    async def _all(self, rule: Rule, text: str) -> list[Outcome]:
        assert rule.judged is not None  # noqa: S101
        shown = list(windows("", text, rule.judged.window))
        if len(shown) > MOST_WINDOWS:
            return [self._no_verdict(rule, "too-long")]
        gate = asyncio.Semaphore(PARALLEL)

        async def one(window: str) -> Outcome:
            async with gate:
                return await self.ask(rule, Side.ENTRANCE, window)

        return await asyncio.gather(*(one(each) for each in shown))

    async def close(self) -> None:
        """Close the connections; a thread that a screen never gave back ends with the process."""
        await self._moderation.close()


def failed() -> Refusal:
    """Refuse, as a judge gave no verdict."""
    return Refusal("screening/failed", _FAILED)


def _load(judge: PythonScreen) -> Callable[[str, str], object]:
    for found in installed().get(judge.name, []):
        package = found.dist
        if package and (found.value, package.name, package.version) == (
            judge.target,
            judge.distribution,
            judge.version,
        ):
            loaded = found.load()
            if callable(loaded):
                return loaded  # type: ignore[no-any-return]
    raise LookupError(judge.name)  # not the one that the rule set was loaded with


async def _awaited(said: object) -> object:
    return await said  # type: ignore[misc]


async def _in_thread(call: Callable[[], object], done: Callable[[], None]) -> object:
    """Run somebody's code in a thread that the process's end does not wait for.

    `done` is called once the thread has come back, which may be long after the caller has given up.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[object] = loop.create_future()

    def settle(result: object, fault: str) -> None:
        done()
        if fault:
            log.warning("a Python screen raised %s", fault)  # its words may hold the text
        if not future.done():
            if fault:
                future.set_exception(NoVerdict("raised"))
            else:
                future.set_result(result)

    def run() -> None:
        result, fault = None, ""
        try:
            result = call()
        except BaseException as raised:  # noqa: BLE001 - whatever it is, it is no verdict
            fault = type(raised).__name__
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, fault)

    threading.Thread(target=run, name="screen", daemon=True).start()
    return await future
