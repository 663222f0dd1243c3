"""Read single stored pages in workers with limits, as extraction reads those of a segment.

What reads a page is imported only where it runs, in the worker: `crawlhouse show` would take a second longer to start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from processing.extract.page_tasks import ReadPage
from processing.workers.pool import Exceeded, Limits, run_limited
from schemas.config.crawl import Crawl, SiteRules
from schemas.outcomes import Reason, Rejected
from schemas.page import Hints
from storage.warc.reader import Record

NO_HINTS = Hints()
FIND_PROVENANCE = "processing.extract.limited_pages.find_provenance"  # what `provenance_limited` calls in a worker


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A record and the options of its crawl. `record` is None where the capture can no longer be read."""

    record: Record | None
    crawl: Crawl
    kind: str = "page"
    hints: Hints = NO_HINTS
    containers: tuple[str, ...] = ()

    @property
    def weight(self) -> int:
        """About how many bytes of memory the page takes."""
        return 0 if self.record is None else len(self.record.capture.body)


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A record for `crawlhouse show`, with its site rules and the row whose values are searched for on the page."""

    record: Record
    hints: Hints = NO_HINTS
    rules: SiteRules | None = None
    row: Mapping[str, object] | None = None


def read_limited(
    pages: Iterable[StoredPage], workers: int | None = None, limits: Limits | None = None
) -> Iterator[tuple[StoredPage, ReadPage | Rejected | None]]:
    """Each page with its article, or why there is none, in order; None where there is no record."""
    read, results = "processing.extract.limited_pages.read_stored", (ReadPage, Rejected)
    for page, found in run_limited(pages, read, workers, limits or Limits(), results):
        if isinstance(found, Exceeded) and page.record is not None:
            yield page, found.rejected(page.record.pointer, page.record.capture.url)
        else:
            yield page, None if isinstance(found, Exceeded) else found


def read_stored(page: StoredPage) -> ReadPage | Rejected | None:
    """The article of one page. Runs inside a page worker."""
    from processing.extract.reading import read_page

    return None if page.record is None else read_page(page.record, page.crawl, page.kind, page.hints, page.containers)


def provenance_limited(page: ShownPage, limits: Limits | None = None) -> dict[str, str] | str:
    """Where on the page the values of the row are from, by field, or a sentence that says why it cannot be read."""
    return _read_one(page, FIND_PROVENANCE, limits)


def html_limited(page: ShownPage, limits: Limits | None = None) -> dict[str, str] | str:
    """The decoded page under `html`, or a sentence that says why it cannot be decoded."""
    return _read_one(page, "processing.extract.limited_pages.decode_html", limits)


def markdown_limited(page: ShownPage, limits: Limits | None = None) -> dict[str, str] | str:
    """The page's main text as Markdown under `markdown`, or a sentence that says why it has none.

    Of the blocks of an article, those are written that the row's `text` has, if there is a row.
    """
    return _read_one(page, "processing.extract.page_markdown.page_markdown", limits)


def find_provenance(page: ShownPage) -> dict[str, str]:
    """The provenance by field, or `problem`. Runs inside a page worker."""
    from processing.article.provenance import read_provenance
    from processing.extract.reading import page_of

    found = page_of(page.record, "page", page.hints)
    return {"problem": "it is not an HTML page"} if isinstance(found, Rejected) else read_provenance(found, page.rules, page.row or {})


def decode_html(page: ShownPage) -> dict[str, str]:
    """The decoded page under `html`, or `problem`. Runs inside a page worker."""
    from processing.extract.decode import decode
    from processing.extract.reading import MAX_PAGE_BYTES
    from storage.warc.content_coding import CodingError, decode_content

    capture = page.record.capture
    try:
        body = decode_content(capture.body, capture.header("content-encoding"), MAX_PAGE_BYTES)
    except CodingError as error:
        return {"problem": f"the body cannot be decoded: {error}"}
    decoded = decode(body, capture.header("content-type"))
    return {"problem": f"the body is not text ({decoded})"} if isinstance(decoded, Reason) else {"html": decoded.html}


def _read_one(page: ShownPage, function: str, limits: Limits | None) -> dict[str, str] | str:
    ((_, found),) = run_limited([page], function, 1, limits or Limits())
    if isinstance(found, Exceeded):
        return (
            f"reading it exceeds the limits: {found.detail}"
            if found.reason is not Reason.PAGE_CRASH
            else f"it cannot be read: {found.detail}"
        )
    return str(found["problem"]) if "problem" in found else dict(found)
