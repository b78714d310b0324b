"""Asking OpenID Connect providers over HTTP: their discovery document, keys, and what a code is worth.

Nothing is followed elsewhere (no redirects), read without bound, or waited for without end.
"""

from __future__ import annotations

import asyncio
import json
import threading
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import aiohttp

from readingroom.core.clock import Clock
from readingroom.core.refusal import Refusal, Refused
from readingroom.people import oidc
from readingroom.people.model import Proven
from readingroom.people.oidc import Metadata, Secrets
from readingroom.people.providers import Provider

DISCOVERY = "/.well-known/openid-configuration"
SECONDS = 10.0
_MOST = 256 * 1024  # bytes of an answer
_FRESH = timedelta(hours=1)  # for which a discovery document and keys are taken from memory


class Unanswered(Exception):  # noqa: N818 - what the provider did
    """A provider gave no answer that can be used; says what was wrong."""


class Providers:
    """The way to providers. Safe to share among threads; each call waits for the network."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock that says when a token is over."""
        self._clock = clock
        self._known: dict[str, tuple[datetime, object]] = {}
        self._lock = threading.Lock()

    def metadata(self, provider: Provider, *, anew: bool = False) -> Metadata:
        """Return what a provider says of itself.

        Raises:
            Unanswered: it does not, or what it says cannot be used.
        """
        found = oidc.read_metadata(self._get(provider.issuer.rstrip("/") + DISCOVERY, anew=anew), provider.issuer)
        if isinstance(found, str):
            raise Unanswered(f"its discovery document {found}")
        return found

    def keys(self, known: Metadata, *, anew: bool = False) -> object:
        """Return a provider's public keys.

        Raises:
            Unanswered: it does not give them.
        """
        return self._get(known.jwks, anew=anew)

    def way(self, provider: Provider, secrets: Secrets, back: str) -> str:
        """Return where the browser goes to be signed in.

        Raises:
            Refused: the provider cannot be reached now.
        """
        try:
            return oidc.authorization_url(provider, self.metadata(provider), secrets, back)
        except Unanswered as fault:
            raise Refused(away(provider, fault)) from None

    def redeem(self, provider: Provider, secrets: Secrets, back: str, query: Mapping[str, str]) -> Proven:
        """Turn what the browser brought back into whom the provider vouches for.

        Raises:
            Refused: it is no answer to what was asked, is not to be believed, or the provider cannot be reached.
        """
        try:
            known = self.metadata(provider)
            if (no := oidc.check_answer(query, known, secrets)) is not None:
                raise Refused(no)
            given = self._exchange(provider, known, secrets, back, query["code"])
            claims = self._claims(provider, known, given, secrets)
            if known.userinfo and isinstance(given.get("access_token"), str):
                told = _ask("GET", known.userinfo, {"authorization": f"Bearer {given['access_token']}"})
                claims = _believed(oidc.with_userinfo(claims, told))
        except Unanswered as fault:
            raise Refused(away(provider, fault)) from None
        return oidc.proven(provider, claims)

    def _claims(self, provider: Provider, known: Metadata, given: Mapping[str, Any], secrets: Secrets) -> oidc.Claims:
        token, now = given.get("id_token"), self._clock.now()
        read = oidc.read_token(token, self.keys(known), provider, secrets.nonce, now)
        if isinstance(read, Refusal):  # it may sign with a new key
            read = oidc.read_token(token, self.keys(known, anew=True), provider, secrets.nonce, now)
        return _believed(read)

    def _exchange(
        self, provider: Provider, known: Metadata, secrets: Secrets, back: str, code: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": secrets.verifier,
        }
        headers: dict[str, str] = {}
        if provider.secret and not known.posts_secret:
            both = f"{quote(provider.client_id, safe='')}:{quote(provider.secret, safe='')}"  # RFC 6749, 2.3.1
            headers["authorization"] = "Basic " + b64encode(both.encode()).decode()
        else:
            form["client_id"] = provider.client_id
            if provider.secret:
                form["client_secret"] = provider.secret
        try:
            found = _ask("POST", known.token, headers, form)
        except Unanswered as fault:
            if fault.args[0] in {"HTTP 400", "HTTP 401", "HTTP 403"}:  # a code that was used, or our secret is wrong
                raise Refused(oidc.not_believed(fault.args[0])) from None
            raise
        if not isinstance(found, dict):
            raise Unanswered("its token endpoint gives no JSON object")
        return found

    def _get(self, url: str, *, anew: bool) -> object:
        now = self._clock.now()
        with self._lock:
            kept = self._known.get(url)
        if kept is not None and not anew and now - kept[0] < _FRESH:
            return kept[1]
        found = _ask("GET", url, {})
        with self._lock:
            self._known[url] = (now, found)
        return found


def away(provider: Provider, fault: Unanswered) -> Refusal:
    """Refuse to sign in through a provider that gives no usable answer."""
    reason = f"{provider.label} cannot be reached at the moment ({fault}). Try again later, or sign in with a letter."
    return Refusal("people/provider-away", reason, {"provider": provider.name})


def _believed(found: oidc.Claims | Refusal) -> oidc.Claims:
    if isinstance(found, Refusal):
        raise Refused(found)
    return found


def _ask(method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None) -> object:
    """Ask once, and read JSON.

    Raises:
        Unanswered: with what happened in place of it.
    """

    async def ask() -> object:
        limit = aiohttp.ClientTimeout(total=SECONDS)
        asked = {"accept": "application/json", **headers}
        async with (
            aiohttp.ClientSession(timeout=limit, trust_env=True) as session,
            session.request(method, url, headers=asked, data=form, allow_redirects=False) as answer,
        ):
            if answer.status != 200:  # noqa: PLR2004
                raise Unanswered(f"HTTP {answer.status}")
            body = await answer.content.read(_MOST + 1)
            while len(body) <= _MOST and (more := await answer.content.read(_MOST + 1 - len(body))):
                body += more
            if len(body) > _MOST:
                raise Unanswered("its answer is too long")
            return json.loads(body)

    try:
        return asyncio.run(ask())
    except (aiohttp.ClientError, TimeoutError, OSError) as fault:
        raise Unanswered(f"{type(fault).__name__}") from None
    except (ValueError, RecursionError):
        raise Unanswered("its answer is no JSON") from None
