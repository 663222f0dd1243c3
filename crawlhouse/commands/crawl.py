"""`crawlhouse crawl` and `process`: what the DAGs do, without Airflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crawlhouse.output.row_formats import ReportFormat

CRAWL_EXAMPLES = """
Examples:

  crawlhouse crawl my_news

  crawlhouse crawl crawls/my_news.yaml --format json

  crawlhouse crawl my_news --url https://example.com/story --url https://example.com/other

  crawlhouse crawl my_news --urls-from list.txt

  crawlhouse crawl my_news && crawlhouse process my_news
"""
PROCESS_EXAMPLES = """
Examples:

  crawlhouse process my_news

  crawlhouse process my_news --format json
"""

Name = Annotated[str, typer.Argument(metavar="NAME", help="A crawl's name, or the path of its file.")]
Form = Annotated[ReportFormat, typer.Option("--format", "-f", help="For people or for programs.")]


def crawl(
    reference: Name,
    form: Form = ReportFormat.TABLE,
    new: Annotated[bool, typer.Option("--new", help="Begin a new run even if one was interrupted.")] = False,
    url: Annotated[list[str] | None, typer.Option("--url", "-u", help="Fetch this URL now, due or not; as often as you like.")] = None,
    urls_from: Annotated[
        Path | None, typer.Option("--urls-from", metavar="FILE", help="The same for a file with a URL a line; - reads standard input.")
    ] = None,
) -> None:
    """Fetch what is due: one run of a crawl, into WARC segments in the store.

    A run that was interrupted continues. With `workers: N` in the crawl's file, N processes share the run. Exit code 9 when the crawl's
    own thresholds were missed, it has fetched nothing yet, or nothing of URLs that are named; what was fetched is kept in this case too.

    URLs that are named are fetched in addition to what is due, in a new run, which also takes over what an interrupted run left. Scope and
    robots.txt hold for them too.
    """
    from crawlhouse.actions.crawl import read_urls, run_crawl
    from schemas.config.settings import load_settings

    urls = [*(url or ()), *(read_urls(urls_from) if urls_from else ())]
    run_crawl(reference, load_settings(), form, new=new, urls=urls)


def process(reference: Name, form: Form = ReportFormat.TABLE) -> None:
    """Turn what was fetched into published rows: extract, resolve, gate, publish.

    It takes every closed crawl run that is not published yet. Running it again changes nothing. It says for each dataset how many rows were
    made, and how many of them are published, unchanged or in quarantine. Exit code 8 if rows are held back, 10 if no page could be read for
    a dataset; everything else is published then.
    """
    from crawlhouse.actions.lake.process import run_process
    from schemas.config.settings import load_settings

    run_process(reference, load_settings(), form)
