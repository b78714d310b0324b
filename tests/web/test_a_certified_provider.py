"""Signing in through a provider that is certified, as its makers ship it (npm's `oidc-provider`), over real HTTP."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from litestar.exceptions import LitestarDeprecationWarning
from litestar.testing import TestClient

from api.clients.installed import FOLDER, made, run
from portal import Portal, Visit
from readingroom.app.checkup import examine
from readingroom.app.house import House
from readingroom.core.settings import load
from readingroom.people.model import FactKind
from readingroom.people.providers import secret_name
from readingroom.people.rules import holds
from readingroom.web.app import create_web
from served import found

pytestmark = pytest.mark.deep

HERE = Path(__file__).parent / "certified"
HOME = "https://reading.example"
SECRET = "as long as it likes: & %"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Run the provider."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"the certified provider needs {program}, which is not on the PATH")
    files = [HERE / name for name in ("package.json", "package-lock.json", "provider.mjs")]

    def install(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for each in files:
            shutil.copy(each, folder)
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder))

    folder = made(FOLDER / "certified", files, install)
    command = ["node", str(folder / "provider.mjs"), SECRET, f"{HOME}/sign-in/from/uni"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    yield next(line.strip() for line in lines if line.startswith("http"))
    process.stdin.close()
    process.wait(60)
    process.stdout.close()


@pytest.fixture(scope="module")
def portal(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    raw = {
        "institutions": {"uni.example": "University"},
        "oidc": [
            {"name": "uni", "issuer": issuer, "client_id": "reading-room", "institution": "University",
             "affiliation_claim": "eduperson_scoped_affiliation"}
        ],
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, secret_name("uni"), SECRET)
        home = found(tmp_path_factory.mktemp("certified") / "home")
        house = House(replace(load(home), sign_in=raw, public_url=HOME))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        app = create_web(house, [])
    yield Portal(house, app)
    house.close()


def browser(portal: Portal) -> Visit:
    return Visit(TestClient(portal.app, base_url=HOME, raise_server_exceptions=False))


def go(visit: Visit, name: str) -> str:
    """Sign in over there, as a person would, and return what the browser is sent back with."""
    at = visit.get("/sign-in/with/uni").headers["location"]
    with httpx.Client(follow_redirects=False, timeout=60) as there:
        answer = there.get(at)
        for _ in range(12):
            if answer.is_redirect:
                at = urljoin(at, answer.headers["location"])
                if at.startswith(HOME):
                    return at.removeprefix(HOME)
                answer = there.get(at)
            else:
                action = urljoin(at, re.findall(r'action="([^"]+)"', answer.text)[0])
                sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', answer.text))
                at, answer = action, there.post(action, data=sent | {"login": name, "password": "x"})
    raise AssertionError(answer.text)


def signed_in(portal: Portal, visit: Visit) -> str:
    person = portal.house.people.session(visit.client.cookies.get("rr_session", "") or "")
    return person.email if person else ""


def test_a_member_signs_in_and_is_one(portal: Portal) -> None:
    visit = browser(portal)
    answer = visit.get(go(visit, "ada"))
    assert (answer.status_code, answer.headers.get("location")) == (303, "/my"), answer.text
    assert signed_in(portal, visit) == "ada@uni.example"
    person = portal.house.people.named("ada@uni.example")
    assert person.name == "ada of the university"
    facts = portal.house.people.my_facts(portal.house.people.actor(person.id))
    assert holds(facts, portal.house.clock.now(), FactKind.AFFILIATION, "university")


def test_who_is_no_member_signs_in_and_is_none(portal: Portal) -> None:
    visit = browser(portal)
    visit.get(go(visit, "guest"))
    actor = portal.house.people.actor(portal.house.people.named("guest@uni.example").id)
    assert portal.house.people.my_facts(actor) == []


def test_an_unverified_address_signs_nobody_in(portal: Portal) -> None:
    visit = browser(portal)
    assert "does not yet" in visit.get(go(visit, "unverified-eve")).text
    assert signed_in(portal, visit) == ""


def test_a_code_works_once_and_only_with_its_verifier(portal: Portal) -> None:
    visit, thief = browser(portal), browser(portal)
    answer = go(visit, "bea")
    way = visit.client.cookies["rr_way"]
    stolen = re.findall(r"code=([^&]+)", answer)[0]
    assert thief.get(re.sub(r"code=[^&]+", f"code={stolen}", go(thief, "thief"))).status_code == 403
    assert visit.get(answer).status_code in {303, 403}, "a code that was tried with a wrong verifier may be spent"
    answer = go(visit, "bea")
    way = visit.client.cookies["rr_way"]
    assert visit.get(answer).status_code == 303
    thief.client.cookies.set("rr_way", way, domain="reading.example", path="/sign-in/from")
    assert thief.get(answer).status_code == 403
    assert signed_in(portal, thief) == ""


def test_doctor_finds_it_well(portal: Portal) -> None:
    assert [each.ok for each in examine(portal.house) if each.name == "sign-in"] == [True]
