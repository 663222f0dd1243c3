"""A dossier for people, as tables, and for programs, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from crawlhouse.output.console import results, say, show
from crawlhouse.output.row_formats import format_value, json_value
from crawlhouse.rows import Row

if TYPE_CHECKING:
    from rich.table import Table

    from crawlhouse.reports.url_report import UrlReport
    from storage.warc.reader import Record

FIELDS = (
    "title", "description", "authors", "published_at", "modified_at", "language", "section", "tags", "site_name", "canonical_url",
    "lead_image", "paywalled", "form", "text_length", "word_count", "text", "charset", "article_id", "version", "duplicate_of",
)  # fmt: skip
MAX_VALUE_CHARACTERS = 200
UNSHOWN = {"minhash", "blocks"}


CAPTURE_COLUMNS = ("fetched_at", "request_method", "fetch_status", "outcome", "reason", "crawl_run")
RUN_COLUMNS = ("kind", "page_type", "via", "depth", "crawl_run", "process_run", "code_version", "ingested_at")


def show_url_report(found: UrlReport, sources: Mapping[str, str]) -> None:
    """Print it for people, with the source of each field by its name."""
    results().print(found.url, style="bold")
    outcome = found.outcome()
    if outcome:
        show(_facts_table("What became of it", _outcome(outcome, sources)))
    row = found.article or found.quarantined
    if row:
        show(_fields(row, sources))
    show(_facts_table("Stored capture", _capture(found)))
    if found.record:
        show(_facts_table("Response headers", _headers(found.record)))
    if found.original:
        show(_facts_table("Duplicate of", [(str(row["duplicate_kind"]) if row else "", found.original)]))
    if found.duplicates:
        show(_rows_table("Duplicates of it", found.duplicates))
    if len(found.versions) > 1:
        show(_rows_table("Versions", found.versions))
    if len(found.captures) > 1:
        show(_rows_table("Captures", [{name: capture.get(name) for name in CAPTURE_COLUMNS} for capture in found.captures]))
    if found.archive_problem:
        say(f"The archive: {found.archive_problem}")


def _outcome(row: Row, sources: Mapping[str, str]) -> list[tuple[str, object]]:
    why = ": ".join(str(part) for part in (row["reason"], row["detail"]) if part)
    why_type = f" ({sources['page_type']})" if "page_type" in sources else ""
    facts = {name: row[name] for name in RUN_COLUMNS} | {"page_type": f"{row['page_type'] or ''}{why_type}"}
    return [("outcome", row["outcome"]), ("why", why), *facts.items()]


def _fields(row: Row, sources: Mapping[str, str]) -> Table:
    table = _table("Quarantined row" if "rule" in row else "Article", "field", "value", "came from")
    for name in (*(("reason", "rule", "detail") if "rule" in row else ()), *FIELDS):
        if row[name] not in (None, "", []):
            table.add_row(name, _shortened(format_value(row[name])), sources.get(name, ""))
    return table


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[:MAX_VALUE_CHARACTERS]}…"


def _capture(found: UrlReport) -> list[tuple[str, object]]:
    pointer = found.pointer
    asked = found.outcome() or {}
    facts: list[tuple[str, object]] = [
        ("record", f"{pointer.warc_filename} at {pointer.warc_record_offset:,}, {pointer.warc_record_length:,} bytes"),
        ("digest", f"{pointer.content_digest}{_digest_check(found)}"),
        ("asked for by", f"{asked['request_method']} {asked['request_body']}"[:200] if asked.get("request_method") else None),
    ]
    if found.record:
        capture = found.record.capture
        facts += [
            ("fetched at", capture.fetched_at),
            ("answer", f"{capture.protocol} {capture.status} {capture.reason}"),
            ("type of record", found.record.record_type),
            ("body", f"{len(capture.body):,} bytes as received" + (f", truncated: {capture.truncated}" if capture.truncated else "")),
            ("from", capture.ip_address),
        ]
    return facts


def _digest_check(found: UrlReport) -> str:
    if found.record is None or found.record.record_type not in {"response", "conversion"}:
        return ""
    from storage.warc.records import sha1

    return " (computed again: equal)" if sha1(found.record.capture.body) == found.pointer.content_digest else " (NOT that of the bytes)"


def _facts_table(title: str, facts: list[tuple[str, object]] | list[tuple[str, str]]) -> Table:
    table = _table(title, "", "", header=False)
    for name, value in facts:
        if value not in (None, ""):
            table.add_row(name, format_value(value))
    return table


def _rows_table(title: str, rows: list[Row]) -> Table:
    table = _table(title, *rows[0])
    for row in rows:
        table.add_row(*(format_value(value) for value in row.values()))
    return table


def _table(title: str, *columns: str, header: bool = True) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", show_header=header, box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def url_report_json(found: UrlReport, sources: Mapping[str, str]) -> dict[str, object]:
    """All of it in JSON's own types, without the bodies; `sources` are the fields' by their names."""
    return {
        "url": found.url,
        "outcome": json_value(found.outcome()),
        "article": _plain_row(found.article),
        "quarantined": _plain_row(found.quarantined),
        "sources": dict(sources),
        "capture": _capture_json(found.record) if found.record else None,
        "archive_problem": found.archive_problem or None,
        "versions": json_value(found.versions),
        "captures": json_value(found.captures),
        "duplicate_of_url": found.original,
        "duplicates": json_value(found.duplicates),
    }


def _plain_row(row: Row | None) -> object:
    return None if row is None else json_value({name: value for name, value in row.items() if name not in UNSHOWN})


def _capture_json(record: Record) -> dict[str, object]:
    capture = record.capture
    return {
        "status": capture.status,
        "reason": capture.reason,
        "protocol": capture.protocol,
        "fetched_at": capture.fetched_at.isoformat(),
        "headers": [list(header) for header in _headers(record)],
        "body_bytes": len(capture.body),
        "truncated": capture.truncated,
    }


def _headers(record: Record) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in record.capture.response_headers]
