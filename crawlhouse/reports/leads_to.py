"""Where a response leads by its Location or by a refresh."""

from __future__ import annotations

from schemas.capture import Capture
from schemas.page import WarcPointer
from schemas.web.media_type import read_media_type
from spiders.discover.links import page_links
from spiders.discover.refresh import read_refresh
from spiders.discover.response import REDIRECTS, redirect_location
from spiders.urls.canonical import resolve_link
from storage.index.rows import CaptureRow
from storage.objects.store import ObjectStore
from storage.warc.content_coding import CodingError, decode_content
from storage.warc.reader import read_record_at

MAX_PAGE_BYTES = 64 * 1024  # a page that is only a step to another one is small


def leads_to(row: CaptureRow, store: ObjectStore) -> str | None:
    """The URL to which a response leads at once; None for one that leads nowhere."""
    is_step = row.fetch_status == 200 and row.kind == "page" and (row.content_length or 0) <= MAX_PAGE_BYTES
    if row.fetch_status not in REDIRECTS and not is_step:
        return None
    pointer = WarcPointer(row.warc_filename, row.warc_record_offset, row.warc_record_length, row.content_digest)
    capture = read_record_at(store, pointer).capture
    return _refresh_target(capture) if is_step else resolve_link(capture.url, redirect_location(capture), strip_parameters=False)


def _refresh_target(capture: Capture) -> str | None:
    try:
        body = decode_content(capture.body, capture.joined_header("content-encoding"), 4 * MAX_PAGE_BYTES)
    except CodingError:
        body = b""
    page = page_links(body, read_media_type(capture.joined_header("content-type")).charset, "")
    base = resolve_link(capture.url, page.base or "") or capture.url
    for refresh in (read_refresh(capture.header("refresh")), read_refresh(page.refresh)):
        target = resolve_link(base, refresh.reference, strip_parameters=False) if refresh else None
        if refresh and target:
            return target if refresh.is_immediate else None
    return None
