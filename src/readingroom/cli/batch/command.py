"""`batch FILE`: ask many questions, and keep the answers with everything that proves them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from readingroom.cli.app import app
from readingroom.cli.batch.folder import Folder
from readingroom.cli.batch.lines import Line, read_lines
from readingroom.cli.batch.verdict import Estimate, estimate
from readingroom.cli.context import Context
from readingroom.cli.given import contents, text_of
from readingroom.cli.output import Output
from readingroom.cli.progress import counted
from readingroom.core.canonical import Json, canonical
from readingroom.core.errors import BadInput, Problem
from readingroom.core.settings import READER_KEYS, READER_URLS, reader_key, reader_url
from readingroom.ledger.collection import ANSWERS, citation, collect

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
    questions, text = contents(file), text_of(file)
    lines = read_lines(text, str(file), max_tokens)
    place = _Place(_address(url), _key(key), out or file.with_name(file.name + ".answers"), author)
    asyncio.run(_Run(here.output, place, lines, parallel).go(questions, only=only_estimate, partly=partly))


class _Place:
    """Where it is asked, and where the answers go."""

    def __init__(self, url: str, key: str, out: Path, author: str) -> None:
        self.url, self.key, self.out, self.author = url, key, out, author


class _Run:
    def __init__(self, output: Output, place: _Place, lines: list[Line], parallel: int) -> None:
        self._output, self._place, self._lines, self._parallel = output, place, lines, parallel

    async def go(self, questions: bytes, *, only: bool, partly: bool) -> None:
        """Estimate, ask, collect; end with the exit code."""
        from readingroom.cli.batch.asking import Asking, Room, collect_receipts  # loading an HTTP client takes time

        output, place = self._output, self._place
        async with Room(place.url, place.key) as room:
            if only and not place.out.exists():  # an estimate leaves nothing behind
                self._estimated(estimate(self._lines, await room.grant()))
            folder = Folder.open(place.out, questions)
            try:
                lines = [each for each in self._lines if each.number not in folder.rows]
                found = None
                if lines or only:
                    found = estimate(lines, await room.grant())
                    if only:
                        self._estimated(found)
                    self._check(found, partly=partly)
                stop = None
                with counted(output, "Asking", len(folder.rows), len(self._lines)) as told:
                    stop = await Asking(room, folder, told).ask_all(lines, self._parallel)
                missing = await collect_receipts(room, folder)
                made = collect(folder.run, place.author, lambda name: _member(place.out, name))
                folder.write(canonical(made) + b"\n", citation(made))
                done = len(folder.rows)
            finally:
                folder.close()
        document: dict[str, Json] = {
            "directory": str(place.out),
            "asked": len(self._lines),
            "done": done,
            "counts": made["counts"],
            "root": made["root"],
            "receipts_missing": missing,
            "stopped": {"code": stop.code, "message": stop.reason} if stop else None,
        }
        counts = made["counts"]
        told_ = [
            f"{done:,} of {len(self._lines):,} done: {counts['answered']:,} answered, {counts['refused']:,} refused"
        ]
        told_.append(f"{counts['passes']:,} passes, {counts['receipts']:,} receipts, in {place.out}")
        if stop:
            told_.append(f"stopped ({stop.code}): {stop.reason} {_GO_ON}")
        if missing:
            told_.append(f"{missing:,} receipts could not be had yet; the same command fetches them.")
        output.result(document, "\n".join(told_))
        if stop or missing or done < len(self._lines):
            raise typer.Exit(1)

    def _estimated(self, found: Estimate) -> None:
        self._output.result(found.to_json(), found.text())
        raise typer.Exit(1 if found.short else 0)

    def _check(self, found: Estimate, *, partly: bool) -> None:
        if not found.short or partly:
            return
        told = ", ".join(f"{found.needs[unit]:,} {unit}, and {found.left[unit]:,} are left" for unit in found.short)
        cure = "Lower max_tokens (in the lines, or --max-tokens), ask less, or start anyway with --partly"
        raise BadInput([Problem("FILE", f"could need {told}", cure)])


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
