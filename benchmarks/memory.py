"""The peak memory of every processing process: each stage in its own process, and all stages in one; then the commands that read the lake.

MB are 10^6 bytes of VmHWM. `python -m benchmarks memory --cell 3000x480` measures one size.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.inputs.synthetic_crawl import CRAWL
from benchmarks.peaks import MAIN, Measured, measure

CELLS = ("3000x480", "3000x4000", "20000x120")
STAGES = ("extract", "resolve", "gate", "publish")
LIMIT = 400  # MB of every process; peaks are near 300
GATE_LIMIT = 700  # MB of the process with Great Expectations; twice what it needs
GATE = "gate process"


def stage(name: str, process_run: str) -> None:
    """Run one stage as Airflow's task would. This runs in the process that is measured."""
    from processing import stages
    from schemas.config.settings import load_settings

    settings = load_settings()
    if name == "once":
        report = stages.process_once(CRAWL, settings)
        print(report.text() if report else "nothing to process")
    elif name == "plan":
        run = stages.plan(CRAWL, settings)
        Path(process_run).write_text(run.process_run if run else "")
    elif name == "extract":
        for segment in stages.segments(process_run, settings):
            stages.extract(process_run, segment, settings)
    else:
        getattr(stages, name)(process_run, settings)


def command(arguments: list[str]) -> None:
    """Run the command `crawlhouse`. It ends the process."""
    from crawlhouse.command import main as crawlhouse

    sys.argv = ["crawlhouse", *arguments]
    crawlhouse()


def measured_stages(home: Path, articles: int, words: int) -> Iterator[tuple[str, Measured]]:
    """Each stage in its own process, one after the other."""
    environment = _environment(home)
    measure("benchmarks.inputs.synthetic_crawl", str(articles), str(words), environment=environment)
    measure("benchmarks.memory", "--stage", "plan", str(home / "planned"), environment=environment)
    process_run = (home / "planned").read_text()
    for name in STAGES:
        yield name, measure("benchmarks.memory", "--stage", name, process_run, environment=environment)


def measured_whole(home: Path, articles: int, words: int) -> Iterator[tuple[str, Measured]]:
    """All stages in one process, then what reads the lake and the archive."""
    environment = _environment(home)
    measure("benchmarks.inputs.synthetic_crawl", str(articles), str(words), environment=environment)
    yield "process_once", measure("benchmarks.memory", "--stage", "once", "-", environment=environment)
    everything = ("query", "SELECT * FROM articles", "-o", str(home / "articles.parquet"))
    yield "query -o .parquet", measure("benchmarks.memory", "--command", *everything, environment=environment)
    newest = ("query", "SELECT * FROM articles_latest", "-o", str(home / "latest.jsonl"))
    yield "query latest -o .jsonl", measure("benchmarks.memory", "--command", *newest, environment=environment)
    warcs = sorted(str(path) for path in (home / "store" / "warc").rglob("*.warc.gz"))
    yield (
        "extract -o .parquet",
        measure("benchmarks.memory", "--command", "extract", *warcs, "-o", str(home / "e.parquet"), environment=environment),
    )


def _environment(home: Path) -> dict[str, str]:
    return {"CRAWLHOUSE_HOME": str(home), "CRAWLHOUSE_CRAWLS": str(home), "CRAWLHOUSE_STORE": "", "CRAWLHOUSE_DATABASE": ""}


def _cell(cell: str) -> bool:
    """Print the rows of one size. Returns whether all processes stayed within their limits."""
    articles, words = (int(part) for part in cell.split("x"))
    within = True
    for measured in (measured_stages, measured_whole):
        with tempfile.TemporaryDirectory() as home:
            for name, one in measured(Path(home), articles, words):
                others = ", ".join(f"{role} {peak:.0f}" for role, peak in sorted(one.peaks.items()) if role != MAIN)
                print(f"{cell:>12}  {name:24} {one.peaks[MAIN]:6.0f}  {others:36} {one.cpu:7.1f} {one.wall:7.1f}", flush=True)
                within &= all(peak <= (GATE_LIMIT if role == GATE else LIMIT) for role, peak in one.peaks.items())
    return within


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", action="append", help=f"ARTICLESxWORDS, again and again; default {' '.join(CELLS)}")
    parser.add_argument("--stage", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.command:
        command(options.command)
    if options.stage:
        stage(*options.stage)
        return 0
    print(f"VmHWM in MB; bounds {LIMIT}, gate process {GATE_LIMIT}; CPU and wall seconds with all children")
    print(f"{'articles':>12}  {'command':24} {'MB':>6}  {'its processes':36} {'CPU s':>7} {'wall s':>7}")
    within = [_cell(cell) for cell in options.cell or CELLS]
    print("all within bounds" if all(within) else "NOT within bounds")
    return 0 if all(within) else 1


if __name__ == "__main__":
    sys.exit(main())
