"""What `crawlhouse doctor` does: check each part that crawling and processing need, and say of each what was found and what to do."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from crawlhouse.output.console import show, table, write_json
from crawlhouse.output.row_formats import ReportFormat
from schemas.config.crawl_file import read_crawls
from schemas.config.settings import Settings
from schemas.errors import ConfigError, CrawlhouseError, NotFoundError, StorageError
from schemas.numbers import format_bytes, plural


class Health(StrEnum):
    """Whether a part works. An optional part that is missing is `absent`, which is no failure."""

    OK = "ok"
    WARNING = "warning"
    ABSENT = "absent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part. `exit_code` is 0 unless it failed."""

    part: str
    health: Health
    text: str
    exit_code: int = 0


def show_examination(settings: Settings, form: ReportFormat, parts: Collection[str] = ()) -> int:
    """Print what was found of some parts, or of all. Returns the exit code: that of the first part that failed, or 0."""
    found = list(examine(settings, parts))
    if form is ReportFormat.JSON:
        write_json([{"part": one.part, "health": one.health, "text": one.text} for one in found])
    else:
        show(table("", ("part", "health", "what was found"), ((one.part, one.health, one.text) for one in found)))
    return next((one.exit_code for one in found if one.exit_code), 0)


def examine(settings: Settings, parts: Collection[str] = ()) -> Iterator[Finding]:
    """Check one part after the other, or only some. Raises nothing: an error is a finding."""
    for part in parts or PARTS:
        check = PARTS[part]
        try:
            health, text = check(settings)
            yield Finding(part, health, text)
        except CrawlhouseError as error:
            yield Finding(part, Health.FAILED, str(error), error.exit_code)


def _versions(_: Settings) -> tuple[Health, str]:
    from runtime.code_version import code_version

    return Health.OK, f"crawlhouse {version('crawlhouse')} ({code_version()}), Python {platform.python_version()}"


def _database(settings: Settings) -> tuple[Health, str]:
    from storage.database.migrations import SCHEMA_VERSION
    from storage.ledger.ledger import open_ledger

    if not _has_database(settings):
        return Health.OK, f"none yet in {settings.home}; the first run makes it"
    ledger = open_ledger(settings)
    try:
        unclosed = len(ledger.crawl_runs(state="open"))
    finally:
        ledger.close()
    return Health.OK, f"{settings.redacted_database()}, tables of version {SCHEMA_VERSION}, {plural(unclosed, 'open run')}"


def _has_database(settings: Settings) -> bool:
    return bool(settings.database) or settings.database_file("frontier").exists()


def _store(settings: Settings) -> tuple[Health, str]:
    from storage.objects.open import open_store

    folder = None if settings.store_url().startswith("s3://") else Path(settings.store_url())
    if folder is not None and not folder.exists():
        if not os.access(_existing(folder), os.W_OK | os.X_OK):
            raise StorageError(f"{folder} cannot be made: {_existing(folder)} is not writable for this user.")
        return Health.OK, f"none yet in {folder}; the first run makes it"
    open_store(settings).check()
    return Health.OK, f"{settings.store_url()} stores and returns objects"


def _clock(settings: Settings) -> tuple[Health, str]:
    from storage.database.clock import WARN_SECONDS, check_clock, clock_skew
    from storage.database.engine import open_database

    if not settings.database:
        return Health.OK, "this machine's own; no other has to agree with it"
    check_clock(settings)
    database = open_database(settings.database_url("frontier"))
    try:
        skew = clock_skew(database)
    finally:
        database.close()
    text = f"differs from the database server's by {abs(skew):.1f} s"
    return (Health.WARNING, f"{text}: set both clocks by NTP") if abs(skew) >= WARN_SECONDS else (Health.OK, text)


def _disks(settings: Settings) -> tuple[Health, str]:
    from storage.ledger.quota import free_bytes

    local = [] if settings.store_url().startswith("s3://") else [Path(settings.store_url())]
    free = {str(folder): free_bytes(_existing(folder)) for folder in [settings.home, *local]}
    for folder, number in free.items():
        if number < settings.min_free_bytes:
            least = format_bytes(settings.min_free_bytes)
            raise StorageError(f"{folder} has {format_bytes(number)} free, less than CRAWLHOUSE_MIN_FREE_BYTES ({least}). Free some space.")
    return Health.OK, "; ".join(f"{format_bytes(number)} free for {folder}" for folder, number in free.items())


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _crawl_files(settings: Settings) -> tuple[Health, str]:
    if not settings.crawls.is_dir():
        raise NotFoundError(f"There is no crawl folder {settings.crawls}. `crawlhouse init` makes one, or set CRAWLHOUSE_CRAWLS.")
    crawls, broken = read_crawls(settings.crawls)
    if broken:
        raise ConfigError(" ".join(str(error) for error in broken.values()))
    return (Health.OK, f"{len(crawls)} in {settings.crawls}") if crawls else (Health.WARNING, f"none in {settings.crawls}")


def _browser(settings: Settings) -> tuple[Health, str]:
    from spiders.browser.browser import check_browser

    crawls = [crawl for crawl in read_crawls(settings.crawls)[0].values() if crawl.browser.pages]
    for crawl in crawls:
        check_browser(crawl)
    if crawls:
        return Health.OK, f"there is one, for {', '.join(crawl.name for crawl in crawls)}"
    if find_spec("playwright") is None:
        return Health.ABSENT, "not installed, and no crawl needs it (docs/browser.md)"
    return Health.OK, "installed; no crawl needs it"


def _airflow(settings: Settings) -> tuple[Health, str]:
    from crawlhouse.airflow import stack

    running = stack.status(settings)
    if running is None:
        return Health.ABSENT, "no local Airflow runs; `crawlhouse up` starts one"
    if not running.healthy:
        return Health.WARNING, f"{running.url} is not healthy; its logs are in {running.logs}"
    return Health.OK, f"{running.url} is healthy"


def _left_behind(settings: Settings) -> tuple[Health, str]:
    folder = settings.home / "spool"
    names = {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()
    if not names:
        return Health.OK, "no spool is left"
    closed, known = _runs_of_spools(names, settings)
    if closed:
        return Health.WARNING, f"spools of closed runs, which the next worker here removes: {', '.join(sorted(closed))}"
    if unknown := names - known:
        return Health.WARNING, f"spools of runs that the database does not know, in {folder}: {', '.join(sorted(unknown))}"
    return Health.OK, f"{plural(len(names), 'spool')} of open runs"


def _runs_of_spools(names: set[str], settings: Settings) -> tuple[set[str], set[str]]:
    """Of the names of spools, those of closed runs, and those of runs that the database knows."""
    from storage.ledger.ledger import open_ledger

    if not _has_database(settings):
        return set(), set()
    ledger, known = open_ledger(settings), set()
    try:
        for name in names:
            with suppress(NotFoundError):
                known.add(ledger.crawl_run(name).crawl_run)
        return set(ledger.closed_runs(names)), known
    finally:
        ledger.close()


MACHINE = ("versions", "database", "store", "clock", "disks")  # what a machine needs whatever its crawls are
PARTS: dict[str, Callable[[Settings], tuple[Health, str]]] = {
    "versions": _versions,
    "database": _database,
    "store": _store,
    "clock": _clock,
    "disks": _disks,
    "crawl files": _crawl_files,
    "spools": _left_behind,
    "browser": _browser,
    "Airflow": _airflow,
}
