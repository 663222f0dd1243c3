"""`crawlhouse export`: tables, or captures for replay, into files."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

EXAMPLES = """
Examples:

  crawlhouse export -o export/

  crawlhouse export articles_latest products -o s3://bucket/monday --since 2026-01-01

  crawlhouse export articles --host example.com -o example.jsonl.gz

  crawlhouse export --crawl news --since 2026-01-01 -o news.wacz
"""


class ExportFormat(StrEnum):
    """What is written."""

    PARQUET = "parquet"
    JSONL = "jsonl"
    WACZ = "wacz"


def export(
    tables: Annotated[list[str] | None, typer.Argument(metavar="[TABLE...]", help="Tables or views; without them every table.")] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="PLACE", help="A folder, an s3:// URL, or a file of one of the formats.")
    ] = "export",
    form: Annotated[
        ExportFormat | None, typer.Option("--format", "-f", help="Default: that of the file's suffix; in a folder parquet.")
    ] = None,
    crawl: Annotated[str | None, typer.Option("--crawl", "-c", metavar="NAME", help="Only rows of this crawl.")] = None,
    run: Annotated[str | None, typer.Option("--run", metavar="CRAWL_RUN", help="Only rows of this crawl run.")] = None,
    host: Annotated[str | None, typer.Option("--host", metavar="HOST", help="Only rows of this host.")] = None,
    since: Annotated[datetime | None, typer.Option("--since", metavar="TIME", help="Only what was fetched then or later, in UTC.")] = None,
) -> None:
    """Write tables into Parquet or JSON lines, or the stored captures of pages into a WACZ for ReplayWeb.page and pywb.

    In a folder, or under an s3:// URL, each table is a file, and export.json, which is written last, lists them: if it is there, the export
    is whole. All files show the lake at one moment, without what is taken down. After an interruption, run the same command again. Memory
    is bounded, whatever the number of rows.
    """
    from crawlhouse.actions.lake.export import run_export
    from crawlhouse.sql.table import RowFilter
    from schemas.config.settings import load_settings

    run_export(load_settings(), tables or [], output, form, RowFilter(host, since, crawl, run))
