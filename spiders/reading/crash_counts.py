"""URLs that workers were reading when they crashed. One crash may be chance. After the second crash the URL fails, and is not read again.

The reading journal of a crashed worker says what it was reading. The counts of a crawl are a small JSON file in the home, so they apply to
further runs and further workers on the same machine.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.config.settings import Settings
from spiders.reading.journal import read_left_journal

JOURNAL_NAME = "reading"
MAX_CRASHES = 2
MAX_URLS = 10_000


class CrashCounts:
    """The counts of one crawl, by the URL's id in the frontier."""

    def __init__(self, settings: Settings, crawl: str) -> None:
        self._path = settings.home / "deaths" / f"{crawl}.json"
        self._counts = self._change(_left_urls(settings, crawl), ())

    def is_fatal(self, url_id: int) -> bool:
        """Whether MAX_CRASHES workers crashed while they were reading a URL. Then it is not read again now."""
        return bool(self._counts) and self._counts[url_id] >= MAX_CRASHES

    def registered(self, url_ids: Iterable[int]) -> None:
        """Results of these URLs are registered. Forget URLs that were read; URLs that failed because of crashes get one more try."""
        if not self._counts:
            return
        known = [url_id for url_id in url_ids if url_id in self._counts]
        if known:
            self._counts = self._change((), known)

    def _change(self, more: Iterable[int], settled: Iterable[int]) -> Counter[int]:
        more, settled = list(more), list(settled)
        if not more and not self._path.exists():
            return Counter()
        with _locked(self._path) as file:
            counts = _read(file)
            counts.update(more)
            for url_id in settled:
                counts[url_id] = MAX_CRASHES - 1 if counts[url_id] >= MAX_CRASHES else 0
            counts = +Counter(dict(counts.most_common(MAX_URLS)))
            os.ftruncate(file, 0)
            os.pwrite(file, json.dumps({str(url_id): count for url_id, count in counts.items()}).encode(), 0)
            if not counts:
                self._path.unlink(missing_ok=True)
        return counts


def _left_urls(settings: Settings, crawl: str) -> Iterator[int]:
    """The URLs that crashed workers of a crawl's runs on this machine were reading. Removes their journals."""
    for path in (settings.home / "spool").glob(f"*/*/{JOURNAL_NAME}"):
        run = path.parent.parent.name
        if run.rsplit("-", 2)[0] == crawl and (urls := read_left_journal(path)) is not None:
            yield from urls


def _read(file: int) -> Counter[int]:
    try:
        return Counter({int(url_id): int(count) for url_id, count in json.loads(os.pread(file, 1 << 24, 0) or b"{}").items()})
    except (ValueError, AttributeError):  # cut off by a full disk: the counts start at zero
        return Counter()


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)
