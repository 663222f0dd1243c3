"""A golden page: a stored page of a site, next to the crawl's file, and what extraction must read from it.

`crawls/<crawl>.golden/<case>/` holds `page.html`, bytes in any charset, and `expected.json`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.article import BlockKind
from schemas.outcomes import Reason

PAGE_FILE, EXPECTED_FILE = "page.html", "expected.json"


class Expected(BaseModel):
    """`expected.json`: where the page is from, and the expected fields. All fields that are given are compared, null included.

    `content_type` is the response's header. `fetched_at` is when the page was fetched: no date may be later. `why` is for people.
    `reason` is for a page that is not an article. `blocks` are pairs of kind and text, `text` is the plain text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+")]
    why: str = ""
    content_type: str = "text/html"
    fetched_at: AwareDatetime | None = None

    reason: Reason | None = None
    title: str | None = None
    description: str | None = None
    authors: tuple[str, ...] = ()
    published_at: AwareDatetime | None = None
    modified_at: AwareDatetime | None = None
    language_declared: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    site_name: str | None = None
    canonical_url: str | None = None
    lead_image: str | None = None
    paywalled: bool | None = None
    form: str = "article"
    extraction_path: str = "container"
    charset: str | None = None
    charset_source: str | None = None
    blocks: tuple[tuple[BlockKind, str], ...] = ()
    text: str = ""

    def compared(self) -> list[str]:
        """The names of the fields that are compared."""
        about_the_page = {"url", "why", "content_type", "fetched_at"}
        return [name for name in type(self).model_fields if name in self.model_fields_set - about_the_page]


def golden_folder(crawls: Path, crawl: str) -> Path:
    """The folder of a crawl's golden pages. It has one folder per page, and is missing if there are none."""
    return crawls / f"{crawl}.golden"
