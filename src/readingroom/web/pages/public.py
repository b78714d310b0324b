"""The public pages: the release, its facsimiles with what proves them, and the strategies side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from litestar import Response, Router, get
from litestar.response import Template

from readingroom.core.refusal import Refusal, Refused
from readingroom.oversight.register import summary
from readingroom.publication.papers import NAMES, Sample
from readingroom.releases import queries as releases
from readingroom.releases.model import StageStatus
from readingroom.strategy.compare import compare
from readingroom.web.browser import AnyRequest, Visitor, page
from readingroom.web.forms import one_of


@dataclass(frozen=True, slots=True)
class Opening:
    """How a stage was last opened, as the ledger has it: its entry, and how its conditions stood."""

    entry: int
    at: datetime
    conditions: int
    met: int


@get("/", sync_to_thread=True)
def release(who: Visitor) -> Template:
    """Show what is released, at which stage, why, and what opens the next one."""
    house = who.house
    stages = house.releases.status()
    last_open = max((index for index, each in enumerate(stages) if each.open), default=-1)
    following = next((each for each in stages[last_open + 1 :] if not each.open), None)
    readers, passes = summary(house.oversight.public_register())
    return page(
        who,
        "public/release.html",
        plan=house.releases.in_force(),
        stages=stages,
        openings=_openings(who, stages),
        following=following,
        samples=house.samples.all(),
        models=house.dossier.models(),
        calls=[each for each in house.admissions.calls() if each.state.value == "open"],
        readers=readers,
        passes=passes,
        works=len(house.works.shown()),
    )


def _openings(who: Visitor, stages: Sequence[StageStatus]) -> dict[str, Opening]:
    with who.house.db.read() as tx:
        entries = releases.opening_entries(tx)
    made = {}
    for name in (each.stage.name for each in stages):
        entry = who.house.log.entry(entries[name]) if name in entries else None
        if entry is not None:
            clauses = entry.data["clauses"]
            made[name] = Opening(entry.seq, entry.at, len(clauses), sum(c["verdict"] == "met" for c in clauses))
    return made


@get("/strategies", sync_to_thread=True)
def strategies(who: Visitor) -> Template:
    """Set the strategies side by side for the plan in force."""
    adopted = who.house.releases.in_force()
    return page(who, "public/strategies.html", plan=adopted, comparison=compare(adopted.plan) if adopted else None)


def _sample(who: Visitor, name: str) -> Sample:
    unknown = Refusal("publication/sample-unknown", "There is no facsimile by this id.")
    return one_of(who.house.samples.all(), name, unknown)


@get("/facsimiles/{name:str}", sync_to_thread=True)
def facsimile(request: AnyRequest, who: Visitor, name: str) -> Template:
    """Show a facsimile with its papers, and how to verify them without trusting this page."""
    base = (who.house.settings.public_url or str(request.base_url)).rstrip("/")
    sample, works = _sample(who, name), [each for each in who.house.works.shown() if name in each.work.facsimiles]
    return page(who, "public/facsimile.html", sample=sample, base=base, key=who.house.verifier_key(), works=works)


@get("/facsimiles/{name:str}/{paper:str}", sync_to_thread=True)
def paper(who: Visitor, name: str, paper: str) -> Response[str]:
    """Give out one of a facsimile's papers, byte for byte: the files that `receipt verify` takes."""
    papers, kind = _sample(who, name).papers, paper.removesuffix(".txt")
    if not papers or kind not in NAMES or not paper.endswith(".txt"):
        raise Refused(Refusal("publication/sample-unknown", "This facsimile has no such paper."))
    return Response(getattr(papers, kind), media_type="text/plain")


router = Router("/", route_handlers=[release, strategies, facsimile, paper], include_in_schema=False)
