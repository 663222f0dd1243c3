"""The capture index, one row per response, revisit or conversion record: Common Crawl's names of columns, then crawlhouse's own columns.

An Arrow schema of arro3; `pyarrow.schema(CAPTURE_INDEX)` is the same for pyarrow.
"""

from __future__ import annotations

from arro3.core import DataType, Field, Schema

TIMESTAMP = DataType.timestamp("us", tz="UTC")

CAPTURE_INDEX = Schema(
    [
        Field("url_surtkey", DataType.string(), nullable=False),
        Field("url", DataType.string(), nullable=False),
        Field("url_host_name", DataType.string(), nullable=False),
        Field("url_host_registered_domain", DataType.string()),
        Field("url_protocol", DataType.string()),
        Field("url_port", DataType.int32()),
        Field("url_path", DataType.string()),
        Field("url_query", DataType.string()),
        Field("fetch_time", TIMESTAMP, nullable=False),
        Field("fetch_status", DataType.int16(), nullable=False),
        Field("fetch_redirect", DataType.string()),
        Field("content_digest", DataType.string(), nullable=False),
        Field("content_mime_type", DataType.string()),
        Field("content_mime_detected", DataType.string()),
        Field("content_charset", DataType.string()),
        Field("content_languages", DataType.string()),
        Field("content_truncated", DataType.string()),
        Field("warc_filename", DataType.string(), nullable=False),
        Field("warc_record_offset", DataType.int64(), nullable=False),
        Field("warc_record_length", DataType.int64(), nullable=False),
        # crawlhouse's own
        Field("record_type", DataType.string(), nullable=False),  # response | revisit | conversion
        Field("crawl", DataType.string(), nullable=False),
        Field("crawl_run", DataType.string(), nullable=False),
        Field("kind", DataType.string(), nullable=False),  # page | feed | sitemap | robots | shell
        Field("ip_address", DataType.string()),
        Field("content_length", DataType.int64()),  # bytes of the body as received
        Field("latency_ms", DataType.int32()),
        Field("via", DataType.string()),
        Field("depth", DataType.int16()),
        Field("hint_title", DataType.string()),
        Field("hint_published_at", TIMESTAMP),
        Field("hint_source", DataType.string()),
        Field("refers_to_filename", DataType.string()),  # of a revisit: the registered capture it refers to
        Field("refers_to_offset", DataType.int64()),
        Field("request_method", DataType.string()),  # NULL: GET
        Field("request_body", DataType.string()),  # of a POST: its body as the query under which replay finds its answer
        Field("content_usage", DataType.string()),  # AI preferences of headers and robots.txt
        Field("content_signal", DataType.string()),
    ]
)
