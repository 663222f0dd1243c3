"""`crawlhouse crawl` and `process`: without Airflow what the DAGs do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from crawlhouse.output.accounting import show_manifest, show_report
from crawlhouse.output.console import progress_line, say, write_json
from crawlhouse.output.row_formats import ReportFormat
from schemas.errors import ConfigError, NotFoundError, StorageError, ThresholdError
from schemas.outcomes import Outcome, Reason

if TYPE_CHECKING:
    from processing.publish.report import RunReport
    from schemas.config.crawl import Crawl
    from schemas.config.settings import Settings
    from schemas.manifest import Manifest

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

BY_HAND = "by hand "  # keys of runs that Airflow did not plan

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

    A run that was interrupted goes on where it was. With workers: N in the crawl's file, N processes share the run. Exit code 9 when
    the crawl's own thresholds were missed; what was fetched is kept then too.

    URLs that are named are fetched besides what is due, in a new run, which takes over what an interrupted one left; scope and robots.txt
    hold for them too.
    """
    from crawlhouse.crawllock import one_at_a_time
    from processing.extract.rule_check import check_rules
    from schemas.config.crawl_file import find_crawl, settings_for_crawl
    from schemas.config.settings import load_settings, make_home

    settings = load_settings()
    chosen = find_crawl(reference, settings.crawls)
    settings = settings_for_crawl(reference, settings)
    check_rules(chosen, settings.crawls / f"{chosen.name}.yaml")
    urls = [*(url or ()), *(read_urls(urls_from) if urls_from else ())]
    make_home(settings)
    with one_at_a_time(settings, f"crawl-{chosen.name}"):
        _fetch(chosen, settings, form, new, urls)


def read_urls(path: Path) -> list[str]:
    """The URLs of a text, one a line; empty lines and those that begin with # are passed over. Raises NotFoundError, ConfigError."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text in UTF-8. Give a file with a URL a line.") from error
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read: {error.strerror}.") from error
    urls = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not urls:
        raise ConfigError(f"{path} names no URL. Give a file with a URL a line.")
    return urls


def process(reference: Name, form: Form = ReportFormat.TABLE) -> None:
    """Turn what was fetched into published rows: extract, resolve, gate, publish.

    Takes every closed crawl run that is not published yet. Running it again changes nothing.
    """
    from crawlhouse.crawllock import one_at_a_time
    from processing.stages import process_once
    from schemas.config.settings import load_settings, make_home

    settings = load_settings()
    name = _known_name(reference, settings)
    make_home(settings)
    with one_at_a_time(settings, f"process-{name}"), progress_line() as tell:
        report = process_once(name, settings, progress=tell)
    if report is None:
        say(f"Nothing to process: every closed run of {name} is published. `crawlhouse crawl {name}` {_next_step(name, settings)}.")
    if form is ReportFormat.JSON:
        write_json(None if report is None else json.loads(report.to_json()), indent=2)
    elif report is not None:
        show_report(report)
    _raise_if_damaged(report)


def _next_step(name: str, settings: Settings) -> str:
    from storage.ledger.ledger import open_ledger

    unclosed = open_ledger(settings).unclosed_runs(name)
    return f"finishes {next(iter(unclosed))}, which is not closed yet" if unclosed else "fetches anew"


def _raise_if_damaged(report: RunReport | None) -> None:
    damaged = 0 if report is None else report.reasons.get(f"{Outcome.REJECTED}: {Reason.DAMAGED_RECORD}", 0)
    if damaged:
        raise StorageError(
            f"{damaged} records of the archive cannot be read: a segment is cut off or damaged. The rows of captures with reason "
            "damaged_record name it; restore it from a backup. Everything else is published."
        )


def _fetch(chosen: Crawl, settings: Settings, form: ReportFormat, new: bool, urls: Sequence[str]) -> None:
    from spiders.progress import ProgressLine
    from spiders.run import crawl_once

    key = _run_key(chosen, settings, new or bool(urls))
    try:
        line = ProgressLine()
        with worker_log(settings, f"crawl-{chosen.name}") as log, progress_line() as tell:
            manifest = crawl_once(chosen, settings, progress=lambda state: tell(line.text(state)), key=key, log_to=log, urls=urls)
    except ThresholdError:
        _show(_manifest_of(chosen.name, key, settings), form)
        raise
    except KeyboardInterrupt:
        say(f"What was fetched is kept. `crawlhouse crawl {chosen.name}` goes on from there.")
        raise
    _show(manifest, form)


@contextmanager
def worker_log(settings: Settings, name: str) -> Iterator[TextIO]:
    """Where the logs of workers go, by the file's name; named to the user when there is something in it."""
    log = StringIO()
    try:
        yield log
    finally:
        if log.getvalue():
            path = settings.home / "logs" / f"{name}.log"
            with suppress(OSError):  # a full disk is told by what it broke
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


def _run_key(chosen: Crawl, settings: Settings, new: bool) -> str:
    """The key of the run that was interrupted, or a new one."""
    from datetime import UTC, datetime

    from storage.ledger.ledger import open_ledger

    ledger = open_ledger(settings)
    unclosed = ledger.unclosed_runs(chosen.name)  # also one that was just being closed
    interrupted = [run for run in ledger.crawl_runs(chosen.name) if run.crawl_run in unclosed and run.key.startswith(BY_HAND)]
    if interrupted and not new:
        say(f"Going on with {interrupted[-1].crawl_run}, which was interrupted. (--new begins another.)")
        return interrupted[-1].key
    return f"{BY_HAND}{datetime.now(UTC).isoformat()}"


def _manifest_of(name: str, key: str, settings: Settings) -> Manifest:
    from storage.ledger.ledger import open_ledger

    ledger = open_ledger(settings)
    return ledger.manifest(next(run.crawl_run for run in ledger.crawl_runs(name) if run.key == key))


def _known_name(reference: str, settings: Settings) -> str:
    """The crawl's name; one whose file is gone is still known by its runs. Raises NotFoundError, ConfigError."""
    from schemas.config.crawl_file import find_crawl
    from storage.ledger.ledger import open_ledger

    try:
        return find_crawl(reference, settings.crawls).name
    except NotFoundError:
        if open_ledger(settings).crawl_runs(reference):
            return reference
        raise
