"""The outsiders' tools: HTTP as a signed-in person, and the program itself as a separate process."""

from __future__ import annotations

import email
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import httpx

from readingroom.cli.demo.stage import Unexpected, expect
from readingroom.core.settings import environment


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


@dataclass(frozen=True)
class Program:
    """The `readingroom` program, run as anyone would run it."""

    home: Path

    def start(self, *arguments: str, code: int = 0) -> Callable[[], str]:
        """Start a command that must end with `code`; what is returned waits for it and gives its stdout."""
        command = [sys.executable, "-m", "readingroom", "--home", str(self.home), *arguments]
        piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        running = subprocess.Popen(command, **piped, text=True, env=environment(NO_COLOR="1"))  # type: ignore[call-overload]  # noqa: S603 - our own program

        def finish() -> str:
            out, told = running.communicate()
            shown = f"`{' '.join(arguments[:3])}` ended with {running.returncode}, not {code}: {told.strip()}"
            expect(running.returncode == code, shown)
            return str(out)

        return finish

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command that must end with `code` and return its stdout."""
        return self.start(*arguments, code=code)()

    def json(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON
        """Run a command with --json and return its document."""
        return json.loads(self.run("--json", *arguments, code=code))


def letters_to(outbox: Path, address: str) -> list[Message]:
    """Return the letters that wait for an address, oldest first."""
    paths = sorted(outbox.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    letters = [email.message_from_bytes(path.read_bytes()) for path in paths]
    return [letter for letter in letters if letter["To"] == address]
