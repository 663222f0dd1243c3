"""The documentation hangs together: every page is in the index, and every link leads to a file and a heading that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests import PROJECT

PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def links_of(page: Path) -> Iterator[tuple[str, Path, str]]:
    """Each link of a page to a file of the project: as it is written, the file, and the heading's anchor."""
    for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        if ":" not in link:
            path, _, anchor = link.partition("#")
            yield link, (page.parent / path).resolve() if path else page, anchor


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(FENCED.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere() -> None:
    links = [(page.name, *link) for page in PAGES for link in links_of(page)]
    assert len(links) > 100
    assert [(name, link) for name, link, path, _ in links if not path.exists()] == []
    assert [(name, link) for name, link, path, anchor in links if anchor and anchor not in anchors_of(path)] == []


def test_every_page_is_in_the_index() -> None:
    index = PROJECT / "docs" / "README.md"
    listed = {path for _, path, _ in links_of(index)}
    assert [page.name for page in (PROJECT / "docs").glob("*.md") if page != index and page not in listed] == []
