"""An OpenID Connect provider in this process, whose word a test can twist: attackers run providers, too.

That we understand honest ones is tested against one that is certified (`tests/web/test_a_certified_provider.py`).
"""

from __future__ import annotations

import contextlib
import json
import threading
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "reading-room", "a secret & more"


@dataclass
class Provider:
    """What it says, and of whom.

    Attributes:
        issuer: its URL.
        claims: of whoever signs in next.
        now: the second at which it makes tokens.
        twist: changes the claims of a token before it is signed.
        sign: makes the token of claims.
        told: what userinfo tells; None tells nothing.
    """

    issuer: str
    now: Callable[[], int]
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "0000-0001"})
    twist: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    sign: Callable[[dict[str, Any], ECKey], str] = lambda claims, key: jwt.encode(
        {"alg": "ES256", "kid": "one"}, claims, key
    )
    told: dict[str, Any] | None = None
    discovery: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def honest(self) -> None:
        """Be as a provider should be, and forget who signed in."""
        blank = Provider(self.issuer, self.now)
        self.claims, self.twist, self.sign, self.told, self.discovery = blank.claims, blank.twist, blank.sign, None, {}

    def document(self) -> dict[str, Any]:
        here = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "authorization_response_iss_parameter_supported": True,
        }
        return here | ({"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.told else {}) | self.discovery

    def authorize(self, query: dict[str, str]) -> str:
        """Sign in whoever `claims` is, and return where their browser goes."""
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def redeem(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Turn a code into a token, once, for the client that has the verifier."""
        asked = self.codes.pop(form.get("code", ""), None)
        name, _, word = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if asked is None or challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        if (unquote(name), unquote(word)) != (CLIENT, SECRET):
            return None
        claims = {"iss": self.issuer, "aud": CLIENT, "nonce": asked["nonce"], "iat": self.now(), **self.claims}
        token = self.sign(self.twist({"exp": self.now() + 300, **claims}), self.key)
        return {"access_token": "token-of-access", "token_type": "Bearer", "id_token": token}


@contextlib.contextmanager
def running(now: Callable[[], int]) -> Iterator[Provider]:
    """Run one on the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            made.asked.append(parts.path)
            if parts.path == "/authorize":
                query = {key: values[0] for key, values in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("location", made.authorize(query))
                self.end_headers()
                return
            known: dict[str, Any] = {
                "/.well-known/openid-configuration": made.document(),
                "/keys": {"keys": [made.key.as_dict(private=False)]},
                "/userinfo": made.told,
            }
            self.answer(known.get(parts.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {key: values[0] for key, values in parse_qs(body).items()}
            self.answer(made.redeem(form, self.headers.get("authorization", "Basic Og==")), otherwise=400)

        def answer(self, found: Any, otherwise: int = 404) -> None:
            body = json.dumps(found if found is not None else {"error": "invalid_grant"}).encode()
            self.send_response(200 if found is not None else otherwise)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Provider(f"http://127.0.0.1:{server.server_address[1]}", now)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
