"""The public page of the release."""

from __future__ import annotations

from litestar import Router, get
from litestar.response import Template

from readingroom.strategy.compare import compare
from readingroom.web.browser import Visitor, page


@get("/", sync_to_thread=True)
def release(who: Visitor) -> Template:
    """Show what is released, at which stage, why, and what opens the next one."""
    house = who.house
    adopted = house.releases.in_force()
    stages = house.releases.status()
    last_open = max((index for index, each in enumerate(stages) if each.open), default=-1)
    following = next((each for each in stages[last_open + 1 :] if not each.open), None)
    return page(
        who,
        "public/release.html",
        plan=adopted,
        stages=stages,
        following=following,
        samples=house.samples.all(),
        models=house.dossier.models(),
        calls=[each for each in house.admissions.calls() if each.state.value == "open"],
        register=house.oversight.public_register(),
    )


@get("/strategies", sync_to_thread=True)
def strategies(who: Visitor) -> Template:
    """Set the strategies side by side for the plan in force."""
    adopted = who.house.releases.in_force()
    return page(who, "public/strategies.html", plan=adopted, comparison=compare(adopted.plan) if adopted else None)


router = Router("/", route_handlers=[release, strategies], include_in_schema=False)
