"""The rows of one segment's items for each dataset of items, those that no dataset takes, and what is missing of a page's items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from processing.datasets.rows import RowTyper, row_json
from processing.datasets.values import short_text
from processing.extract.referred_records import referred_id
from schemas.datasets.dataset import Dataset
from schemas.datasets.page_rows import Row
from schemas.datasets.sources import Source
from schemas.items import ItemProblem, StoredItem
from schemas.keys import crawl_of, crawl_run_of, index_key, segment_items_key, segment_of
from schemas.manifest import Segment
from schemas.runs import ProcessRun, RunKind
from schemas.yaml_files.dataset_names import NO_DATASET
from storage.index.items import read_item_problems, read_items
from storage.index.rows import CaptureRow, read_index
from storage.objects.store import ObjectStore
from storage.urls.host_key import host_key

NO_DATASET_RULE = "no_dataset"
RENDER_RULE = "render"
NOT_MODIFIED = 304

ITEMS_OF_NO_DATASET = Dataset.model_construct(name=NO_DATASET, source=Source(items=True), key=("url",))
"""Stands for no dataset where its rows are staged: they have no fields, and go to quarantine as they are."""


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A row that was made of an item: of which capture, for which dataset, and its place among the capture's rows for that dataset."""

    capture: CaptureRow
    dataset: str
    position: int
    row: Row


@dataclass(frozen=True, slots=True)
class MissingItems:
    """A capture of which a dataset may lack rows, and why."""

    capture: CaptureRow
    dataset: str
    error: str


def item_datasets(run: ProcessRun) -> tuple[Dataset, ...]:
    """The datasets of a run whose rows are a spider's items."""
    return tuple(dataset for dataset in run.own_datasets if dataset.source is not None and not dataset.source.reads_pages)


def takes_all_items(run: ProcessRun) -> bool:
    """Whether a run knows of every item whether a dataset of the crawl takes it. One that makes rows of some datasets only does not."""
    makes_all = set(run.crawl.datasets) <= {dataset.name for dataset in run.datasets}
    return bool(item_datasets(run)) and (run.replacement is None or makes_all)


