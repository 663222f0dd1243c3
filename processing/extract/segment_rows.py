"""Stage the rows of a crawl's datasets from one segment, beside its articles: from pages, from the user's functions and from items.

Before: `processing.stages.plan` has pinned the definitions of the datasets. After: `processing.resolve.datasets` reads the staged rows, and
beside them what each record gave (`PAGES`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.clean.identity import bucket_of
from processing.datasets.functions import refuse_changed_code
from processing.datasets.rows import arrow_values
from processing.datasets.steps import STEP_RULE, StepFailedError, StepRunner, whole_row, with_rows
from processing.extract.item_rows import ITEMS_OF_NO_DATASET, NOT_MODIFIED, ItemRows, MissingItems, item_datasets, items_again
from processing.extract.outdated_revisits import Outdated, Positions
from processing.extract.page_tasks import Again, PageResult, Wanted
from processing.staging.bucket_spill import BucketSpill
from processing.staging.staging import GROUP_ROWS, PAGES, PAGES_NAME, bounded, staged_writer, write_rows
from processing.staging.step_failures import write_failures
from runtime.scratch import scratch_folder
from schemas.datasets.dataset import Dataset
from schemas.datasets.page_rows import Row
from schemas.datasets.tables import staging_schema
from schemas.keys import extracted_rows_key
from schemas.manifest import Segment
from schemas.outcomes import Reason
from schemas.runs import ProcessRun
from storage.index.rows import CaptureRow
from storage.objects.store import ObjectStore
from storage.urls.host_key import host_key

ARTICLES = "articles"
NOTHING_OUTDATED: Outdated = MappingProxyType({})
NO_POSITIONS: Positions = frozenset()
StagedRow = dict[str, object]
HIDDEN_FROM_STEPS = frozenset({"bucket", "rule", "detail", "row_json"})  # columns of staged rows that are no columns of the table


class SegmentRows:
    """The rows of one segment for each dataset of a process run; on the local disk until all are there, then in the store."""

    def __init__(
        self,
        store: ObjectStore,
        run: ProcessRun,
        segment: Segment,
        folders: Sequence[str],
        outdated: Outdated = NOTHING_OUTDATED,
        offsets: Collection[int] | None = None,
    ) -> None:
        """`folders` are where the user's modules are. `outdated` are the revisits that are read again, and for which datasets.

        `offsets` are those of the records that are read, None for all.

        Raises ConflictError if the code of the modules is not that of the planned run.
        """
        for dataset in run.own_datasets:
            refuse_changed_code(dataset, folders)
        self._store, self._run, self._segment, self._folders = store, run, segment, tuple(folders)
        kinds = {dataset.name: dataset.source.kind for dataset in run.own_datasets if dataset.source}
        in_pages = [dataset for dataset in run.own_datasets if kinds.get(dataset.name) in {"selectors", "structured_data", "pages"}]
        functions = [dataset for dataset in run.own_datasets if kinds.get(dataset.name) == "function"]
        self.wanted = Wanted(run.makes_articles, _definitions(in_pages), self._folders, _definitions(functions))
        self._outdated, self._offsets = outdated, offsets
        self.again: Again = {
            offset: Wanted(ARTICLES in names, _definitions(in_pages, names), self._folders, _definitions(functions, names))
            for offset, names in outdated.items()
        }
        self._stack = ExitStack()
        datasets = (*run.own_datasets, *((ITEMS_OF_NO_DATASET,) if item_datasets(run) else ()))
        self._spills = {dataset.name: _Spill(dataset, self._scratch()) for dataset in datasets}
        self._pages: list[StagedRow] = []
        self._revisits: list[CaptureRow] = []  # that are read again
        self._not_indexed: set[int] = set()  # offsets of records whose pages ask not to be indexed, or not to be used

    def __enter__(self) -> SegmentRows:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def take(self, row: CaptureRow, result: PageResult) -> None:
        """Take the rows of a page."""
        if result.rejected is not None and result.rejected.reason in {Reason.NOINDEX, Reason.AI_PREFERENCE}:
            self._not_indexed.add(row.warc_record_offset)
        if row.warc_record_offset in self._outdated:
            self._revisits.append(row)
        for found in result.rows:
            self._add(row, found.dataset, found.rows, found.error)

    def finish(self) -> None:
        """Read the items, then store the rows of every dataset."""
        self._take_items()
        process_run, segment = self._run.process_run, self._segment.segment
        failures: dict[str, str] = {}
        for spill in self._spills.values():
            with StepRunner(spill.dataset, self._folders) as steps:
                failure = spill.write(self._store, extracted_rows_key(process_run, spill.dataset.name, segment), steps)
            failures |= {spill.dataset.name: failure} if failure else {}
        write_failures(self._store, process_run, segment, failures)
        pages = pa.Table.from_pylist(self._pages, schema=PAGES)
        write_rows(self._store, extracted_rows_key(process_run, PAGES_NAME, segment), [pages], PAGES)

    def _take_items(self) -> None:
        again = [row for row in self._revisits if row.fetch_status == NOT_MODIFIED]  # a spider sees a page that comes whole
        datasets = {dataset.name for dataset in item_datasets(self._run)}
        captures = {row.warc_record_offset: row for row in again}
        counts = Counter({(offset, name): 0 for offset in captures for name in datasets & self._outdated[offset].keys()})
        own = ItemRows(self._run, self._segment, self._store).read()
        for one in chain(own, items_again(self._run, again, self._outdated, self._store)):
            offset = one.capture.warc_record_offset
            if offset in self._not_indexed or (self._offsets is not None and offset not in self._offsets):
                continue
            if isinstance(one, MissingItems):
                if not counts[offset, one.dataset]:
                    del counts[offset, one.dataset]
                self._count(one.capture, one.dataset, 0, one.error)
                continue
            captures[offset] = one.capture
            counts[offset, one.dataset] += 1
            if one.position not in self._waiting(one.capture, one.dataset):
                self._spills[one.dataset].add(one.capture, one.position, one.row)
        for (offset, dataset), count in counts.items():
            if offset not in self._not_indexed:
                self._count(captures[offset], dataset, count, None)

    def _add(self, row: CaptureRow, dataset: str, rows: Sequence[Row], error: str | None) -> None:
        """Add the rows of a page. A revisit that is read again is counted without rows, too: else the earlier ones would count for it."""
        if rows or error or row.warc_record_offset in self._outdated:
            self._count(row, dataset, len(rows), error)
        waiting = self._waiting(row, dataset)
        for position, one in enumerate(rows):
            if position not in waiting:
                self._spills[dataset].add(row, position, one)

    def _waiting(self, row: CaptureRow, dataset: str) -> Positions:
        """The places on the page of rows that are in quarantine already, as those of the record that a revisit refers to."""
        return self._outdated.get(row.warc_record_offset, {}).get(dataset, NO_POSITIONS)

    def _count(self, row: CaptureRow, dataset: str, count: int, error: str | None) -> None:
        waiting = sum(position < count for position in self._waiting(row, dataset))
        pointer = {"warc_filename": row.warc_filename, "warc_record_offset": row.warc_record_offset}
        self._pages.append({**pointer, "dataset": dataset, "rows": count - waiting, "error": error, "waiting": waiting})

    def _scratch(self) -> Path:
        folder: Path = self._stack.enter_context(scratch_folder())
        return folder


class _Spill:
    """The rows of one dataset, sorted by host bucket on the local disk."""

    def __init__(self, dataset: Dataset, folder: Path) -> None:
        self.dataset = dataset
        self._schema = staging_schema(dataset)
        self._spill = BucketSpill(folder, self._schema)
        self._pending: list[StagedRow] = []

    def add(self, capture: CaptureRow, position: int, row: Row) -> None:
        """Add a row of a capture; `position` is its place among those of the capture."""
        self._pending.append(_staged(self.dataset, capture, position, row))
        if len(self._pending) == GROUP_ROWS:
            self._flush()

    def write(self, store: ObjectStore, key: str, steps: StepRunner) -> str | None:
        """Write all rows to the store, after the dataset's steps. Why a step broke that may not; then its rows are as they were."""
        self._flush()
        self._spill.finish()
        failure: str | None = None
        with staged_writer(store, key, self._schema) as writer:
            for table in bounded(table for tables in self._spill.by_bucket() for table in tables):
                rows = table
                if self.dataset.steps and failure is None:
                    try:
                        rows = _after_steps(table, self.dataset, steps)
                    except StepFailedError as error:
                        failure = str(error)
                writer.write(rows)
        return failure

    def _flush(self) -> None:
        if self._pending:
            self._spill.add(pa.Table.from_pylist(self._pending, schema=self._schema))
            self._pending = []


