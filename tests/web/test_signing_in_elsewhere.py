"""Signing in through a provider: each way to be signed in as somebody else, or to let somebody else in, is shut."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from elsewhere import Elsewhere, opened
from provider import CLIENT, SECRET
from readingroom.app.checkup import examine
from readingroom.people import queries
from readingroom.people.rules import standing as judge
from served import found


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    with opened(found(tmp_path_factory.mktemp("elsewhere") / "home")) as made:
        yield made


@pytest.fixture(autouse=True)
def _honest(elsewhere: Elsewhere) -> None:
    elsewhere.uni.honest()
    elsewhere.other.honest()


def test_what_was_added_signs_in_and_a_letter_still_does(elsewhere: Elsewhere) -> None:
    elsewhere.joined("ada@a.example", "ada", "orcid")
    fresh = elsewhere.browser()
    answer = elsewhere.come(fresh, "orcid", "/my/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/my/account")
    assert elsewhere.who(fresh) == "ada@a.example"
    assert elsewhere.who(elsewhere.member("ada@a.example")) == "ada@a.example"
    shown = fresh.get("/my/account").text
    assert "ORCID" in shown
    assert "<code>ada</code>" in shown


def test_an_unknown_identity_makes_no_account_and_is_added_after_a_letter_in_the_same_browser(
    elsewhere: Elsewhere,
) -> None:
    visit = elsewhere.browser()
    elsewhere.other.claims = {"sub": "new-one", "email": "claims@a.example", "email_verified": True}
    answer = elsewhere.come(visit, "orcid")
    assert "does not yet" in answer.text
    assert elsewhere.who(visit) == ""
    assert elsewhere.portal.house.people.find("claims@a.example") is None
    link = elsewhere.portal.house.people.ask("real@a.example")
    visit.client.post("/sign-in", data={"link": link}, follow_redirects=False)
    assert "Add ORCID to your account?" in visit.get("/my/account/add").text
    visit.post("/my/account/add", {"do": "add"})
    assert elsewhere.who(visit) == "real@a.example"
    again = elsewhere.browser()
    elsewhere.come(again, "orcid")
    assert elsewhere.who(again) == "real@a.example"


def test_the_letter_opened_in_another_browser_adds_nothing(elsewhere: Elsewhere) -> None:
    """Else an attacker proves an identity of theirs, types a victim's address, and waits for the victim to click."""
    attacker, victim = elsewhere.browser(), elsewhere.member("victim@a.example")
    elsewhere.other.claims = {"sub": "attacker"}
    elsewhere.come(attacker, "orcid")
    link = elsewhere.portal.house.people.ask("victim@a.example")
    victim.client.post("/sign-in", data={"link": link, "next": "/my/account/add"}, follow_redirects=False)
    assert victim.get("/my/account/add").headers.get("location") == "/my/account"
    assert victim.post("/my/account/add", {"do": "add"}).status_code == 403
    elsewhere.come(attacker, "orcid")
    assert elsewhere.who(attacker) == ""


@pytest.mark.parametrize("verified", [True, "true", 1, False, None])
@pytest.mark.parametrize("name", ["uni", "orcid"])
def test_a_claimed_address_takes_over_no_account(elsewhere: Elsewhere, name: str, verified: object) -> None:
    """Also where it is said to be verified: only for a domain that the provider itself answers for."""
    elsewhere.member("boss@lab.example")
    asked = elsewhere.uni if name == "uni" else elsewhere.other
    asked.claims = {"sub": f"thief-{verified}", "email": "boss@lab.example", "email_verified": verified, "member": "x"}
    visit = elsewhere.browser()
    elsewhere.come(visit, name)
    assert elsewhere.who(visit) == ""


@pytest.mark.parametrize("verified", ["true", 1, False, None])
def test_an_address_of_the_institution_that_is_not_verified_counts_as_none(
    elsewhere: Elsewhere, verified: object
) -> None:
    elsewhere.uni.claims = {"sub": f"unverified-{verified}", "email": "dean@uni.example", "email_verified": verified}
    visit = elsewhere.browser()
    elsewhere.come(visit)
    assert elsewhere.who(visit) == ""


def test_a_verified_address_of_the_institution_itself_is_as_good_as_a_letter(elsewhere: Elsewhere) -> None:
    elsewhere.uni.claims = {"sub": "eve", "email": "Eve@uni.example", "email_verified": True, "member": "staff@uni"}
    visit = elsewhere.browser()
    elsewhere.come(visit)
    assert elsewhere.who(visit) == "eve@uni.example"
    shown = visit.get("/my/account").text
    assert "signed in there" in shown
    assert "University" in shown


