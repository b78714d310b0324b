"""Trying a rule set on a text before it is used on readers: the same screens, judges and gate, without an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from readingroom.core.refusal import Refused
from readingroom.engines.model import Chunk
from readingroom.engines.model import Kind as EngineKind
from readingroom.gateway.ask import Ask, Kind
from readingroom.gateway.entrance import Seen
from readingroom.gateway.exits import ChoiceExit
from readingroom.gateway.gate import Gate
from readingroom.gateway.judges import Judges
from readingroom.gateway.screening.model import Rule, RuleSet, Side
from readingroom.gateway.screening.report import SideReport, report
from readingroom.gateway.screening.stream import Screen
from readingroom.gateway.verdicts import Verdicts

PIECE = 20  # characters in which an answer comes here; no token is longer, and no rule can tell


async def trial(rules: RuleSet, text: str, judges: Judges | None = None) -> tuple[SideReport, SideReport]:
    """Try a rule set on a text, as a prompt and as an answer; its judges are really asked."""
    judges = judges or Judges()
    try:
        entrance, leaving = report(rules, text)
        return await _entrance(rules, text, entrance, judges), await _exit(rules, text, leaving, judges)
    finally:
        await judges.close()


async def _entrance(rules: RuleSet, text: str, found: SideReport, judges: Judges) -> SideReport:
    asked = Screen([rules], Side.ENTRANCE).judged
    if found.refused or not asked:
        return found
    prompt = Ask(Kind.COMPLETION, "", {"prompt": text}, b"")
    seen = await judges.request(asked, prompt, Seen(None, Verdicts()))
    refused = seen.refusal is not None
    said = _said(asked, seen.verdicts, judges)
    return replace(found, refused=refused, text="" if refused else text, judged=said)


async def _exit(rules: RuleSet, text: str, found: SideReport, judges: Judges) -> SideReport:
    screen = Screen([rules], Side.EXIT)
    if not screen.judged:
        return found
    out = ChoiceExit(0, screen, EngineKind.CHAT)
    gate = Gate(judges, screen.judged, [out], "")
    pieces = [Chunk(text=text[at : at + PIECE], tokens=1) for at in range(0, len(text), PIECE)]
    refused = found.refused
    try:
        for chunk in [*pieces, Chunk(finish_reason="stop")]:
            delta = out.push(chunk)
            if not delta.empty:
                await gate.through([delta], more=False)
    except Refused:
        refused = True
    verdicts = gate.verdicts
    refused = refused or verdicts.stopped_by is not None
    return replace(found, refused=refused, text=gate.texts[0], judged=_said(screen.judged, verdicts, judges))


def _said(rules: Sequence[Rule], verdicts: Verdicts, judges: Judges) -> tuple[tuple[Rule, str], ...]:
    """Say in words what came of each rule."""
    told = []
    for rule in rules:
        stopped = verdicts.stopped_by is not None and verdicts.stopped_by[0] == rule.id
        if verdicts.failed[rule.id]:
            told.append((rule, f"no verdict: {judges.failures.get(rule.id, 'unknown')}"))
        elif stopped or verdicts.flags[rule.id]:
            told.append((rule, "matches"))
        else:
            told.append((rule, "does not match" if verdicts.judged[rule.id] else "was not asked"))
    return tuple(told)
