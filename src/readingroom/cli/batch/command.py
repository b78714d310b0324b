"""`batch FILE`: ask many questions, and keep the answers with everything that proves them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from readingroom.cli.app import app
from readingroom.cli.batch.folder import Folder
from readingroom.cli.batch.lines import Line, read_lines
from readingroom.cli.batch.verdict import estimate
from readingroom.cli.context import Context
from readingroom.cli.given import text_of
from readingroom.cli.output import Output
from readingroom.cli.progress import counted
from readingroom.core.canonical import Json, canonical
from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refusal, Refused
from readingroom.core.settings import READER_KEYS, READER_URLS, reader_key, reader_url
from readingroom.ledger.collection import ANSWERS, citation, collect

if TYPE_CHECKING:  # loading an HTTP client takes time
    from readingroom.cli.batch.asking import Stop

_GO_ON = "The same command goes on from here; nothing that is answered is asked again."


@app.command("batch")
def batch(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON lines: request bodies, or {custom_id, method, url, body}")],
    out: Annotated[Path | None, typer.Option(help="The folder of answers [default: FILE.answers]")] = None,
    url: Annotated[str, typer.Option(help="The house [default: $READINGROOM_URL, $OPENAI_BASE_URL]")] = "",
    key: Annotated[str, typer.Option(help="Your key [default: $READINGROOM_KEY, $OPENAI_API_KEY]")] = "",
    parallel: Annotated[int, typer.Option(min=1, max=256, help="Questions at a time")] = 4,
    max_tokens: Annotated[int, typer.Option(min=1, help="For lines that state no maximum")] = 1024,
    author: Annotated[str, typer.Option(help="Whom the citation names")] = "The holder of the grant",
    only_estimate: Annotated[bool, typer.Option("--estimate", help="Print what it could need; ask nothing")] = False,  # noqa: FBT002
    partly: Annotated[bool, typer.Option("--partly", help="Start also if it may not fit into the grant")] = False,  # noqa: FBT002
) -> None:
    """Ask many questions; keep answers, receipts and a citation. Run again, it goes on where it was. Needs no house."""
    here: Context = context.obj
    text = text_of(file)
    lines = read_lines(text, str(file), max_tokens)
    asked = f"{max_tokens}\n{text}".encode()  # what the answers belong to
    place = _Place(str(file), _address(url), _key(key), out or file.with_name(file.name + ".answers"), author)
    asyncio.run(_Run(here.output, place, lines, parallel).go(asked, only=only_estimate, partly=partly))


@dataclass(frozen=True)
class _Place:
    """Where it is asked, and where the answers go."""

    file: str
    url: str
    key: str
    out: Path
    author: str


class _Run:
    def __init__(self, output: Output, place: _Place, lines: list[Line], parallel: int) -> None:
        self._output, self._place, self._lines, self._parallel = output, place, lines, parallel

    async def go(self, questions: bytes, *, only: bool, partly: bool) -> None:
        """Estimate, ask, collect; end with the exit code."""
        from readingroom.cli.batch.asking import Asking, Room, collect_receipts

        output, place = self._output, self._place
        async with Room(place.url, place.key) as room:
            if not place.out.exists():  # an estimate, and a refusal by it, leave nothing behind
                self._weigh(self._lines, await room.grant(), only=only, partly=partly)
            folder = Folder.open(place.out, questions)
            try:
                lines = [each for each in self._lines if each.number not in folder.rows]
                if lines or only:
                    self._weigh(lines, await room.grant(), only=only, partly=partly)
                with counted(output, "Asking", len(folder.rows), len(self._lines)) as told:
                    stop = await Asking(room, folder, told).ask_all(lines, self._parallel)
                missing = await collect_receipts(room, folder)
                made = collect(folder.run, place.author, lambda name: _member(place.out, name))
                folder.write(canonical(made) + b"\n", citation(made))
            finally:
                folder.close()
        self._end(made, len(folder.rows), stop, missing)

    def _end(self, made: Mapping[str, Json], done: int, stop: Stop | None, missing: int) -> None:
        """Say what was done and how to go on; end with the exit code."""
        whole, counts, out = len(self._lines), made["counts"], self._place.out
        document: dict[str, Json] = {
            "directory": str(out),
            "asked": whole,
            "done": done,
            "counts": counts,
            "root": made["root"],
            "receipts_missing": missing,
            "stopped": {"code": stop.code, "message": stop.reason} if stop else None,
        }
        told = [f"{done:,} of {whole:,} done: {counts['answered']:,} answered, {counts['refused']:,} refused"]
        told.append(f"{counts['passes']:,} passes, {counts['receipts']:,} receipts, in {out}")
        if stop:
            told.append(f"stopped ({stop.code}): {stop.reason} {_GO_ON}")
        if missing:
            told.append(f"{missing:,} receipts could not be had yet; the same command fetches them.")
        self._output.result(document, "\n".join(told))
        if stop or missing or done < whole:
            raise typer.Exit(1)

    def _weigh(self, lines: list[Line], grant: Mapping[str, Json], *, only: bool, partly: bool) -> None:
        """Print the estimate and end, if that is all that is wanted; else refuse a start that may not fit."""
        found = estimate(lines, grant)
        if only:
            self._output.result(found.to_json(), found.text())
            raise typer.Exit(1 if found.short else 0)
        if found.short and not partly:
            told = ", ".join(f"{found.needs[unit]:,} {unit}, and {found.left[unit]:,} are left" for unit in found.short)
            cure = "Lower max_tokens (in the lines, or --max-tokens), ask less, or start anyway with --partly."
            reason = f"{self._place.file} could need {told}. {cure}"
            raise Refused(Refusal("access/allocation-exhausted", reason, found.to_json()))


def _address(given: str) -> str:
    found = (given or reader_url()).strip().rstrip("/").removesuffix("/v1").rstrip("/")
    if not found:
        raise BadInput([Problem("--url", "is missing", f"Give it, or set {' or '.join(READER_URLS)}")])
    if not found.startswith(("http://", "https://")):
        raise BadInput([Problem("--url", f"{found!r} is no address", "Write https://host")])
    return found


def _key(given: str) -> str:
    found = (given or reader_key()).strip()
    if not found:
        raise BadInput([Problem("--key", "is missing", f"Give it, or set {' or '.join(READER_KEYS)}")])
    if not (found.isascii() and found.isprintable()):
        raise BadInput([Problem("--key", "is no key", "Give it as it was shown: rr_...")])
    return found


def _member(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.exists():
        if name == ANSWERS:
            return b""
        raise KeyError(name)
    return path.read_bytes()
