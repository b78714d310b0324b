"""Writing a call in the browser: started, kept at each button, mended beside its fields, previewed, opened."""

from __future__ import annotations

import html
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from portal import Portal, Visit
from readingroom.admissions.call_file import filled
from readingroom.core.canonical import sha256
from readingroom.web.call_form import Form

POISON = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def started(visit: Visit, kind: str = "competition") -> str:
    """Start a draft from an example and return its address."""
    return visit.post("/desk/calls/new", {"do": f"template {kind}"}).headers["location"]


def typed(page: str) -> dict[str, str]:
    """Return what a browser would send of the form of a draft, if nothing in it were changed."""
    form = page[page.index('class="writing"') : page.index("</form>", page.index('class="writing"'))]
    sent: dict[str, str] = {}
    for tag, inside in re.findall(r"<(input|textarea|select)\b([^>]*)>", form):
        name = re.search(r'\bname="([^"]*)"', inside)
        value = re.search(r'\bvalue="([^"]*)"', inside)
        if name is None or ("checkbox" in inside and " checked" not in inside):
            continue
        if tag == "textarea":
            value = re.search(rf'name="{re.escape(name[1])}"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL)
        elif tag == "select":
            body = form.split(f'<select id="{name[1]}"')[1].split("</select>")[0]
            value = re.search(r'<option value="([^"]*)" selected', body) or re.search(r'<option value="([^"]*)"', body)
        sent[html.unescape(name[1])] = html.unescape(value[1]) if value else ""
    return sent


def text_of(visit: Visit, at: str) -> str:
    return visit.get(f"{at}/call.yaml").text


def test_a_form_that_is_sent_as_it_was_shown_changes_nothing(portal: Portal) -> None:
    steward = portal.visit("steward")
    for kind in ("ticket", "competition", "bulk"):
        at = started(steward, kind)
        before = text_of(steward, at)
        assert steward.post(at, typed(steward.get(at).text)).headers["location"] == at
        assert text_of(steward, at) == before
        assert "It can be opened." in steward.get(at).text


def test_a_call_is_written_mended_previewed_and_opened(portal: Portal) -> None:
    steward, size = portal.visit("steward"), portal.size()
    at = started(steward)
    form = typed(steward.get(at).text)
    wrong = form | {"title": "", "budget.passes": "many", "do": "preview"}
    mend = steward.post(at, wrong).headers["location"]
    assert mend == f"{at}?mend=true"
    shown = steward.get(mend).text
    assert '<a href="#title">Title</a>: This is not filled in yet.' in shown
    assert '<a href="#budget.passes">Budget, Passes</a>: This must be a whole number, 1 or more.' in shown
    assert 'id="budget.passes-1"' in shown
    assert 'value="many" aria-invalid="true" aria-describedby=" budget.passes-1"' in shown
    assert steward.get(f"{at}/preview").status_code == 303
    form = typed(shown) | {"title": "Reading in winter", "budget.passes": "2,000,000", "do": "preview"}
    assert steward.post(at, form).headers["location"] == f"{at}/preview"
    preview = steward.get(f"{at}/preview?applicants=40&seed=7").text
    for part in ("of 40 funded", "What applicants will see", "What will leave your machine?", "reviews", "With other"):
        assert part in preview
    assert portal.size() == size
    text, (revision,) = text_of(steward, at), re.findall(r'name="revision" value="(\d+)"', preview)
    assert steward.post(f"{at}/open", {"revision": "0"}).headers["location"] == f"{at}/preview"
    call = steward.post(f"{at}/open", {"revision": revision}).headers["location"].rpartition("/")[2]
    assert portal.house.admissions.call(call).digest == sha256(text.encode())
    assert portal.house.admissions.call(call).file.budget.passes == 2_000_000
    assert portal.size() > size
    assert steward.get(at).status_code == 404
    again = steward.post("/desk/calls/new", {"do": "call", "call": call}).headers["location"]
    assert text_of(steward, again) == text


def test_questions_are_added_moved_and_removed_without_a_script(portal: Portal) -> None:
    steward = portal.visit("steward")
    at = started(steward)
    form = typed(steward.get(at).text)
    to = steward.post(at, form | {"title": "Kept beside", "do": "add form"}).headers["location"]
    assert to == f"{at}?at=form.6#form.6"
    shown = steward.get(to).text
    assert '<details class="entry" id="form.6" open>' in shown
    form = typed(shown) | {"form.6.label": "Are you a student?", "form.6.name": "student", "form.6.type": "yes-no"}
    assert form["title"] == "Kept beside"
    assert form["form.6.required"] == "yes"
    steward.post(at, form | {"do": "up form.6"})
    shown = steward.get(at).text
    assert shown.index("Are you a student?") < shown.index("Where will it run?")
    steward.post(at, typed(shown) | {"do": "remove form.0"})
    assert "this is not filled" not in steward.get(at).text
    shown = steward.get(f"{at}?mend=true").text
    assert "The form does not ask &#39;purpose&#39;, as every call must" in shown
    assert "{name:" not in shown


def test_of_two_who_write_at_once_neither_loses_a_word(portal: Portal) -> None:
    steward = portal.visit("steward")
    at = started(steward)
    mine = typed(steward.get(at).text)
    steward.post(at, mine | {"title": "The first"})
    copy = steward.post(at, mine | {"title": "The second"}).headers["location"]
    assert not copy.startswith(at)
    assert "Somebody changed the draft while you wrote." in steward.get(copy).text
    assert "title: The first" in text_of(steward, at)
    assert "title: The second" in text_of(steward, copy.partition("?")[0])
    both = steward.get("/desk/calls/new").text
    assert "The first</a>" in both
    assert "The second</a>" in both
    steward.post(f"{at}/drop")
    assert steward.get(at).status_code == 404
    late = steward.post(at, mine | {"title": "After it was thrown away"}).headers["location"]
    assert "title: After it was thrown away" in text_of(steward, late.partition("?")[0])


def test_a_file_is_taken_or_told_by_line_what_the_form_has_no_room_for(portal: Portal) -> None:
    steward = portal.visit("steward")
    given = {"token": steward.token(), "do": "file"}
    for raw, said in (
        (b"title: Mine\nno such: line\n", "call.yaml:2:1"),
        (b"\xff\xfe", "UTF-8"),
        (b"a: [", "not YAML"),
    ):
        answer = steward.client.post("/desk/calls/new", data=given, files={"file": ("x.yaml", raw)})
        assert answer.status_code == 400
        assert said in answer.text
    answer = steward.client.post("/desk/calls/new", data=given, files={"file": ("x.yaml", b"title: Mine")})
    assert 'value="Mine"' in answer.text
    pasted = steward.post("/desk/calls/new", {"do": "file", "text": "surprise: <b>1</b>\n"})
    assert "surprise: &lt;b&gt;1&lt;/b&gt;" in pasted.text.split("<textarea")[1]
    assert steward.post("/desk/calls/new", {"do": "template x"}).status_code == 400
    assert steward.post("/desk/calls/new", {"do": "call", "call": "x"}).status_code == 400


def test_nothing_typed_into_a_call_becomes_markup_and_no_field_of_ones_own_is_taken(portal: Portal) -> None:
    steward = portal.visit("steward")
    at = started(steward)
    form = {name: POISON for name in typed(steward.get(at).text) if name not in {"revision", "token"}}
    form |= {"revision": "0", f"tiers.{POISON}": "0", f"form.{POISON}.name": "x", "surprise": "x", "id": "draft_x"}
    assert steward.post(at, form).headers["location"] == at
    for path in (at, f"{at}?mend=true", f"{at}?at={POISON}", "/desk/calls/new", f"{at}/drop"):
        shown = steward.get(path).text
        assert "<script" not in shown
        assert "<img" not in shown
    assert "surprise" not in text_of(steward, at)
    answer = steward.get(f"{at}/call.yaml")
    assert answer.headers["content-disposition"] == 'attachment; filename="call.yaml"'
    assert answer.headers["content-type"].startswith("text/yaml")


def test_a_form_without_measure_is_refused_and_not_kept(portal: Portal) -> None:
    steward = portal.visit("steward")
    at = started(steward)
    before = text_of(steward, at)
    for huge in ({f"form.{n}.name": "x" for n in range(5_000)}, {"purpose": "x" * 300_000}):
        assert steward.post(at, {"revision": "0", **huge}).status_code == 400
    assert text_of(steward, at) == before


PATHS = (
    "title", "stage", "form.0.name", "form.1.type", "rounds.3.passes", "draw.source", "allocation.policy", "tiers.x",
    "award.tiers.0.key", "review.phases.panel",
)  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(st.dictionaries(st.sampled_from(PATHS), st.text(max_size=9)), st.text(max_size=9))
def test_every_form_can_be_shown(values: dict[str, str], at: str) -> None:
    sections = Form(filled.read(filled.write(values)).values, at=at).sections()
    assert len(sections) > 5
