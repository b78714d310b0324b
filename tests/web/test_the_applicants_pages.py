"""The applicant's pages: what is shown is what counts, and what was typed is neither lost nor changed."""

from __future__ import annotations

import html
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal import Portal, Visit

FULL = {
    "answer-purpose": "to learn\nslowly", "answer-asks": "questions", "answer-why": "enough",
    "answer-egress": "text only", "answer-risks": "few", "answer-machine": "a laptop", "passes": "3000",
}  # fmt: skip


def applied(portal: Portal, name: str) -> tuple[Visit, str, str]:
    call, visit = portal.call(), portal.visit(name)
    answer = visit.post(f"/apply/{call}", FULL | {"do": "submit"})
    assert answer.status_code == 303, answer.text
    return visit, call, answer.headers["location"]


def test_a_living_application_is_shown_again_and_never_an_empty_form_over_it(portal: Portal) -> None:
    visit, call, at = applied(portal, "ada")
    answer = visit.get(f"/apply/{call}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{at}/edit")


def test_what_counts_is_shown_until_changes_are_submitted_or_discarded(portal: Portal) -> None:
    visit, call, at = applied(portal, "beth")
    visit.post(f"/apply/{call}", FULL | {"answer-purpose": "something else", "do": "save"})
    text = visit.get(at).text
    assert "You have changes that are not submitted" in text
    assert "to learn\nslowly" in text
    assert "something else" not in text
    visit.post(f"{at}/changes", {"do": "discard"})
    assert "not submitted" not in visit.get(at).text
    assert "to learn" in visit.get(f"{at}/edit").text
    visit.post(f"/apply/{call}", FULL | {"answer-purpose": "something else", "do": "save"})
    visit.post(f"{at}/changes", {"do": "submit"})
    assert "something else" in visit.get(at).text


@pytest.mark.parametrize("typed", ["12k", "-5", "9" * 5000, "१२", "1.5"])
def test_a_number_that_is_none_is_told_kept_and_changes_nothing(portal: Portal, typed: str) -> None:
    visit, call, at = applied(portal, "carl")
    for do in ("save", "submit"):
        answer = visit.post(f"/apply/{call}", FULL | {"passes": typed, "do": do})
        assert answer.status_code == 400
        assert f'"{typed[:40]}" is not a whole number' in html.unescape(answer.text)
        assert f'value="{typed}"' in answer.text
    assert "3,000" in visit.get(at).text
    assert 'value="3000"' in visit.get(f"{at}/edit").text


def test_all_that_is_wrong_is_told_at_once_in_the_questions_own_words(portal: Portal) -> None:
    call, visit = portal.call(), portal.visit("dora")
    answer = visit.post(f"/apply/{call}", {"passes": "many", "answer-purpose": "mine", "do": "submit"})
    listed = re.findall(r'<li><a href="#([\w-]+)">(.*?)</a>', answer.text)
    assert next(field for field, _ in listed) == "passes"
    assert ("answer-asks", "What will you ask the model?") in listed
    assert "answers.asks" not in answer.text
    assert "<title>Error: " in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert ">mine</textarea>" in answer.text


def test_what_was_typed_when_the_session_ended_can_be_copied(portal: Portal) -> None:
    call = portal.call()
    answer = portal.visit().client.post(f"/apply/{call}", data=FULL | {"token": "old"}, follow_redirects=False)
    assert answer.status_code == 401
    assert "to learn\nslowly" in html.unescape(answer.text)
    assert "This was not saved; copy it" in answer.text


def test_nobody_but_the_applicant_is_shown_the_form_with_the_answers(portal: Portal) -> None:
    _, _, at = applied(portal, "eve")
    for name in ("auditor", "steward", "reviewer", "other"):
        assert portal.visit(name).get(f"{at}/edit").status_code == 404
        assert portal.visit(name).post(f"{at}/changes", {"do": "submit"}).status_code == 404


