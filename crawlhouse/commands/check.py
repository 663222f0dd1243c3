"""`crawlhouse check`: a crawl file on result; nothing is stored."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawlhouse.output.accounting import show_spider
from crawlhouse.output.console import counts_table, facts_table, progress_line, results, say, show
from schemas.errors import ConfigError, CrawlhouseError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from crawlhouse.reports.check_run import CheckedPage, CheckResult
    from schemas.article import Article
    from schemas.config.crawl import Crawl
    from schemas.config.settings import Settings

EXAMPLES = """
Examples:

  crawlhouse check crawls/my_news.yaml

  crawlhouse check my_news --pages 50

  crawlhouse check my_news --offline

  crawlhouse check    all crawl files of the project, without the network
"""
SHOWN_ARTICLES = 3
SHOWN_CHARACTERS = 400


def check(
    reference: Annotated[
        str | None, typer.Argument(metavar="[CRAWL.yaml|NAME]", help="The crawl; without one, all files are read.")
    ] = None,
    pages: Annotated[int, typer.Option(min=1, max=1000, help="How many pages to fetch at most.")] = 10,
    offline: Annotated[bool, typer.Option("--offline", help="Only read the file, say what it means and read its golden pages.")] = False,
) -> None:
    """Try a crawl: read its file, say what it may touch, fetch a few pages and show what would become of them.

    The pages come through the same spider, robots.txt, address rules and extraction as in a real crawl, in a home that is thrown away:
    nothing is stored. Before that the golden pages beside the file, NAME.golden/CASE/, are read with its rules: exit code 2 if one differs.
    """
    from schemas.config.crawl_file import find_crawl, is_path
    from schemas.config.settings import load_settings

    if reference is None:
        _check_all(load_settings())
        return
    folder = Path(reference).absolute().parent if is_path(reference) else load_settings().crawls
    crawl = find_crawl(reference, folder)
    _show_crawl(crawl)
    _check_rules(crawl, folder)
    _check_spider(crawl, folder)
    if not offline:
        _fetch_and_show(crawl, pages, folder)


def _check_rules(crawl: Crawl, folder: Path) -> None:
    """Site rules and golden pages, without the network. Raises ConfigError."""
    from crawlhouse.output.golden import check_golden
    from processing.extract.rule_check import check_rules

    check_rules(crawl, folder / f"{crawl.name}.yaml")
    check_golden(crawl, folder)


def _check_spider(crawl: Crawl, folder: Path) -> None:
    """Imports a spider of the user's. Raises NotFoundError, SpiderError, ConfigError."""
    if crawl.has_own_spider():
        from schemas.config.settings import Settings
        from spiders.custom.loader import find_spider

        find_spider(crawl, Settings(home=folder, crawls=folder))


def _fetch_and_show(crawl: Crawl, pages: int, folder: Path) -> None:
    from crawlhouse.reports.check_run import run_check

    log = StringIO()
    with progress_line() as tell:
        result = run_check(crawl, pages, lambda state: tell(f"{state.pages} pages fetched"), folder, log)
    if crawl.has_own_spider() and log.getvalue():
        say(log.getvalue().rstrip())
    if not result.pages:
        why = ", ".join(f"{reason} ({count})" for reason, count in result.manifest.reasons.items()) or result.manifest.finish_reason
        raise UnavailableError(f"Nothing came back from {', '.join(crawl.hosts())}: {why}. Look at the seeds and at the network.")
    _show_responses(result)
    show_spider(result.manifest.statistics)
    _show_articles(result)


def _check_all(settings: Settings) -> None:
    from schemas.config.crawl_file import read_crawls

    crawls, broken = read_crawls(settings.crawls)
    if not crawls and not broken:
        raise NotFoundError(f"{settings.crawls} holds no crawl file. `crawlhouse init` makes a first one.")
    show(facts_table("Crawls", {name: crawl.schedule or "when asked" for name, crawl in crawls.items()}))
    for name, crawl in crawls.items():
        try:
            _check_rules(crawl, settings.crawls)
            _check_spider(crawl, settings.crawls)
        except CrawlhouseError as error:
            broken[name] = error
    if broken:
        raise ConfigError("\n".join(str(error) for error in broken.values()))


def _show_crawl(crawl: Crawl) -> None:
    from crawlhouse.output.crawl import describe_crawl

    show(facts_table(crawl.name, describe_crawl(crawl)))


def _show_responses(result: CheckResult) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="What came back", title_justify="left")
    for name in ("kind", "status", "bytes", "becomes", "URL"):
        table.add_column(name, justify="right" if name == "bytes" else "left", overflow="fold")
    for page in result.pages:
        table.add_row(page.kind, str(page.status), f"{page.size:,}", _outcome_text(page), page.url)
    show(table)
    counts = result.manifest.counts.model_dump()
    show(
        counts_table(
            "URLs", {"due": counts.pop("due"), **{f"= {name}": count for name, count in counts.items()}, **result.manifest.reasons}
        )
    )


def _outcome_text(page: CheckedPage) -> str:
    from schemas.outcomes import Rejected

    return f"no article: {page.found.reason}" if isinstance(page.found, Rejected) else "article"


def _show_articles(result: CheckResult) -> None:
    from processing.extract.extraction import ReadPage

    articles = [page.found.article for page in result.pages if isinstance(page.found, ReadPage)]
    if not articles:
        say("None of these pages is an article. Give a seed that leads to some, or --pages N to see more.")
    for article in articles[:SHOWN_ARTICLES]:
        _show_article(article)


def _show_article(article: Article) -> None:
    from crawlhouse.output.row_formats import cell_text
    from schemas.article import plain_text

    results().print(f"\n{article.url}", style="bold")
    published = article.published_at and f"{article.published_at.isoformat()} ({article.published_at_source})"
    facts = {"title": article.title, "authors": list(article.authors), "published": published, "found by": article.extraction_path}
    text = plain_text(article.blocks)
    facts["text"] = f"{cell_text(text)[:SHOWN_CHARACTERS]}  ({len(text):,} characters)"
    show(facts_table("", {name: cell_text(value) for name, value in facts.items() if value}))
