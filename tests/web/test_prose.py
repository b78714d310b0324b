"""The terms are shown as prose, and bring no markup of their own."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as some

from readingroom.app.founding import template
from readingroom.web.prose import prose
from readingroom.web.words import coded

OURS = re.compile(r"</?(?:h[3-6]|p|ul|li|strong|em)>|<br>")


def test_headings_lists_emphasis_and_paragraphs_are_shown_as_such() -> None:
    text = "# Terms\n\n## 1 You\n1.1 You *may* read.\n**Never** share.\n\n- a key\n- a copy\n"
    assert str(prose(text)).split("\n") == [
        "<h3>Terms</h3>",
        "<h4>1 You</h4>",
        "<p>1.1 You <em>may</em> read.<br><strong>Never</strong> share.</p>",
        "<ul><li>a key</li><li>a copy</li></ul>",
    ]


def test_the_shipped_terms_leave_no_mark_of_markdown() -> None:
    shown = OURS.sub("", str(prose(template("terms.md"))))
    assert "*" not in shown
    assert "#" not in shown.replace("&#39;", "")


@given(some.text(alphabet=some.sampled_from(list("<>&\"'*#-/ \na=x")), max_size=60))
def test_no_text_brings_a_tag_of_its_own(text: str) -> None:
    left = OURS.sub("", str(prose(text)))
    assert "<" not in left
    assert ">" not in left


def test_a_command_in_a_sentence_is_shown_as_code_and_brings_no_tag() -> None:
    assert coded("Run `doctor --json <b>`; not `this") == "Run <code>doctor --json &lt;b&gt;</code>; not `this"
