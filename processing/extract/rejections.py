"""Why a record is not an article: decided by its status, headers, kind and bytes, or by the type of its page.

`processing.extract.reading` asks in this order while it reads a page.
"""

from __future__ import annotations

from schemas.article import PageType
from schemas.outcomes import Reason, Rejected
from schemas.web.content_range import is_part
from schemas.web.media_type import MediaType, read_media_type
from storage.warc.page_bytes import ends_as_whole_page, is_html
from storage.warc.reader import Record

REASON_OF_KIND = {"robots": Reason.ROBOTS_FILE, "feed": Reason.FEED, "sitemap": Reason.SITEMAP, "shell": Reason.RENDERED}
NOT_MODIFIED = 304


def rejection_reason(record: Record, kind: str) -> Reason | None:
    """Why a response cannot be an article, by its status, headers and kind; None where the text must be read."""
    status = record.capture.status
    if status == NOT_MODIFIED:
        return Reason.EMPTY_BODY
    if 300 <= status < 400:
        return Reason.REDIRECT
    if not 200 <= status < 300:
        return Reason.HTTP_ERROR
    if kind in REASON_OF_KIND:
        return REASON_OF_KIND[kind]
    if is_part(status, record.capture.header("content-range")):
        return Reason.TRUNCATED
    if not _declared_type(record).may_be_html:
        return Reason.TRUNCATED if record.capture.truncated else Reason.NOT_HTML
    return None


def _declared_type(record: Record) -> MediaType:
    return read_media_type(record.capture.joined_header("content-type") or record.mime_detected or "text/html")


def body_rejection(record: Record, body: bytes) -> Reason | None:
    """Why a decoded body cannot be an article. A transfer that broke off behind the end of a page lost nothing of it."""
    truncated = record.capture.truncated
    if truncated and (truncated == "length" or not ends_as_whole_page(body)):
        return Reason.TRUNCATED
    return None if not body or is_html(_declared_type(record), body) else Reason.NOT_HTML


def reason_detail(record: Record, reason: Reason) -> str:
    """One line that adds to the reason."""
    status, capture = record.capture.status, record.capture
    if reason is Reason.HTTP_ERROR:
        return f"HTTP status {status}"
    if reason is Reason.REDIRECT:
        return f"HTTP status {status}, to {capture.header('location') or 'no location'}"[:500]
    if reason is Reason.EMPTY_BODY:
        return "not modified: the body is in an earlier capture"
    if reason is Reason.TRUNCATED:
        return (
            f"only a part of the page: {capture.header('content-range')}"
            if is_part(status, capture.header("content-range"))
            else f"cut off by the crawler: {capture.truncated}"
        )
    if reason is Reason.NOT_HTML:
        return (capture.joined_header("content-type") or record.mime_detected or "")[:200]
    return ""


def rejected(record: Record, stage: str, reason: Reason, detail: str = "") -> Rejected:
    """The rejection of a record at a stage."""
    pointer = record.pointer
    return Rejected(record.capture.url, pointer.warc_filename, pointer.warc_record_offset, stage, reason, detail)


def reason_of(page_type: PageType) -> Reason:
    """Why a page of this type is rejected."""
    return Reason.OTHER_PAGE if page_type is PageType.OTHER else Reason(str(page_type))


def type_of(reason: Reason) -> str | None:
    """The page type behind a rejection, if that was the reason."""
    if reason is Reason.OTHER_PAGE:
        return str(PageType.OTHER)
    return str(reason) if str(reason) in set(PageType) else None
