"""Which e-mail domains belong to one house. Pure.

Two departments write from two subdomains of one university, neither of which is under the other: what tells is the
name that the house registered. Where a country registers under a second level (`ac.uk`, `edu.au`), it is one label
longer. No list of public suffixes is asked: where this errs it makes an apparent conflict, which a person can waive.
"""

from __future__ import annotations

from functools import lru_cache

# Sharing one of these says nothing about working together.
PUBLIC_MAIL = frozenset(
    {
        "gmail.com", "live.com", "msn.com", "icloud.com", "me.com", "mac.com", "aol.com", "ymail.com", "proton.me",
        "protonmail.com", "pm.me", "fastmail.com", "tutanota.com", "hey.com", "mail.com", "web.de", "posteo.de",
        "mailbox.org", "t-online.de", "freenet.de", "orange.fr", "free.fr", "laposte.net", "libero.it", "mail.ru",
        "qq.com", "163.com", "126.com", "naver.com",
    }
)  # fmt: skip
_PUBLIC_NAMES = frozenset({"googlemail", "gmx", "hotmail", "outlook", "yahoo", "yandex"})  # under many endings
_SECOND_LEVELS = frozenset(
    {
        "ac", "co", "com", "ed", "edu", "go", "gob", "gouv", "gov", "govt", "gub", "mil", "ne", "net", "nhs", "or",
        "org", "re", "res", "sch",
    }
)  # fmt: skip
_SHARED = frozenset({"github.io", "onmicrosoft.com"})  # anybody's names stand under these
_COUNTRY = 2  # letters
_MOST = 50_000  # domains whose houses are remembered


def domain(email: str) -> str:
    """Return the part of an address after the @, folded."""
    return email.rpartition("@")[2].casefold().rstrip(".")


@lru_cache(maxsize=_MOST)
def house(name: str) -> str:
    """Return the domain that somebody registered of which a domain is a part; empty for public mail, and for none.

    Args:
        name: a domain, folded.
    """
    labels = name.split(".")
    of_a_country = len(labels[-1]) == _COUNTRY and labels[-2:][0] in _SECOND_LEVELS
    found = labels[-3:] if of_a_country or ".".join(labels[-2:]) in _SHARED else labels[-2:]
    if len(found) > 1 and (".".join(found) in PUBLIC_MAIL or found[0] in _PUBLIC_NAMES):
        return ""
    return ".".join(found)


def same_house(one: str, other: str) -> bool:
    """Tell whether two domains belong together: parts of one registered domain; public mail never does."""
    return bool(house(one)) and house(one) == house(other)
