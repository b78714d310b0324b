"""What is asked of classifiers, and what counts as their answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.engines.classifier import (
    Classifier,
    NoVerdict,
    Said,
    Style,
    address_problem,
    key_problem,
    question,
    verdict,
)

CHAT = Classifier("http://127.0.0.1:9100/v1", "guard", Style.CHAT)
MODERATIONS = Classifier("http://127.0.0.1:9100/v1", "guard", Style.MODERATIONS)


def chat(content: Any, **more: Any) -> bytes:
    return json.dumps({"choices": [{"message": {"content": content}}], **more}).encode()


def result(**changes: Any) -> dict[str, Any]:
    return {"flagged": False, "categories": {"a": False}, "category_scores": {"a": 0.25}, **changes}


def moderation(*results: Any) -> bytes:
    return json.dumps({"results": list(results)}).encode()


def test_a_chat_classifier_is_shown_the_request_with_the_answer_and_a_prompt_of_ones_own_the_text_alone() -> None:
    assert question(CHAT, "t")[1]["messages"] == [{"role": "user", "content": "t"}]
    assert question(CHAT, "t", "asked")[1]["messages"] == [
        {"role": "user", "content": "asked"},
        {"role": "assistant", "content": "t"},
    ]
    own = Classifier("u", "m", Style.CHAT, prompt="Is <{text}> bad?")
    assert question(own, "{text}", "asked")[1]["messages"] == [{"role": "user", "content": "Is <{text}> bad?"}]
    assert question(MODERATIONS, "t", "asked") == ("moderations", {"model": "guard", "input": "t"})


@pytest.mark.parametrize(
    ("classifier", "content", "said"),
    [
        (CHAT, "safe", Said(match=False)),
        (CHAT, "\n\nsafe \n", Said(match=False)),
        (CHAT, "unsafe", Said(match=True)),
        (CHAT, "unsafe\nS1,S10", Said(True, ("S1", "S10"))),
        (CHAT, "unsafe\nS1, <script>", Said(True, ("S1",))),
        (Classifier("u", "m", Style.CHAT, labels=("S2",)), "unsafe\nS1", Said(match=False)),
        (Classifier("u", "m", Style.CHAT, labels=("S2",)), "unsafe\nS1,S2", Said(True, ("S2",))),
        (Classifier("u", "m", Style.CHAT, labels=("S2",)), "unsafe", Said(match=True)),
        (Classifier("u", "m", Style.CHAT, safe="No", unsafe="Yes"), "Yes", Said(match=True)),
        (Classifier("u", "m", Style.CHAT, safe="No", unsafe="Yes"), "No", Said(match=False)),
    ],
)
def test_a_chat_classifiers_word_is_its_verdict(classifier: Classifier, content: str, said: Said) -> None:
    assert verdict(classifier, chat(content)) == said


@pytest.mark.parametrize(
    "content",
    [
        "",
        " ",
        "safe.",
        "Safe",
        "safe\nS1",
        "safe and sound",
        "unsafe S1",
        "unsafe\nS1\nS2",
        "I cannot say",
        None,
        1,
        [],
    ],
)
def test_any_other_word_is_none(content: Any) -> None:
    with pytest.raises(NoVerdict, match="malformed"):
        verdict(CHAT, chat(content))


@pytest.mark.parametrize(
    ("classifier", "answer", "match"),
    [
        (MODERATIONS, result(), False),
        (MODERATIONS, result(flagged=True), True),
        (MODERATIONS, result(categories={"a": True}), True),
        (Classifier("u", "m", Style.MODERATIONS, labels=("a",)), result(flagged=True), False),
        (Classifier("u", "m", Style.MODERATIONS, labels=("a",)), result(categories={"a": True}), True),
        (Classifier("u", "m", Style.MODERATIONS, threshold=0.25), result(), True),
        (Classifier("u", "m", Style.MODERATIONS, threshold=0.26), result(flagged=True), False),
    ],
)
def test_moderations_go_by_flags_or_by_scores(classifier: Classifier, answer: Any, *, match: bool) -> None:
    assert verdict(classifier, moderation(answer)).match == match


@pytest.mark.parametrize(
    "answer",
    [
        moderation(),
        moderation(result(), result()),  # of two texts, where one was sent
        moderation(result(flagged=0)),
        moderation(result(categories={"a": "false"})),
        moderation(result(categories=None)),
        moderation({"flagged": False}),
        b'{"results": {"flagged": false}}',
        b'{"error": "no"}',
        b"[]",
        b"",
        b"null",
        b"<html>",
        b"\xff",
        b"[" * 60_000,
    ],
)
def test_moderations_of_another_form_are_none(answer: bytes) -> None:
    with pytest.raises(NoVerdict, match="malformed"):
        verdict(MODERATIONS, answer)


@pytest.mark.parametrize("score", [True, "0.1", None, 1.5, -0.1, [0.1]])
def test_a_score_that_is_none_is_no_verdict(score: Any) -> None:
    scored = Classifier("u", "m", Style.MODERATIONS, threshold=0.5)
    for answer in (moderation(result(category_scores={"a": score})), moderation(result(category_scores={}))):
        with pytest.raises(NoVerdict):
            verdict(scored, answer)


def test_a_label_that_the_classifier_does_not_have_is_no_verdict_rather_than_a_rule_that_never_matches() -> None:
    mistyped = Classifier("u", "m", Style.MODERATIONS, labels=("vilence",))
    with pytest.raises(NoVerdict):
        verdict(mistyped, moderation(result()))


@given(st.binary(max_size=200) | st.text().map(lambda t: json.dumps({"choices": [{"message": t}]}).encode()))
def test_whatever_comes_is_a_verdict_or_none(body: bytes) -> None:
    for classifier in (CHAT, MODERATIONS):
        with pytest.raises(NoVerdict):
            verdict(classifier, body)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("127.0.0.1:9100", "no http or https"),
        ("file:///etc/passwd", "no http or https"),
        ("http://", "no http or https"),
        ("https://host:99999/v1", "no http or https"),
        ("https://ho st/v1", "no http or https"),
        ("https://user:word@host/v1", "password"),
        ("https://host/v1?key=1", "query"),
        ("https://host/v1#x", "query"),
        ("http://moderation.example/v1", "in the clear"),
        ("http://10.0.0.7/v1", "in the clear"),
        ("https://169.254.169.254/v1", "not the address"),
        ("http://0.0.0.0:9100/v1", "not the address"),
        ("https://[fe80::1]/v1", "not the address"),
    ],
)
def test_an_address_that_texts_should_not_go_to_is_refused(url: str, says: str) -> None:
    problem = address_problem(url)
    assert problem
    assert says in problem[0]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9100/v1", "http://localhost/v1", "http://[::1]:1/v1", "https://m.example"]
)
def test_this_machine_may_be_asked_in_the_clear_and_others_over_tls(url: str) -> None:
    assert address_problem(url) is None


def test_a_rule_may_name_no_other_secret_than_a_screens_key() -> None:
    assert key_problem("READINGROOM_SCREEN_GUARD") is None
    for name in ("READINGROOM_ENGINE_KEY", "AWS_SECRET_ACCESS_KEY", "READINGROOM_SCREEN_", "readingroom_screen_x"):
        assert key_problem(name)
