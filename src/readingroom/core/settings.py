"""The one source of settings: HOME's `readingroom.toml`, and a few names in the environment.

HOME is the folder that holds a house: its settings, plan, rules, database and keys.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

from readingroom.core.errors import BadInput, Problem

FILE = "readingroom.toml"
ENGINE_KEY = "READINGROOM_ENGINE_KEY"  # the upstream engine's key: never written to a file
TRUSTED_PROXIES = "FORWARDED_ALLOW_IPS"  # the server library's own name
METRICS_KEY = "READINGROOM_METRICS_KEY"  # opens /metrics: never written to a file
OTEL_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"  # OpenTelemetry's own name for where spans go
HOME = "READINGROOM_HOME"
CACHE = "XDG_CACHE_HOME"
CONFIG = "XDG_CONFIG_HOME"
MAIL_PASSWORD = "READINGROOM_MAIL_PASSWORD"  # noqa: S105 - the name; of the mail server's user: never written to a file
READER_URLS = ("READINGROOM_URL", "OPENAI_BASE_URL")  # where a reader reads; ours first, then the clients' own name
READER_KEYS = ("READINGROOM_KEY", "OPENAI_API_KEY")


@dataclass(frozen=True)
class Settings:
    """What a house is set to.

    Attributes:
        home: the folder.
        engine: `echo`, `embedded`, or the base URL of an OpenAI-compatible server (ending in `/v1`).
        model: its name at that engine; for `embedded`, a path to a GGUF file, or empty for the demo model.
        database: SQLAlchemy URL; empty means `HOME/readingroom.db`.
        dev: a house for trials: marked on every page and in the ledger.
        origin: the log's name, as in C2SP checkpoints.
        context: tokens the engine can hold per request, reserved when it cannot count a prompt itself.
        engine_options: passed to the engine (echo: `words_per_second`, `fail_after`, ...).
        engine_places: how many requests may be at the engine at a time, over all workers of one server; the others
            wait in line. 0 is no bound, -1 what the engine itself can do at once (embedded: its slots; else no bound).
        sign_in: who beside a letter may vouch for persons; `people.providers` reads it.
        public_url: where readers reach this house; empty means as it is served.
        mail: who takes letters (`post.model.Mailbox`); empty means that they are files in HOME/outbox.
    """

    home: Path
    engine: str = "embedded"
    model: str = ""
    database: str = ""
    dev: bool = False
    origin: str = "readingroom.example/log"
    context: int = 2048
    engine_options: dict[str, float | int | str | bool] = field(default_factory=dict)
    public_url: str = ""
    engine_places: int = -1
    sign_in: dict[str, Any] = field(default_factory=dict)
    mail: dict[str, int | str] = field(default_factory=dict)

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL of the database."""
        return self.database or f"sqlite:///{quote(str(self.home / 'readingroom.db'))}"

    @property
    def model_name(self) -> str:
        """The name under which the served model is registered."""
        if self.engine == "echo":
            return self.model or "echo"
        if self.engine == "embedded":
            return Path(self.model).stem.lower() if self.model else "smollm2-135m-instruct"
        return self.model

    @property
    def plan_file(self) -> Path:
        """The release plan on disk; in force is only what was adopted."""
        return self.home / "release.yaml"

    @property
    def kept_checkpoint(self) -> Path:
        """The log's newest checkpoint, kept outside the database."""
        return self.home / "ledger.checkpoint"

    @property
    def keys(self) -> Path:
        """The folder of private keys, mode 0700."""
        return self.home / "keys"

    @property
    def outbox(self) -> Path:
        """The folder of mail that waits to be sent, as `.eml` files."""
        return self.home / "outbox"

    @property
    def run(self) -> Path:
        """The folder of what a running server leaves for the command line beside it, mode 0700."""
        return self.home / "run"

    @property
    def served_at(self) -> Path:
        """The file that holds the URL at which this house was served last."""
        return self.run / "url"

    def to_toml(self) -> str:
        """Spell the settings as the file `load` reads."""
        lines = ["# Settings of this house; `readingroom doctor` checks them."]
        table: list[str] = []
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "home":
                continue
            if each.name == "sign_in":
                continue  # whoever runs the house writes it; a new one has none
            if isinstance(value, dict):
                table += [f"\n[{each.name}]", *(f"{k} = {_toml(v)}" for k, v in sorted(value.items()))] if value else []
            else:
                lines.append(f"{each.name} = {_toml(value)}")
        return "\n".join([*lines, *table]) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def home_from(option: Path | None) -> Path:
    """Choose HOME: the option, else the environment, else `./readingroom-home`."""
    return (option or Path(os.environ.get(HOME) or "readingroom-home")).absolute()


