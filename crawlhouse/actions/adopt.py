"""What `crawlhouse adopt` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from crawlhouse.command_lock import hold_command_lock
from crawlhouse.output.console import counts_table, progress, say, show
from processing.files.warc_sources import find_sources
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import find_crawl
from schemas.config.settings import Settings
from schemas.errors import NotFoundError, StorageError
from schemas.numbers import plural
from spiders.adoption.adopt import Adopted, adopt_files, adopt_stored
from storage.ledger.ledger import open_ledger


def run_adopt_files(name: str, paths: Sequence[Path], settings: Settings) -> None:
    """Adopt WARC files for a crawl and print what came of it. Raises NotFoundError, and StorageError if something cannot be read."""
    crawl = _crawl(name, settings)
    sources = [source for path in paths for source in find_sources(path)]
    with hold_command_lock(settings, f"adopt-{crawl.name}"), _bar() as update:
        adopted = adopt_files(crawl, sources, settings, update)
    _report(crawl, adopted, "These files have no captures that were not adopted before.")


def run_adopt_stored(name: str, settings: Settings) -> None:
    """Adopt what the store has of a crawl and the database does not know, and print what came of it."""
    crawl = _crawl(name, settings)
    with hold_command_lock(settings, f"adopt-{crawl.name}"), _bar() as update:
        adopted = adopt_stored(crawl, settings, update)
    _report(crawl, adopted, f"The database knows every segment that the store has of {crawl.name}.")


def _crawl(name: str, settings: Settings) -> Crawl:
    """The crawl of that name, by its file, or by its newest run if the file is gone. Raises NotFoundError, ConfigError."""
    try:
        return find_crawl(name, settings.crawls)
    except NotFoundError:
        ledger = open_ledger(settings)
        found = ledger.latest_crawl(name)
        ledger.close()
        if found is None:
            raise
        return found


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    with progress() as bar:
        task = bar.add_task("adopting", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _report(crawl: Crawl, adopted: Adopted, nothing: str) -> None:
    for manifest in adopted.manifests:
        counts = {"segments": len(manifest.segments), "records": sum(segment.records for segment in manifest.segments)}
        show(counts_table(f"{manifest.crawl_run}: {manifest.counts.text()}", counts))
    if adopted.known:
        say(f"Adopted before, and left out: {', '.join(adopted.known)}.")
    others = ", ".join(f"{count:,} {label}" for label, count in sorted(adopted.counts.others.items()))
    if others:
        say(f"Copied, but no web pages: {others}.")
    if adopted.counts.again:
        say(f"{plural(adopted.counts.again, 'capture', 'was', 'were')} adopted before from a file that begins alike, and left out.")
    if adopted.counts.taken_down:
        say(f"{plural(adopted.counts.taken_down, 'capture', 'is', 'are')} taken down. The copies have tombstones in place of the records.")
    if adopted.manifests:
        say(f"`crawlhouse process {crawl.name}` processes them.")
    elif not adopted.counts.damaged:
        say(nothing)
    if adopted.counts.damaged:
        raise StorageError(
            f"{plural(adopted.counts.damaged, 'record')} cannot be read, left out ({adopted.counts.first_damage}): a file is cut off, "
            "damaged or no WARC file. All others are adopted. Get that file again and adopt it too: what both files have is stored once."
        )
