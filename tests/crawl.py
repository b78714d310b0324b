"""Every page that somebody can reach by links, in a real browser: found, not listed, so that none is forgotten."""

from __future__ import annotations

import html
import re
from collections import Counter
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from spoken import unspoken

WIDTHS = (1280, 360)
GRAVE = {"serious", "critical"}
LIKE = 3  # so many pages of one shape are looked at: the hundredth application's page has nothing new
_ID = re.compile(r"[a-z]+_[0-9a-z]{8,}|\d{2,}|[0-9a-f]{16,}")
_NO_PAGE = re.compile(
    r"^/(static|ledger|api|v1|metrics|healthz|sign-out)|\.(csv|json|ics|yaml|bib|pdf|txt)$|/file$|/dossier$|/export"
)


def links_of(text: str) -> list[str]:
    """Return the pages of ours that a page links to."""
    found = [html.unescape(each) for each in re.findall(r'<a [^>]*href="(/[^"]*)"', text)]
    return [each for each in found if not _NO_PAGE.search(urlsplit(each).path)]


def shape(path: str) -> str:
    """Return a path with its ids taken out."""
    return _ID.sub("*", path)


def pages_of(page: Page, start: str = "/") -> list[str]:
    """Return what can be reached from a page by links, a few of each shape, in the order in which it is found."""
    found, seen, shapes = [], {start}, Counter[str]()
    waiting = [start]
    while waiting:
        path = waiting.pop(0)
        shapes[shape(path)] += 1
        if shapes[shape(path)] > LIKE:
            continue
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path} is linked, and answers {answer.status}"
        found.append(path)
        links = page.locator("a[href]").evaluate_all("e => e.map(a => a.href)")
        here = urlsplit(page.url).netloc
        for each in map(urlsplit, links):
            goal = each.path + (f"?{each.query}" if each.query else "")
            if each.netloc == here and goal not in seen and not _NO_PAGE.search(each.path):
                seen.add(goal)
                waiting.append(goal)
    return found


def faults(page: Page, path: str) -> list[str]:
    """Return what is gravely wrong with a page for who cannot see, or holds a phone."""
    said = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            said.append(f"{path} at {width}: {wide} wide")
        said += [f"{path} at {width}: {each}" for each in grave(page)]
    if not path.startswith("/log"):  # the ledger is shown as it is
        said += [f"{path}: {each}" for each in unspoken(page.content()) if "/my/data" not in path]
    return said


def grave(page: Page) -> list[str]:
    """Return the serious faults that axe-core finds in a page as it stands."""
    said = []
    for each in Axe().run(page).response["violations"]:
        if each["impact"] in GRAVE:
            where = "; ".join(str(node["html"])[:120] for node in each["nodes"][:3])
            said.append(f"{each['id']} ({each['impact']}): {where}")
    return said
