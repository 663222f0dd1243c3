"""Gate: judge the rows of each dataset, make the rows of each table and check the equations.

Before: `processing.resolve.resolution` has staged cleaned rows and a decision beside each, and the decided rows of the other datasets.
Rows that break the policy or an expectation of severity `warning` go to the table `quarantine`. A crawl run whose rows of a dataset break a
critical expectation is held back for that dataset. After: `processing.publish.publish` commits the staged rows.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from processing.datasets.steps import whole_row
from processing.expectations.suite_result import Measures, report
from processing.publish.accounting import ARTICLES, RowCounts, RunCounts, check_run, check_tables, count, count_articles
from processing.publish.article_rows import NEW, ArticleRows
from processing.publish.commit_run import TABLE_ORDER
from processing.publish.dataset_gate import Judged, judge_run
from processing.publish.dataset_tables import made_rows, open_dataset_rows
from processing.publish.layouts import PagesByHost, add_pages, compare_layouts
from processing.publish.replacing import merged_captures
from processing.publish.run_files import run_files
from processing.resolve.datasets import SEEN
from processing.resolve.replaced import selected_records
from processing.resolve.resolution import Base, ResolveMark, dataset_table_names, read_base
from processing.staging.staging import StagedWriter, bounded, read_rows, staged_writer
from schemas.datasets.dataset import Dataset
from schemas.datasets.tables import table_schema
from schemas.keys import gated_key, mark_key, report_key, resolved_rows_key
from schemas.outcomes import Outcome
from schemas.runs import ProcessRun, RunKind
from schemas.tables import TABLES
from storage.lake.lake import Lake
from storage.ledger.held import Held, hold_rows
from storage.ledger.ledger import Ledger
from storage.objects.store import ObjectStore

LOG = logging.getLogger(__name__)
NO_VERSION = 0  # of rows in quarantine


@dataclass(frozen=True, slots=True)
class GateMark:
    """The completion mark of the gate: the base that the rows were resolved against, and the counts per crawl run.

    `measures` are by crawl run and dataset, for later runs to compare with; `held` says in the same way why rows are held back.
    """

    base: Base
    counts: dict[str, RunCounts]
    measures: dict[str, dict[str, Measures]] = field(default_factory=dict)
    held: dict[str, dict[str, str]] = field(default_factory=dict)


def read_gate_mark(store: ObjectStore, process_run: str, base_key: str) -> GateMark | None:
    """The mark of a passed gate for rows resolved against this base, or None. Rows that an earlier release staged have an empty key."""
    key = mark_key(process_run, "gated", base_key)
    if store.info(key) is None:
        return None
    mark = json.loads(store.get_bytes(key))
    counts = {crawl_run: RunCounts.from_dict(found) for crawl_run, found in mark["counts"].items()}
    return GateMark(read_base(mark["base"]), counts, mark.get("measures", {}), mark.get("held", {}))


def has_gate_mark(store: ObjectStore, process_run: str) -> bool:
    """Whether a run has passed the gate, against whatever base."""
    return next(iter(store.list(mark_key(process_run, "gated", "x").removesuffix("x.json"))), None) is not None


def gated_keys(run: ProcessRun, base_key: str) -> dict[str, str]:
    """Where the rows of each table are that the gate passed, by table: all that the run adds rows to, but for `runs`."""
    names = [*(name for name in TABLE_ORDER if name != ARTICLES or run.makes_articles), *dataset_table_names(run)]
    return {name: gated_key(run.process_run, base_key, name) for name in names}


def gate_run(run: ProcessRun, mark: ResolveMark, store: ObjectStore, lake: Lake, ledger: Ledger, folders: Sequence[str]) -> GateMark:
    """Judge the rows of each dataset and stage those of each table. `folders` are where the user's modules are, with the steps of articles.

    Raises AccountingError when the equations do not hold and GateError when rows cannot be judged. All results become the report
    `expectations.json`, whether they failed or not. What is held back is entered in the ledger.
    """
    segments = [segment for crawl_run in run.crawl_runs for segment in ledger.manifest(crawl_run).segments]
    base = mark.base.key()
    articles = ArticleRows(run, mark, store, lake, folders)
    judged = judge_run(run, base, articles, segments, store, lake)
    for result in judged.results.values():
        LOG.info("%s", result.text())
    counts = {crawl_run: RunCounts() for crawl_run in run.crawl_runs}
    if run.makes_articles:
        for found in counts.values():
            found.rows[ARTICLES] = RowCounts()
    for crawl_run, canonical in mark.canonical.items():
        counts[crawl_run].canonical = canonical
    staged = _write_tables(articles, lake, judged, counts, [segment.segment for segment in segments])
    for crawl_run, found in counts.items():
        check_run(ledger.manifest(crawl_run), found, selected_records(run, crawl_run, store))
    check_tables(list(counts.values()), staged, made_rows(run, segments, store, judged))
    store.put_bytes(report_key(run.process_run, "expectations.json"), report(judged.results.values()))
    if run.kind is not RunKind.REPROCESS:  # what that one holds back counts when it is published: it may be no more than a comparison
        hold_rows(ledger.database, run.process_run, [Held(crawl_run, name, run.crawl.name, why) for crawl_run, name, why in judged.held()])
    measures = {crawl_run: judged.measures(crawl_run) for crawl_run in run.crawl_runs}
    held: dict[str, dict[str, str]] = {}
    for crawl_run, name, why in judged.held():
        LOG.warning("%s of %s is held back: %s", name, crawl_run, why)
        held.setdefault(crawl_run, {})[name] = why
    run_files(run.process_run, gated_keys(run, base), lake.tables(), store, lake)
    stored_counts = {crawl_run: found.to_dict() for crawl_run, found in counts.items()}
    gate_mark = {"base": asdict(mark.base), "counts": stored_counts, "measures": measures, "held": held}
    store.put_bytes(mark_key(run.process_run, "gated", base), json.dumps(gate_mark).encode())
    return GateMark(mark.base, counts, measures, held)


def _write_tables(
    articles: ArticleRows, lake: Lake, judged: Judged, counts: dict[str, RunCounts], segments: Sequence[str]
) -> dict[str, int]:
    """Stage the rows of every table in one pass over the resolved rows; the number of rows of each."""
    run, base, store = articles.run, articles.mark.base.key(), articles.store
    merge = merged_captures(run, lake)
    pages: dict[str, PagesByHost] = {}
    with ExitStack() as stack:
        datasets = stack.enter_context(open_dataset_rows(run, base, store, judged))
        schemas = {name: TABLES[name] for name in ("captures", "quarantine", "sightings")}
        schemas |= {dataset.name: table_schema(dataset) for dataset in (articles.dataset, *run.own_datasets)}
        keys = {name: gated_key(run.process_run, base, name) for name in schemas}
        writers = {name: stack.enter_context(staged_writer(store, keys[name], schema)) for name, schema in schemas.items()}
        for rows in articles.resolved_rows(judged.of(ARTICLES)):
            captures = merge(datasets.captures(_captures(rows)))
            writers["captures"].write(captures)
            count(captures, counts)
            if run.makes_articles:
                add_pages(rows, pages)
                writers[ARTICLES].write(_articles(rows, schemas[ARTICLES]))
                writers["quarantine"].write(_quarantine(rows, articles.dataset))
                count_articles(rows, counts)
        if run.makes_articles:
            seen = read_rows(store, resolved_rows_key(run.process_run, judged.of(ARTICLES).key(base), ARTICLES, SEEN))
            _write_all(writers["sightings"], seen)
        for dataset in run.own_datasets:
            _write_all(writers[dataset.name], datasets.rows(dataset))
            _write_all(writers["quarantine"], datasets.quarantine(dataset))
            _write_all(writers["sightings"], datasets.sightings(dataset))
        _write_all(writers["quarantine"], datasets.unclaimed(segments, counts))
        datasets.count(counts)
        for crawl_run, layouts in compare_layouts(run, pages, lake).items():
            counts[crawl_run].layouts = layouts
        return {name: writer.rows for name, writer in writers.items()}


def _write_all(writer: StagedWriter, tables: Iterable[pa.Table]) -> None:
    for table in bounded(tables):
        writer.write(table)


def _captures(rows: pa.Table) -> pa.Table:
    renamed = {
        "reason": rows["decided_reason"],
        "detail": rows["decided_detail"],
        "article_id": rows["decided_article_id"],
        "article_version": rows["version"],
        "outcomes": pa.nulls(rows.num_rows, TABLES["captures"].field("outcomes").type),
        "bytes_available": pa.nulls(rows.num_rows, pa.bool_()),
    }
    return _columns(rows, renamed, TABLES["captures"])


def _articles(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    return _columns(rows.filter(pc.is_in(rows["outcome"], NEW)), {}, schema)


def _quarantine(rows: pa.Table, dataset: Dataset) -> pa.Table:
    quarantined = rows.filter(pc.equal(rows["outcome"], str(Outcome.QUARANTINED)))
    renamed = {
        "version": pa.repeat(pa.scalar(NO_VERSION, pa.int32()), quarantined.num_rows),
        "reason": quarantined["decided_reason"],
        "rule": pc.coalesce(quarantined["rule"], quarantined["decided_reason"]),  # of an expectation or a step it is the rule itself
        "detail": quarantined["decided_detail"],
        "dataset": pa.repeat(pa.scalar(ARTICLES), quarantined.num_rows),
        "row_id": quarantined["article_id"],
        "row_json": _further_fields(quarantined, dataset),
        "position": pa.nulls(quarantined.num_rows, pa.int32()),
    }
    return _columns(quarantined, renamed, TABLES["quarantine"])


def _further_fields(rows: pa.Table, dataset: Dataset) -> pa.Array:
    """The fields that the user has added to articles, as JSON; NULL without any, because the other columns are those of the table."""
    if not dataset.fields:
        return pa.nulls(rows.num_rows, pa.string())
    found = [row if any(value is not None for value in row.values()) else None for row in rows.select(list(dataset.fields)).to_pylist()]
    return pa.array([None if row is None else whole_row(dataset, row) for row in found], pa.string())


def _columns(rows: pa.Table, renamed: dict[str, pa.Array | pa.ChunkedArray], schema: pa.Schema) -> pa.Table:
    return pa.table([renamed[field.name] if field.name in renamed else rows[field.name] for field in schema], schema=schema)
