"""A house from afar, for who has no HOME: applicants. The control API, over a session that `login URL` made.

The session is kept in the user's own configuration folder, readable by nobody else, with the server that it is for; it
is sent to that server and to no other.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.core.files import write_over
from readingroom.core.refusal import Refusal, Refused
from readingroom.core.settings import signed_in_at

SECONDS = 60.0
_MOST = 32_000_000  # bytes of an answer
_NAMES = (
    ("where", "key"),
    ("what", "message"),
    ("cure", "source"),
)  # of a problem's parts: the house's, its framework's


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a session goes to the server that it is for."""

    def redirect_request(self, *_given: Any) -> None:  # noqa: ANN401 - the library's own shape
        return None


_OPENER = urllib.request.build_opener(_Stay)


@dataclass(frozen=True, slots=True)
class Server:
    """A house at an address, and the session with which it is asked."""

    url: str
    session: str = ""

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Ask the control API, and return what it answers: JSON, or a file's bytes.

        Raises:
            Refused: as the house refuses.
            BadInput: what was sent cannot be used; each problem as the house tells it.
            Broken: there is no answer, or none of a house.
        """
        given = {"accept": "application/json", **(headers or {})}
        if self.session:
            given["authorization"] = f"Bearer {self.session}"
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            given["content-type"] = "application/json"
        asked = urllib.request.Request(f"{self.url}{path}", data, given, method=method)  # noqa: S310 - `bound` has looked
        try:
            with _OPENER.open(asked, timeout=SECONDS) as answer:
                return _read(answer.headers.get_content_type(), answer.read(_MOST))
        except urllib.error.HTTPError as fault:
            raise self._told(fault.code, fault.read(_MOST)) from None
        except (OSError, ValueError) as fault:
            reason = getattr(fault, "reason", fault)
            raise Broken(Problem(self.url, f"does not answer: {reason}", "Check the address and the network")) from None

    def _told(self, status: int, body: bytes) -> Exception:
        try:
            error: dict[str, Any] = json.loads(body)["error"]
        except (ValueError, KeyError, TypeError):
            cure = "Check the address: a reading room answers otherwise"
            return Broken(Problem(self.url, f"answers with status {status}, and not as a house does", cure))
        problems = [
            Problem(*(str(each.get(ours) or each.get(theirs) or "") for ours, theirs in _NAMES))
            for each in error.get("problems") or []
            if isinstance(each, dict)
        ]
        if problems:
            return BadInput(problems)
        if status >= 500:  # noqa: PLR2004 - HTTP's own
            return Broken(Problem(self.url, str(error.get("message", "")), "Try again later"))
        return Refused(Refusal.read(error))


def _read(kind: str, body: bytes) -> Any:  # noqa: ANN401 - JSON, or bytes
    if kind != "application/json":
        return body
    return json.loads(body) if body else None


def origin(url: str) -> str:
    """Return the server of an address.

    Raises:
        BadInput: it is none that a session may be sent to: https, or this machine.
    """
    parts = urlsplit(url)
    here = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if not parts.netloc or parts.username or parts.scheme not in {"https", "http"}:
        raise BadInput([Problem("URL", f"{url[:200]!r} is no address of a server", "Write https://...")])
    if parts.scheme == "http" and not here:
        cure = "Use https://: a session in the clear is anybody's"
        raise BadInput([Problem("URL", "is neither https nor this machine", cure)])
    return f"{parts.scheme}://{parts.netloc}"


def sign_in(url: str) -> dict[str, Any]:
    """Redeem a one-time link at its server, and keep the session."""
    secret = parse_qs(urlsplit(url).query).get("link", [""])[0]
    if not secret:
        cure = "Use the link as it was sent: https://.../sign-in?link=..."
        raise BadInput([Problem("URL", "holds no sign-in link", cure)])
    server = Server(origin(url))
    made: dict[str, Any] = server.ask("POST", "/api/sign-in", {"link": secret})
    path = signed_in_at()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_over(path, json.dumps({"server": server.url, "session": made["session"]}).encode())
    return {"person": made["person"], "roles": made["roles"], "server": server.url}


def sign_out() -> bool:
    """Forget the session; returns whether there was one. It ends at its server by itself, within twelve hours."""
    path = signed_in_at()
    there = path.exists()
    path.unlink(missing_ok=True)
    return there


def bound(server: str = "") -> Server | None:
    """Return the server at which somebody signed in from here; None where nobody did, or it is another.

    Raises:
        BadInput: another server was named than the one that the session is for.
    """
    path = signed_in_at()
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        found = Server(str(kept["server"]), str(kept["session"]))
    except FileNotFoundError:
        found = None
    except (OSError, ValueError, KeyError, TypeError):
        cure = "Sign in again with `readingroom login URL`"
        raise BadInput([Problem(str(path), "is not as it was written", cure)]) from None
    if server and (found is None or found.url != origin(server)):
        cure = f"Ask for a link at {origin(server)}, and `readingroom login URL`"
        raise BadInput([Problem("--server", "nobody is signed in at this server from here", cure)])
    return found


def part(text: str) -> str:
    """Spell an id as a part of a path."""
    return quote(text, safe="")
