"""What small runs cost: the publish lock beside other publishers, the 500th publish beside the first, and a process run in all.

`python -m benchmarks small_runs --runs 500`. CPU seconds, of the process and its children. Each figure has the bound that it is to keep.
"""

from __future__ import annotations

import argparse
import compileall
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean

import pyarrow as pa

from processing import stages
from processing.expectations.judge_server import ADDRESS, start_server
from processing.publish.accounting import RowCounts, RunCounts
from processing.publish.commit_run import RunChange, TableChange, commit_run, new_stamp
from processing.publish.publish import publisher
from runtime.code_version import code_version
from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.keys import index_key, segment_key
from schemas.manifest import FetchCounts, Manifest, Segment
from schemas.runs import CrawlRun, ProcessRun, config_hash, process_run_id
from schemas.tables import TABLES
from storage.index.rows import write_index
from storage.lake.lake import open_lake
from storage.lake.upkeep.joining import join_at_publish
from storage.ledger.ledger import Ledger, insert_segment, open_ledger
from storage.objects.open import open_store
from storage.warc.writer import SegmentWriter

LOCK_LIMIT, GROWTH_LIMIT, WARM_LIMIT, COLD_LIMIT, NOTHING_LIMIT = 0.3, 1.3, 2.0, 4.0, 0.4
PAGES = 5
ROOT = Path(stages.__file__).parent.parent
START = datetime(2026, 3, 1, tzinfo=UTC)
NEEDED = ("processing.stages", "processing.extract.checks.rule_check")  # as `crawlhouse.airflow.executor` prepares tasks
NO_PYC = "PYTHONDONTWRITEBYTECODE"  # an installation has compiled modules; with this variable, commands compile our own again each time
WORDS = [f"word{number}" for number in range(4000)]


def cpu(who: int | None = None) -> float:
    """CPU seconds of this process and its ended children so far."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN) if who is None else (who,)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, whose))


def crawl_of(name: str) -> Crawl:
    """A crawl of one host."""
    return Crawl.model_validate({"name": name, "seeds": [f"https://{name}.example.com/"]})


def closed_run(settings: Settings, crawl: Crawl, number: int) -> None:
    """A closed crawl run of some new pages."""
    planned = START + timedelta(minutes=number)
    run = CrawlRun(f"{crawl.name}-{planned:%Y%m%dT%H%M%SZ}-{number:06d}", crawl, str(number), planned, "bench", config_hash(crawl))
    store, ledger = open_store(settings), open_ledger(settings)
    ledger.add_crawl_run(run)
    name = f"{crawl.name}-{number}"
    keys = segment_key(crawl.name, run.crawl_run, name), index_key(crawl.name, run.crawl_run, name)
    with tempfile.TemporaryDirectory() as folder:
        writer = SegmentWriter(Path(folder) / "open.warc.gz", keys[0], crawl.name, run.crawl_run, {})
        for page in range(PAGES):
            writer.write(_capture(crawl, number * PAGES + page, planned))
        closed = writer.close()
        store.put_file(keys[0], closed.path)
    store.put_bytes(keys[1], write_index(closed.rows))
    segment = Segment(segment=name, warc_key=keys[0], index_key=keys[1], size=closed.size, digest=closed.digest, records=PAGES)
    with ledger.database.write() as connection:
        insert_segment(connection, run.crawl_run, "w0", segment, time.time())
    manifest = Manifest(
        crawl_run=run.crawl_run, crawl=crawl.name, code_version="bench", config_hash=run.config_hash, planned_at=planned, closed_at=planned,
        finish_reason="finished", counts=FetchCounts(due=PAGES, fetched=PAGES), reasons={}, segments=(segment,),
    )  # fmt: skip
    ledger.close_crawl_run(run.crawl_run, manifest)
    ledger.close()


def _capture(crawl: Crawl, number: int, at: datetime) -> Capture:
    said = random.Random(f"{crawl.name} {number}")
    body = "".join(f"<p>{' '.join(said.choices(WORDS, k=60)).capitalize()}.</p>" for _ in range(6))
    head = f"<head><title>Story {number}</title></head>"
    html = f"<!DOCTYPE html><html lang=en>{head}<body><article><h1>Story {number}</h1>{body}</article></body></html>"
    return Capture(
        url=f"https://{crawl.name}.example.com/{number}", fetched_at=at, status=200, reason="OK", protocol="HTTP/1.1",
        request_headers=((b"Host", b"example.com"),), response_headers=((b"Content-Type", b"text/html; charset=utf-8"),),
        body=html.encode(),
    )  # fmt: skip


def gated(settings: Settings, crawl: Crawl, number: int) -> str:
    """A process run of a new crawl run that is ready to be published."""
    closed_run(settings, crawl, number)
    run = stages.plan(crawl.name, settings)
    assert run is not None
    for segment in stages.segments(run.process_run, settings):
        stages.extract(run.process_run, segment, settings)
    stages.resolve(run.process_run, settings)
    stages.gate(run.process_run, settings)
    return run.process_run


@contextmanager
def locked_cpu() -> Iterator[list[float]]:
    """The CPU seconds for which the publish lock is held, each time."""
    held: list[float] = []
    original = Ledger.publish_lock

    @contextmanager
    def measured(ledger: Ledger, *arguments: float) -> Iterator[int]:
        with original(ledger, *arguments) as token:
            before = cpu()
            try:
                yield token
            finally:
                held.append(cpu() - before)

    Ledger.publish_lock = measured  # type: ignore[method-assign]
    try:
        yield held
    finally:
        Ledger.publish_lock = original  # type: ignore[method-assign]


def measure_lock(settings: Settings) -> list[float]:
    """Gate four crawls, then publish them in turn: the lock of each publish after another crawl's."""
    runs = [gated(settings, crawl_of(f"lock{number}"), number) for number in range(4)]
    with locked_cpu() as held:
        found = []
        for run in runs:
            held.clear()
            stages.publish(run, settings)
            found.append(sum(held))
    return found[1:]