def _other_key(claims: dict[str, Any], _key: ECKey) -> str:
    return jwt.encode({"alg": "ES256", "kid": "one"}, claims, ECKey.generate_key("P-256", {"kid": "one"}))


def _unsigned(claims: dict[str, Any], key: ECKey) -> str:
    head = urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return head + "." + jwt.encode({"alg": "ES256"}, claims, key).split(".")[1] + "."


def _by_our_secret(claims: dict[str, Any], _key: ECKey) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("sign", [_other_key, _unsigned, _by_our_secret, lambda *_: "x.y.z", lambda *_: ""])
def test_a_token_that_the_provider_has_not_signed_signs_nobody_in(
    elsewhere: Elsewhere, sign: Callable[[dict[str, Any], ECKey], str]
) -> None:
    elsewhere.joined("token@a.example", "token")
    elsewhere.uni.sign = sign
    visit = elsewhere.browser()
    answer = elsewhere.come(visit)
    assert (answer.status_code, elsewhere.who(visit)) == (403, "")
    assert "people/sign-in-failed" in answer.text


TWISTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another audience": lambda claims: claims | {"aud": "another-client"},
    "several audiences, made for another": lambda claims: claims | {"aud": [CLIENT, "x"], "azp": "x"},
    "several audiences, made for nobody": lambda claims: claims | {"aud": [CLIENT, "x"]},
    "made for another": lambda claims: claims | {"azp": "x"},
    "another issuer": lambda claims: claims | {"iss": "https://evil.example"},
    "expired": lambda claims: claims | {"exp": claims["iat"] - 61},
    "no end": lambda claims: {k: v for k, v in claims.items() if k != "exp"},
    "made in the future": lambda claims: claims | {"iat": claims["iat"] + 3600},
    "not valid yet": lambda claims: claims | {"nbf": claims["iat"] + 3600},
    "another nonce": lambda claims: claims | {"nonce": "of another browser"},
    "no nonce": lambda claims: {k: v for k, v in claims.items() if k != "nonce"},
    "no subject": lambda claims: {k: v for k, v in claims.items() if k != "sub"},
    "an empty subject": lambda claims: claims | {"sub": ""},
    "a subject that is none": lambda claims: claims | {"sub": ["twisted"]},
    "an endless subject": lambda claims: claims | {"sub": "x" * 256},
}


@pytest.mark.parametrize("twist", TWISTS)
def test_a_token_that_is_not_for_this_house_this_browser_and_this_moment_signs_nobody_in(
    elsewhere: Elsewhere, twist: str
) -> None:
    elsewhere.joined("twisted@a.example", "twisted")
    elsewhere.uni.claims = {"sub": "twisted"}
    elsewhere.uni.twist = TWISTS[twist]
    visit = elsewhere.browser()
    answer = elsewhere.come(visit)
    assert (answer.status_code, elsewhere.who(visit)) == (403, "")


def test_a_new_key_of_the_provider_is_asked_for_once(elsewhere: Elsewhere) -> None:
    elsewhere.joined("turns@a.example", "turns")
    elsewhere.uni.key = ECKey.generate_key("P-256", {"kid": "one"})
    visit = elsewhere.browser()
    elsewhere.come(visit)
    assert elsewhere.who(visit) == "turns@a.example"


def test_somebody_elses_answer_signs_nobody_in(elsewhere: Elsewhere) -> None:
    """Login CSRF: an attacker lets a victim's browser open the attacker's own answer."""
    attacker, victim = elsewhere.browser(), elsewhere.browser()
    elsewhere.joined("csrf@a.example", "csrf")
    answer = elsewhere.leave(attacker)
    assert victim.get(answer).status_code == 403, "a browser that began nothing"
    elsewhere.leave(victim)
    assert victim.get(answer).status_code == 403, "a browser that began another"
    assert elsewhere.who(victim) == ""
    assert attacker.get(answer).status_code == 303


def test_an_answer_works_once(elsewhere: Elsewhere) -> None:
    elsewhere.joined("once@a.example", "once")
    visit = elsewhere.browser()
    answer = elsewhere.leave(visit)
    way = visit.client.cookies["rr_way"]
    assert visit.get(answer).status_code == 303
    assert visit.get(answer).status_code == 403, "the browser has forgotten it"
    thief = elsewhere.browser()
    thief.client.cookies.set("rr_way", way, domain="reading.example", path="/sign-in/from")
    assert thief.get(answer).status_code == 403, "and the provider gives nothing for the code"
    assert elsewhere.who(thief) == ""


