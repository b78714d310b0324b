"""Signing in through a provider: the way there, and what comes back. Doors keep one secret in a cookie meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from readingroom.app.house import House
from readingroom.core.errors import BadInput, Problem
from readingroom.core.ids import url_secret
from readingroom.core.refusal import Refusal, Refused
from readingroom.people import calling
from readingroom.people.model import Actor
from readingroom.people.oidc import secrets_for
from readingroom.people.providers import Provider
from readingroom.people.service.identities import Arrival

_ASKED: WeakKeyDictionary[House, calling.Providers] = WeakKeyDictionary()  # with what they said, for an hour


@dataclass(frozen=True, slots=True)
class Way:
    """Where the browser goes, and the secret that its cookie keeps meanwhile."""

    url: str
    browser: str


def begin(house: House, name: str) -> Way:
    """Begin a sign-in through a provider.

    Raises:
        Refused: there is no such provider, or it cannot be reached.
        BadInput: nobody knows where the way back leads.
    """
    provider, browser = _provider(house, name), url_secret()
    return Way(_providers(house).way(provider, secrets_for(name, browser), back(house, name)), browser)


def come_back(house: House, name: str, browser: str, query: Mapping[str, str], present: Actor | None) -> Arrival:
    """Take what a browser brought back from a provider.

    Args:
        house: the house.
        name: the provider's.
        browser: the secret in this browser's cookie; empty where it has none.
        query: what it brought.
        present: who is signed in in this browser already.

    Raises:
        Refused: it is not to be believed, or cannot be used here.
    """
    provider = _provider(house, name)
    if not browser:
        reason = "This answer belongs to no sign-in that this browser has begun, or to one that is over. Begin again."
        raise Refused(Refusal("people/sign-in-not-ours", reason))
    proved = _providers(house).redeem(provider, secrets_for(name, browser), back(house, name), query)
    return house.people.arrive(proved, present)


def back(house: House, name: str) -> str:
    """Return the address to which a provider sends browsers back; each provider has one of its own (mix-up)."""
    base = house.address()
    if not base:
        cure = "Set `public_url` in readingroom.toml to where readers reach this house"
        raise BadInput([Problem("public_url", "is not set, so there is no way back from another site", cure)])
    return f"{base}/sign-in/from/{name}"


def look(house: House) -> list[tuple[Provider, str]]:
    """Ask every provider for its discovery document and keys now; say what is wrong, empty where nothing is."""
    found = []
    for each in house.sign_in.providers:
        trouble = ""
        try:
            asked = calling.Providers(house.clock)
            asked.keys(asked.metadata(each))
        except calling.Unanswered as fault:
            trouble = str(fault)
        found.append((each, trouble))
    return found


def _provider(house: House, name: str) -> Provider:
    found = house.sign_in.provider(name)
    if found is None:
        raise Refused(Refusal("people/provider-unknown", "Nobody signs in here that way."))
    return found


def _providers(house: House) -> calling.Providers:
    return _ASKED.setdefault(house, calling.Providers(house.clock))
