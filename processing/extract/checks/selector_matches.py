"""Counts what the selectors of a dataset find on stored pages, for people who wonder why there are no rows. In workers with limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from processing.datasets.page_rows import page_reader
from processing.datasets.page_view import PageView
from processing.datasets.selectors import count_matches
from processing.extract.page_tasks import ARTICLES_ALONE, Making, PageTask, segment_tasks
from processing.extract.reading import page_of
from processing.workers.pool import Exceeded, run_limited
from schemas.config.crawl import Crawl
from schemas.datasets.dataset import Dataset
from schemas.manifest import Segment
from schemas.outcomes import Rejected
from storage.objects.store import ObjectStore


@dataclass(frozen=True, slots=True)
class MatchTask:
    """A page, and the dataset as JSON whose selectors are counted."""

    page: PageTask
    definition: str

    @property
    def weight(self) -> int:
        """About how many bytes of memory the task takes."""
        return self.page.weight


def selector_matches(store: ObjectStore, segment: Segment, crawl: Crawl, dataset: Dataset) -> Iterator[dict[str, int]]:
    """For each page of a segment that `match` covers: how many elements `each` and the selector of each field find on it."""
    with store.open(segment.warc_key) as stream:
        pages = segment_tasks(stream, Making(store, segment, crawl, {}, ARTICLES_ALONE))
        tasks = (MatchTask(page, dataset.model_dump_json()) for page in pages)
        for _, found in run_limited(tasks, "processing.extract.checks.selector_matches.count_on_page", 1):
            if found and not isinstance(found, Exceeded):
                yield found


def count_on_page(task: MatchTask) -> dict[str, int]:
    """What the selectors find on one page; nothing on one that is no page, or that `match` does not cover. Runs inside a page worker."""
    record, row = task.page.record, task.page.row
    reader = page_reader(task.definition)
    if record is None or not reader.matches(row.url):
        return {}
    page = page_of(record, row.kind, row.hints)
    return {} if isinstance(page, Rejected) else count_matches(PageView(page), Dataset.model_validate_json(task.definition))
