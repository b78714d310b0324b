"""What may enter a dossier. A name stands for one version for ever."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from readingroom.core.errors import Problem
from readingroom.core.refusal import Refusal
from readingroom.dossier.model import ModelVersion
from readingroom.engines.identity import ECHO
from readingroom.strategy.model import DocumentKind

MAX_DOCUMENT = 5_000_000  # bytes
_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9](?:[A-Za-z0-9._:/@+-]{0,126}[A-Za-z0-9])?")  # as engines name models


def name_problem(name: str) -> Problem | None:
    """Tell what is wrong with a model version's name."""
    if _NAME.fullmatch(name):
        return None
    return Problem("name", f"{name[:80]!r} is no name for a model", "Use letters, digits and . _ - : / @ +")


def url_problem(url: str) -> Problem | None:
    """Tell what is wrong with a model's address; one with a password in it would be shown on pages.

    The word `echo` names the engine of that name, which is part of this program.
    """
    if url == ECHO:
        return None
    try:
        parts = urlsplit(url)
        named = parts.scheme in {"http", "https"} and bool(parts.hostname)
        secret = parts.username is not None or parts.password is not None or bool(parts.query)
    except ValueError:
        named, secret = False, False
    if not named:
        return Problem("source", f"{url[:80]!r} is no address of a model", "Write http://... or https://...")
    if secret:
        return Problem("source", "the address holds a name, password or query", "Leave them out: it is shown")
    return None


def document_problems(kind: str, content: bytes) -> list[Problem]:
    """Tell what is wrong with a document."""
    problems = []
    if kind not in set(DocumentKind):
        problems.append(Problem("kind", f"{kind[:80]!r} is no document", f"Known: {', '.join(DocumentKind)}"))
    if not content.strip():
        problems.append(Problem("content", "the document is empty", "Hand in its text"))
    if len(content) > MAX_DOCUMENT:
        problems.append(Problem("content", f"larger than {MAX_DOCUMENT:,} bytes", "Make it smaller, or link to it"))
    return problems


def same_version(known: ModelVersion | None, digest: str) -> Refusal | None:
    """Refuse other bytes under a name that is taken."""
    if known is None or known.digest == digest:
        return None
    return Refusal(
        "dossier/model-is-immutable",
        f"{known.name!r} is registered with other bytes ({known.digest}); a version never changes. "
        "Register these under a new name, and name it in the plan.",
        {"model": known.id, "digest": known.digest, "offered": digest},
    )


def model_unknown(name: str) -> Refusal:
    """Refuse to go on without a model version."""
    reason = f"No model {name[:80]!r} is registered; add it with `readingroom model add PATH --name NAME`."
    return Refusal("dossier/model-unknown", reason, {"model": name[:80]})
