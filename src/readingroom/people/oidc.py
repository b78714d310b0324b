"""OpenID Connect, authorization code with PKCE: what is asked for, and whether an answer is to be believed. Pure.

OpenID Connect Core 1.0 (3.1.3.7: the checks of an identity token), RFC 7636 (PKCE), RFC 9207 (who answers), RFC 9700
(best practice). Three secrets bind an answer to the browser that asked: the state (another browser's answer is not
taken: login CSRF), the verifier (another's code buys nothing), and the nonce (another's token says nothing). All three
are made from one secret in that browser's cookie, so that nothing of it is kept here; and as the provider's name is in
them, one provider's answer is not taken for another's (mix-up).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from readingroom.core.refusal import Refusal
from readingroom.people.address import address_problem
from readingroom.people.model import Proven
from readingroom.people.providers import Provider, issuer_problem

# Signatures by a key that only the provider has: no `none`, and no HS256, whose key would be one that others know.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
SCOPES = ("openid", "email", "profile")
LEEWAY = 60  # seconds by which two clocks may differ
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_LONGEST = 255  # characters of a subject, as the standard bounds it
_NAME = 200

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider says of itself, checked."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    userinfo: str
    scopes: tuple[str, ...]
    posts_secret: bool
    names_itself: bool


@dataclass(frozen=True, slots=True)
class Secrets:
    """What binds an answer to the browser that asked, made from the secret in its cookie."""

    state: str
    nonce: str
    verifier: str

    @property
    def challenge(self) -> str:
        """The verifier as the provider is shown it at first."""
        return _b64(sha256(self.verifier.encode()).digest())


def secrets_for(provider: str, browser: str) -> Secrets:
    """Make the secrets of one way there and back from the secret in the browser's cookie."""
    state, nonce, verifier = (
        _b64(hmac.digest(browser.encode(), f"{use}:{provider}".encode(), "sha256"))
        for use in ("state", "nonce", "verifier")
    )
    return Secrets(state, nonce, verifier)


def read_metadata(found: object, issuer: str) -> Metadata | str:
    """Read a discovery document (OpenID Connect Discovery 1.0), or say what is wrong with it."""
    if not isinstance(found, dict):
        return "is no JSON object"
    if found.get("issuer") != issuer:
        return f"names another issuer: {str(found.get('issuer'))[:200]!r}"
    for each in (*_ENDPOINTS, "userinfo_endpoint"):
        url = found.get(each)
        if each not in found and each not in _ENDPOINTS:
            continue
        if not isinstance(url, str) or issuer_problem(url.partition("?")[0]) is not None:
            return f"has no {each} that is an https URL"
    methods = _texts(found.get("token_endpoint_auth_methods_supported"))
    challenges = _texts(found.get("code_challenge_methods_supported"))
    if challenges and "S256" not in challenges:
        return "says that PKCE with S256 is not supported"
    offered = _texts(found.get("scopes_supported"))
    return Metadata(
        issuer=issuer,
        authorization=found["authorization_endpoint"],
        token=found["token_endpoint"],
        jwks=found["jwks_uri"],
        userinfo=found.get("userinfo_endpoint", ""),
        scopes=tuple(each for each in SCOPES if not offered or each in offered or each == "openid"),
        posts_secret=bool(methods) and "client_secret_basic" not in methods,
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
    )


def authorization_url(provider: Provider, known: Metadata, secrets: Secrets, back: str) -> str:
    """Return where the browser goes to be signed in."""
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": back,
        "scope": " ".join(known.scopes),
        "state": secrets.state,
        "nonce": secrets.nonce,
        "code_challenge": secrets.challenge,
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in known.authorization else "?"
    return f"{known.authorization}{joint}{urlencode(asked)}"


def check_answer(query: Mapping[str, str], known: Metadata, secrets: Secrets) -> Refusal | None:
    """Refuse what a browser brings back that is not the answer to what it asked, or says that nobody signed in."""
    if not hmac.compare_digest(query.get("state", "").encode(), secrets.state.encode()):
        reason = "This answer belongs to no sign-in that this browser has begun, or to one that is over. Begin again."
        return Refusal("people/sign-in-not-ours", reason)
    if query.get("iss", known.issuer if not known.names_itself else "") != known.issuer:
        return Refusal("people/sign-in-not-ours", "This answer is another provider's than the one that was asked.")
    if "error" in query or not query.get("code"):
        said = {"access_denied": "You, or it, said no."}.get(query.get("error", ""), "It could not sign you in.")
        return Refusal("people/sign-in-failed", f"The other site signed nobody in. {said} Try again, or use a letter.")
    return None


def read_token(token: object, keys: object, provider: Provider, nonce: str, now: datetime) -> Claims | Refusal:
    """Return the claims of an identity token that this provider has just made for this house and this browser.

    Args:
        token: as the provider's token endpoint gave it.
        keys: its public keys, a JSON Web Key Set.
        provider: whose token it must be.
        nonce: that it must carry.
        now: the moment.
    """
    seconds = int(now.timestamp())
    rules = jwt.JWTClaimsRegistry(
        now=seconds,
        leeway=LEEWAY,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        decoded = jwt.decode(str(token), KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]
        rules.validate(decoded.claims)
    except (JoseError, ValueError, TypeError, KeyError) as fault:
        return not_believed(type(fault).__name__)
    claims = decoded.claims
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != provider.client_id:
        return not_believed("made for another party")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= _LONGEST or not claims["sub"].isprintable():
        return not_believed("no subject")
    return claims


def with_userinfo(claims: Claims, told: object) -> Claims | Refusal:
    """Add what the provider tells beside the token; of somebody else it tells nothing here (Core 5.3.2)."""
    if not isinstance(told, dict) or told.get("sub") != claims["sub"]:
        return not_believed("told of somebody else")
    return {**told, **claims}


def proven(provider: Provider, claims: Claims) -> Proven:
    """Say what is proved of whoever has these claims.

    An address counts only if the provider says that it verified it *and* answers for that domain: whoever runs a
    domain's sign-in runs its mailboxes, too, and gains nothing here. Any other may claim whatever address it likes.
    """
    name, email = claims.get("name"), claims.get("email")
    given = [each for each in (claims.get("given_name"), claims.get("family_name")) if isinstance(each, str)]
    shown = name if isinstance(name, str) and name else " ".join(given)
    believed = (
        isinstance(email, str)
        and claims.get("email_verified") is True
        and address_problem(email) is None
        and email.strip().lower().rpartition("@")[2] in provider.domains
    )
    member = not provider.affiliation_claim or bool(claims.get(provider.affiliation_claim))
    return Proven(
        issuer=provider.issuer,
        subject=claims["sub"],
        name="".join(each for each in shown if each.isprintable())[:_NAME],
        email=email.strip().lower() if believed and isinstance(email, str) else "",
        institution=provider.institution if member else "",
        days=provider.days,
    )


def not_believed(why: str) -> Refusal:
    """Refuse what a provider said, without telling the browser more than that."""
    reason = "The other site's word could not be verified, so nobody was signed in. Try again, or use a letter."
    return Refusal("people/sign-in-failed", reason, {"why": why})


def _texts(found: object) -> list[str]:
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
