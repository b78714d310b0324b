"""A portal in this process: a founded house, its web application, and somebody of each role signed in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import httpx
from litestar import Litestar
from litestar.testing import TestClient

from readingroom.access.model import Amounts, Award, Grant
from readingroom.app.desk import open_call
from readingroom.app.founding import template
from readingroom.app.house import House
from readingroom.app.lending import issue_discretionary
from readingroom.people.model import Person, Role


@dataclass
class Visit:
    """Somebody's browser, without its window."""

    client: TestClient[Litestar]
    person: Person | None = None

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(path, follow_redirects=False, **more)

    def token(self) -> str:
        """Return what forms of this session carry."""
        return str(re.findall(r'name="token" value="(\w+)"', self.get("/").text)[0])

    def post(self, path: str, data: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        """Send a form as a page of ours would."""
        return self.client.post(path, data={"token": self.token(), **(data or {})}, follow_redirects=False, **more)


@dataclass
class Portal:
    """The portal of one house."""

    house: House
    app: Litestar
    visits: dict[str, Visit] = field(default_factory=dict)

    def visit(self, name: str = "") -> Visit:
        """Return the browser of somebody: of a role by its name, of an applicant by any other; nobody's without."""
        if name not in self.visits:
            client = TestClient(self.app, base_url="https://reading.example", raise_server_exceptions=False)
            made = self.visits[name] = Visit(client)
            if name:
                roles = [Role(name)] if name in set(Role) else []
                operator = self.house.people.operator()
                made.person = self.house.people.add(operator, f"{name}@{name}.example", name=name.title(), roles=roles)
                link = self.house.people.make_link_for(operator, made.person.email)
                client.post("/sign-in", data={"link": link}, follow_redirects=False)
        return self.visits[name]

    def size(self) -> int:
        """Return the number of decisions on record."""
        return self.house.log.size()

    def grant(self, holder: str, purpose: str = "reading") -> Grant:
        person = self.visit(holder).person
        assert person is not None
        ends = self.house.clock.now().replace(year=2099, month=1, day=1)
        award = next(
            Award("", each.stage.name, next(iter(each.stage.tiers)), Amounts(passes=1000), ends, purpose)
            for each in self.house.releases.status()
            if each.stage.channel.value == "api"
        )
        operator = self.house.people.operator()
        return issue_discretionary(self.house, operator, person.email, award, accept_terms=False)[0]

    def call(self) -> str:
        """Return the newest call, opened if none is yet."""
        calls = self.house.admissions.calls()
        return calls[0].id if calls else self.new_call()

    def new_call(self, *, by_person: bool = False) -> str:
        """Open the shipped call on whatever stage lends; or one without reviews, in which a person decides."""
        stage = next(each.stage for each in self.house.releases.status() if each.stage.channel.value == "api")
        text = re.sub(r"(?m)^stage: .*$", f"stage: {stage.name}", template("call.yaml"))
        text = re.sub(r"(?m)^tiers: .*$", f"tiers: [{next(iter(stage.tiers))}]", text)
        if by_person:
            text = re.sub(r"(?ms)^(review|allocation):.*?(?=^\S|\Z)", "", text) + "\nallocation: {policy: by-person}\n"
        return open_call(self.house, self.house.people.operator(), text, "call.yaml").id
