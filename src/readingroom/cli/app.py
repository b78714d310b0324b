"""The program's root: global options, the list of commands, and how faults end.

Exit codes: 0 done, 1 refused or failed, 2 bad usage or a bad input file.
"""

from __future__ import annotations

import gc
import importlib
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

import readingroom
from readingroom.cli.context import Context
from readingroom.cli.output import Output
from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.core.refusal import Refused

app = typer.Typer(
    name="readingroom",
    help="Release a language model the way a rare-books library lends a manuscript.",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def root(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option(help="The house's folder [default: $READINGROOM_HOME, ./readingroom-home]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout")] = False,  # noqa: FBT002
    version: Annotated[bool, typer.Option("--version", help="Print the version")] = False,  # noqa: FBT002
) -> None:
    """Release a language model the way a rare-books library lends a manuscript."""
    context.obj = Context(home, Output(as_json=as_json))
    if version:
        context.obj.output.result({"version": readingroom.__version__}, f"readingroom {readingroom.__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        context.fail("Missing command.")
    context.call_on_close(context.obj.close)


_UsageFault: Any = typer.BadParameter.__mro__[2]  # what all of Typer's complaints about a command line share

# File of commands -> the words that it adds to the program. Only the file that is needed is loaded: a command starts
# in half the time.
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "house": ("init", "serve", "doctor"),
    "backup": ("backup", "restore"),
    "people": ("person", "login", "logout"),
    "account": ("account",),
    "plan": ("plan",),
    "model": ("model", "stress"),
    "stage": ("stage",),
    "call": ("call",),
    "planning": ("call",),
    "handling": ("call", "application"),
    "dossier": ("call",),
    "application": ("application",),
    "review": ("review",),
    "award": ("award", "call"),
    "appeal": ("appeal",),
    "holder": ("grant",),
    "grant": ("grant", "key"),
    "project": ("grant",),
    "sanction": ("sanction",),
    "terms": ("terms",),
    "reviewer": ("reviewer", "call"),
    "kept": ("text",),
    "ledger": ("ledger", "receipt", "screen"),
    "publish": ("publish", "samples", "report"),
    "mail": ("mail", "calendar"),
    "works": ("works",),
    "observation": ("observation",),
    "batch.command": ("batch",),
    "demo.command": ("demo",),
}


def load_commands(arguments: Sequence[str] = ()) -> typer.Typer:
    """Import the file that has the command named in `arguments` (all of them where none is named); return `app`."""
    named = [file for file, words in COMMANDS.items() if not set(words).isdisjoint(arguments)]
    gc.disable()  # loading makes no garbage; looking for it takes a seventh of a command's start
    for file in named or COMMANDS:
        importlib.import_module(f"readingroom.cli.{file}")
    gc.enable()
    return app


def main(given: Sequence[str] | None = None) -> NoReturn:
    """Run the program on these arguments, or on the process's own, and exit.

    A fault ends with a sentence and an exit code, never with a traceback.
    """
    arguments = _hoisted(sys.argv[1:] if given is None else given)
    load_commands(arguments)
    output = Output(as_json="--json" in arguments)
    try:
        sys.exit(app(arguments, prog_name="readingroom", standalone_mode=False))
    except _UsageFault as fault:
        fault.show()
        if output.as_json:
            output.usage(fault.format_message())
        sys.exit(fault.exit_code)
    except Refused as refused:
        output.refusal(refused.refusal)
        sys.exit(1)
    except BadInput as fault:
        output.fault(fault)
        sys.exit(2)
    except Broken as fault:
        output.fault(fault)
        sys.exit(1)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except OSError as fault:
        output.fault(Broken(_disk_problem(fault)))
        sys.exit(1)
    except Exception as fault:
        logging.getLogger("readingroom").debug("unexpected", exc_info=fault)
        told = str(fault).strip().split("\n")[0][:300]
        cure = "This is a fault of the program; please report it with the command that you ran"
        output.fault(Broken(Problem("readingroom", f"{type(fault).__name__}: {told}", cure)))
        sys.exit(1)


def _disk_problem(fault: OSError) -> Problem:
    """Say what the machine refused: a full disk, a folder that may not be written."""
    what = fault.strerror or f"{type(fault).__name__}: {fault}"
    return Problem(str(fault.filename or "readingroom"), what, "Check the path, its rights and the disk")


def _hoisted(arguments: Sequence[str]) -> list[str]:
    """Move the global `--json` to the front, so that it works wherever people write it."""
    rest = [each for each in arguments if each != "--json"]
    return rest if len(rest) == len(arguments) else ["--json", *rest]
