"""What `crawlhouse check` does: read a crawl file, check its rules, fetch a few pages and show them."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from crawlhouse.output.accounting import show_spider
from crawlhouse.output.checked_datasets import rows_text, show_dataset
from crawlhouse.output.console import counts_table, facts_table, progress_line, results, say, show, table
from crawlhouse.output.crawl import describe_crawl
from crawlhouse.output.golden import check_golden
from crawlhouse.output.row_formats import cell_text
from crawlhouse.reports.check_run import CheckedPage, CheckResult, run_check
from crawlhouse.reports.check_tables import check_tables, has_definitions
from processing.extract.checks.rule_check import check_rules
from processing.extract.page_tasks import ReadPage
from schemas.article import Article, plain_text
from schemas.capture import UrlKind
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import read_crawls
from schemas.config.settings import Settings, load_settings
from schemas.datasets.dataset import Dataset
from schemas.errors import ConfigError, CrawlhouseError, GateError, NotFoundError, SpiderError, StorageError, UnavailableError
from schemas.numbers import plural
from schemas.outcomes import Reason
from spiders.urls.canonical import canonicalize
from spiders.urls.scope import CrawlScope

SHOWN_ARTICLES = 3  # they fit on two screens; --pages fetches more, the table above them lists all
MAX_LOG_CHARACTERS = 20_000
SHOWN_CHARACTERS = 400  # of an article's text: enough to see whether it begins where the article begins


def check_crawl(crawl: Crawl, folder: Path, pages: int, *, offline: bool) -> None:
    """Check one crawl, whose file is in `folder`, and fetch up to `pages` pages unless `offline`. Raises what is wrong."""
    show(facts_table(crawl.name, describe_crawl(crawl)))
    _check_rules(crawl, folder)
    _check_spider(crawl, folder)
    if not offline:
        _fetch_and_show(crawl, pages, folder)


def check_all(settings: Settings) -> None:
    """Read all crawl files, without the network. Raises NotFoundError for no file, and ConfigError with all mistakes at once."""
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


def _check_rules(crawl: Crawl, folder: Path) -> None:
    """Check the site rules, the datasets and the golden pages, without the network. Raises ConfigError."""
    check_rules(crawl, folder / f"{crawl.name}.yaml")
    settings = Settings(home=folder, crawls=folder)
    if has_definitions(crawl, settings):
        from processing.datasets.definitions import crawl_datasets  # slow to import, and most crawls have plain articles

        datasets = crawl_datasets(crawl, settings)
        _check_tables(datasets)
    check_golden(crawl, folder)


def _check_tables(datasets: Sequence[Dataset]) -> None:
    """Compare the datasets with their tables, if there is a lake. Raises ConfigError."""
    try:
        settings = load_settings()
    except NotFoundError:  # the file is in no project
        return
    try:
        check_tables(datasets, settings)
    except (UnavailableError, StorageError) as error:
        say(f"The datasets are not compared with their tables: {error}")


def _check_spider(crawl: Crawl, folder: Path) -> None:
    """Import the user's spider, if the crawl has one. Raises NotFoundError, SpiderError, ConfigError."""
    if crawl.has_own_spider():
        from spiders.custom.loader import find_spider

        find_spider(crawl, Settings(home=folder, crawls=folder))


def _fetch_and_show(crawl: Crawl, pages: int, folder: Path) -> None:
    log = StringIO()
    with progress_line() as update:
        result = run_check(crawl, pages, lambda state: update(f"{plural(state.pages, 'page')} fetched"), folder, log)
    if crawl.has_own_spider() and log.getvalue():
        say(_beginning(log.getvalue().rstrip()))
    if not result.pages:
        why = ", ".join(f"{reason} ({count})" for reason, count in result.manifest.reasons.items()) or result.manifest.finish_reason
        raise UnavailableError(f"Nothing came back from {', '.join(crawl.hosts())}: {why}. Look at the seeds and at the network.")
    _show_responses(result)
    _say_what_leads_away(crawl, result)
    show_spider(result.manifest.statistics)
    if result.makes_articles:
        _show_articles(result)
    for one in result.datasets:
        show_dataset(one)
    _raise_what_is_wrong(result)


