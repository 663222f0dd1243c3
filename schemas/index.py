"""The capture index: Common Crawl's columnar index names, then ours. One row per response or revisit record."""

from __future__ import annotations

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")

CAPTURE_INDEX = pa.schema(
    [
        pa.field("url_surtkey", pa.string(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("url_host_name", pa.string(), nullable=False),
        pa.field("url_host_registered_domain", pa.string()),
        pa.field("url_protocol", pa.string()),
        pa.field("url_port", pa.int32()),
        pa.field("url_path", pa.string()),
        pa.field("url_query", pa.string()),
        pa.field("fetch_time", TIMESTAMP, nullable=False),
        pa.field("fetch_status", pa.int16(), nullable=False),
        pa.field("fetch_redirect", pa.string()),
        pa.field("content_digest", pa.string(), nullable=False),
        pa.field("content_mime_type", pa.string()),
        pa.field("content_mime_detected", pa.string()),
        pa.field("content_charset", pa.string()),
        pa.field("content_languages", pa.string()),
        pa.field("content_truncated", pa.string()),
        pa.field("warc_filename", pa.string(), nullable=False),
        pa.field("warc_record_offset", pa.int64(), nullable=False),
        pa.field("warc_record_length", pa.int64(), nullable=False),
        # ours
        pa.field("record_type", pa.string(), nullable=False),  # response | revisit
        pa.field("crawl", pa.string(), nullable=False),
        pa.field("crawl_run", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),  # page | feed | sitemap | robots
        pa.field("ip_address", pa.string()),
        pa.field("content_length", pa.int64()),  # bytes of the body as received
        pa.field("latency_ms", pa.int32()),
        pa.field("via", pa.string()),
        pa.field("depth", pa.int16()),
        pa.field("hint_title", pa.string()),
        pa.field("hint_published_at", TIMESTAMP),
        pa.field("hint_source", pa.string()),
        pa.field("refers_to_filename", pa.string()),  # of a revisit: the registered capture it refers to
        pa.field("refers_to_offset", pa.int64()),
    ]
)
