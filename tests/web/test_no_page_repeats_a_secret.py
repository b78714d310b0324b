"""No page but the one that makes a key shows it, and none shows a session or a sign-in link's secret."""

from __future__ import annotations

import re

from portal import Portal
from readingroom.people.model import Role

_LINK = re.compile(r'href="(/[^"#]*)"')
_KEY = re.compile(r"rr_\w{40,}")
START = ("/", "/apply", "/log", "/my", "/desk", "/steward", "/people", "/strategies")


def pages_of(portal: Portal, name: str) -> dict[str, str]:
    """Follow every link that somebody is shown, from every room's first page, and return what was seen."""
    seen: dict[str, str] = {}
    waiting = list(START)
    while waiting:
        path = waiting.pop()
        if path not in seen and not path.startswith("/static"):
            seen[path] = portal.visit(name).get(path).text
            waiting += _LINK.findall(seen[path].replace("&amp;", "&"))
    return seen


def test_a_key_is_on_no_page_after_the_one_that_made_it_and_a_session_on_none(portal: Portal) -> None:
    reader = portal.visit("reader-of-secrets")
    grant = portal.grant("reader-of-secrets")
    assert portal.house.agreements.in_force() is not None
    newest = re.findall(r'name="newest" value="(\w*)"', reader.get("/my").text)
    made = reader.post(f"/my/grants/{grant.id}/keys", {"newest": newest[0] if newest else ""})
    (key,) = set(_KEY.findall(made.text))
    link = portal.house.people.make_link_for(
        portal.house.people.operator(), "reader-of-secrets@reader-of-secrets.example"
    )

    for name in ("", "reader-of-secrets", *Role):
        sessions = {value for value in portal.visit(name).client.cookies.values() if len(value) > 20}
        assert bool(sessions) == bool(name)
        seen = pages_of(portal, name)
        assert len(seen) >= len(START)
        for path, text in seen.items():
            assert key not in text, (name, path)
            assert link not in text, (name, path)
            assert not [each for each in sessions if each in text], (name, path)