def measure_growth(settings: Settings, runs: int, repeats: int = 3) -> tuple[float, float]:
    """A publish of a lake with no earlier runs, and with many; the mean of a few each. The runs between are committed without pages."""
    crawl = crawl_of("grow")

    def publish(number: int) -> float:
        run = gated(settings, crawl, number)
        before = cpu()
        stages.publish(run, settings)
        return cpu() - before

    publish(0)  # tables are made, and modules imported
    first = mean(publish(number) for number in range(1, 1 + repeats))
    with open_lake(settings) as lake:
        ledger, store = open_ledger(settings), open_store(settings)
        filler = crawl_of("filler")
        for number in range(1 + repeats, runs - repeats):
            closed_run(settings, filler, number)
            run = _filler_run(filler, ledger)
            rows = {name: _rows(name, run) for name in ("captures", "articles", "quarantine", "sightings")}
            with publisher(store, lake, ledger) as token:
                counts = {run.crawl_runs[0]: RunCounts(records=PAGES, rows={"articles": RowCounts(PAGES, PAGES)})}
                change = RunChange(counts, {name: TableChange([found]) for name, found in rows.items()})
                commit_run(run, change, new_stamp(ledger), lake.tables(), token, lake, ledger)
            join_at_publish(lake, ledger, [*rows, "runs"])
        ledger.close()
    return first, mean(publish(number) for number in range(runs - repeats, runs))


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


def measure_warm(settings: Settings, count: int = 10) -> float:
    """The mean of process runs in a worker that has imported what tasks need: each task is forked, Airflow's own work is left out."""
    crawl = crawl_of("warm")
    with tempfile.TemporaryDirectory() as folder:
        server = start_server(Path(folder))
        for name in NEEDED:
            __import__(name)
        code_version()
        found = []
        for number in range(count + 1):
            closed_run(settings, crawl, number)
            before = cpu(resource.RUSAGE_CHILDREN) + _cpu_of(server.pid)
            _run_tasks(crawl.name, settings)
            found.append(cpu(resource.RUSAGE_CHILDREN) + _cpu_of(server.pid) - before)
        server.kill()
        server.wait()
        os.environ.pop(ADDRESS, None)
    return mean(found[1:])  # in the first one, Great Expectations is imported