def _staged(dataset: Dataset, capture: CaptureRow, position: int, row: Row) -> StagedRow:
    host = host_key(capture.url)
    return {
        "bucket": bucket_of(host),
        "row_id": row.row_id,
        **arrow_values(dataset, row),
        "url": capture.url,
        "host": host,
        "fetched_at": capture.fetch_time,
        "position": position,
        "warc_filename": capture.warc_filename,
        "warc_record_offset": capture.warc_record_offset,
        "warc_record_length": capture.warc_record_length,
        "content_digest": capture.content_digest,
        "crawl_run": capture.crawl_run,
        "rule": row.rule,
        "detail": row.detail,
        "row_json": row.row_json,
    }


def _after_steps(table: pa.Table, dataset: Dataset, steps: StepRunner) -> pa.Table:
    """The rows with the fields that steps fill. Rows at fault get the rule `step`. Steps do not see rows that have a rule."""
    fits = pc.is_null(table["rule"]).to_numpy()
    fitting = table.filter(pa.array(fits))
    seen = [name for name in fitting.schema.names if name not in HIDDEN_FROM_STEPS]
    stepped = steps.run(fitting.select(seen))
    for name in dataset.fields:
        fitting = fitting.set_column(fitting.schema.get_field_index(name), fitting.schema.field(name), stepped.rows[name])
    if stepped.broken:
        rows = fitting.to_pylist()
        for place, detail in stepped.broken.items():
            rows[place] |= {"rule": STEP_RULE, "detail": detail, "row_json": whole_row(dataset, rows[place])}
        fitting = pa.Table.from_pylist(rows, schema=table.schema)
    return with_rows(table, fitting, np.flatnonzero(fits))


def _definitions(datasets: Sequence[Dataset], names: Container[str] | None = None) -> tuple[str, ...]:
    return tuple(dataset.model_dump_json() for dataset in datasets if names is None or dataset.name in names)
