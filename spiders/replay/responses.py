"""The stored responses of a segment for which a crawl calls callbacks, in their order, each with the request that its URL has now."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from schemas.capture import Capture, UrlKind
from schemas.errors import StorageError
from schemas.keys import index_key_of
from schemas.manifest import Segment
from schemas.outcomes import Rejected
from schemas.page import WarcPointer
from storage.frontier.records import DueUrl
from storage.index.rows import CaptureRow, read_index
from storage.objects.store import ObjectStore
from storage.urls.host_key import url_digest
from storage.urls.request_body import body_fields, read_request_body
from storage.warc.reader import Record, read_record_at, read_records

NO_CALLBACK = frozenset({UrlKind.ROBOTS, UrlKind.UNRENDERED})
TRIED_AGAIN = frozenset({429, *range(500, 600)})  # a crawl asks again, and calls no callback, unless it was the last try

Requests = Mapping[bytes, str | None]


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response with its row of the capture index; `due` is its URL as a crawl would fetch it."""

    row: CaptureRow
    capture: Capture
    due: DueUrl


def read_responses(
    segment: Segment,
    store: ObjectStore,
    offsets: Collection[int] | None,
    tried_again: Collection[tuple[str, int]],
    requests: Requests,
    limit: int,
) -> Iterator[StoredResponse]:
    """The responses of a segment, or those at `offsets`. `tried_again` are records after which the same URL was requested again.

    `requests` are those that the frontier has, by the URL's digest. Bodies are cut at `limit` bytes. Damaged records are left out. Raises
    StorageError.
    """
    rows = {row.warc_record_offset: row for row in read_index(store.get_bytes(segment.index_key))}
    with store.open(segment.warc_key) as stream:
        for record in read_records(stream, segment.warc_key, limit):
            if isinstance(record, Rejected):
                continue
            row = rows.get(record.pointer.warc_record_offset)
            if row is None or row.kind in NO_CALLBACK or (offsets is not None and row.warc_record_offset not in offsets):
                continue
            if (segment.warc_key, row.warc_record_offset) in tried_again:
                continue
            capture = _whole(record, row, store, limit)
            if capture is not None:
                yield StoredResponse(row, capture, _due(row, capture, requests))


def requested_again(segments: Collection[Segment], store: ObjectStore) -> set[tuple[str, int]]:
    """The records of responses after which the crawl run requested the same URL again."""
    found: set[tuple[str, int]] = set()
    rows = (row for segment in segments for row in read_index(store.get_bytes(segment.index_key)))
    ordered = sorted(rows, key=lambda row: (row.url, row.request_body or "", row.fetch_time))
    for row, following in pairwise(ordered):
        is_same = (row.url, row.request_body) == (following.url, following.request_body)
        if is_same and row.fetch_status in TRIED_AGAIN:
            found.add((row.warc_filename, row.warc_record_offset))
    return found


def digest_of(crawl: str, url: str, method: str, body: bytes) -> bytes:
    """The digest under which the frontier has a URL."""
    return url_digest(crawl, url, None if method == "GET" else _as_text(method, body))


def _whole(record: Record, row: CaptureRow, store: ObjectStore, limit: int) -> Capture | None:
    """The capture with its body. That of a revisit record is at the capture to which it refers; None if that is gone."""
    if row.record_type != "revisit" or row.refers_to_filename is None or row.refers_to_offset is None:
        return record.capture
    try:
        pointer = _pointer(row.refers_to_filename, row.refers_to_offset, store)
        earlier = read_record_at(store, pointer, limit).capture
    except StorageError:
        return None
    return replace(record.capture, body=earlier.body, truncated=earlier.truncated)


def _pointer(name: str, offset: int, store: ObjectStore) -> WarcPointer:
    for row in read_index(store.get_bytes(index_key_of(name))):
        if row.warc_record_offset == offset:
            return row.pointer
    raise StorageError(f"{name} has no record at offset {offset}.")


def _due(row: CaptureRow, capture: Capture, requests: Requests) -> DueUrl:
    request = requests.get(digest_of(row.crawl, row.url, capture.method, capture.request_body))
    if capture.method != "GET" and read_request_body(request) is None:
        request = _as_text(capture.method, capture.request_body)
    return DueUrl(
        url_id=0,
        host_id=0,
        url=row.url,
        kind=UrlKind(row.kind),
        via=row.via,
        depth=row.depth or 0,
        redirects=0,
        priority=0,
        first_seen=0.0,
        revisit=None,
        fails=0,
        etag=None,
        last_modified=None,
        earlier=None,
        hints=row.hints,
        request=request,
    )


def _as_text(method: str, body: bytes) -> str:
    return json.dumps(body_fields(method, body))
