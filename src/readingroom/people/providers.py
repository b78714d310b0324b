"""Who else may vouch for persons: `[sign_in]` of `readingroom.toml`, read and checked. Pure.

[sign_in]
affiliation_days = 90                     # for how long a sign-in shows that somebody belongs to an institution

[sign_in.institutions]
"example.edu" = "University of Example"   # an address there belongs to it

[[sign_in.oidc]]
name = "example"
label = "University of Example"
issuer = "https://login.example.edu"
client_id = "reading-room"
institution = "University of Example"
affiliation_claim = "eduperson_scoped_affiliation"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from readingroom.core.errors import BadInput, Problem

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_KEYS = ("name", "label", "issuer", "client_id", "institution", "affiliation_claim")
_NEEDED = ("name", "issuer", "client_id")
_DAYS = (1, 730)


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID Connect provider, as the house is set to use it.

    Attributes:
        name: as it stands in the house's own addresses: `/sign-in/with/NAME`.
        label: as people call it.
        issuer: its URL; what it signs names exactly this.
        client_id: by which it knows this house.
        institution: whose members it signs in; empty for one that has none, as ORCID.
        affiliation_claim: what must be there, not empty, for somebody to be a member; empty: everybody is.
        domains: of that institution's addresses: for these its word is as good as a letter.
        days: for how long a sign-in shows that somebody is a member.
        secret: that this house proves itself with; empty for a public client.
    """

    name: str
    label: str
    issuer: str
    client_id: str
    institution: str = ""
    affiliation_claim: str = ""
    domains: tuple[str, ...] = ()
    days: int = 90
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SignIn:
    """How persons may sign in, beside letters.

    Attributes:
        institutions: an e-mail domain to the name of the institution that it belongs to.
        days: for how long an address or a sign-in shows that somebody belongs there.
    """

    providers: tuple[Provider, ...] = ()
    institutions: Mapping[str, str] = field(default_factory=dict)
    days: int = 90

    def provider(self, name: str) -> Provider | None:
        """Return a provider by its name."""
        return next((each for each in self.providers if each.name == name), None)

    def label(self, issuer: str) -> str:
        """Return what people call an issuer, also one that is no longer set up."""
        return next((each.label for each in self.providers if each.issuer == issuer), issuer)


def secret_name(provider: str) -> str:
    """Return the name, in the environment, of the secret for a provider."""
    return "READINGROOM_SIGN_IN_" + provider.upper().replace("-", "_")


def parse(raw: Mapping[str, Any], where: str, secret: Callable[[str], str]) -> SignIn:
    """Read `[sign_in]`.

    Args:
        raw: the table.
        where: the file, for what is told of it.
        secret: gives what stands in the environment under a name; empty where nothing does.

    Raises:
        BadInput: with everything that is wrong with it.
    """
    problems: list[Problem] = []
    _unknown(raw, ("affiliation_days", "institutions", "oidc"), f"{where}: [sign_in]", problems)
    days = raw.get("affiliation_days", 90)
    if type(days) is not int or not _DAYS[0] <= days <= _DAYS[1]:
        cure = f"Write a whole number of days from {_DAYS[0]} to {_DAYS[1]}"
        problems.append(Problem(f"{where}: [sign_in] affiliation_days", f"{days!r} is none", cure))
        days = 90
    institutions = _institutions(raw.get("institutions", {}), f"{where}: [sign_in.institutions]", problems)
    tables = raw.get("oidc", [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        cure = "Write one table [[sign_in.oidc]] for each provider"
        problems.append(Problem(f"{where}: [sign_in] oidc", "is no list of tables", cure))
        tables = []
    providers = []
    for number, each in enumerate(tables, start=1):
        place = f"{where}: [[sign_in.oidc]] number {number}"
        found = _provider(each, place, institutions, days, problems)
        if found is not None:
            providers.append(found)
    for what in ("name", "issuer"):
        _twice([getattr(each, what) for each in providers], what, where, problems)
    if problems:
        raise BadInput(problems)
    made = tuple(_with_secret(each, secret(secret_name(each.name))) for each in providers)
    return SignIn(made, institutions, days)


def _provider(
    raw: Mapping[str, Any], where: str, institutions: Mapping[str, str], days: int, problems: list[Problem]
) -> Provider | None:
    before = len(problems)
    _unknown(raw, _KEYS, where, problems)
    given = {key: raw.get(key, "") for key in _KEYS}
    for key, value in given.items():
        if not isinstance(value, str) or len(value) > 200 or (key in _NEEDED and not value.strip()):  # noqa: PLR2004
            problems.append(Problem(f"{where}: {key}", "is required, as a text", f'Write {key} = "..."'))
    if len(problems) > before:
        return None
    if not _NAME.fullmatch(given["name"]):
        problems.append(Problem(f"{where}: name", "is no name", "Write small letters, digits and -, as in orcid"))
    if (fault := issuer_problem(given["issuer"])) is not None:
        cure = "Write the issuer exactly as its discovery document does, as in https://orcid.org"
        problems.append(Problem(f"{where}: issuer", fault, cure))
    domains = tuple(sorted(each for each, name in institutions.items() if name == given["institution"]))
    if given["affiliation_claim"] and not given["institution"]:
        cure = 'Add institution = "...", of which that claim speaks'
        problems.append(Problem(f"{where}: affiliation_claim", "speaks of no institution", cure))
    if len(problems) > before:
        return None
    return Provider(
        name=given["name"],
        label=given["label"].strip() or given["name"],
        issuer=given["issuer"],
        client_id=given["client_id"],
        institution=given["institution"].strip(),
        affiliation_claim=given["affiliation_claim"],
        domains=domains,
        days=days,
    )


def issuer_problem(url: str) -> str | None:
    """Say why nothing secret may be sent to this address; None where it may."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        return f"{url!r} is not https: anyone on the way could sign in as anyone"
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or "@" in url:
        return f"{url!r} is no https URL without query, fragment and user"
    return None


def _institutions(raw: object, where: str, problems: list[Problem]) -> dict[str, str]:
    found: dict[str, str] = {}
    for domain, name in raw.items() if isinstance(raw, dict) else [("", raw)]:
        if not _DOMAIN.fullmatch(str(domain)) or not isinstance(name, str) or not name.strip():
            problems.append(Problem(where, f"{domain!r} is no domain with a name", 'Write "example.edu" = "Its name"'))
        else:
            found[str(domain)] = name.strip()
    return found


def _unknown(raw: Mapping[str, Any], known: tuple[str, ...], where: str, problems: list[Problem]) -> None:
    problems += [Problem(where, f"unknown setting {key!r}", f"Known: {', '.join(known)}") for key in raw.keys() - known]


def _twice(values: list[str], what: str, where: str, problems: list[Problem]) -> None:
    twice = sorted({each for each in values if values.count(each) > 1})
    place = f"{where}: [[sign_in.oidc]]"
    problems += [Problem(place, f"{what} {value!r} stands twice", "Leave one of them") for value in twice]


def _with_secret(provider: Provider, secret: str) -> Provider:
    return replace(provider, secret=secret)
