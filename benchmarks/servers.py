"""The servers that are put side by side, each in processes of its own, and what they use of the machine."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = [sys.executable, "-m", "readingroom"]
TICKS = os.sysconf("SC_CLK_TCK")
CPUS = sorted(os.sched_getaffinity(0))
GATEWAY, LOAD = {CPUS[-1]}, {CPUS[0]}  # one core for what is measured, another for who asks and who answers
RULES = 1000


@dataclass(frozen=True)
class Server:
    """Something that answers, and the process that started it."""

    url: str
    pid: int
    key: str = ""
    home: Path | None = None

    def cpu(self) -> float:
        """Return the CPU seconds of the process and its descendants."""
        return sum(_cpu(pid) for pid in family(self.pid))

    def resident_mb(self) -> float:
        """Return their resident memory, in MB."""
        return sum(_resident(pid) for pid in family(self.pid)) / 1024

    def worker_mb(self) -> float:
        """Return the resident memory of the largest of them, in MB."""
        return max(_resident(pid) for pid in family(self.pid)) / 1024


def family(root: int) -> list[int]:
    """Return a process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, waiting = [], [root]
    while waiting:
        found.append(waiting.pop())
        waiting += parents.get(found[-1], [])
    return found


def _cpu(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _running(command: list[str], cpus: set[int], **more: Any) -> Iterator[subprocess.Popen[str]]:  # noqa: ANN401
    process = subprocess.Popen(command, text=True, **more)  # noqa: S603 - our own, or one that was found on the PATH
    os.sched_setaffinity(process.pid, cpus)  # before it has children, which inherit it
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_open(url: str) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{url}/v1/models", timeout=1).close()  # noqa: S310 - an address of ours
            return
        time.sleep(0.05)
    raise SystemExit(f"{url} does not answer")


@contextlib.contextmanager
def engine() -> Iterator[Server]:
    """Start the engine that costs nothing."""
    port = free_port()
    with _running([sys.executable, "-m", "benchmarks.engine", str(port)], LOAD) as process:
        _until_open(url := f"http://127.0.0.1:{port}")
        yield Server(url, process.pid)


@contextlib.contextmanager
def bare(upstream: str) -> Iterator[Server]:
    """Start the bare pass-through."""
    port = free_port()
    with _running([sys.executable, "-m", "benchmarks.bare", str(port), upstream], GATEWAY) as process:
        _until_open(url := f"http://127.0.0.1:{port}")
        yield Server(url, process.pid)


@contextlib.contextmanager
def nginx(upstream: str) -> Iterator[Server]:
    """Start nginx as a plain proxy."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="readingroom-bench-") as folder:
        path = Path(folder) / "nginx.conf"
        path.write_text(
            f"""daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
            events {{ worker_connections 4096; }}
            http {{ access_log off; keepalive_requests 1000000000;
            client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
            fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
            upstream engine {{ server {upstream.removeprefix("http://")}; keepalive 512; }}
            server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://engine; proxy_http_version 1.1;
            proxy_set_header connection ""; proxy_buffering off; }} }} }}"""
        )
        with _running([shutil.which("nginx") or "nginx", "-c", str(path)], GATEWAY) as process:
            _until_open(url := f"http://127.0.0.1:{port}")
            yield Server(url, process.pid)


def run(home: Path, *arguments: str) -> dict[str, Any]:
    """Run the program with --json and return its document."""
    command = [*PROGRAM, "--home", str(home), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    return dict(json.loads(done.stdout))


def rules() -> str:
    """Return a rule set of a thousand rules, of which none matches what the engine says."""
    lines = ["rules:"]
    for n in range(RULES):
        what = f'literal: ["forbidden phrase number {n}"]' if n % 10 else f'regex: "code {n}-[0-9]{{4,8}}"'
        how = "normalize: [nfkc, casefold, zero-width]"
        lines.append(f'  - {{id: rule-{n}, side: both, {what}, {how}, action: refuse, clause: "3.2"}}')
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def house(upstream: str, workers: int = 1, cpus: set[int] | None = None, **options: float) -> Iterator[Server]:
    """Serve a house with everything on: key, entitlement, meter, a thousand rules on both sides, journal, ledger.

    Args:
        upstream: the engine's base URL, or `echo` or `embedded`.
        workers: processes.
        cpus: where they may run; by default on the gateway's core.
        options: of the echo engine.
    """
    with tempfile.TemporaryDirectory(prefix="readingroom-bench-") as folder:
        home = Path(folder) / "home"
        (home / "rules").mkdir(parents=True)
        (home / "rules" / "base.yaml").write_text(rules())
        own = upstream in {"echo", "embedded"}
        how = ["--engine", upstream] if own else ["--engine", f"{upstream}/v1", "--model", "fast"]
        run(home, "init", "--dev", *how)
        if options:
            lines = [f"{name} = {value}" for name, value in options.items()]
            with (home / "readingroom.toml").open("a") as settings:
                settings.write("\n[engine_options]\n" + "\n".join(lines) + "\n")
        issued = run(
            home, "grant", "issue", "--to", "bench@example.org", "--accept-terms", "--passes", str(10**12),
            "--reason", "benchmark",
        )  # fmt: skip
        command = [*PROGRAM, "--home", str(home), "--json", "serve", "--port", "0", "--workers", str(workers)]
        with _running(command, cpus or GATEWAY, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None  # noqa: S101 - as opened above
            text = process.stdout.readline()
            if not text:
                raise SystemExit("the house does not open")
            yield Server(json.loads(text)["url"], process.pid, issued["key"], home)


def load(server: Server, body: dict[str, Any], clients: int, seconds: float) -> dict[str, float]:
    """Ask a server from the load's core; add the microseconds of CPU that each request cost the server."""
    what = {
        "url": f"{server.url}/v1/chat/completions",
        "key": server.key,
        "body": body,
        "clients": clients,
        "seconds": seconds,
    }
    before = server.cpu()
    command = [sys.executable, "-m", "benchmarks.load", json.dumps(what)]
    with _running(command, LOAD, stdout=subprocess.PIPE) as process:
        said, _ = process.communicate(timeout=60 + 2 * seconds)
    found = dict(json.loads(said))
    found["cpu_us"] = (server.cpu() - before) * 1e6 / max(1, found["requests"])
    return found
