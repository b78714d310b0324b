"""What the model behind an engine is known by.

Evidence, and whatever is lent out, is of one model version. Its digest is compared with that of what answers, so that
no model passes a test, or is read, under another one's name.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from readingroom.core.canonical import digest, sha256
from readingroom.core.errors import Broken, Problem
from readingroom.core.settings import Settings
from readingroom.engines.demo_model import MODEL_SHA256

ADDRESS = "engine.json"  # HOME/run/engine.json: where the embedded engine listens, its key, its file's digest
ECHO = "echo"
ECHO_DIGEST = sha256(b"the echo engine of Reading Room")


def address_digest(name: str, address: str) -> str:
    """Return what stands for a model that is served elsewhere: its name there, and where. Its bytes are not known."""
    return digest({"name": name, "address": address.rstrip("/")})


def served_digest(settings: Settings) -> str:
    """Return the digest of the model that this house's engine answers with.

    Of an embedded engine that runs, it is that of the file as it was when the engine read it.

    Raises:
        Broken: the model's file cannot be read.
    """
    if settings.engine == ECHO:
        return ECHO_DIGEST
    if settings.engine != "embedded":
        return address_digest(settings.model, settings.engine)
    try:
        return str(json.loads((settings.run / ADDRESS).read_text(encoding="utf-8"))["digest"])
    except (OSError, ValueError, KeyError):
        return file_digest(Path(settings.model)) if settings.model else f"sha256:{MODEL_SHA256}"


def file_digest(path: Path) -> str:
    """Return the digest of a file.

    Raises:
        Broken: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as fault:
        cure = "Set `model` in readingroom.toml to a GGUF file"
        raise Broken(Problem(str(path), f"the model's file cannot be read: {fault.strerror}", cure)) from None