def test_an_application_is_withdrawn_only_after_being_asked(portal: Portal) -> None:
    visit, _, at = applied(portal, "finn")
    assert "Withdraw my application to Reading tickets" in visit.get(f"{at}/withdraw").text
    assert visit.post(f"{at}/withdraw").status_code == 303
    assert "you withdrew it" in visit.get(at).text


def test_a_key_is_made_once_however_often_its_form_is_sent(portal: Portal) -> None:
    grant, reader = portal.grant("gus"), portal.visit("gus")
    newest = re.findall(r'name="newest" value="(\w*)"', reader.get("/my").text)[0]
    first = reader.post(f"/my/grants/{grant.id}/keys", {"newest": newest})
    assert "rr_" in first.text
    assert "https://reading.example/v1" in first.text or "/v1</code>" in first.text
    again = reader.post(f"/my/grants/{grant.id}/keys", {"newest": newest})
    assert again.status_code == 409
    assert "no second one was" in again.text
    assert 'id="key"' not in again.text
    assert reader.person is not None
    actor = portal.house.people.actor(reader.person.id)
    assert len(portal.house.access.keys(actor, grant.id)) == 2  # one was issued with the grant


def test_two_forms_sent_at_once_make_one_key_and_the_second_is_told(portal: Portal) -> None:
    grant, reader = portal.grant("gwen"), portal.visit("gwen")
    newest = re.findall(r'name="newest" value="(\w*)"', reader.get("/my").text)[0]
    form = {"newest": newest, "token": reader.token()}
    both = threading.Barrier(2)

    def send(_: int) -> int:
        both.wait()
        return reader.client.post(f"/my/grants/{grant.id}/keys", data=form).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send, range(2))) == [200, 409]


def test_what_was_agreed_to_says_whether_the_house_did_it_on_ones_behalf(portal: Portal) -> None:
    for name, on_behalf in (("kate", True), ("liam", False)):
        grant, reader, house = portal.grant(name), portal.visit(name), portal.house
        if on_behalf:
            with house.db.decide() as tx:
                house.agreements.accept_for_within(tx, house.people.operator(), grant.holder)
        else:
            shown = re.findall(r'name="hash" value="([\w:]+)"', reader.get("/my").text)[0]
            reader.post("/my/terms", {"hash": shown, "name": "A Reader"})
        text = reader.get("/my").text
        assert "What I have agreed to" in text
        assert ("Accepted on your behalf" in text) == on_behalf


def test_a_key_is_revoked_only_after_being_asked(portal: Portal) -> None:
    grant, reader = portal.grant("hana"), portal.visit("hana")
    link = re.findall(r'href="(/my/keys/\w+/revoke)"', reader.get("/my").text)[0]
    assert "Revoke the key rr_" in reader.get(link).text
    assert portal.visit("other").get(link).status_code == 404
    assert reader.post(link).status_code == 303
    assert link not in reader.get("/my").text
    assert grant.id in reader.get("/my").text


def test_changed_terms_are_compared_with_those_accepted_last(portal: Portal) -> None:
    portal.grant("iris")
    reader, house = portal.visit("iris"), portal.house
    operator = house.people.operator()
    for n in range(4):  # whatever their hashes, the last is the one that counts
        terms = house.agreements.publish(operator, f"always the same\nversion {n}\n", material=True, reason="clearer")
        reader.post("/my/terms", {"hash": terms.hash, "name": "A Reader"})
    house.agreements.publish(operator, "always the same\nversion new\n", material=True, reason="clearer")
    assert "version <del>3</del> <ins>new</ins>" in " ".join(html.unescape(reader.get("/my").text).split())


def test_a_newcomers_page_shows_the_way(portal: Portal) -> None:
    assert "How one becomes a reader" in portal.visit("newcomer").get("/my").text


def test_the_terms_are_read_as_prose_before_they_are_accepted(portal: Portal) -> None:
    portal.grant("jane")
    portal.house.agreements.publish(
        portal.house.people.operator(), "# Of <keys>\n\nYours *alone*.", material=True, reason="clearer"
    )
    assert "<h3>Of &lt;keys&gt;</h3>\n<p>Yours <em>alone</em>.</p>" in portal.visit("jane").get("/my").text
