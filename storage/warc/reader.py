"""Reads any WARC file, compressed or not, whole or damaged, one record at a time.

On the main path, the segments of a manifest come before, and `processing.extract.extraction` takes the records.
"""

from __future__ import annotations

import email.utils
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import BinaryIO

from schemas.capture import Capture, HeaderList, UrlKind
from schemas.errors import CrawlhouseError, StorageError
from schemas.keys import crawl_run_of
from schemas.numbers import read_number
from schemas.outcomes import Reason, Rejected
from schemas.page import Hints, WarcPointer
from schemas.web.ai_preferences import AiPreferences
from schemas.web.list_dates import read_date
from schemas.web.media_type import read_media_type
from storage.objects.store import ObjectStore
from storage.warc import records as warc
from storage.warc.http_block import HEAD_END, STATUS_LINE, dechunked, final_response, header_lines, restored_headers
from storage.warc.page_bytes import ends_as_whole_page, is_html
from storage.warc.removed_segments import read_removed
from storage.warc.single_record import SingleRecord, decoded_member
from storage.warc.stream import DamagedError, RecordStream

MAX_BODY_BYTES = 32 * 1024 * 1024  # of a response; the rest is cut
MAX_CONTEXT_BYTES = 256 * 1024  # of a request or metadata record; larger ones are not read
MAX_HTTP_HEAD_BYTES = 1024 * 1024
MAX_LABELS = 100  # of records that are left out: a hostile file may name many types
CONTEXT_KINDS = frozenset({"request", "metadata", "warcinfo"})
# Records that hold a document without an HTTP head. Some tools write a response so, with the type of its document
DOCUMENTS = frozenset({"resource", "conversion", "response"})
YEARS = range(1990, 2100)  # of the web; other dates were not set
ARC = b"filedesc://"  # the first record of a file in the format before WARC
NO_RECORD = "the segment has no such record"
MAX_DEPTH, MAX_LATENCY_MS = 2**15 - 1, 2**31 - 1  # what the columns hold


