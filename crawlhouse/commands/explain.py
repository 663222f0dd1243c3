"""`crawlhouse explain`: why a URL is fetched or not, and all that happened to it."""

from __future__ import annotations

from typing import Annotated

import typer

from crawlhouse.output.row_formats import ReportFormat

EXAMPLES = """
Examples:

  crawlhouse explain https://example.com/news/one

  crawlhouse explain https://example.com/news/one --crawl my_news --format json
"""


def explain(
    url: Annotated[str, typer.Argument(metavar="URL")],
    crawl: Annotated[str | None, typer.Option("--crawl", "-c", help="Only this crawl. Default: all that know the URL or its host.")] = None,
    form: Annotated[ReportFormat, typer.Option("--format", "-f", help="For people or for programs.")] = ReportFormat.TABLE,
) -> None:
    """Explain a URL: which rules apply to it, how it was found, its outcome in each run, when it is due, and what was published.

    Nothing is fetched: robots.txt is taken from the cache. Before the first run, it is the rules of the crawls' files that are shown.
    """
    from crawlhouse.actions.explain import explain_url
    from crawlhouse.existing_home import home_or_empty_one

    with home_or_empty_one() as settings:
        explain_url(settings, url, crawl, form)
