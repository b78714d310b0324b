"""Which engine a house's settings name."""

from __future__ import annotations

import json

from readingroom.core.errors import Broken, Problem
from readingroom.core.settings import Settings, engine_key
from readingroom.engines.echo import EchoEngine, options_from
from readingroom.engines.identity import ADDRESS
from readingroom.engines.model import Engine


def make_engine(settings: Settings) -> Engine:
    """Make the engine that a house is set to.

    Raises:
        Broken: the embedded engine is not running.
    """
    if settings.engine == "echo":
        return EchoEngine(options_from(settings.engine_options))
    from readingroom.engines.http import HttpEngine  # an HTTP client, which an echo need not wait for

    if settings.engine == "embedded":
        url, key = _address(settings)
        return HttpEngine(url, settings.model_name, settings.context, key)
    return HttpEngine(settings.engine.rstrip("/"), settings.model, settings.context, engine_key())


def engine_address(settings: Settings) -> str:
    """Return the base URL at which the house's engine listens; empty where it is no server.

    Raises:
        Broken: the embedded engine is not running.
    """
    if settings.engine == "echo":
        return ""
    return _address(settings)[0] if settings.engine == "embedded" else settings.engine.rstrip("/")


def _address(settings: Settings) -> tuple[str, str]:
    path = settings.run / ADDRESS
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return str(found["url"]), str(found["key"])
    except (OSError, ValueError, KeyError):
        cure = "Start it with `readingroom serve`"
        raise Broken(Problem(str(path), "the embedded engine is not running", cure)) from None