def test_a_code_alone_buys_nothing(elsewhere: Elsewhere) -> None:
    """PKCE: a code that leaked, put into a sign-in that another browser has begun."""
    elsewhere.joined("leaked@a.example", "leaked")
    code = parse_qs(urlsplit(elsewhere.leave(elsewhere.browser())).query)["code"][0]
    thief = elsewhere.browser()
    answer = re.sub(r"code=[^&]+", f"code={code}", elsewhere.leave(thief))
    assert thief.get(answer).status_code == 403
    assert elsewhere.who(thief) == ""


def test_one_providers_answer_is_not_taken_for_anothers(elsewhere: Elsewhere) -> None:
    """Mix-up: the way back, the state and the issuer each name who was asked."""
    elsewhere.joined("mixed@a.example", "mixed")
    visit = elsewhere.browser()
    answer = elsewhere.leave(visit)
    assert visit.get(answer.replace("/from/uni", "/from/orcid")).status_code == 403
    visit = elsewhere.browser()
    answer = elsewhere.leave(visit)
    assert visit.get(re.sub(r"iss=[^&]+", "iss=https://evil.example", answer)).status_code == 403
    visit = elsewhere.browser()
    answer = elsewhere.leave(visit)
    assert visit.get(re.sub(r"&iss=[^&]+", "", answer)).status_code == 403, "it says that it names itself"
    assert elsewhere.who(visit) == ""


def test_userinfo_of_somebody_else_signs_nobody_in(elsewhere: Elsewhere) -> None:
    elsewhere.joined("info@a.example", "info")
    elsewhere.uni.claims, elsewhere.uni.told = {"sub": "info"}, {"sub": "another"}
    elsewhere.uni.discovery = {"userinfo_endpoint": f"{elsewhere.uni.issuer}/userinfo"}
    elsewhere.clock.advance(hours=2)  # what it said of itself is asked for anew
    visit = elsewhere.browser()
    assert elsewhere.come(visit).status_code == 403
    elsewhere.uni.told = {"sub": "info"}
    assert elsewhere.come(visit).status_code == 303
    elsewhere.clock.advance(hours=2)


def test_who_says_no_there_is_not_signed_in_here(elsewhere: Elsewhere) -> None:
    visit = elsewhere.browser()
    answer = elsewhere.leave(visit)
    said = re.sub(r"code=[^&]+", "error=access_denied&error_description=<script>", answer)
    shown = visit.get(said)
    assert shown.status_code == 403
    assert "<script>" not in shown.text


@pytest.mark.parametrize(
    "after", ["https://evil.example", "//evil.example", "/\\evil.example", "/sign-out", "/my?x=//e"]
)
def test_nobody_is_sent_on_to_another_site(elsewhere: Elsewhere, after: str) -> None:
    elsewhere.joined("sent@a.example", "sent")
    elsewhere.uni.claims = {"sub": "sent"}
    visit = elsewhere.browser()
    assert elsewhere.come(visit, after=after).headers["location"] == "/my"
    answer = elsewhere.leave(visit)
    way = visit.client.cookies["rr_way"].partition(".")[0]
    visit.client.cookies.set("rr_way", f"{way}.{after}", domain="reading.example", path="/sign-in/from")
    assert visit.get(answer).headers["location"] == "/my"


def test_each_sign_in_is_a_new_session_and_the_old_one_is_over(elsewhere: Elsewhere) -> None:
    """Session fixation: whatever secret somebody has put into a browser is not the one that is signed in."""
    elsewhere.joined("fixed@a.example", "fixed")
    visit = elsewhere.browser()
    visit.client.cookies.set("rr_session", "planted", domain="reading.example")
    elsewhere.come(visit)
    first = dict(visit.client.cookies.jar._cookies["reading.example"]["/"])["rr_session"].value  # type: ignore[attr-defined]
    assert first != "planted"
    elsewhere.come(visit)
    assert elsewhere.portal.house.people.session(first or "") is None
    assert elsewhere.who(visit) == "fixed@a.example"


