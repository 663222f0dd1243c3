"""What `crawlhouse crawl` does: one run of a crawl, from its plan to its manifest, by workers on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import TextIO

from crawlhouse.actions.monitor.notify import telling
from crawlhouse.command_lock import hold_command_lock
from crawlhouse.output.accounting import show_manifest
from crawlhouse.output.console import progress_line, say, write_json
from crawlhouse.output.row_formats import ReportFormat
from crawlhouse.reports.check_tables import check_tables, has_definitions
from processing.extract.checks.rule_check import check_rules
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import find_crawl, settings_for_crawl
from schemas.config.settings import Settings, make_home
from schemas.errors import ConfigError, NotFoundError, StorageError, ThresholdError, UnavailableError
from schemas.manifest import Manifest
from schemas.runs import CrawlRun
from storage.ledger.ledger import open_ledger

BY_HAND = "by hand "  # keys of runs that Airflow did not plan


def run_crawl(reference: str, settings: Settings, form: ReportFormat, *, new: bool, urls: Sequence[str]) -> None:
    """Fetch what is due and `urls`, and print the accounting. `new` begins another run even if one was interrupted.

    Raises what the crawl's file, its rules and its run raise.
    """
    crawl = find_crawl(reference, settings.crawls)
    settings = settings_for_crawl(reference, settings)
    check_rules(crawl, settings.crawls / f"{crawl.name}.yaml")
    make_home(settings)
    warn_about_datasets(crawl, settings)
    with hold_command_lock(settings, f"crawl-{crawl.name}"), telling(crawl.name, "crawl", settings):
        _fetch(crawl, settings, form, new=new, urls=urls)


def warn_about_datasets(crawl: Crawl, settings: Settings) -> None:
    """Say at once what keeps `process` from making rows of what is fetched. It is kept nevertheless."""
    if not has_definitions(crawl, settings):
        return
    from processing.datasets.definitions import crawl_datasets  # slow to import, and most crawls have plain articles

    try:
        check_tables(crawl_datasets(crawl, settings), settings)
    except (ConfigError, NotFoundError) as error:
        say(f"Warning: {error}\nThe crawl goes on, and keeps what it fetches. Correct this before `crawlhouse process {crawl.name}`.")
    except (UnavailableError, StorageError):  # the crawl itself says what is the matter with the store or the database
        return


def read_urls(path: Path) -> list[str]:
    """The URLs of a text file, one a line. Empty lines and lines that begin with # are skipped. Raises NotFoundError, ConfigError."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not text in UTF-8. Give a file with a URL a line.") from error
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read: {error.strerror}.") from error
    urls = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not urls:
        raise ConfigError(f"{path} names no URL. Give a file with a URL a line.")
    return urls


def _fetch(crawl: Crawl, settings: Settings, form: ReportFormat, *, new: bool, urls: Sequence[str]) -> None:
    from spiders.progress import ProgressLine
    from spiders.run import crawl_once, describe_nothing_due

    key = _run_key(crawl, settings, new=new or bool(urls))
    try:
        line = ProgressLine()
        with worker_log(settings, f"crawl-{crawl.name}") as log, progress_line() as update:
            manifest = crawl_once(crawl, settings, progress=lambda state: update(line.text(state)), key=key, log_to=log, urls=urls)
    except ThresholdError:
        _show(_manifest_of(crawl.name, key, settings), form)
        raise
    except KeyboardInterrupt:
        say(f"What was fetched is kept. `crawlhouse crawl {crawl.name}` continues this run.")
        raise
    run = CrawlRun(manifest.crawl_run, crawl, key, manifest.planned_at, "", "")
    idle = "" if manifest.counts.due else describe_nothing_due(run, settings)
    if form is ReportFormat.JSON or not idle:
        _show(manifest, form)
    if idle:
        say(idle)
    _check_fetched(manifest, settings, is_asked_for=bool(urls))


def _check_fetched(manifest: Manifest, settings: Settings, *, is_asked_for: bool) -> None:
    """Raises ThresholdError if nothing was fetched, neither in this run nor in an earlier one, or of URLs that were asked for.

    A run of a crawl that recurs may have nothing but a URL that failed before. Whether that is a failure is for the crawl's thresholds.
    """
    from spiders.closing.thresholds import check_fetched

    try:
        check_fetched(manifest)
    except ThresholdError as error:
        if is_asked_for or not _has_fetched(manifest.crawl, settings):
            raise
        say(str(error))


def _has_fetched(crawl: str, settings: Settings) -> bool:
    ledger = open_ledger(settings)
    return any(ledger.manifest(run.crawl_run).counts.fetched for run in reversed(ledger.crawl_runs(crawl, "closed")))


@contextmanager
def worker_log(settings: Settings, name: str) -> Iterator[TextIO]:
    """A stream for the logs of workers. If they log anything, it is stored under `name`, and a message says where."""
    log = StringIO()
    try:
        yield log
    finally:
        if log.getvalue():
            path = settings.home / "logs" / f"{name}.log"
            with suppress(OSError):  # a full disk: the crawl itself ends with that error
                path.parent.mkdir(exist_ok=True)
                path.write_text(log.getvalue(), encoding="utf-8")
                say(f"What the workers logged: {path}")


def _show(manifest: Manifest, form: ReportFormat) -> None:
    if form is ReportFormat.JSON:
        write_json(manifest.model_dump(mode="json", exclude={"segments"}) | {"segments": len(manifest.segments)})
    else:
        show_manifest(manifest)
        if manifest.finish_reason == "quota":
            say("The archive is at CRAWLHOUSE_QUOTA_BYTES, or a disk has less than CRAWLHOUSE_MIN_FREE_BYTES free: the rest is left over.")


def _run_key(crawl: Crawl, settings: Settings, *, new: bool) -> str:
    """The key of the run that was interrupted, or of a new one."""
    ledger = open_ledger(settings)
    unclosed = ledger.unclosed_runs(crawl.name)  # also a run that was interrupted while it closed
    interrupted = [run for run in ledger.crawl_runs(crawl.name) if run.crawl_run in unclosed and run.key.startswith(BY_HAND)]
    if interrupted and not new:
        say(f"Going on with {interrupted[-1].crawl_run}, which was interrupted. (--new begins another.)")
        return interrupted[-1].key
    return f"{BY_HAND}{datetime.now(UTC).isoformat()}"


def _manifest_of(name: str, key: str, settings: Settings) -> Manifest:
    ledger = open_ledger(settings)
    return ledger.manifest(next(run.crawl_run for run in ledger.crawl_runs(name) if run.key == key))
