"""`readingroom demo`: plays the story on a house of its own, and leaves the portal open."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from readingroom.app.founding import found_for_demo, template
from readingroom.cli.app import app
from readingroom.cli.context import Context
from readingroom.cli.demo.cast import APPLICANTS, STAFF
from readingroom.cli.output import Output
from readingroom.cli.progress import fetch_model
from readingroom.core.errors import Broken, Problem

Fast = Annotated[bool, typer.Option("--fast", help="On the echo engine instead of the real model")]
NoServe = Annotated[bool, typer.Option("--no-serve", help="Report and end; do not leave the portal open")]


@app.command()
def demo(
    context: typer.Context,
    no_serve: NoServe = False,  # noqa: FBT002 - Typer's flags
    port: Annotated[int, typer.Option(help="The portal's port; 0 chooses a free one")] = 0,
    fast: Fast = False,  # noqa: FBT002
) -> None:
    """Play the whole story, each step checked from outside, and leave the portal open."""
    here: Context = context.obj
    _needs_openai()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server and its folder go with this program
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="readingroom-demo-")))
        model = None if fast else fetch_model(here.output)
        home = folder / "home"
        found_for_demo(home, model)
        url = stack.enter_context(served(home, port))
        ok = _play(here.output, home, url, model, began)
        if ok and not no_serve and not here.output.as_json:
            _leave_open(here.output, home, url)
    raise typer.Exit(0 if ok else 1)


def _play(output: Output, home: Path, url: str, model: Path | None, began: float) -> bool:
    from readingroom.cli.demo.simulator import LabSimulator
    from readingroom.cli.demo.stage import Play
    from readingroom.cli.demo.story import STEPS, name_of
    from readingroom.cli.demo.tale import Tale

    lab = LabSimulator(url, home)
    play = Play(output.err if output.as_json else output.out)
    tale = Tale(lab, template("call.yaml"), home / "samples.yaml", model, fast=model is None)
    lab.hire()
    for step in STEPS:
        play.step(name_of(step), lambda step=step: step(tale))  # type: ignore[misc]
    lab.close()
    seconds = time.monotonic() - began
    document = {"ok": play.ok, "seconds": round(seconds, 1), "steps": [each.to_json() for each in play.steps]}
    verdict = "Every step was seen from outside." if play.ok else "The story stopped; see the step above."
    output.result(document, f"\n{verdict} ({seconds:.0f} s)")
    return play.ok


def _leave_open(output: Output, home: Path, url: str) -> None:
    from readingroom.cli.demo.simulator import LabSimulator

    lab = LabSimulator(url, home)
    output.out.print(f"\nThe portal stays open at {url} until you press Ctrl-C. Sign in as:\n", markup=False)
    shown: set[str] = set()
    for member in (*STAFF, APPLICANTS[0]):
        role = ", ".join(member.roles) or "reader"
        if role not in shown:
            shown.add(role)
            output.out.print(f"  {role:<16} {lab.sign_in_url(member)}", markup=False)
    lab.close()
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


@contextlib.contextmanager
def served(home: Path, port: int) -> Iterator[str]:
    """Serve a house in a process of its own and give its URL."""
    command = [sys.executable, "-m", "readingroom", "--home", str(home), "--json", "serve", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
    import readingroom.cli.demo.story  # noqa: F401 - which takes as long as the server's start: at the same time

    try:
        line = server.stdout.readline() if server.stdout is not None else ""
        if not line.endswith("}\n"):  # a fault's document has more lines than one
            raise Broken(Problem("serve", "did not start", "Its message stands above"))
        yield str(json.loads(line)["url"])
    finally:
        server.terminate()
        with contextlib.suppress(KeyboardInterrupt):
            server.wait()
        if server.stdout is not None:
            server.stdout.close()


def _needs_openai() -> None:
    if importlib.util.find_spec("openai") is None:
        cure = "Install it with `pip install readingroom[demo]`, or use `make demo`"
        raise Broken(Problem("demo", "needs the official openai client", cure))
