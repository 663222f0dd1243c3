"""`crawlhouse check`: try a crawl file. Nothing is stored. `crawlhouse schema`: what a crawl file may say, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
Examples:

  crawlhouse check crawls/my_news.yaml

  crawlhouse check my_news --pages 50

  crawlhouse check my_news --offline

  crawlhouse check    all crawl files of the project, without the network
"""


SCHEMA_EXAMPLES = """
Examples:

  crawlhouse schema > crawl.schema.json

  With this first line in a crawl file, editors with YAML's language server complete its keys and mark mistakes:

  # yaml-language-server: $schema=../crawl.schema.json
"""


def schema() -> None:
    """Print the JSON Schema of crawl files, for editors. `crawlhouse check` finds more than an editor does."""
    from crawlhouse.output.console import write_json
    from schemas.config.crawl_schema import crawl_schema

    write_json(crawl_schema(), indent=2)


def check(
    reference: Annotated[
        str | None, typer.Argument(metavar="[CRAWL.yaml|NAME]", help="The crawl; without one, all files are read.")
    ] = None,
    pages: Annotated[int, typer.Option(min=1, max=1000, help="How many pages to fetch at most.")] = 10,
    offline: Annotated[bool, typer.Option("--offline", help="Only read the file, say what it means and read its golden pages.")] = False,
) -> None:
    """Try a crawl: read its file, say what it may fetch, fetch a few pages, and show which rows they would give.

    The pages come through the same spider, robots.txt, address rules and extraction as in a real crawl. Its home is a temporary folder,
    so nothing is stored. Before that, the golden pages next to the file, NAME.golden/CASE/, are read with the crawl's rules. Exit code 2
    if one of them differs from what is expected.

    For each dataset of the crawl you see the rows that would be published, those that would go to quarantine, and why. Expectations that
    need the rows of a whole run are named. Exit code 8 if the rows break a critical expectation, 10 if no page could be read for a dataset.
    """
    from crawlhouse.actions.check import check_all, check_crawl
    from schemas.config.crawl_file import find_crawl, is_path
    from schemas.config.settings import load_settings

    if reference is None:
        check_all(load_settings())
        return
    folder = Path(reference).absolute().parent if is_path(reference) else load_settings().crawls
    check_crawl(find_crawl(reference, folder), folder, pages, offline=offline)
