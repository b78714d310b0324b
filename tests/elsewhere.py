"""A portal that trusts two providers, and what people do in their browsers to sign in through them."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from litestar import Litestar
from litestar.exceptions import LitestarDeprecationWarning
from litestar.testing import TestClient

import provider as providers
from portal import Portal, Visit
from provider import CLIENT, SECRET, Provider
from readingroom.app.house import House
from readingroom.core.clock import FixedClock
from readingroom.core.settings import load
from readingroom.people.providers import secret_name
from readingroom.web.app import create_web

HERE = "https://reading.example"


@dataclass
class Elsewhere:
    """A portal, and two providers that it trusts: one of an institution, one that has none."""

    portal: Portal
    uni: Provider
    other: Provider
    clock: FixedClock

    def browser(self) -> Visit:
        """Open a browser that nobody has used."""
        return Visit(TestClient(self.portal.app, base_url=HERE, raise_server_exceptions=False))

    def leave(self, visit: Visit, name: str = "uni", after: str = "") -> str:
        """Begin a sign-in, and return where the provider sends the browser back to."""
        there = visit.get(f"/sign-in/with/{name}", params={"next": after} if after else {})
        assert there.status_code == 303, there.text
        back = httpx.get(there.headers["location"], follow_redirects=False).headers["location"]
        assert back.startswith(f"{HERE}/sign-in/from/{name}?")
        return str(back).removeprefix(HERE)

    def come(self, visit: Visit, name: str = "uni", after: str = "") -> httpx.Response:
        """Sign in."""
        return visit.get(self.leave(visit, name, after))

    def who(self, visit: Visit) -> str:
        """Return the address of whoever is signed in, or an empty text."""
        person = self.portal.house.people.session(visit.client.cookies.get("rr_session", "") or "")
        return person.email if person else ""

    def member(self, email: str) -> Visit:
        """Sign somebody in by a link, in a browser of their own."""
        visit, operator = self.browser(), self.portal.house.people.operator()
        self.portal.house.people.add(operator, email)
        link = self.portal.house.people.make_link_for(operator, email)
        visit.client.post("/sign-in", data={"link": link}, follow_redirects=False)
        assert self.who(visit) == email
        return visit

    def joined(self, email: str, sub: str, name: str = "uni") -> Visit:
        """Sign somebody in by a letter, and let them add a provider."""
        visit = self.member(email)
        (self.uni if name == "uni" else self.other).claims = {"sub": sub}
        if self.come(visit, name).headers["location"] == "/my/account/add":
            assert visit.post("/my/account/add", {"do": "add"}).status_code == 303
        return visit


@contextlib.contextmanager
def opened(home: Path) -> Iterator[Elsewhere]:
    """Open a portal on a founded house, with a clock that stands still."""
    clock = FixedClock()

    def now() -> int:
        return int(clock.now().timestamp())

    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        uni, other = (stack.enter_context(providers.running(now)) for _ in range(2))
        for name in ("uni", "orcid"):
            patch.setitem(os.environ, secret_name(name), SECRET)
        raw = {
            "institutions": {"uni.example": "University"},
            "oidc": [
                {"name": "uni", "issuer": uni.issuer, "client_id": CLIENT, "institution": "University",
                 "affiliation_claim": "member"},
                {"name": "orcid", "label": "ORCID", "issuer": other.issuer, "client_id": CLIENT},
            ],
        }  # fmt: skip
        house = House(replace(load(home), sign_in=raw, public_url=HERE), clock)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LitestarDeprecationWarning)
            app: Litestar = create_web(house, [])
        yield Elsewhere(Portal(house, app), uni, other, clock)
        house.close()