def test_anothers_identity_is_not_added_and_nobody_is_switched(elsewhere: Elsewhere) -> None:
    elsewhere.joined("owner@a.example", "owned")
    visit = elsewhere.member("other@a.example")
    elsewhere.uni.claims = {"sub": "owned"}
    answer = elsewhere.come(visit)
    assert answer.status_code == 409
    assert "merge them" in answer.text
    assert elsewhere.who(visit) == "other@a.example"


def test_what_was_taken_off_signs_nobody_in_and_begins_no_second_account(elsewhere: Elsewhere) -> None:
    visit = elsewhere.joined("off@a.example", "off")
    elsewhere.uni.claims = {"sub": "off", "email": "off@uni.example", "email_verified": True, "member": "x"}
    inside = elsewhere.browser()
    elsewhere.come(inside)
    assert elsewhere.who(inside) == "off@a.example"
    visit.post("/my/account/remove", {"issuer": elsewhere.uni.issuer, "subject": "off"})
    assert elsewhere.who(inside) == "", "a session that began with it has ended"
    stranger = elsewhere.browser()
    elsewhere.come(stranger)
    assert elsewhere.who(stranger) == ""
    someone = elsewhere.member("someone@a.example")
    assert elsewhere.come(someone).status_code == 409, "it is somebody's for good"
    assert elsewhere.come(visit).headers["location"] == "/my/account/add"
    visit.post("/my/account/add", {"do": "add"})
    elsewhere.come(stranger)
    assert elsewhere.who(stranger) == "off@a.example"


def test_a_form_of_another_site_adds_nothing(elsewhere: Elsewhere) -> None:
    visit = elsewhere.member("forged@a.example")
    elsewhere.uni.claims = {"sub": "forged"}
    elsewhere.come(visit)
    for sent in ({"do": "add"}, {"do": "add", "token": "x"}):
        assert visit.client.post("/my/account/add", data=sent, follow_redirects=False).status_code == 403
    headers = {"origin": "https://evil.example"}
    assert visit.post("/my/account/add", {"do": "add"}, headers=headers).status_code == 403
    with elsewhere.portal.house.db.read() as tx:
        assert queries.identity(tx, elsewhere.uni.issuer, "forged") is None


def test_an_affiliation_lasts_for_some_days_and_ends_with_what_the_institution_says(elsewhere: Elsewhere) -> None:
    visit = elsewhere.joined("left@a.example", "left")
    assert "Add ORCID" in visit.get("/my/account").text

    def standing() -> list[str]:
        now = elsewhere.clock.now()
        return [judge(each, now).value for each in elsewhere.portal.house.people.my_facts(actor)]

    person = elsewhere.portal.house.people.named("left@a.example")
    actor = elsewhere.portal.house.people.actor(person.id)
    assert standing() == [], "it has not said that this is a member"
    elsewhere.uni.claims = {"sub": "left", "member": "student@uni.example"}
    elsewhere.come(elsewhere.browser())
    assert standing() == ["holds"]
    before = elsewhere.clock.moment
    elsewhere.clock.advance(days=91)
    assert standing() == ["expired"], "also for who is still signed in"
    elsewhere.clock.moment = before
    elsewhere.uni.claims = {"sub": "left"}
    elsewhere.come(elsewhere.browser())
    assert standing() == ["ended"]


def test_doctor_asks_each_provider(elsewhere: Elsewhere) -> None:
    lines = [each for each in examine(elsewhere.portal.house) if each.name == "sign-in"]
    assert [each.ok for each in lines] == [True, True]
    elsewhere.uni.discovery = {"issuer": "https://evil.example"}
    lines = [each for each in examine(elsewhere.portal.house) if each.name == "sign-in"]
    assert [each.ok for each in lines] == [False, True]
    assert "another issuer" in lines[0].detail


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": 5},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
def test_a_provider_that_says_something_odd_of_itself_is_not_used(
    elsewhere: Elsewhere, discovery: dict[str, Any]
) -> None:
    elsewhere.uni.discovery = discovery
    elsewhere.clock.advance(hours=2)
    answer = elsewhere.browser().get("/sign-in/with/uni")
    assert answer.status_code == 502
    assert "sign in with a letter" in answer.text
    elsewhere.clock.advance(hours=2)


def test_a_provider_that_is_not_set_up_is_not_here(elsewhere: Elsewhere) -> None:
    assert elsewhere.browser().get("/sign-in/with/nobody").status_code == 404
    assert elsewhere.browser().get("/sign-in/from/nobody?code=x&state=y").status_code == 404