def _beginning(log: str) -> str:
    """The log of a user's spider, which may print a line for each of its items, as far as people read it."""
    return log if len(log) <= MAX_LOG_CHARACTERS else f"{log[:MAX_LOG_CHARACTERS]}\n({len(log):,} characters; the rest is left out.)"


def _raise_what_is_wrong(result: CheckResult) -> None:
    """Raises GateError if a real run would be held back, and SpiderError if no page could be read for a dataset."""
    broken = [one.dataset.name for one in result.datasets if one.broken]
    if broken:
        raise GateError(f"A run with these rows would be held back: they break critical expectations or steps of {', '.join(broken)}.")
    unread = [one for one in result.datasets if one.errors and not one.made]
    if unread:
        first = unread[0]
        url, error = next(iter(first.errors.items()))
        raise SpiderError(f"No page could be read for {', '.join(one.dataset.name for one in unread)}. {url}: {error}.")


def _show_responses(result: CheckResult) -> None:
    rows = [(page.kind, str(page.status), f"{page.size:,}", _outcome_text(page, result), page.url) for page in result.pages]
    show(table("What came back", ("kind", "status", "bytes", "becomes", "URL"), rows, numbers={"bytes"}))
    counts = result.manifest.counts.model_dump()
    parts = {f"= {name}": count for name, count in counts.items() if name != "due"}
    show(counts_table("URLs", {"due": counts["due"], **parts, **result.manifest.reasons}))


def _say_what_leads_away(crawl: Crawl, result: CheckResult) -> None:
    """Say which seeds lead out of the crawl, and what helps."""
    scope, fetched = CrawlScope(crawl), {page.url for page in result.pages}
    seeds = {canonicalize(seed.url) for seed in crawl.seeds}
    for page in result.pages:
        target = page.leads_to
        if page.url in seeds and target and target not in fetched and not scope.covers(target, UrlKind.PAGE, 0):
            say(f"{page.url} leads out of the crawl, to {target}. If it is meant, make it the seed, or add its host to scope.hosts.")


def _outcome_text(page: CheckedPage, result: CheckResult) -> str:
    words = [rows_text(page.rows, page.quarantined)] if page.rows or page.quarantined else []
    if isinstance(page.outcome, ReadPage):
        words.insert(0, f"article for quarantine: {page.violation.reason}" if page.violation else "article")
    elif page.outcome is not None:
        shown = f": {page.outcome.detail}" if page.outcome.reason is Reason.REDIRECT else ""  # where it leads explains a lot
        words.append(f"{'no article: ' if result.makes_articles else 'nothing: '}{page.outcome.reason}{shown}")
    if page.leads_to and page.status == 200:
        words.append(f"its refresh leads to {page.leads_to}")
    return "; ".join(words) or "no rows"


def _show_articles(result: CheckResult) -> None:
    articles = [page.outcome.article for page in result.pages if isinstance(page.outcome, ReadPage)]
    if not articles:
        say("None of these pages is an article. Give a seed that leads to some, or --pages N to see more.")
    broken = [(page.violation.rule, page.violation.detail, page.url) for page in result.pages if page.violation]
    if broken:
        show(table("Articles for quarantine", ("rule", "what it is", "URL"), broken))
    for article in articles[:SHOWN_ARTICLES]:
        _show_article(article)
    if result.articles_in_a_run:
        show(f"articles: only a whole run is judged by {', '.join(result.articles_in_a_run)}")


def _show_article(article: Article) -> None:
    results().print(f"\n{article.url}", style="bold")
    published = article.published_at and f"{article.published_at.isoformat()} ({article.published_at_source})"
    facts = {"title": article.title, "authors": list(article.authors), "published": published, "found by": article.extraction_path}
    text = plain_text(article.blocks)
    facts["text"] = f"{cell_text(text)[:SHOWN_CHARACTERS]}  ({plural(len(text), 'character')})"
    show(facts_table("", {name: cell_text(value) for name, value in facts.items() if value}))
