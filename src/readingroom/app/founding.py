"""Founding a house: HOME with its settings, plan, rules, terms, keys and database.

The settings file is written last: a HOME without one is no house yet, so a founding that was cut off can simply be
run again; what it had written already is kept, above all the keys.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from readingroom.app.house import House
from readingroom.app.plans import parse_plan_file
from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.core.files import write_new
from readingroom.core.settings import FILE, Settings
from readingroom.ledger.note import Signer
from readingroom.people.model import Actor, Role
from readingroom.publication.oms import create_key, publish_key

DEMO_MODEL = "smollm2-135m-instruct"
_TEMPLATES = files("readingroom.app") / "templates"


def template(name: str) -> str:
    """Return one of the shipped templates as text."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def found(settings: Settings, plan: str, model_file: Path | None = None) -> House:
    """Found a house and return it; a house for trials (`settings.dev`) has its stage open at once.

    Args:
        settings: what the house is set to; `settings.home` must not hold a house.
        plan: the plan's text, which becomes HOME/release.yaml.
        model_file: the model's weights, where there is a file.

    Raises:
        Broken: there is a house here already.
        BadInput: a founding that was cut off had begun a house of another kind.
    """
    home = settings.home
    if (home / FILE).exists():
        cure = "Name another folder with --home; nothing here was changed"
        raise Broken(Problem(str(home), "there is a house here already", cure))
    if settings.dev and settings.plan_file.exists() and settings.plan_file.read_text(encoding="utf-8") != plan:
        cure = "Run it again with the options of the first time, or name another folder with --home"
        raise BadInput([Problem(str(settings.plan_file), "is another plan, as for another engine or model", cure)])
    for folder in (home, settings.keys, settings.run, settings.outbox, home / "rules"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_new(settings.plan_file, plan)
    _write_new(home / "rules" / "base.yaml", template("rules-base.yaml"))
    _write_new(home / "terms.md", template("terms.md"))
    _write_new(home / "call.yaml", template("call.yaml"))
    key = settings.keys / "ledger.key"
    if not key.exists():
        Signer.create(key, settings.origin)
    release, public = settings.keys / "release.key", settings.keys / "release.pub"
    if release.exists():
        publish_key(release, public)  # a founding that was cut off may have left it alone
    else:
        create_key(release, public)
    house = House(settings)
    house.db.create()
    operator = house.people.operator()
    _begin(house, operator)
    if settings.dev:
        _open_for_trials(house, operator, plan, model_file)
    _write_new(home / FILE, settings.to_toml())
    return house


def found_for_demo(home: Path, model_file: Path | None) -> None:
    """Found the demo's house: its own plan, the real model or the echo engine."""
    name = DEMO_MODEL if model_file else "echo"
    settings = Settings(
        home=home,
        engine="embedded" if model_file else "echo",
        model=str(model_file or ""),
        # Slow enough that a person, and a revocation, can see a stream flow.
        engine_options={} if model_file else {"words_per_second": 2000},
    )
    house = found(settings, _plan_text("release-demo.yaml", name), model_file)
    operator = house.people.operator()
    register_model(house, operator, name, model_file)
    house.close()


def default_plan(settings: Settings) -> str:
    """Return the plan that a new house starts with."""
    if settings.dev:
        return _plan_text("release-dev.yaml", settings.model_name)
    return _plan_text("release.yaml", settings.model_name)


def register_model(house: House, by: Actor, name: str, model_file: Path | None) -> None:
    """Register the served model: by its file's digest, or, behind a URL, by where it is served."""
    if model_file is not None:
        house.dossier.register(by, name, model_file)
    else:
        house.dossier.register_remote(by, name, house.settings.engine)


def _begin(house: House, by: Actor) -> None:
    if house.agreements.in_force() is None:
        house.agreements.publish(by, template("terms.md"), material=True, reason="the first terms")
    plan_steward = parse_plan_file(house.settings.plan_file).steward
    if house.people.find(plan_steward) is None:
        house.people.add(by, plan_steward, name="Steward", roles=[Role.STEWARD])


def _open_for_trials(house: House, by: Actor, plan: str, model_file: Path | None) -> None:
    register_model(house, by, house.settings.model_name, model_file)
    # A founding that was cut off is run again: what was decided already is not decided twice.
    releases = house.releases
    if releases.in_force() is None:
        releases.adopt(by, plan, str(house.settings.plan_file), reason="a house for trials")
    if not releases.stage("reading-room").signatures:
        releases.sign(by, "reading-room")
    if not releases.stage("reading-room").open:
        releases.open(by, "reading-room")


def _plan_text(name: str, artifact: str) -> str:
    return template(name).replace(f"artifact: {DEMO_MODEL}", f"artifact: {artifact}")


def _write_new(path: Path, text: str) -> None:
    """Write a file whole or not at all, and never over one that is there."""
    if not path.exists():
        write_new(path, text.encode())


def with_engine(settings: Settings, engine: str, model: str) -> Settings:
    """Return settings for an engine, checked.

    Raises:
        BadInput: the engine is none of `echo`, `embedded` or an http(s) URL.
    """
    if engine not in {"echo", "embedded"} and not engine.startswith(("http://", "https://")):
        cure = "Use echo, embedded, or an OpenAI-compatible base URL such as http://127.0.0.1:9000/v1"
        raise BadInput([Problem("--engine", f"{engine!r} is no engine", cure)])
    if engine.startswith("http") and not model:
        raise BadInput([Problem("--model", "is needed with an engine's URL", "Name the model as that engine calls it")])
    return replace(settings, engine=engine, model=model)
