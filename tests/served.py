"""Real servers for tests: a house on disk, served by the program in processes of its own."""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import sqlalchemy as sa

from readingroom.app.house import House
from readingroom.cli.app import main
from readingroom.core.settings import load
from readingroom.gateway import journal
from readingroom.gateway.service import JOURNALS
from readingroom.gateway.tables import usage

PROGRAM = [sys.executable, "-m", "readingroom"]
LONG = " ".join(f"word{n}" for n in range(600))


@dataclass
class Served:
    """A served house, with the tools of those outside."""

    home: Path
    url: str
    process: subprocess.Popen[str]
    sign_in: str
    log: Path
    http: httpx.Client = field(init=False)
    clients: list[openai.OpenAI] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=60)

    def run(self, *arguments: str, code: int = 0) -> Any:
        return run(self.home, *arguments, code=code)

    def grant(self, **amounts: int) -> dict[str, Any]:
        options = [part for unit, amount in amounts.items() for part in (f"--{unit}", str(amount))]
        issued = self.run("grant", "issue", "--to", "r@b.example", "--accept-terms", "--reason", "test", *options)
        return dict(issued)

    def client(self, key: str) -> openai.OpenAI:
        made = openai.OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0, timeout=60)
        self.clients.append(made)
        return made

    def chat(self, key: str, body: dict[str, Any]) -> httpx.Response:
        whole = {"model": "echo", "messages": [{"role": "user", "content": "one two three"}], **body}
        return self.http.post("/v1/chat/completions", json=whole, headers={"authorization": f"Bearer {key}"})

    def meter(self, grant: str) -> dict[str, Any]:
        return dict(self.run("grant", "show", grant))

    def settled(self, grant: str) -> dict[str, Any]:
        """Return what a grant's meter shows once nothing is held any more and all that was charged is in it."""
        until = time.monotonic() + 60
        while True:
            waiting, found = self.unposted(grant), self.meter(grant)
            if not waiting and not any(found["reserved"].values()):
                return found
            assert time.monotonic() < until, f"something stays held: {found}, {waiting}"
            time.sleep(0.05)

    def unposted(self, grant: str) -> set[str]:
        """Return the calls of a grant that stand in a worker's journal, open or charged, and not in the database yet.

        A call is in the journal before its engine is asked, and its charge before the answer's end is sent.
        """
        folder, calls = self.home / JOURNALS, set[str]()
        for worker in journal.owners(folder):
            with contextlib.suppress(FileNotFoundError):  # the database has all of it
                found = journal.read(folder, worker)
                calls |= {name for name, (call, _) in found.open.items() if call.grant == grant}
                calls |= {name for name, made in found.done.items() if made.grant == grant}
        with contextlib.closing(House(load(self.home))) as house, house.db.read() as tx:
            return calls - set(tx.execute(sa.select(usage.c.id).where(usage.c.grant_id == grant)).scalars())

    def workers(self) -> list[int]:
        """Return the process ids of the server's workers."""
        return children(self.process.pid, "worker")

    def portal(self) -> list[int]:
        """Return the process id of the server's portal, or none while there is none."""
        return children(self.process.pid, "portal")


def children(parent: int, name: str = "") -> list[int]:
    """Return the process ids of a process's children, or of those of a name."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError, KeyError):
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            runs = status.with_name("cmdline").read_bytes().split(b"\0")
            if int(fields["PPid"]) == parent and (not name or runs[2:4] == [b"readingroom.cli.child", name.encode()]):
                found.append(int(fields["Pid"]))
    return found


def run(home: Path, *arguments: str, code: int = 0) -> Any:
    """Run the program with --json; it must end with `code`. Returns its document, or None."""
    ended, out, err = program("--home", str(home), "--json", *arguments)
    assert ended == code, (arguments, ended, out, err)
    assert "Traceback" not in err, err
    return json.loads(out) if out.strip() else None


def program(*arguments: str) -> tuple[int, str, str]:
    """Run the program and return its exit code, stdout and stderr.

    In this process, where half a second of loading is spent once; what takes over the process, as `serve` does, runs
    in one of its own, as the demo's every command does.
    """
    if {"serve", "demo"} & set(arguments):
        done = subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0), out.getvalue(), err.getvalue()


@functools.cache
def _founded() -> Path:
    """Found a house once per test process; the others are its copies."""
    home = Path(tempfile.mkdtemp(prefix="readingroom-tests-")) / "home"
    atexit.register(shutil.rmtree, home.parent, ignore_errors=True)
    run(home, "init", "--dev", "--engine", "echo")
    return home


def found(home: Path, **options: str) -> Path:
    """Found a house for trials on the echo engine, with engine options."""
    shutil.copytree(_founded(), home)
    if options:
        settings = home / "readingroom.toml"
        lines = [f"{name} = {value}" for name, value in options.items()]
        settings.write_text(settings.read_text() + "\n[engine_options]\n" + "\n".join(lines) + "\n")
    return home


@contextlib.contextmanager
def served(home: Path, workers: int = 1) -> Iterator[Served]:
    """Serve a house; on leaving, the server is ended as an operator would end it."""
    log = home.parent / f"{home.name}.log"
    command = [*PROGRAM, "--home", str(home), "--json", "serve", "--port", "0", "--workers", str(workers)]
    with log.open("a") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True)
    assert process.stdout is not None
    text = process.stdout.readline()
    assert text, log.read_text()
    document = json.loads(text)
    house = Served(home, document["url"], process, document["sign_in"], log)
    try:
        yield house
    finally:
        house.http.close()
        for each in house.clients:
            each.close()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.stdout.close()


def full(house: Served) -> contextlib.AbstractContextManager[None]:
    """Let no process of a server write a byte to any file, as on a full disk; looked up before it fills up."""
    return _full([house.process.pid, *house.workers(), *house.portal()])


@contextlib.contextmanager
def _full(pids: list[int]) -> Iterator[None]:
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
    for pid, (_, most) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
    try:
        yield
    finally:
        for pid, limits in before.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
