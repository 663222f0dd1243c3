"""Prints the accounting of a crawl run or a process run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from crawlhouse.output.console import counts_table, show, table
from processing.publish.report import RunReport
from schemas.manifest import FetchStatistics, Manifest
from schemas.numbers import format_bytes, plural

FETCHED = ("fetched", "denied", "failed", "filtered", "left_over")
NOT_COVERED = {"new": "new pages", "sources": "feeds, sitemaps and hubs", "revisits": "known articles"}
ARTICLES = "articles"
ROW_COUNTS = ("made", "published", "unchanged", "quarantined")
OUTCOMES = ("published", "known", "duplicate", "quarantined", "rejected")


def show_manifest(manifest: Manifest) -> None:
    """Print the outcomes of the URLs of a crawl run: due = fetched + denied + failed + filtered + left over."""
    counts = manifest.counts.model_dump()
    show(counts_table(f"{manifest.crawl_run} ({manifest.finish_reason})", {"due": counts["due"], **{f"= {n}": counts[n] for n in FETCHED}}))
    _show_reasons(manifest.reasons)
    if manifest.statistics.not_covered:
        left = {NOT_COVERED[kind]: number for kind, number in manifest.statistics.not_covered.items()}
        show(counts_table("Due, but not covered by the budgets", left))
    size = sum(segment.size for segment in manifest.segments)
    show_spider(manifest.statistics)
    show(f"{plural(len(manifest.segments), 'segment')}, {format_bytes(size)}")


def show_spider(statistics: FetchStatistics) -> None:
    """Print how many items a user's spider made, and its errors."""
    tables = {
        "Errors in callbacks": statistics.callback_errors,
        "Requests refused": statistics.refused_requests,
        "Errors in item pipelines": statistics.pipeline_errors,
        "Items dropped": statistics.dropped_items,
    }
    for title, counts in tables.items():
        if counts:
            show(counts_table(title, dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))))
    if statistics.items:
        show(plural(statistics.items, "item"))


def show_report(report: RunReport) -> None:
    """Print the outcomes of the records of a process run: records = published + known + duplicate + quarantined + rejected."""
    title = f"{report.crawl}: {report.process_run}, {plural(len(report.crawl_runs), 'crawl run')}"
    show(counts_table(title, {"records": report.records, **{f"= {name}": getattr(report, name) for name in OUTCOMES}}))
    _show_reasons(report.reasons)
    _show_datasets(report)
    for line in (*report.without_rows(), *report.layout_lines(), *report.unclaimed_lines()):
        show(line)


def _show_datasets(report: RunReport) -> None:
    """A line for each dataset: rows made = published + unchanged + quarantined, and in how many crawl runs rows are held back besides."""
    if list(report.datasets) == [ARTICLES] and not report.held:
        return  # the records say the same
    of_runs = f"of {plural(len(report.crawl_runs), 'run')}"
    held = Counter(name for found in report.held.values() for name in found)
    rows = [
        (
            name,
            *(f"{counts[column]:,}" for column in ROW_COUNTS),
            f"{held[name]:,} {of_runs}" if held[name] else "",
        )
        for name, counts in report.datasets.items()
    ]
    columns = ("dataset", *ROW_COUNTS, "held back")
    show(table("Rows", columns, rows, numbers=ROW_COUNTS))


def _show_reasons(reasons: Mapping[str, int]) -> None:
    if reasons:
        ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        show(counts_table("Why", {name.replace(":", ": ").replace("  ", " "): count for name, count in ordered}))