def signed_in_at() -> Path:
    """Return the file of who signed in at a server from this terminal, without a HOME beside it: an applicant's."""
    folder = Path(os.environ.get(CONFIG) or Path.home() / ".config")
    return folder / "readingroom" / "session.json"


def engine_key() -> str:
    """Return the upstream engine's key, or an empty text."""
    return os.environ.get(ENGINE_KEY, "")


def reader_url() -> str:
    """Return the address that a reader's environment names, or an empty text."""
    return next((os.environ[name] for name in READER_URLS if os.environ.get(name)), "")


def reader_key() -> str:
    """Return the key that a reader's environment names, or an empty text."""
    return next((os.environ[name] for name in READER_KEYS if os.environ.get(name)), "")


def metrics_key() -> str:
    """Return the key that opens `/metrics`, or an empty text."""
    return os.environ.get(METRICS_KEY, "").strip()


def trusted_proxies() -> str:
    """Return which addresses may say, by X-Forwarded-For and -Proto, for whom they ask: with commas, or `*`."""
    return os.environ.get(TRUSTED_PROXIES, "127.0.0.1")


def traces_wanted() -> bool:
    """Tell whether the environment names a collector of spans; OpenTelemetry reads the rest of its names itself."""
    return bool(os.environ.get(OTEL_ENDPOINT) or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))


def screen_key(name: str) -> str:
    """Return the key that a screening rule names, or an empty text; `engines.classifier` bounds the names."""
    return os.environ.get(name, "")


def sign_in_secret(name: str) -> str:
    """Return the secret for a sign-in provider, or an empty text; `people.providers` makes the names."""
    return os.environ.get(name, "").strip()


def mail_password() -> str:
    """Return the password of the mail server's user, or an empty text."""
    return os.environ.get(MAIL_PASSWORD, "")


def cache_dir() -> Path:
    """Return the folder for downloads that outlive a house (the demo model)."""
    return Path(os.environ.get(CACHE) or Path.home() / ".cache") / "readingroom"


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment with changes, for a child process."""
    return {**os.environ, **changes}


def load(home: Path) -> Settings:
    """Read the settings of a house.

    Raises:
        BadInput: there is no house here, or the file is malformed or has an unknown or mistyped key.
    """
    path = home / FILE
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        cure = "Run `readingroom init` first, or name the house with --home"
        raise BadInput([Problem(str(home), "there is no house here", cure)]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as fault:
        raise BadInput([Problem(str(path), f"cannot be read: {fault}", "Mend the file")]) from None
    return Settings(home=home, **_checked(raw, str(path)))  # type: ignore[arg-type]


def _checked(raw: dict[str, object], name: str) -> dict[str, object]:
    blank = Settings(home=Path())
    problems = []
    for key, value in raw.items():
        if key == "home" or not hasattr(blank, key) or isinstance(getattr(Settings, key, None), property):
            known = ", ".join(f.name for f in fields(Settings) if f.name != "home")
            problems.append(Problem(name, f"unknown setting {key!r}", f"Known: {known}"))
        elif type(value) is not type(getattr(blank, key)):
            wanted = type(getattr(blank, key)).__name__
            problems.append(Problem(name, f"{key} must be of type {wanted}", f"Found {value!r}"))
    if problems:
        raise BadInput(problems)
    return raw
