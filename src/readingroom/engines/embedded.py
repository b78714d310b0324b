"""llama.cpp in a process of its own, behind a random key on loopback (promise 10).

    python -m readingroom.engines.embedded MODEL CONTEXT SLOTS PORT     (the key comes on stdin)

llama.cpp's library always opens an HTTP listener; without a key it is a back door round the meter. So it runs here
with a key made anew at each boot, which never stands in a command line or the environment, and workers reach it as
they reach any OpenAI-compatible server. It prints one JSON line when it is ready, and ends when its stdin closes,
that is, when its parent is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from readingroom.core.errors import Broken, Problem
from readingroom.core.ids import url_secret

SLOTS = 4
THREADS = 1  # two threads spin against each other on a busy machine: 1 token/s against 72, measured on two cores


@dataclass
class EmbeddedProcess:
    """Starts and stops the engine's process.

    Attributes:
        model: the GGUF file.
        context: tokens that each request may have; the engine's whole context is this times the slots.
    """

    model: Path
    context: int
    slots: int = SLOTS
    key: str = field(default_factory=url_secret, repr=False)
    url: str = ""
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the engine and wait until it has loaded the model.

        Raises:
            Broken: the model cannot be read or the engine does not start.
        """
        if not self.model.is_file():
            cure = "Set `model` in readingroom.toml to a GGUF file"
            raise Broken(Problem(str(self.model), "the model's file is not there", cure))
        port = _port_of(self.url) or _free_port()
        arguments = [str(self.model), str(self.context * self.slots), str(self.slots), str(port)]
        command = [sys.executable, "-m", "readingroom.engines.embedded", *arguments]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdin is not None  # noqa: S101 - as opened above
        assert self._process.stdout is not None  # noqa: S101 - as opened above
        self._process.stdin.write(self.key + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            cure = "Check that it is a GGUF file and that xllamacpp is installed (readingroom[embedded])"
            raise Broken(Problem(str(self.model), "the embedded engine did not start with it", cure))
        self.url = f"{json.loads(line)['url']}/v1"

    @property
    def alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End the process."""
        if self._process is None:
            return
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


def _port_of(url: str) -> int:
    """Return the port that was used before: after a restart the workers find the engine where it was."""
    return urlsplit(url).port or 0


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(model: str, context: int, slots: int, port: int) -> None:
    """Run the engine until stdin closes."""
    key = sys.stdin.readline().strip()
    ready = os.dup(1)
    os.dup2(2, 1)  # llama.cpp writes to stdout as it likes; the ready line must stand alone
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.api_keys = [key]
    params.n_ctx = context
    params.n_parallel = slots
    params.cpuparams.n_threads = THREADS
    params.cpuparams_batch.n_threads = THREADS
    params.endpoint_slots = True  # behind the key; tests see there that a hung-up reader stopped the engine
    params.endpoint_metrics = False
    params.ui = False  # its page for browsers asks for no key
    server = xllamacpp.Server(params)
    os.write(ready, (json.dumps({"url": server.listening_address}) + "\n").encode())
    sys.stdin.read()
    os._exit(0)  # the library's own shutdown may wait for a generation; nobody is left to read it


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
