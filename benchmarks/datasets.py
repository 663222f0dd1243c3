"""What datasets cost: CPU for each page beside its article, by source, and the memory of every process on the way of items to their table.

`python -m benchmarks datasets --pages 200 --items 100000` measures these sizes. MB are 10^6 bytes of VmHWM. A page has about 80 kB.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.inputs.shop import page_capture
from benchmarks.memory import GATE, GATE_LIMIT, LIMIT
from benchmarks.peaks import MAIN, Measured, measure
from processing.extract.page_tasks import PageTask, Wanted
from processing.extract.reading import read_task
from schemas.datasets.dataset_file import find_dataset, parse_dataset
from storage.index.rows import CaptureRow
from storage.warc.reader import Record, read_records
from storage.warc.writer import SegmentWriter

MILLISECONDS_LIMIT = 1.0  # CPU a page for each dataset
ROUNDS = 9  # the median counts, and of a dataset's part that of the differences: each round reads all pages by every source in turn
DEFINITIONS = {
    "selectors, a row": """
source: {selectors: {sku: .sku, name: h1, price: {css: .price, type: 'decimal(12,2)'}, text: .description}}
match: [/p/]
key: [host, sku]
""",
    "selectors, 60 rows": """
source: {selectors: {link: {css: .card__link, attr: href}, name: .card__name, price: {css: .card__price, type: float}}, each: .card}
key: [host, link]
""",
    "structured data (products)": "",
    "function": "source: {function: 'benchmarks.datasets:page_rows'}\nkey: [host, sku]\nfields: {sku: string, name: string}\n",
}
ITEM_STAGES = ("extract", "resolve", "gate", "publish")


def page_rows(page: object) -> Iterator[dict[str, str]]:
    """A user's function that does next to nothing, so that the way to it is measured."""
    html: str = page.html  # type: ignore[attr-defined]
    yield {"sku": html.partition('class="sku" itemprop="sku">')[2].partition("<")[0], "name": html.partition("<h1")[2][:20]}


def definition(name: str) -> str:
    """A dataset of `DEFINITIONS` as JSON."""
    dataset = parse_dataset(DEFINITIONS[name], "offers") if DEFINITIONS[name] else find_dataset("products", None)
    return dataset.model_dump_json()


def page_tasks(count: int) -> list[PageTask]:
    """Tasks for pages of the shop, read from a real segment."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pages.warc.gz"
        writer = SegmentWriter(path, "pages.warc.gz", "bench", "run", {})
        rows: list[CaptureRow] = [writer.write(page_capture(number)) for number in range(count)]
        writer.close()
        with path.open("rb") as stream:
            records = [one for one in read_records(stream, "pages.warc.gz") if isinstance(one, Record)]
    return [PageTask(replace(record, pointer=row.pointer), row) for record, row in zip(records, rows, strict=True)]


def measure_sources(count: int) -> dict[str, tuple[float, float]]:
    """By source: milliseconds of CPU a page for article and dataset together, and those of the dataset. The first is articles alone."""
    tasks = page_tasks(count)
    wanted = {"articles alone": Wanted()} | {
        name: Wanted(functions=(definition(name),)) if name == "function" else Wanted(definitions=(definition(name),))
        for name in DEFINITIONS
    }
    for one in wanted.values():  # imports and readers are made before
        read_task(replace(tasks[0], wanted=one))
    rounds: dict[str, list[float]] = {name: [] for name in wanted}
    for _ in range(ROUNDS):
        for name, one in wanted.items():
            rounds[name].append(_milliseconds([replace(task, wanted=one) for task in tasks]))
    alone = rounds["articles alone"]
    return {name: (median(taken), median(one - other for one, other in zip(taken, alone, strict=True))) for name, taken in rounds.items()}


def _milliseconds(tasks: Sequence[PageTask]) -> float:
    gc.collect()
    before = time.process_time()
    for task in tasks:
        read_task(task)
    return (time.process_time() - before) * 1000 / len(tasks)


def measure_items(items: int, a_page: int) -> Iterator[tuple[str, Measured]]:
    """The peaks of every process from the spool to the table."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environment = {
            "CRAWLHOUSE_HOME": str(home), "CRAWLHOUSE_CRAWLS": str(home / "crawls"), "CRAWLHOUSE_DATASETS": str(home / "datasets"),
            "CRAWLHOUSE_STORE": "", "CRAWLHOUSE_DATABASE": "",
        }  # fmt: skip
        yield "spool", measure("benchmarks.inputs.shop", str(items), str(a_page), environment=environment)
        yield "plan", measure("benchmarks.memory", "--stage", "plan", str(home / "planned"), environment=environment)
        process_run = (home / "planned").read_text()
        for name in ITEM_STAGES:
            yield name, measure("benchmarks.memory", "--stage", name, process_run, environment=environment)


def main(arguments: list[str] | None = None) -> int:
    """Print the figures. 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=100, help="pages that are read by every source (default: 100)")
    parser.add_argument("--items", type=int, default=100_000, help="items of a run (default: 100000)")
    parser.add_argument("--a-page", type=int, default=100, help="items of a page (default: 100)")
    options = parser.parse_args(arguments)
    print(f"{'source':30} {'ms CPU a page':>14} {'of it the dataset':>18}")
    within = True
    for name, (whole, own) in measure_sources(options.pages).items():
        print(f"{name:30} {whole:14.2f} {own:18.2f}", flush=True)
        within &= own <= MILLISECONDS_LIMIT
    print(f"\n{options.items:,} items, {options.a_page:,} a page: VmHWM in MB; bounds {LIMIT}, gate process {GATE_LIMIT}")
    print(f"{'step':10} {'MB':>6}  {'its processes':36} {'CPU s':>7} {'wall s':>7}")
    for name, one in measure_items(options.items, options.a_page):
        others = ", ".join(f"{role} {peak:.0f}" for role, peak in sorted(one.peaks.items()) if role != MAIN)
        print(f"{name:10} {one.peaks[MAIN]:6.0f}  {others:36} {one.cpu:7.1f} {one.wall:7.1f}", flush=True)
        within &= all(peak <= (GATE_LIMIT if role == GATE else LIMIT) for role, peak in one.peaks.items())
    print("all within bounds" if within else "NOT within bounds")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