def _run_tasks(crawl: str, settings: Settings) -> None:
    """The tasks of the DAG, each in a process of its own. As in Airflow, a task gets what an earlier one gave."""

    def plan() -> str:
        planned = stages.plan(crawl, settings)
        return "" if planned is None else planned.process_run

    run = _in_a_fork(plan)
    for segment in _in_a_fork(lambda: "\n".join(stages.segments(run, settings))).splitlines():
        _in_a_fork(lambda segment=segment: stages.extract(run, segment, settings))
    for stage in (stages.resolve, stages.gate, stages.publish):
        _in_a_fork(lambda stage=stage: str(stage(run, settings)))


def _in_a_fork(call: Callable[[], str]) -> str:
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(sink, call().encode())
            code = 0
        finally:
            os._exit(code)
    os.close(sink)
    with os.fdopen(source) as result:
        text = result.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit("A task failed.")
    return text


def _cpu_of(process_id: int) -> float:
    values = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, values[11:15])) / os.sysconf("SC_CLK_TCK")


def measure_command(settings: Settings) -> tuple[float, float]:
    """The command `crawlhouse process` of a small run, and the same again with nothing to do. Modules are compiled before."""
    for folder in ("crawlhouse", "processing", "runtime", "schemas", "storage"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    settings.crawls.mkdir(parents=True, exist_ok=True)
    (settings.crawls / "cold.yaml").write_text("seeds: [https://cold.example.com/]\n")
    closed_run(settings, crawl_of("cold"), 1)
    environment = {name: value for name, value in os.environ.items() if name != NO_PYC}
    environment |= {"CRAWLHOUSE_HOME": str(settings.home), "CRAWLHOUSE_CRAWLS": str(settings.crawls)}
    command = [str(Path(sys.executable).with_name("crawlhouse")), "process", "cold"]

    def run() -> float:
        before = cpu(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        return cpu(resource.RUSAGE_CHILDREN) - before

    return run(), min(run() for _ in range(3))


def main(arguments: list[str] | None = None) -> int:
    """Print the figures. 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500, help="publishes before the last ones (default: 500)")
    parser.add_argument("--only", choices=["command", "growth", "lock", "warm"], help="one of the measurements")
    options = parser.parse_args(arguments)
    figures: list[tuple[str, float, float]] = []

    def measured(name: str, measure: Callable[[Settings], list[tuple[str, float, float]]]) -> None:
        if options.only in {None, name}:
            with tempfile.TemporaryDirectory() as folder:
                found = measure(Settings(home=Path(folder) / "home", crawls=Path(folder) / "crawls"))
            figures.extend(found)
            for text, value, limit in found:
                print(f"{text:62} {value:6.2f}  bound {limit:.1f}", flush=True)

    def growth(settings: Settings) -> list[tuple[str, float, float]]:
        first, last = measure_growth(settings, options.runs)
        print(f"publish: first {first:.3f} CPU s, run {options.runs} {last:.3f}")
        return [(f"publish of run {options.runs} beside the first, times", last / first, GROWTH_LIMIT)]

    def command(settings: Settings) -> list[tuple[str, float, float]]:
        cold, nothing = measure_command(settings)
        return [("`crawlhouse process` of a small run, CPU s", cold, COLD_LIMIT), ("the same with nothing to do", nothing, NOTHING_LIMIT)]

    measured("lock", lambda settings: [("lock of a publish after another crawl's, CPU s", max(measure_lock(settings)), LOCK_LIMIT)])
    measured("growth", growth)
    measured("warm", lambda settings: [("a small run in a warm worker, mean of ten, CPU s", measure_warm(settings), WARM_LIMIT)])
    measured("command", command)
    return int(any(value > limit for _, value, limit in figures))


if __name__ == "__main__":
    sys.exit(main())
