"""The server's parent process: one engine, one portal, N workers on one port.

Order, which matters:
(1) take the house's lock: whoever holds it is the only server of this HOME, and its workers inherit it, so a
    free lock means that every worker of an earlier server is gone;
(2) bring the schema up to date;
(3) start the engine and leave its address in HOME/run (mode 0600) for the workers;
(4) clear the holds of dead workers, before anything is served;
(5) bind the port, start the workers on it and the portal behind them, wait until each is ready.
A worker, a portal or an engine that dies is started again, the engine is looked at once a day (`app.guarding`); on
SIGTERM flowing streams end properly and all exit with 0.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from readingroom.app.guarding import Rounds
from readingroom.app.house import House
from readingroom.app.serving import EngineKeeper, clear_counts, clear_dead_holds, places_of
from readingroom.cli.places import forget_place, make_place
from readingroom.core.errors import Broken, Problem

log = logging.getLogger("readingroom.serve")
_READY_SECONDS = 120.0  # a worker that died is noticed at once; one that only starts slowly is waited for
_STOP_SECONDS = 10.0
_SEND_BYTES = 65_536
_PAUSE_SECONDS = 1.0  # between two starts of one child
_LOCK_SECONDS = 5.0  # an earlier server's children may need a moment to notice that it is gone


@dataclass
class Child:
    """A worker's process or the portal's, and the pipe on which it says that it is ready."""

    name: str
    process: subprocess.Popen[bytes]
    ready: IO[bytes]
    began: float  # monotonic seconds
    is_ready: bool = False

    def may_follow(self) -> bool:
        """Tell whether it has died and may be started again: what dies at once is not started in a hurry."""
        return self.process.poll() is not None and time.monotonic() - self.began > _PAUSE_SECONDS


@dataclass
class Supervisor:
    """Starts, watches and stops the processes of one server."""

    house: House
    host: str = "127.0.0.1"
    port: int = 8000
    count: int = 1
    workers: list[Child] = field(default_factory=list)
    portal: list[Child] = field(default_factory=list)  # one, or none yet
    _stopping: bool = False
    _listener: socket.socket | None = None

    def start(self) -> str:
        """Start everything and return the URL; on any failure nothing is left running."""
        settings = self.house.settings
        settings.run.mkdir(mode=0o700, exist_ok=True)
        signal.signal(signal.SIGTERM, self._on_signal)  # from here on, whatever was started is stopped again
        signal.signal(signal.SIGINT, self._on_signal)
        self._lock = _locked(settings.run / "serve.lock")  # (1)
        self.house.db.ping()
        self.house.db.upgrade()  # (2)
        self._engine = EngineKeeper(settings)
        self._rounds = Rounds(self.house)
        self._lifeline = _pipe(blocking=True)  # workers hold one end and stop when ours is gone
        try:
            self._engine.start()  # (3)
            clear_counts(settings)
            clear_dead_holds(self.house, alone=True)  # (4)
            self._listener = listener = _bound(self.host, self.port)  # (5)
            self._socket = make_place(settings.run)
            self.portal = [self._spawn_portal()]
            self.workers = [self._spawn_worker(listener, index) for index in range(self.count)]
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        host, port = listener.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def watch(self) -> None:
        """Keep everything running until SIGTERM or SIGINT."""
        while not self._stopping:
            time.sleep(0.1)
            try:
                self._keep()
            except Exception as fault:  # noqa: BLE001 - the database is gone, say: workers refuse by themselves
                log.warning("keeping the house waits: %s", type(fault).__name__)

    def _keep(self) -> None:
        """Start again what has died."""
        self._engine.keep()
        self._rounds.keep()
        if self._stopping or self._listener is None:
            return
        for portal in self.portal:
            if portal.may_follow():
                self.portal = [self._spawn_portal()]
                portal.ready.close()
        for index, worker in enumerate(self.workers):
            if worker.may_follow():
                clear_dead_holds(self.house)
                self.workers[index] = self._spawn_worker(self._listener, index)
                worker.ready.close()

    def stop(self) -> None:
        """Stop the workers, then what they ask: the portal and the engine."""
        self._stopping = True
        _end(self.workers)
        _end(self.portal)
        forget_place(self.house.settings.run)
        self._rounds.stop()
        self._engine.stop()
        if self._listener is not None:
            self._listener.close()
        for end in self._lifeline:
            end.close()
        self._lock.close()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _spawn_portal(self) -> Child:
        return self._spawn("portal", str(self._socket))

    def _spawn_worker(self, listener: socket.socket, index: int) -> Child:
        places = places_of(self.house.settings, index, self.count)
        more = map(str, (listener.fileno(), self._socket, places, index))
        return self._spawn("worker", *more, inherited=[listener.fileno()])

    def _spawn(self, name: str, *more: str, inherited: Sequence[int] = ()) -> Child:
        """Start a child; it holds the lock as well, and with more arguments of its own perhaps the listener."""
        ready, says_ready = _pipe()
        own = [says_ready.fileno(), self._lifeline[0].fileno()]
        process = subprocess.Popen(  # noqa: S603 - our own program
            [
                sys.executable,
                "-m",
                "readingroom.cli.child",
                name,
                str(self.house.settings.home),
                *map(str, own),
                *more,
            ],
            pass_fds=(*own, self._lock.fileno(), *inherited),
            stdin=subprocess.DEVNULL,
        )
        says_ready.close()
        return Child(name, process, ready, time.monotonic())

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        for child in [*self.portal, *self.workers]:
            while not child.is_ready and not self._stopping:
                child.is_ready = bool(child.ready.read(1))
                dead = child.process.poll() is not None
                if not child.is_ready and (dead or time.monotonic() > deadline):
                    cure = "Its own message stands above; `readingroom doctor` checks the house"
                    raise Broken(Problem("serve", f"a {child.name} did not become ready", cure))
                if not child.is_ready:
                    time.sleep(0.02)


def _end(children: Sequence[Child]) -> None:
    """End them as they should end, or else at once."""
    for each in children:
        if each.process.poll() is None:
            each.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    for each in children:
        try:
            each.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            each.process.kill()
            each.process.wait()
        each.ready.close()


def _locked(path: Path) -> IO[str]:
    path.touch(mode=0o600)
    lock = path.open("r+", encoding="utf-8")
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                lock.close()
                cure = "Stop the other server, or name another house with --home"
                raise Broken(Problem(str(path), "this house is being served already", cure)) from None
            time.sleep(0.05)
        else:
            return lock


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # IPPROTO_TCP must be named: asyncio sets TCP_NODELAY only where it sees it, and pays 40 ms per answer else.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # What the kernel holds for a reader who does not read arrives after a revocation: let it hold little.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as fault:
        listener.close()
        cure = "Choose another with --port, or end what holds it"
        raise Broken(Problem(f"{host}:{port}", f"cannot be bound ({fault})", cure)) from None
    listener.listen(1024)
    return listener


def _pipe(*, blocking: bool = False) -> tuple[IO[bytes], IO[bytes]]:
    """Return a pipe as (reading end, writing end)."""
    reading, writing = os.pipe()
    os.set_blocking(reading, blocking)
    return os.fdopen(reading, "rb", buffering=0), os.fdopen(writing, "wb", buffering=0)
