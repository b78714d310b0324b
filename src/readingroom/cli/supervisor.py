"""The server's parent process: one engine, N workers on one port.

Order, which matters:
(1) take the house's lock: whoever holds it is the only server of this HOME, and its workers inherit it, so a
    free lock means that every worker of an earlier server is gone;
(2) bring the schema up to date;
(3) start the engine and leave its address in HOME/run (mode 0600) for the workers;
(4) clear the holds of dead workers, before anything is served;
(5) bind the port, start the workers on it, wait until each is ready.
A worker or an engine that dies is started again, the engine is looked at once a day (`app.guarding`); on SIGTERM
flowing streams end properly and all exit with 0.
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
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from readingroom.app.guarding import Rounds
from readingroom.app.house import House
from readingroom.app.serving import EngineKeeper, clear_counts, clear_dead_holds, places_of
from readingroom.core.errors import Broken, Problem

log = logging.getLogger("readingroom.serve")
_READY_SECONDS = 120.0  # a worker that died is noticed at once; one that only starts slowly is waited for
_STOP_SECONDS = 10.0
_SEND_BYTES = 65_536
_PAUSE_SECONDS = 1.0  # between two starts of one worker
_LOCK_SECONDS = 5.0  # an earlier server's workers may need a moment to notice that it is gone


@dataclass
class Worker:
    """One worker process, and the pipe on which it says that it is ready."""

    process: subprocess.Popen[bytes]
    ready: IO[bytes]
    began: float  # monotonic seconds
    is_ready: bool = False


@dataclass
class Supervisor:
    """Starts, watches and stops the processes of one server."""

    house: House
    host: str = "127.0.0.1"
    port: int = 8000
    count: int = 1
    workers: list[Worker] = field(default_factory=list)
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
            self.workers = [self._spawn(listener, index) for index in range(self.count)]
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
        """Start again what has died; a worker that dies at once is not started in a hurry."""
        self._engine.keep()
        self._rounds.keep()
        for index, worker in enumerate(self.workers):
            died = worker.process.poll() is not None
            if self._listener and not self._stopping and died and time.monotonic() - worker.began > _PAUSE_SECONDS:
                clear_dead_holds(self.house)
                self.workers[index] = self._spawn(self._listener, index)
                worker.ready.close()

    def stop(self) -> None:
        """Stop the workers, then the engine."""
        self._stopping = True
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        for worker in self.workers:
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            worker.ready.close()
        self._rounds.stop()
        self._engine.stop()
        if self._listener is not None:
            self._listener.close()
        for end in self._lifeline:
            end.close()
        self._lock.close()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _spawn(self, listener: socket.socket, index: int) -> Worker:
        ready, says_ready = _pipe()
        home = str(self.house.settings.home)
        process = subprocess.Popen(  # noqa: S603 - our own program
            [
                sys.executable,
                "-m",
                "readingroom.cli.worker",
                home,
                str(listener.fileno()),
                str(says_ready.fileno()),
                str(self._lifeline[0].fileno()),
                str(places_of(self.house.settings, index, self.count)),
                str(index),
            ],
            pass_fds=(
                listener.fileno(),
                says_ready.fileno(),
                self._lifeline[0].fileno(),
                self._lock.fileno(),
            ),
            stdin=subprocess.DEVNULL,
        )
        says_ready.close()
        return Worker(process, ready, time.monotonic())

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        for worker in self.workers:
            while not worker.is_ready and not self._stopping:
                worker.is_ready = bool(worker.ready.read(1))
                dead = worker.process.poll() is not None
                if not worker.is_ready and (dead or time.monotonic() > deadline):
                    cure = "Its own message stands above; `readingroom doctor` checks the house"
                    raise Broken(Problem("serve", "a worker did not become ready", cure))
                if not worker.is_ready:
                    time.sleep(0.02)


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
