"""Python screens, installed as a package's are: a module and its metadata on the path."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write(folder: Path, source: str, version: str = "1.0", package: str = "ourscreens", names: str = "") -> Path:
    """Write a package with screens; `names` are the entry points' lines, by default one for each function."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{package}.py").write_text(source)
    functions = [
        line.split("def ")[1].split("(")[0] for line in source.splitlines() if line.startswith(("def ", "async def "))
    ]
    lines = names or "\n".join(f"{each} = {package}:{each}" for each in functions)
    metadata = folder / f"{package}-{version}.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    (metadata / "entry_points.txt").write_text(f"[readingroom.screens]\n{lines}\n")
    return folder


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """Have a folder of packages on the path."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for path in folder.glob("*.py"):
            sys.modules.pop(path.stem, None)
