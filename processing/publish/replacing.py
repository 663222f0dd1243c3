"""What a run that makes rows again takes out of each table, and the rows of `captures` with what it leaves as it is.

The rows that its datasets have of its crawl runs, or of its records, are replaced; those of other datasets, and what they made of each
record, stay.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyiceberg.expressions import BooleanExpression, In

from processing.extract.item_rows import takes_all_items
from processing.publish.accounting import ARTICLES
from processing.publish.dataset_tables import as_articles_alone, summary_of
from processing.resolve.records import RecordId, record_id_of
from processing.resolve.replaced import hidden_rows
from schemas.datasets.dataset import Dataset
from schemas.errors import ConflictError
from schemas.runs import ProcessRun, RunKind
from schemas.yaml_files.dataset_names import NO_DATASET
from storage.lake.lake import Lake
from storage.lake.removal import RECORD, Removal, of_records, of_values
from storage.ledger.ledger import Ledger
from storage.objects.store import ObjectStore

DEFINITIONS = "definitions"  # the key in `runs.statistics`
_ARTICLE_COLUMNS = ("article_id", "article_version", "page_type")
_KEPT = ["warc_filename", "warc_record_offset", "outcome", "reason", "detail", "outcomes", *_ARTICLE_COLUMNS]

CaptureRow = dict[str, Any]  # Any: the values of a row of `captures`


def removals(run: ProcessRun, store: ObjectStore) -> dict[str, Removal]:
    """The rows that are taken out of each table; none for a run of new crawl runs."""
    if run.replacement is None:
        return {}
    names = _names(run)
    # rows of earlier releases have no dataset: they are articles
    spelled = [*names, *([None] if ARTICLES in names else []), *([NO_DATASET] if takes_all_items(run) else [])]
    if run.replacement.is_selection:
        return _removals_of_records(run, names, spelled, store)
    of_runs = of_values(("crawl_run",), [(crawl_run,) for crawl_run in run.crawl_runs], _where(run))
    of_datasets = of_values(("crawl_run", "dataset"), [(crawl_run, name) for crawl_run in run.crawl_runs for name in spelled], _where(run))
    return {"captures": of_runs, "quarantine": of_datasets, "sightings": of_datasets, **dict.fromkeys(names, of_runs)}


def _removals_of_records(run: ProcessRun, names: list[str], spelled: list[str | None], store: ObjectStore) -> dict[str, Removal]:
    hidden = hidden_rows(run, store)
    assert hidden is not None
    assert hidden.records is not None
    captures, where = of_records(hidden.records), _where(run)
    in_quarantine = of_values((*RECORD, "dataset"), [(*record_id, name) for record_id in hidden.records for name in spelled], where)
    seen = [(crawl_run, name, url) for crawl_run in run.crawl_runs for name in names for url in hidden.urls]
    sightings = of_values(("crawl_run", "dataset", "url"), seen, where)
    return {"captures": captures, "quarantine": in_quarantine, "sightings": sightings, **dict.fromkeys(names, captures)}


def kept_definitions(run: ProcessRun, lake: Lake) -> dict[str, dict[str, Any]]:  # Any: JSON
    """By crawl run: the definitions of the datasets whose rows a run leaves as they are, if all replaced runs had the same."""
    if run.replacement is None:
        return {}
    names = set(_names(run))
    before: dict[str, list[dict[str, Any]]] = {}
    for batch in lake.scan("runs", ["process_run", "crawl_run", "statistics"], _where(run)):
        for row in batch.to_pylist():
            if row["process_run"] in run.replacement.replaces and row["crawl_run"] in run.crawl_runs:
                before.setdefault(row["crawl_run"], []).append(json.loads(row["statistics"] or "{}").get(DEFINITIONS, {}))
    return {crawl_run: _common(found, names) for crawl_run, found in before.items()}


def _common(found: list[dict[str, Any]], replaced: Collection[str]) -> dict[str, Any]:
    return {
        name: one
        for definitions in found
        for name, one in definitions.items()
        if name not in replaced and all(other.get(name) == one for other in found)
    }


def replaced_runs(crawl_runs: tuple[str, ...], lake: Lake) -> tuple[str, ...]:
    """The process runs that the outcomes of these crawl runs' records are from, sorted."""
    return tuple(sorted({name for names in runs_with_rows(crawl_runs, lake).values() for name in names}))


def runs_with_rows(crawl_runs: tuple[str, ...], lake: Lake) -> dict[str, set[str]]:
    """By crawl run that has rows of `captures`: the process runs that they are from."""
    where = In("crawl_run", crawl_runs)  # type: ignore[call-arg]
    found: dict[str, set[str]] = {}
    for batch in lake.scan("captures", ["crawl_run", "process_run"], where):
        for row in batch.to_pylist():
            if row["crawl_run"] in crawl_runs:
                found.setdefault(row["crawl_run"], set()).add(row["process_run"])
    return found


def runs_to_replace(crawl_runs: Sequence[str], with_rows: Mapping[str, Collection[str]], ledger: Ledger) -> tuple[str, ...]:
    """The process runs that the crawl runs' rows are from, sorted. Of a crawl run that was rolled back it is the rollback."""
    found = {name for crawl_run in crawl_runs for name in with_rows.get(crawl_run, ())}
    for crawl_run in crawl_runs:
        if crawl_run not in with_rows and (last := ledger.last_process_run(crawl_run)) is not None:
            found.add(last)
    return tuple(sorted(found))


def refuse_changed(run: ProcessRun, lake: Lake, ledger: Ledger) -> None:
    """Raise ConflictError if others have replaced rows, since it was planned, that a run is to make again: it does not know of them."""
    if run.replacement is None or run.kind is not RunKind.REPROCESS:
        return
    now = runs_to_replace(run.crawl_runs, runs_with_rows(run.crawl_runs, lake), ledger)
    if now != run.replacement.replaces and run.process_run not in now:
        raise ConflictError(f"The rows of {', '.join(run.crawl_runs)} were changed meanwhile. Nothing was published. Run this again.")


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