Fields = dict[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """A response, revisit, resource or conversion record as a capture. A conversion is a page that a browser rendered.

    A resource is a page that was stored without its HTTP exchange. A revisit has no body. `content_length` and
    `mime_detected` are those of the received body, None if the file does not have them.
    `refers_to_*` are fields of a revisit. A length of 0 in the pointer means that the record cannot be read alone.
    Not `is_dated`: the file has no date that can be read, and `fetched_at` is the server's Date, or now.
    """

    capture: Capture
    record_type: str
    pointer: WarcPointer
    content_length: int | None = None
    mime_detected: str | None = None
    refers_to_url: str | None = None
    refers_to_date: datetime | None = None
    refers_to_filename: str | None = None
    refers_to_offset: int | None = None
    is_dated: bool = True


@dataclass(slots=True)
class Context:
    """What the records before a response say about it, and the fields of the file's warcinfo record, of its head and its block."""

    request_url: str = ""
    method: str = "GET"
    request_headers: HeaderList = ()
    request_body: bytes = b""
    response_id: str = ""
    metadata: Fields | None = None
    warcinfo: Fields | None = None

    def add(self, kind: str, fields: Fields, block: bytes) -> None:
        """Take in a warcinfo, metadata or request record."""
        if kind == "metadata":
            self.response_id = fields.get("warc-concurrent-to", "")
            self.metadata = parse_fields(block)
            return
        if kind == "warcinfo":
            self.warcinfo = fields | parse_fields(block)
            return
        line, _, rest = block.partition(b"\n")
        self.request_url = _url(fields)
        self.method = line.split(b" ", 1)[0].decode("latin-1") or "GET"
        head, *body = HEAD_END.split(rest, maxsplit=1)
        self.request_headers, self.request_body = header_lines(head), b"".join(body)


def read_records(
    stream: BinaryIO, warc_filename: str, max_body_bytes: int = MAX_BODY_BYTES, passed_over: Counter[str] | None = None
) -> Iterator[Record | Rejected]:
    """The responses, revisits, HTML resources and rendered pages of a WARC file, in order.

    A damaged record comes as Rejected, and reading goes on.

    A body of more than `max_body_bytes` is cut there, and the capture is `truncated` for `length`. Records that are not an HTTP exchange
    (dns) are skipped, and counted in `passed_over` by their kind and type. The stream is read forward; only after damage it is read again
    from an earlier place, if it can seek. Raises OSError and StorageError.
    """
    records = RecordStream(stream)
    context = Context()
    while True:
        try:
            if not records.begin():
                return
            found = read_record(records, warc_filename, context, max_body_bytes, passed_over)
        except DamagedError as error:
            found = _damaged(warc_filename, error)
        except (CrawlhouseError, OSError):
            raise
        except Exception as error:  # the only place that catches unforeseen errors: only the record is lost, not the file
            found = _damaged(warc_filename, DamagedError(records.offset, f"it cannot be read ({type(error).__name__}: {error})"[:300]))
        if found is not None:
            yield found
        if not records.resume():
            return


def read_record_at(store: ObjectStore, pointer: WarcPointer, max_body_bytes: int = MAX_BODY_BYTES) -> Record:
    """The record at a pointer, without its request and metadata, which come before it in the file.

    Raises StorageError if there is no such record.
    """
    try:
        data = store.read_range(pointer.warc_filename, pointer.warc_record_offset, pointer.warc_record_length)
    except StorageError as error:
        if read_removed(store).covers(crawl_run_of(pointer.warc_filename)):
            raise StorageError(f"{pointer.warc_filename} was removed: its crawl keeps segments for a time only (retention).") from error
        raise
    found = record_in(data, pointer.warc_filename, max_body_bytes)
    if isinstance(found, Record):
        at = WarcPointer(pointer.warc_filename, pointer.warc_record_offset, len(data), found.pointer.content_digest)
        return replace(found, pointer=at)
    raise StorageError(
        f"{pointer.warc_filename} has no whole record at offset {pointer.warc_record_offset}. The object was replaced or is damaged: "
        "fetch the page again."
    )


def record_in(data: bytes, warc_filename: str, max_body_bytes: int = MAX_BODY_BYTES) -> Record | str:
    """The record that a part of a WARC file has, or why it has none. The record's offset is that in the part."""
    single = _single_record(data, warc_filename, max_body_bytes)
    if single is not None:
        return single
    for found in read_records(io.BytesIO(data), warc_filename, max_body_bytes):
        return found.detail if isinstance(found, Rejected) else found
    return NO_RECORD


def _single_record(data: bytes, warc_filename: str, max_body_bytes: int) -> Record | None:
    """The record of bytes that are one whole gzip member with one whole record, as nearly all are; None of any other bytes."""
    try:
        decoded = decoded_member(data, max_body_bytes + MAX_CONTEXT_BYTES)
        found = None if decoded is None else read_record(SingleRecord(decoded, len(data)), warc_filename, Context(), max_body_bytes)
    except Exception:  # `read_records` says what is wrong
        return None
    return found if isinstance(found, Record) else None


def read_record(
    records: RecordStream | SingleRecord, warc_filename: str, context: Context, max_body_bytes: int, passed_over: Counter[str] | None = None
) -> Record | Rejected | None:
    """Read one record. A response, revisit, resource or rendered page is returned; a request or metadata record goes into the context."""
    fields, length = _warc_head(records)
    kind = fields.get("warc-type", "").lower()
    is_web = _url(fields).startswith("http")
    has_exchange = (kind == "response" and _is_http(fields)) or (kind == "revisit" and (_is_http(fields) or is_web))
    if has_exchange or (kind in DOCUMENTS and is_web and (kind == "response" or _may_be_html(fields))):
        block = records.read(min(length, max_body_bytes + MAX_CONTEXT_BYTES))
        records.skip(length - len(block))
        size = records.end(block if len(block) == length else None)
        pointer = WarcPointer(warc_filename, records.offset, size, fields.get("warc-payload-digest", ""))
        if kind == "revisit" and not block.strip(b"\r\n"):
            block = b"HTTP/1.1 304\r\n\r\n" if "not-modified" in fields.get("warc-profile", "") else b"HTTP/1.1 200\r\n\r\n"
            length = len(block)
        elif kind != "revisit" and not (kind == "response" and STATUS_LINE.match(block)) and not _has_http_type(fields):
            if not is_html(read_media_type(fields.get("content-type")), block):
                _count(passed_over, kind, fields)
                return None
            block = _with_http_head(fields, block)
            length += len(_with_http_head(fields, b""))
        return _read_capture(fields, kind, block, pointer, context, length, max_body_bytes)
    wanted = kind in CONTEXT_KINDS and length <= MAX_CONTEXT_BYTES
    block = records.read(length) if wanted else b""
    records.skip(length - len(block))
    records.end(block if len(block) == length else None)
    if wanted:
        context.add(kind, fields, block)
    elif kind not in CONTEXT_KINDS:
        _count(passed_over, kind, fields)
    return None


def _count(passed_over: Counter[str] | None, kind: str, fields: Fields) -> None:
    """Count a record that is left out."""
    if passed_over is not None:
        label = f"{kind[:40] or 'no type'} {read_media_type(fields.get('content-type')).name or ''}".strip()
        passed_over[label if label in passed_over or len(passed_over) < MAX_LABELS else "others"] += 1


def _warc_head(records: RecordStream | SingleRecord) -> tuple[Fields, int]:
    """The fields of the record's head, and its Content-Length."""
    head = records.read_head()
    if not head.startswith(b"WARC/"):
        is_arc = head.startswith(ARC)
        told = "this is an ARC file, the format before WARC: `warcio recompress` makes a WARC file of it" if is_arc else "no WARC head here"
        raise DamagedError(records.offset, told)
    fields = parse_fields(head.partition(b"\n")[2])
    length = read_number(fields.get("content-length"))
    if length is None:
        raise DamagedError(records.offset, "no WARC head here: it has no valid Content-Length")
    return fields, length


def parse_fields(block: bytes) -> Fields:
    """Fields by their names in lower case; of repeated ones the first."""
    fields: Fields = {}
    for name, value in header_lines(block):
        fields.setdefault(name.decode("utf-8", "replace").lower(), _text(value))
    return fields


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _is_http(fields: Fields) -> bool:
    return _has_http_type(fields) or (not fields.get("content-type") and _url(fields).startswith("http"))


def _has_http_type(fields: Fields) -> bool:
    return fields.get("content-type", "").replace(" ", "").lower().startswith("application/http")


def _may_be_html(fields: Fields) -> bool:
    """Whether a record without an exchange may be a page. Others, such as the plain texts of Common Crawl's WET files, are skipped."""
    return read_media_type(fields.get("content-type")).may_be_html


def _with_http_head(fields: Fields, body: bytes) -> bytes:
    """A document with the HTTP head that its response would have had."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n%s" % (fields.get("content-type", "").encode("utf-8", "replace"), body)


def _read_capture(
    fields: Fields, kind: str, block: bytes, pointer: WarcPointer, context: Context, length: int, max_body_bytes: int
) -> Record | Rejected:
    url = _url(fields)
    is_cut = length > len(block)
    block = final_response(block)
    found = HEAD_END.search(block)
    status_line = STATUS_LINE.match(block)
    if not status_line or not url:
        lacks = "no WARC-Target-URI" if status_line else "no HTTP status line"
        return Rejected(url, pointer.warc_filename, pointer.warc_record_offset, "record", Reason.DAMAGED_RECORD, lacks)
    head, body = (block[: found.start()], block[found.end() :]) if found else (block, b"")
    if len(head) > MAX_HTTP_HEAD_BYTES:
        return Rejected(url, pointer.warc_filename, pointer.warc_record_offset, "record", Reason.DAMAGED_RECORD, "an endless HTTP head")
    written = header_lines(head.partition(b"\n")[2])
    cut = is_cut or len(body) > max_body_bytes
    body, is_whole = dechunked(written, body[:max_body_bytes])
    dated_at = _date(fields.get("warc-date"))
    dated_at = None if dated_at is not None and dated_at.year not in YEARS else dated_at
    fetched_at = dated_at or _date_header(written) or datetime.now(UTC)
    asked = context if context.request_url == url else Context()
    metadata = (context.metadata or {}) if context.response_id and context.response_id == fields.get("warc-record-id") else {}
    capture = Capture(
        url=url,
        fetched_at=fetched_at,
        status=int(status_line.group(2)),
        reason=status_line.group(3).rstrip().decode("utf-8", "surrogateescape"),
        protocol=_protocol(fields, status_line.group(1)),
        request_headers=asked.request_headers,
        response_headers=restored_headers(written),
        body=body,
        method=asked.method,
        ip_address=fields.get("warc-ip-address"),
        truncated="length" if cut else _truncated(fields, kind, asked.method, written, body, is_whole),
        kind=UrlKind(metadata["kind"]) if metadata.get("kind") in set(UrlKind) else UrlKind.PAGE,
        via=metadata.get("via"),
        depth=read_number(metadata.get("depth"), MAX_DEPTH) or 0,
        latency_ms=read_number(metadata.get("fetchtimems"), MAX_LATENCY_MS) or 0,
        hints=Hints(metadata.get("hinttitle"), _date(metadata.get("hintpublishedat")), metadata.get("hintsource")),
        request_body=asked.request_body,
        preferences=AiPreferences(metadata.get("contentusage"), metadata.get("contentsignal")),
    )
    received = len(body) if kind != "revisit" else read_number(metadata.get("payloadlength"))
    return Record(
        capture,
        kind,
        pointer,
        content_length=received,
        is_dated=dated_at is not None,
        mime_detected=fields.get("warc-identified-payload-type"),
        refers_to_url=fields.get("warc-refers-to-target-uri"),
        refers_to_date=_date(fields.get("warc-refers-to-date")),
        refers_to_filename=fields.get("warc-refers-to-filename"),
        refers_to_offset=read_number(fields.get("warc-refers-to-file-offset")),
    )


def _truncated(fields: Fields, kind: str, method: str, headers: HeaderList, body: bytes, is_whole: bool) -> str | None:
    """Why a body is not whole, as the file says, or as its framing shows: some tools store what they got until the connection broke."""
    if told := fields.get("warc-truncated"):
        return told
    if "warc-segment-number" in fields:
        return "unspecified"
    if kind != "response" or not body or method == "HEAD":
        return None
    names = {name.lower(): value for name, value in headers}
    is_framed = b"content-encoding" in names or b"transfer-encoding" in names  # then it counts other bytes, or nothing (RFC 9112, 6.3)
    announced = None if is_framed else read_number(names.get(b"content-length"))
    is_cut = not is_whole or (announced is not None and len(body) < announced)
    return "disconnect" if is_cut and not ends_as_whole_page(body) else None


def _url(fields: Fields) -> str:
    return fields.get("warc-target-uri", "").strip("<> ")


def _protocol(fields: Fields, status_line: bytes) -> str:
    named = fields.get("warc-protocol", "").upper()
    return named if named.startswith("HTTP/") else status_line.decode("latin-1")


def _date(text: str | None) -> datetime | None:
    try:
        return warc.parse_foreign_date(text) if text else None
    except ValueError:
        moment = read_date(text)
        return moment.astimezone(UTC) if moment else None


def _date_header(headers: HeaderList) -> datetime | None:
    """The time at which the server answered."""
    written = next((value for name, value in headers if name.lower() == b"date"), b"")
    return _mail_date(written.decode("latin-1"))


def _mail_date(text: str) -> datetime | None:
    """A date as HTTP and mail write it."""
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _damaged(warc_filename: str, error: DamagedError) -> Rejected:
    return Rejected("", warc_filename, error.offset, "record", Reason.DAMAGED_RECORD, str(error))
