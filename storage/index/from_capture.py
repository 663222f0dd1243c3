"""Makes the row of the capture index from a capture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin

from schemas.capture import Capture
from schemas.page import WarcPointer
from schemas.web.ai_preferences import header_preferences
from storage.index.rows import CaptureRow
from storage.urls.post_query import post_query, with_post_query
from storage.urls.surt import registered_domain, split_url, surt_key

_MIME_END = re.compile(r"[;\s]")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s\"';,]+)", re.IGNORECASE)
_REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Payload:
    """What a row says about the body: its length in bytes as received, and its media type by its first bytes."""

    length: int
    mime_detected: str | None


@dataclass(frozen=True, slots=True)
class CrawlLabel:
    """The crawl and the crawl run that a segment belongs to."""

    crawl: str
    crawl_run: str


def capture_row(
    capture: Capture, record_type: str, pointer: WarcPointer, payload: Payload, label: CrawlLabel, refers_to: tuple[str, int] | None = None
) -> CaptureRow:
    """The row of a record; `refers_to` is the object key and offset of the capture that a revisit refers to."""
    parts = split_url(capture.url)
    is_get = capture.method == "GET"
    query = None if is_get else post_query(_request_type(capture), capture.request_body)
    content_type = capture.header("content-type")
    filename, offset = refers_to or (None, None)
    preferences = header_preferences(capture.response_headers).combined(capture.preferences)
    return CaptureRow(
        url_surtkey=surt_key(capture.url if query is None else with_post_query(capture.url, capture.method, query)),
        url=capture.url,
        url_host_name=parts.host,
        url_host_registered_domain=registered_domain(parts.host),
        url_protocol=parts.protocol,
        url_port=parts.port,
        url_path=parts.path,
        url_query=parts.query,
        fetch_time=capture.fetched_at,
        fetch_status=capture.status,
        fetch_redirect=_redirect(capture),
        content_digest=pointer.content_digest,
        content_mime_type=None if content_type is None else _MIME_END.split(content_type, maxsplit=1)[0],
        content_mime_detected=payload.mime_detected,
        content_charset=_charset(content_type),
        content_languages=None,
        content_truncated=capture.truncated,
        warc_filename=pointer.warc_filename,
        warc_record_offset=pointer.warc_record_offset,
        warc_record_length=pointer.warc_record_length,
        record_type=record_type,
        crawl=label.crawl,
        crawl_run=label.crawl_run,
        kind=str(capture.kind),
        ip_address=capture.ip_address,
        content_length=payload.length,
        latency_ms=capture.latency_ms,
        via=capture.via,
        depth=capture.depth,
        hint_title=capture.hints.title,
        hint_published_at=capture.hints.published_at,
        hint_source=capture.hints.source,
        refers_to_filename=filename,
        refers_to_offset=offset,
        request_method=None if is_get else capture.method,
        request_body=query,
        content_usage=preferences.usage,
        content_signal=preferences.signal,
    )


def _request_type(capture: Capture) -> str:
    """The Content-Type of the request, or an empty text."""
    return next((value.decode("latin-1") for name, value in capture.request_headers if name.lower() == b"content-type"), "")


def _charset(content_type: str | None) -> str | None:
    found = _CHARSET.search(content_type or "")
    return found.group(1).lower() if found else None


def _redirect(capture: Capture) -> str | None:
    """The absolute target of a redirect; None if there is none, or if it is not a URL."""
    location = capture.header("location") if capture.status in _REDIRECTS else None
    if not location:
        return None
    try:
        return urljoin(capture.url, location)
    except ValueError:
        return None
