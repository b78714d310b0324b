"""The outsiders' tools: HTTP as a signed-in person, and the program itself as a separate process."""

from __future__ import annotations

import email
import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import Message
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from readingroom.cli.app import COMMANDS, main
from readingroom.cli.demo.stage import Unexpected, expect


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in at the control API."""

    http: httpx.Client
    session: str

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """GET a JSON document."""
        return _read(self.http.get(f"/api{path}", headers=self._headers()))

    def post(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """POST JSON and return JSON."""
        return _read(self.http.post(f"/api{path}", headers=self._headers(), json=body or {}))

    def refused(self, path: str, body: object = None) -> str:
        """POST what must be refused and return the refusal's code."""
        answer = self.http.post(f"/api{path}", headers=self._headers(), json=body or {})
        expect(answer.is_error, f"POST {path} should have been refused and was not")
        return str(answer.json()["error"]["code"])

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.session}"}


def sign_in(http: httpx.Client, link: str) -> Person:
    """Redeem a one-time sign-in link (its secret) for a session."""
    return Person(http, str(_read(http.post("/api/sign-in", json={"link": link}))["session"]))


def _read(answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    if answer.is_error:
        raise Unexpected(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
    return answer.json() if answer.content else None


class Program:
    """The `readingroom` program, each command in a process of its own.

    They are forked from one process that has the program loaded: nearly all of a short command's time is loading.
    """

    def __init__(self, home: Path) -> None:
        """Take the house's folder, and begin to load the program."""
        self._home = home
        self._processes = multiprocessing.get_context("forkserver")
        commands = [f"readingroom.cli.{file}" for file in COMMANDS]
        self._processes.set_forkserver_preload([*commands, "readingroom.app.house", "readingroom.app.publishing"])
        ensure_running()

    def start(self, *arguments: str, code: int = 0) -> Callable[[], str]:
        """Start a command that must end with `code`; what is returned waits for it and gives its stdout."""
        folder = TemporaryDirectory(prefix="readingroom-command-")
        out, told = Path(folder.name, "out"), Path(folder.name, "told")
        given = ("--home", str(self._home), *arguments)
        process = self._processes.Process(target=_command, args=(given, out, told))
        process.start()

        def finish() -> str:
            with folder:
                process.join()
                shown = f"`{' '.join(arguments[:3])}` ended with {process.exitcode}, not {code}: "
                expect(process.exitcode == code, shown + told.read_text(encoding="utf-8").strip())
                return out.read_text(encoding="utf-8")

        return finish

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command that must end with `code` and return its stdout."""
        return self.start(*arguments, code=code)()

    def json(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON
        """Run a command with --json and return its document."""
        return json.loads(self.run("--json", *arguments, code=code))


def _command(arguments: Sequence[str], out: Path, told: Path) -> None:
    for path, stream in ((out, 1), (told, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), stream)
    main(arguments)


def letters_to(outbox: Path, address: str) -> list[Message]:
    """Return the letters that wait for an address, oldest first."""
    paths = sorted(outbox.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    letters = [email.message_from_bytes(path.read_bytes()) for path in paths]
    return [letter for letter in letters if letter["To"] == address]
