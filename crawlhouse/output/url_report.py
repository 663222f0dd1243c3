"""The report on a URL: for people as tables, for programs as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from crawlhouse.output.console import results, say, show, table
from crawlhouse.output.row_formats import format_value, json_value
from crawlhouse.reports.making import Making
from crawlhouse.reports.url_report import UrlReport
from crawlhouse.rows import Row
from schemas.numbers import plural
from storage.warc.reader import Record
from storage.warc.records import sha1

if TYPE_CHECKING:
    from rich.console import RenderableType

FIELDS = (
    "title", "description", "authors", "published_at", "modified_at", "language", "section", "tags", "site_name", "canonical_url",
    "lead_image", "paywalled", "form", "text_length", "word_count", "text", "charset", "article_id", "version", "duplicate_of",
)  # fmt: skip
MAX_VALUE_CHARACTERS = 200
UNSHOWN = {"minhash", "blocks"}


CAPTURE_COLUMNS = ("fetched_at", "request_method", "fetch_status", "outcome", "reason", "crawl_run")
RUN_COLUMNS = ("kind", "page_type", "via", "depth", "crawl_run", "process_run", "code_version", "ingested_at")


def show_url_report(report: UrlReport, sources: Mapping[str, str], making: Making | None = None) -> None:
    """Print it for people, with the source of each field by its name, and under which code and rules the row was made."""
    results().print(report.url, style="bold")
    outcome = report.outcome()
    if outcome:
        show(_facts_table("What became of it", _outcome(outcome, sources)))
    row = report.article or report.quarantined
    if row:
        show(_fields(row, sources))
    if making:
        show(_facts_table("Made by", making.lines()))
    show(_facts_table("Stored capture", _capture(report)))
    if report.record:
        show(_facts_table("Response headers", _headers(report.record)))
    if report.original:
        show(_facts_table("Duplicate of", [(str(row["duplicate_kind"]) if row else "", report.original)]))
    if report.duplicates:
        show(_rows_table("Duplicates of it", report.duplicates))
    if len(report.versions) > 1:
        show(_rows_table("Versions", report.versions))
    if len(report.captures) > 1:
        show(_rows_table("Captures", [{name: capture.get(name) for name in CAPTURE_COLUMNS} for capture in report.captures]))
    if report.archive_problem:
        say(f"The archive: {report.archive_problem}")


def _outcome(row: Row, sources: Mapping[str, str]) -> list[tuple[str, object]]:
    why = ": ".join(str(part) for part in (row["reason"], row["detail"]) if part)
    why_type = f" ({sources['page_type']})" if "page_type" in sources else ""
    facts = {name: row[name] for name in RUN_COLUMNS} | {"page_type": f"{row['page_type'] or ''}{why_type}"}
    return [("outcome", row["outcome"]), ("why", why), *facts.items()]


def _fields(row: Row, sources: Mapping[str, str]) -> RenderableType:
    is_quarantined = "rule" in row
    names = (*(("reason", "rule", "detail") if is_quarantined else ()), *FIELDS)
    shown = [name for name in names if row[name] not in (None, "", [])]
    rows = [(name, _shortened(format_value(row[name])), sources.get(name, "")) for name in shown]
    return table("Quarantined row" if is_quarantined else "Article", ("field", "value", "came from"), rows)


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[:MAX_VALUE_CHARACTERS]}…"


def _capture(report: UrlReport) -> list[tuple[str, object]]:
    pointer = report.pointer
    asked = report.outcome() or {}
    facts: list[tuple[str, object]] = [
        ("record", f"{pointer.warc_filename} at {pointer.warc_record_offset:,}, {pointer.warc_record_length:,} bytes"),
        ("digest", f"{pointer.content_digest}{_digest_check(report)}"),
        ("asked for by", f"{asked['request_method']} {asked['request_body']}"[:200] if asked.get("request_method") else None),
    ]
    if report.record:
        capture = report.record.capture
        facts += [
            ("fetched at", capture.fetched_at),
            ("response", f"{capture.protocol} {capture.status} {capture.reason}"),
            ("type of record", report.record.record_type),
            (
                "body",
                f"{plural(len(capture.body), 'byte')} as received" + (f", truncated: {capture.truncated}" if capture.truncated else ""),
            ),
            ("from", capture.ip_address),
        ]
    return facts


def _digest_check(report: UrlReport) -> str:
    if report.record is None or report.record.record_type not in {"response", "conversion"}:
        return ""
    return " (computed again: equal)" if sha1(report.record.capture.body) == report.pointer.content_digest else " (NOT that of the bytes)"


def _facts_table(title: str, facts: list[tuple[str, object]] | list[tuple[str, str]]) -> RenderableType:
    rows = [(name, format_value(value)) for name, value in facts if value not in (None, "")]
    return table(title, ("", ""), rows, header=False)


def _rows_table(title: str, rows: list[Row]) -> RenderableType:
    return table(title, list(rows[0]), [[format_value(value) for value in row.values()] for row in rows])


def url_report_json(report: UrlReport, sources: Mapping[str, str], making: Making | None = None) -> dict[str, object]:
    """All of it in JSON's own types, without the bodies; `sources` are the fields' by their names."""
    return {
        "url": report.url,
        "outcome": json_value(report.outcome()),
        "article": _plain_row(report.article),
        "quarantined": _plain_row(report.quarantined),
        "sources": dict(sources),
        "made_by": None if making is None else json_value(asdict(making)),
        "capture": _capture_json(report.record) if report.record else None,
        "archive_problem": report.archive_problem or None,
        "versions": json_value(report.versions),
        "captures": json_value(report.captures),
        "duplicate_of_url": report.original,
        "duplicates": json_value(report.duplicates),
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
