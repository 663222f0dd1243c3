"""What small runs cost: the publish lock beside other publishers, the 500th publish beside the first, and a process run in all.

`python -m benchmarks small_runs --runs 500`. CPU seconds, of the process and its children. Each figure has the bound that it is to keep.

A publish is measured in a process of its own (`growth`), as runs are published, and as the mean of a whole cycle of 16 publishes, of which
one joins files. The first three, which find an almost empty lake, are printed too.
"""

from __future__ import annotations

import argparse
import compileall
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median

from benchmarks.small_runs.forks import cpu, in_a_fork
from benchmarks.small_runs.growth import measure_growth
from benchmarks.small_runs.made_runs import closed_run, crawl_of, gated
from processing import stages
from processing.expectations.judge_server import ADDRESS, start_server
from runtime.code_version import code_version
from schemas.config.settings import Settings
from storage.ledger.ledger import Ledger

LOCK_LIMIT, GROWTH_LIMIT, WARM_LIMIT, COLD_LIMIT, NOTHING_LIMIT = 0.3, 1.3, 2.0, 4.0, 0.4
ROOT = Path(stages.__file__).parent.parent
NEEDED = ("processing.stages", "processing.extract.checks.rule_check")  # as `crawlhouse.airflow.executor` prepares tasks
NO_PYC = "PYTHONDONTWRITEBYTECODE"  # an installation has compiled modules; with this variable, commands compile our own again each time


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

    run = in_a_fork(plan)
    for segment in in_a_fork(lambda: "\n".join(stages.segments(run, settings))).splitlines():
        in_a_fork(lambda segment=segment: stages.extract(run, segment, settings))
    for stage in (stages.resolve, stages.gate, stages.publish):
        in_a_fork(lambda stage=stage: str(stage(run, settings)))


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
    parser.add_argument("--runs", type=int, default=500, help="publishes up to the last one (default: 500)")
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
        print(
            f"publish: first three {mean(first[:3]):.3f} CPU s; mean (and median) of the first {len(first)} {mean(first):.3f} "
            f"({median(first):.3f}), of those before run {options.runs} {mean(last):.3f} ({median(last):.3f})"
        )
        return [(f"publish of run {options.runs} beside the first, times", mean(last) / mean(first), GROWTH_LIMIT)]

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
