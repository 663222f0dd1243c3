"""What a run that replaces whole crawl runs takes out of each table, and the rows of `captures` with what it leaves as it is.

The rows that its datasets have of these crawl runs are replaced; those of other datasets, and what they made of each record, stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
from pyiceberg.expressions import BooleanExpression, In

from processing.publish.accounting import ARTICLES
from processing.publish.dataset_tables import as_articles_alone, summary_of
from processing.resolve.records import RecordId, record_id_of
from schemas.datasets.dataset import Dataset
from schemas.runs import ProcessRun
from storage.lake.lake import Lake
from storage.lake.removal import Removal, of_values

_ARTICLE_COLUMNS = ("article_id", "article_version", "page_type")
_KEPT = ["warc_filename", "warc_record_offset", "outcome", "reason", "detail", "outcomes", *_ARTICLE_COLUMNS]

CaptureRow = dict[str, Any]  # Any: the values of a row of `captures`


def removals(run: ProcessRun) -> dict[str, Removal]:
    """The rows that are taken out of each table; none for a run of new crawl runs."""
    if run.replacement is None:
        return {}
    names = _names(run)
    # rows of earlier releases have no dataset: they are articles
    spelled = [*names, *([None] if ARTICLES in names else [])]
    of_runs = of_values(("crawl_run",), [(crawl_run,) for crawl_run in run.crawl_runs], _where(run))
    of_datasets = of_values(("crawl_run", "dataset"), [(crawl_run, name) for crawl_run in run.crawl_runs for name in spelled], _where(run))
    return {"captures": of_runs, "quarantine": of_datasets, "sightings": of_datasets, **dict.fromkeys(names, of_runs)}


def replaced_runs(crawl_runs: tuple[str, ...], lake: Lake) -> tuple[str, ...]:
    """The process runs that the outcomes of these crawl runs' records are from, sorted."""
    where = In("crawl_run", crawl_runs)  # type: ignore[call-arg]
    rows = (row for batch in lake.scan("captures", ["crawl_run", "process_run"], where) for row in batch.to_pylist())
    return tuple(sorted({row["process_run"] for row in rows if row["crawl_run"] in crawl_runs}))


def merged_captures(run: ProcessRun, lake: Lake) -> Callable[[pa.Table], pa.Table]:
    """Gives rows of `captures` what the datasets that are not replaced made of their records. For a run of new crawl runs: as they are."""
    if run.replacement is None:
        return lambda captures: captures
    names = _names(run)
    where = In("crawl_run", run.crawl_runs)  # type: ignore[call-arg]
    kept: dict[RecordId, CaptureRow] = {
        record_id_of(row): row for batch in lake.scan("captures", _KEPT, where) for row in batch.to_pylist()
    }

    def merge(captures: pa.Table) -> pa.Table:
        rows = [_merged(row, kept.get(record_id_of(row)), names) for row in captures.to_pylist()]
        return pa.Table.from_pylist(rows, schema=captures.schema)

    return merge


def _merged(row: CaptureRow, before: CaptureRow | None, names: list[str]) -> CaptureRow:
    if before is None:
        return row
    made = {one["dataset"]: one for one in row["outcomes"]}
    known = before["outcomes"] if before["outcomes"] is not None else [as_articles_alone(before)]
    outcomes: list[Mapping[str, Any]] = [made.pop(one["dataset"], one) for one in known]
    outcomes += made.values()
    articles = {} if ARTICLES in names else {name: before[name] for name in _ARTICLE_COLUMNS}
    return {**row, **articles, **summary_of(outcomes), "outcomes": outcomes}


def _names(run: ProcessRun) -> list[str]:
    """The datasets whose rows are replaced."""
    datasets = run.datasets or (Dataset(name=ARTICLES),)
    return [dataset.name for dataset in datasets]


def _where(run: ProcessRun) -> BooleanExpression:
    return In("crawl_run", run.crawl_runs)  # type: ignore[call-arg]
