"""Gate: make the rows of each table, check the equations and validate the articles. A run that fails is not published.

Before: `processing.resolve.resolution` has staged cleaned rows and a decision beside each. Rows that break the policy go to the table
`quarantine`; the expectation suite then validates the rows of `articles`. After: `processing.publish.publish` commits the staged rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from processing.publish.accounting import RunCounts, check_run, check_tables, count
from processing.publish.expectations import NEEDED_COLUMNS, validate_articles
from processing.resolve.resolution import CLEANED_TABLE, DECIDED_TABLE, ResolveMark
from processing.staging.staging import read_rows, staged_writer
from schemas.errors import GateError
from schemas.keys import gated_key, mark_key, report_key, resolved_key
from schemas.outcomes import Outcome
from schemas.runs import ProcessRun
from schemas.tables import TABLES
from storage.ledger.ledger import Ledger
from storage.objects.store import ObjectStore

UNSET_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # publish fills in `ingested_at` and `sequence`
NO_VERSION = 0  # of rows in quarantine


@dataclass(frozen=True, slots=True)
class GateMark:
    """The completion mark of the gate: the key of the base that the rows were resolved against, and the counts per crawl run."""

    base_key: str
    counts: dict[str, RunCounts]


def read_gate_mark(store: ObjectStore, process_run: str, base_key: str) -> GateMark | None:
    """The mark of a passed gate for rows resolved against this base, or None. Rows that an earlier release staged have an empty key."""
    key = mark_key(process_run, "gated", base_key)
    if store.info(key) is None:
        return None
    mark = json.loads(store.get_bytes(key))
    return GateMark(base_key, {crawl_run: RunCounts.from_dict(found) for crawl_run, found in mark["counts"].items()})


def gate_run(run: ProcessRun, mark: ResolveMark, store: ObjectStore, ledger: Ledger) -> GateMark:
    """Stage the rows of each table and validate them.

    Raises AccountingError when the equations do not hold and GateError when the suite fails. The suite's result becomes the report
    `expectations.json`, whether it failed or not.
    """
    counts = {crawl_run: RunCounts() for crawl_run in run.crawl_runs}
    rows = _write_tables(run, mark, store, counts)
    for crawl_run, found in counts.items():
        check_run(ledger.manifest(crawl_run), found)
    check_tables(list(counts.values()), **rows)
    base = mark.base.key()
    suite_result = validate_articles(read_rows(store, gated_key(run.process_run, base, "articles"), NEEDED_COLUMNS))
    store.put_bytes(report_key(run.process_run, "expectations.json"), json.dumps(suite_result.result, indent=2).encode())
    if not suite_result.success:
        raise GateError(
            f"The expectation suite failed for {run.process_run} and nothing was published: {suite_result.failures()}. "
            f"Its result is {report_key(run.process_run, 'expectations.json')}."
        )
    gate_mark = {"base": asdict(mark.base), "counts": {crawl_run: found.to_dict() for crawl_run, found in counts.items()}}
    store.put_bytes(mark_key(run.process_run, "gated", base), json.dumps(gate_mark).encode())
    return GateMark(base, counts)


def _write_tables(run: ProcessRun, mark: ResolveMark, store: ObjectStore, counts: dict[str, RunCounts]) -> dict[str, int]:
    """Stage the rows of every table in one pass over the resolved rows; the number of rows of each."""
    with ExitStack() as stack:
        keys = {name: gated_key(run.process_run, mark.base.key(), name) for name in _ROWS_OF_TABLE}
        writers = {name: stack.enter_context(staged_writer(store, key, TABLES[name])) for name, key in keys.items()}
        for rows in _resolved_rows(run, mark, store):
            for name, rows_of in _ROWS_OF_TABLE.items():
                table_rows = rows_of(rows)
                writers[name].write(table_rows)
                if name == "captures":
                    count(table_rows, counts)
        return {name: writer.rows for name, writer in writers.items()}


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
            yield _with_provenance(joined, run)


def _with_provenance(rows: pa.Table, run: ProcessRun) -> pa.Table:
    constants = {
        "crawl": pa.scalar(run.crawl.name),
        "process_run": pa.scalar(run.process_run),
        "code_version": pa.scalar(run.code_version),
        "ingested_at": pa.scalar(UNSET_TIME, TABLES["runs"].field("ingested_at").type),
        "sequence": pa.scalar(0, pa.int64()),
    }
    for name, value in constants.items():
        rows = rows.append_column(name, pa.repeat(value, rows.num_rows))
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
    }
    return _columns(quarantined, renamed, "quarantine")


def _columns(rows: pa.Table, renamed: dict[str, pa.Array | pa.ChunkedArray], name: str) -> pa.Table:
    schema = TABLES[name]
    return pa.table([renamed[field.name] if field.name in renamed else rows[field.name] for field in schema], schema=schema)


_ROWS_OF_TABLE: dict[str, Callable[[pa.Table], pa.Table]] = {"captures": _captures, "articles": _articles, "quarantine": _quarantine}
