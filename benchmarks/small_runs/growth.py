"""What publishing a small run costs after many others, beside the first ones."""

from __future__ import annotations

import random
import resource
import sys
from contextlib import suppress
from importlib import import_module

import pyarrow as pa

from benchmarks.small_runs.forks import cpu, in_a_fork
from benchmarks.small_runs.made_runs import PAGES, START, WORDS, closed_run, crawl_of, gated
from processing import stages
from processing.publish.accounting import RowCounts, RunCounts
from processing.publish.commit_run import RunChange, TableChange, commit_run, new_stamp
from processing.publish.publish import publisher
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.runs import ProcessRun, config_hash, process_run_id
from schemas.tables import TABLES
from storage.lake.lake import open_lake
from storage.lake.upkeep.joining import PUBLISH_MIN_FILES, join_at_publish
from storage.ledger.ledger import Ledger, open_ledger
from storage.objects.open import open_store

CYCLE = PUBLISH_MIN_FILES  # publishes, of which one joins files
ROW_TABLES = ("captures", "articles", "quarantine", "sightings")


def measure_growth(settings: Settings, runs: int) -> tuple[list[float], list[float]]:
    """The CPU seconds of each of the first publishes of a lake, and of each of the last ones of so many: a whole cycle of each.

    Each publish is in a process of its own, forked from one that has only imported modules, as a task of a worker is: so nothing is
    measured of what a process gathers that has done hundreds of publishes. Of the runs between only rows are committed.
    """
    in_a_fork(lambda: str(_publish(settings, 0)))  # tables are made
    _import_all(in_a_fork(lambda: f"{_publish(settings, 1)}\n" + "\n".join(sys.modules)).splitlines()[1:])
    first = [_publish(settings, number) for number in range(2, 2 + CYCLE)]
    in_a_fork(lambda: _fill(settings, 2 + CYCLE, runs - CYCLE))
    return first, [_publish(settings, number) for number in range(runs - CYCLE, runs)]


def _publish(settings: Settings, number: int) -> float:
    """Make a run and publish it, each in a process of its own; the CPU seconds of the publish."""
    run = in_a_fork(lambda: gated(settings, crawl_of("grow"), number))
    before = cpu(resource.RUSAGE_CHILDREN)
    in_a_fork(lambda: str(stages.publish(run, settings)))
    return cpu(resource.RUSAGE_CHILDREN) - before


def _import_all(names: list[str]) -> None:
    for name in names:
        with suppress(ImportError):  # some make themselves when a library wants them
            import_module(name)


def _fill(settings: Settings, start: int, stop: int) -> str:
    """Commit runs without pages, and join files after each."""
    filler, store, ledger = crawl_of("filler"), open_store(settings), open_ledger(settings)
    with open_lake(settings) as lake:
        for number in range(start, stop):
            closed_run(settings, filler, number)
            run = _filler_run(filler, ledger)
            counts = {run.crawl_runs[0]: RunCounts(records=PAGES, rows={"articles": RowCounts(PAGES, PAGES)})}
            change = RunChange(counts, {name: TableChange([_rows(name, run)]) for name in ROW_TABLES})
            with publisher(store, lake, ledger) as token:
                commit_run(run, change, new_stamp(ledger), lake.tables(), token, lake, ledger)
            join_at_publish(lake, ledger, [*ROW_TABLES, "runs"])
    ledger.close()
    return ""


def _filler_run(crawl: Crawl, ledger: Ledger) -> ProcessRun:
    names = tuple(ledger.closed_unpublished(crawl.name))
    inputs = ("bench", config_hash(crawl), 0, None)
    return ledger.add_process_run(ProcessRun(process_run_id(names, *inputs), crawl, names, *inputs))


def _rows(name: str, run: ProcessRun) -> pa.Table:
    schema = TABLES[name]
    count = 0 if name == "quarantine" else PAGES
    values = {field.name: [_value(field, run, row) for row in range(count)] for field in schema}
    return pa.table(values, schema=schema)


def _value(field: pa.Field, run: ProcessRun, row: int) -> object:
    if field.name in {"process_run", "crawl_run"}:
        return run.process_run if field.name == "process_run" else run.crawl_runs[0]
    if field.nullable:
        return None
    if pa.types.is_string(field.type):
        return f"{field.name} {run.process_run} {row}" if field.name != "text" else " ".join(random.Random(row).choices(WORDS, k=400))
    return START if pa.types.is_timestamp(field.type) else 1