@dataclass(slots=True)
class ItemRows:
    """Reads the items of one segment. The rows are streamed: a page may have more items than fit in memory.

    `only` are the offsets of the records whose items are read; None for all.
    """

    run: ProcessRun
    segment: Segment
    store: ObjectStore
    only: frozenset[int] | None = None
    _datasets: tuple[Dataset, ...] = ()
    _typers: dict[str, RowTyper] = field(default_factory=dict)
    _named: frozenset[str] = frozenset()  # the datasets whose file names a class, and has no field `type`
    _captures: dict[int, CaptureRow] = field(default_factory=dict)
    _counts: Counter[tuple[int, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._datasets = item_datasets(self.run)
        self._typers = {dataset.name: RowTyper(dataset) for dataset in self._datasets}
        of_class = (one for one in self._datasets if one.source is not None and one.source.items is not True)
        self._named = frozenset(one.name for one in of_class if "type" not in one.fields)

    def read(self) -> Iterator[ItemRow | MissingItems]:
        """The rows of all items, then those of items that could not be stored, and the captures of which items are missing."""
        crawl, crawl_run = crawl_of(self.segment.warc_key), crawl_run_of(self.segment.warc_key)
        again = self.run.process_run if self.run.kind is RunKind.REPROCESS else None
        if self._datasets:
            for item in read_items(crawl, crawl_run, [self.segment], self.store, again):
                if self.only is None or item.warc_record_offset in self.only:
                    yield from self._rows(self._capture(item.warc_record_offset), item)
        for problem in read_item_problems(crawl, crawl_run, self.segment, self.store, again):
            if self.only is None or problem.warc_record_offset in self.only:
                yield from self._missing(self._capture(problem.warc_record_offset), problem)

    def _capture(self, offset: int) -> CaptureRow:
        if not self._captures:
            self._captures = {row.warc_record_offset: row for row in read_index(self.store.get_bytes(self.segment.index_key))}
        return self._captures[offset]

    def _rows(self, capture: CaptureRow, item: StoredItem) -> Iterator[ItemRow]:
        takers = self._takers(item.type)
        for name in takers:
            values = item.item if name not in self._named else _without_type(item)
            yield self._row(capture, name, self._typers[name].row(values, host_key(item.url), item.url))
        if not takers:
            row = Row({}, rule=NO_DATASET_RULE, detail=self._no_taker(item.type), row_json=row_json(item.item))
            yield self._row(capture, NO_DATASET, row)

    def _missing(self, capture: CaptureRow, problem: ItemProblem) -> Iterator[ItemRow | MissingItems]:
        if problem.item is not None:
            row = Row({}, rule=problem.rule, detail=problem.problem, row_json=row_json(problem.item))
            for name in self._takers(problem.type) or ([NO_DATASET] if self._datasets else []):
                yield self._row(capture, name, row)
            return
        concerned: Sequence[Dataset] = self.run.own_datasets if problem.rule == RENDER_RULE else self._datasets
        for dataset in concerned:
            yield MissingItems(capture, dataset.name, f"{problem.rule}: {problem.problem}")

    def _takers(self, item_type: str | None) -> list[str]:
        return [dataset.name for dataset in self._datasets if dataset.takes_item(item_type)]

    def _row(self, capture: CaptureRow, dataset: str, row: Row) -> ItemRow:
        key = capture.warc_record_offset, dataset
        self._counts[key] += 1
        return ItemRow(capture, dataset, self._counts[key] - 1, row)

    def _no_taker(self, item_type: str | None) -> str:
        named = f"of the type {short_text(item_type)}" if item_type else "without a type"
        there = ", ".join(f"{one.name} of {one.source.items}" for one in self._datasets if one.source is not None)
        return f"no dataset of the crawl takes items {named}; there are {there}"


def items_again(
    run: ProcessRun, revisits: Iterable[CaptureRow], outdated: Mapping[int, Container[str]], store: ObjectStore
) -> Iterator[ItemRow | MissingItems]:
    """The rows that datasets get of the items of the pages to which revisits refer; `outdated` are the datasets of each, by its offset.

    A spider saw the page when it was fetched; of a page that has not changed since (304) it sees nothing.
    """
    referring: dict[str, dict[int, CaptureRow]] = {}
    for row in revisits:
        if (referred := referred_id(row)) is not None:
            referring.setdefault(referred[0], {})[referred[1]] = row
    for warc_key, of_segment in sorted(referring.items()):
        segment = _stored_segment(warc_key, store)
        if store.info(segment.index_key) is None:
            error = f"its items cannot be read, because {segment.index_key} is not in the store"
            pairs = ((row, dataset.name) for row in of_segment.values() for dataset in item_datasets(run))
            yield from (MissingItems(row, name, error) for row, name in pairs if name in outdated[row.warc_record_offset])
            continue
        for one in ItemRows(run, segment, store, frozenset(of_segment)).read():
            revisit = of_segment[one.capture.warc_record_offset]
            if one.dataset in outdated[revisit.warc_record_offset]:
                yield replace(one, capture=revisit)


def _stored_segment(warc_key: str, store: ObjectStore) -> Segment:
    """A segment of an earlier run, as far as its items are read."""
    crawl, crawl_run, name = crawl_of(warc_key), crawl_run_of(warc_key), segment_of(warc_key)
    has_items = store.info(segment_items_key(crawl, crawl_run, name)) is not None
    return Segment(
        segment=name, warc_key=warc_key, index_key=index_key(crawl, crawl_run, name), size=0, digest="", records=0, items=int(has_items)
    )


def _without_type(item: StoredItem) -> Mapping[str, object]:
    """The fields of an item. The `type` by which a dict says what it is is none of them."""
    return {name: value for name, value in item.item.items() if name != "type" or value != item.type}
