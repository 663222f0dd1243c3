"""Gate: judge the rows of each dataset, make the rows of each table and check the equations. A run whose articles fail is not published.

Before: `processing.resolve.resolution` has staged cleaned rows and a decision beside each, and the decided rows of the other datasets.
Rows that break the policy or an expectation of severity `warning` go to the table `quarantine`. A crawl run whose rows of another dataset
break a critical expectation is held back for that dataset. After: `processing.publish.publish` commits the staged rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from processing.expectations.expectations import NEEDED_COLUMNS, validate_articles
from processing.expectations.suite_result import Measures, report
from processing.publish.accounting import ARTICLES, RowCounts, RunCounts, check_run, check_tables, count, count_articles
from processing.publish.dataset_gate import Judged, judge_run
from processing.publish.dataset_tables import DatasetRows, made_rows, run_constants
from processing.resolve.datasets import SEEN
from processing.resolve.resolution import CLEANED_TABLE, DECIDED_TABLE, ResolveMark
from processing.staging.staging import StagedWriter, bounded, read_rows, staged_writer
from schemas.datasets.tables import table_schema
from schemas.errors import GateError
from schemas.keys import gated_key, mark_key, report_key, resolved_key, resolved_rows_key
from schemas.outcomes import Outcome
from schemas.runs import ProcessRun
from schemas.tables import TABLES
from storage.lake.lake import Lake
from storage.ledger.held import Held, hold_rows
from storage.ledger.ledger import Ledger
from storage.objects.store import ObjectStore

NO_VERSION = 0  # of rows in quarantine


@dataclass(frozen=True, slots=True)
class GateMark:
    """The completion mark of the gate: the key of the base that the rows were resolved against, and the counts per crawl run."""

    base_key: str
    counts: dict[str, RunCounts]
    measures: dict[str, dict[str, Measures]] = field(default_factory=dict)  # by crawl run and dataset, for later runs to compare with


def read_gate_mark(store: ObjectStore, process_run: str, base_key: str) -> GateMark | None:
    """The mark of a passed gate for rows resolved against this base, or None. Rows that an earlier release staged have an empty key."""
    key = mark_key(process_run, "gated", base_key)
    if store.info(key) is None:
        return None
    mark = json.loads(store.get_bytes(key))
    counts = {crawl_run: RunCounts.from_dict(found) for crawl_run, found in mark["counts"].items()}
    return GateMark(base_key, counts, mark.get("measures", {}))


def gate_run(run: ProcessRun, mark: ResolveMark, store: ObjectStore, lake: Lake, ledger: Ledger) -> GateMark:
    """Judge the rows of each dataset and stage those of each table.

    Raises AccountingError when the equations do not hold and GateError when the articles fail. All results become the report
    `expectations.json`, whether they failed or not. What is held back is entered in the ledger.
    """
    segments = [segment for crawl_run in run.crawl_runs for segment in ledger.manifest(crawl_run).segments]
    judged = judge_run(run, mark.base.key(), [segment.segment for segment in segments], store, lake)
    counts = {crawl_run: RunCounts() for crawl_run in run.crawl_runs}
    if run.makes_articles:
        for found in counts.values():
            found.rows[ARTICLES] = RowCounts()
    for crawl_run, canonical in mark.canonical.items():
        counts[crawl_run].canonical = canonical
    base = mark.base.key()
    staged = _write_tables(run, mark, store, judged, counts, [segment.segment for segment in segments])
    for crawl_run, found in counts.items():
        check_run(ledger.manifest(crawl_run), found)
    check_tables(list(counts.values()), staged, made_rows(run, segments, store, judged))
    suite_result = validate_articles(read_rows(store, gated_key(run.process_run, base, "articles"), NEEDED_COLUMNS))
    results = [*([suite_result] if run.makes_articles else []), *judged.results.values()]
    store.put_bytes(report_key(run.process_run, "expectations.json"), report(results))
    if not suite_result.success:
        raise GateError(
            f"The expectation suite failed for {run.process_run} and nothing was published: {suite_result.failures()}. "
            f"Its result is {report_key(run.process_run, 'expectations.json')}."
        )
    hold_rows(ledger.database, run.process_run, [Held(crawl_run, name, run.crawl.name, why) for crawl_run, name, why in judged.held()])
    measures = {crawl_run: judged.measures(crawl_run) for crawl_run in run.crawl_runs}
    stored_counts = {crawl_run: found.to_dict() for crawl_run, found in counts.items()}
    gate_mark = {"base": asdict(mark.base), "counts": stored_counts, "measures": measures}
    store.put_bytes(mark_key(run.process_run, "gated", base), json.dumps(gate_mark).encode())
    return GateMark(base, counts, measures)


def _write_tables(
    run: ProcessRun, mark: ResolveMark, store: ObjectStore, judged: Judged, counts: dict[str, RunCounts], segments: Sequence[str]
) -> dict[str, int]:
    """Stage the rows of every table in one pass over the resolved rows; the number of rows of each."""
    datasets = DatasetRows(run, mark.base.key(), store, judged)
    with ExitStack() as stack:
        schemas = {name: TABLES[name] for name in ("captures", "articles", "quarantine", "sightings")}
        schemas |= {dataset.name: table_schema(dataset) for dataset in run.own_datasets}
        keys = {name: gated_key(run.process_run, mark.base.key(), name) for name in schemas}
        writers = {name: stack.enter_context(staged_writer(store, keys[name], schema)) for name, schema in schemas.items()}
        for rows in _resolved_rows(run, mark, store):
            captures = datasets.captures(_captures(rows))
            writers["captures"].write(captures)
            count(captures, counts)
            if run.makes_articles:
                writers["articles"].write(_articles(rows))
                writers["quarantine"].write(_quarantine(rows))
                count_articles(rows, counts)
        if run.makes_articles:
            seen = read_rows(store, resolved_rows_key(run.process_run, mark.base.key(), ARTICLES, SEEN))
            _write_all(writers["sightings"], seen)
        for dataset in run.own_datasets:
            _write_all(writers[dataset.name], datasets.rows(dataset))
            _write_all(writers["quarantine"], datasets.quarantine(dataset))
            _write_all(writers["sightings"], datasets.sightings(dataset))
        _write_all(writers["quarantine"], datasets.unclaimed(segments, counts))
        datasets.count(counts)
        return {name: writer.rows for name, writer in writers.items()}


def _write_all(writer: StagedWriter, tables: Iterable[pa.Table]) -> None:
    for table in bounded(tables):
        writer.write(table)


def _resolved_rows(run: ProcessRun, mark: ResolveMark, store: ObjectStore) -> Iterator[pa.Table]:
    """Cleaned rows with the columns of their decisions, one row group at a time."""
    base = mark.base.key()
    for bucket in mark.buckets:
        cleaned = read_rows(store, resolved_key(run.process_run, base, bucket, CLEANED_TABLE))
        decided = read_rows(store, resolved_key(run.process_run, base, bucket, DECIDED_TABLE))
        for rows, decisions in zip(cleaned, decided, strict=True):
            joined = rows
            for name in decisions.schema.names:
                joined = joined.append_column(name, decisions[name])
            place = joined.schema.get_field_index("article_id")
            joined = joined.set_column(place, joined.schema.field(place), joined["decided_article_id"])
            yield _with_provenance(joined, run)


def _with_provenance(rows: pa.Table, run: ProcessRun) -> pa.Table:
    for name, value in run_constants(run).items():
        rows = rows.append_column(name, pa.repeat(pa.scalar(value, TABLES["articles"].field(name).type), rows.num_rows))
    return rows


def _captures(rows: pa.Table) -> pa.Table:
    renamed = {
        "reason": rows["decided_reason"],
        "detail": rows["decided_detail"],
        "article_id": rows["decided_article_id"],
        "article_version": rows["version"],
        "outcomes": pa.nulls(rows.num_rows, TABLES["captures"].field("outcomes").type),
    }
    return _columns(rows, renamed, "captures")


def _articles(rows: pa.Table) -> pa.Table:
    articles = rows.filter(pc.is_in(rows["outcome"], pa.array([str(Outcome.PUBLISHED), str(Outcome.DUPLICATE)])))
    return _columns(articles, {}, "articles")


def _quarantine(rows: pa.Table) -> pa.Table:
    quarantined = rows.filter(pc.equal(rows["outcome"], str(Outcome.QUARANTINED)))
    renamed = {
        "version": pa.repeat(pa.scalar(NO_VERSION, pa.int32()), quarantined.num_rows),
        "reason": quarantined["quarantine_reason"],
        "detail": quarantined["quarantine_detail"],
        "dataset": pa.repeat(pa.scalar("articles"), quarantined.num_rows),
        "row_id": quarantined["article_id"],
        "row_json": pa.nulls(quarantined.num_rows, pa.string()),
        "position": pa.nulls(quarantined.num_rows, pa.int32()),
    }
    return _columns(quarantined, renamed, "quarantine")


def _columns(rows: pa.Table, renamed: dict[str, pa.Array | pa.ChunkedArray], name: str) -> pa.Table:
    schema = TABLES[name]
    return pa.table([renamed[field.name] if field.name in renamed else rows[field.name] for field in schema], schema=schema)
