"""The embedded engine listens for this machine alone, and each start has a key of its own (promise 10)."""

from __future__ import annotations

import contextlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from readingroom.engines.demo_model import fetch
from readingroom.engines.embedded import EmbeddedProcess

pytestmark = pytest.mark.model
LISTENS = "0A"  # as the kernel spells the state
LOOPBACK = "0100007F"  # 127.0.0.1, as the kernel spells it on the machines that this runs on


def listening(pid: int) -> set[tuple[str, int]]:
    """Return the addresses on which a process listens, IPv6 too, as the kernel has them."""
    own = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            own.add(str(each.readlink()))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENS and f"socket:[{fields[9]}]" in own:
                address, port = fields[1].split(":")
                found.add((address, int(port, 16)))
    return found


def test_each_start_listens_on_the_loopback_alone_with_another_key() -> None:
    keys = []
    for _ in range(2):
        process = EmbeddedProcess(fetch(), 256)
        process.start()
        try:
            assert process._process is not None
            assert listening(process._process.pid) == {(LOOPBACK, urlsplit(process.url).port)}
            keys.append(process.key)
        finally:
            process.stop()
    assert keys[0] != keys[1]
    assert min(map(len, keys)) >= 32
