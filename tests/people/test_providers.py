"""The settings of sign-in: what is wrong is told with its place and its cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from readingroom.app.house import House
from readingroom.core.errors import BadInput
from readingroom.core.settings import FILE, load
from readingroom.people.providers import parse, secret_name
from served import found

GOOD = {"name": "orcid", "issuer": "https://orcid.org", "client_id": "APP-1"}


def test_what_is_right_is_read_with_its_secret_from_the_environment() -> None:
    raw = {
        "institutions": {"uni.example": "University", "dept.uni.example": "University"},
        "affiliation_days": 30,
        "oidc": [GOOD, {**GOOD, "name": "my-uni", "issuer": "https://uni.example", "institution": "University"}],
    }
    read = parse(raw, "x.toml", _secrets)
    orcid, uni = read.providers
    assert (orcid.label, orcid.secret, orcid.domains, orcid.institution) == ("orcid", "", (), "")
    assert (uni.secret, uni.domains, uni.days) == ("secret", ("dept.uni.example", "uni.example"), 30)
    assert "secret" not in repr(uni)


def _secrets(name: str) -> str:
    return "secret" if name == secret_name("my-uni") == "READINGROOM_SIGN_IN_MY_UNI" else ""


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"odic": []}, "unknown setting 'odic'"),
        ({"affiliation_days": 0}, "affiliation_days: 0 is none"),
        ({"affiliation_days": True}, "affiliation_days: True is none"),
        ({"oidc": {}}, "oidc: is no list"),
        ({"oidc": ["x"]}, "oidc: is no list"),
        ({"institutions": {"not a domain": "X"}}, "'not a domain' is no domain"),
        ({"institutions": ["x"]}, "is no domain"),
        ({"institutions": {"uni.example": " "}}, "no domain with a name"),
        ({"oidc": [{}]}, r"number 1: name: is required, as a text. Write name"),
        ({"oidc": [GOOD | {"secret": "x"}]}, "unknown setting 'secret'"),
        ({"oidc": [GOOD | {"name": "My Uni"}]}, "name: is no name"),
        ({"oidc": [GOOD | {"issuer": "http://orcid.org"}]}, "not https"),
        ({"oidc": [GOOD | {"issuer": "https://orcid.org?x"}]}, "no https URL"),
        ({"oidc": [GOOD | {"issuer": "https://orcid.org@evil.example"}]}, "no https URL"),
        ({"oidc": [GOOD | {"affiliation_claim": "member"}]}, "speaks of no institution"),
        ({"oidc": [GOOD, GOOD | {"name": "again"}]}, "issuer 'https://orcid.org' stands twice"),
        ({"oidc": [GOOD, GOOD | {"issuer": "https://x.example"}]}, "name 'orcid' stands twice"),
    ],
)
def test_what_is_wrong_is_told(raw: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told) as fault:
        parse(raw, "readingroom.toml", lambda _: "")
    assert all(each.cure for each in fault.value.problems)
    assert all(each.where.startswith("readingroom.toml") for each in fault.value.problems)


def test_a_house_with_wrong_settings_of_sign_in_says_so_at_once(tmp_path: Path) -> None:
    home = found(tmp_path / "home")
    (home / FILE).write_text((home / FILE).read_text() + '\n[[sign_in.oidc]]\nname = "x"\n')
    with pytest.raises(BadInput, match="issuer: is required"):
        House(load(home))
