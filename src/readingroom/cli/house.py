"""`init`, `serve`: the house itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from readingroom.app.founding import default_plan, found, with_engine
from readingroom.app.house import sign_in_path
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.core.files import write_over
from readingroom.core.settings import Settings
from readingroom.people.model import Role

Engine = Annotated[str, typer.Option(help="embedded, echo, or an OpenAI-compatible base URL (.../v1)")]
Model = Annotated[str, typer.Option(help="The model's name at that engine; for embedded, a GGUF file")]
DatabaseUrl = Annotated[str, typer.Option("--database", help="postgresql://... [default: SQLite in HOME]")]
Dev = Annotated[
    bool, typer.Option("--dev", help="For trials: one stage, open at once; marked on every page and in the ledger")
]


@app.command()
def init(
    context: typer.Context,
    engine: Engine = "embedded",
    model: Model = "",
    database: DatabaseUrl = "",
    dev: Dev = False,  # noqa: FBT002 - Typer's flags
) -> None:
    """Make a house in HOME: settings, release plan, rules, terms, keys, database. Refuses to overwrite."""
    here: Context = context.obj
    settings = with_engine(Settings(home=here.home, database=database, dev=dev), engine, model)
    model_file = _model_file(here, settings) if dev and engine == "embedded" else None
    house = found(settings, default_plan(settings), model_file)
    document = {"home": str(here.home), "engine": engine, "dev": dev, "ledger_key": house.verifier_key()}
    text = f"A house{' for trials' if dev else ''} stands in {here.home}.\nNext: {_next(here.home, dev=dev)}"
    house.close()
    here.output.result(document, text)


def _next(home: Path, *, dev: bool) -> str:
    program = f"readingroom --home {home}"
    return f"{program} serve" if dev else f"edit {home}/release.yaml, then {program} plan check {home}/release.yaml"


def _model_file(here: Context, settings: Settings) -> Path:
    if settings.model:
        return Path(settings.model)
    from readingroom.cli.progress import fetch_model

    return fetch_model(here.output)


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="The address to bind")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 chooses a free one")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that serve")] = 1,
) -> None:
    """Serve the portal, the control API and /v1 on one port, and print a one-time sign-in link."""
    from readingroom.cli.supervisor import Supervisor

    here: Context = context.obj
    supervisor = Supervisor(here.house, host, port, workers)
    url = supervisor.start()
    try:
        write_over(here.house.settings.served_at, url.encode())  # letters and `login` need it
        link = url + sign_in_path(_link(here))
        if here.output.as_json:
            sys.stdout.write(json.dumps({"url": url, "sign_in": link}) + "\n")
            sys.stdout.flush()
        else:
            here.output.out.print(f"Reading Room is open at {url}\nSign in once as steward: {link}", markup=False)
        supervisor.watch()
    finally:
        supervisor.stop()


def _link(here: Context) -> str:
    people = here.house.people
    stewards = [each for each in people.everyone(people.operator()) if Role.STEWARD in each.roles]
    who = stewards[0] if stewards else people.add(people.operator(), "steward@localhost", roles=[Role.STEWARD])
    return people.make_link_for(people.operator(), who.email)


@app.command()
def doctor(context: typer.Context) -> None:
    """Check configuration, keys, database, ledger, plan, screens, engine and clock; each line ok or with its cure."""
    from readingroom.app.checkup import examine

    here: Context = context.obj
    found = examine(here.house)
    ok = all(each.ok for each in found)
    checks = [{"name": f.name, "ok": f.ok, "detail": f.detail, "cure": "" if f.ok else f.cure} for f in found]
    rows = [("ok" if f.ok else "NOT OK", f.name, f.detail, "" if f.ok else f.cure) for f in found]
    here.output.rows({"ok": ok, "checks": checks}, "Check-up", ("", "what", "seen", "cure"), rows)
    raise typer.Exit(0 if ok else 1)
