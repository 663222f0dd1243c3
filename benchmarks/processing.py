"""Whole processing of a closed crawl run beside trafilatura alone, and beside datatrove's chain, on the same WARC files.

`python -m benchmarks processing` takes 5,000 real pages of the labelled sets' tuning half; if these are fewer, the rest are the same pages
with the words of each text in another order, at other hosts. `--datatrove PYTHON` is the interpreter of an environment with datatrove (with
its extras `io` and `processing`), which cannot be installed beside crawlhouse: it needs an older trafilatura.

Whole processing is everything from the segments to the published tables: metadata, page type, site memory, language, signals, versions,
duplicates, expectations, Iceberg. datatrove's chain is WARC, trafilatura, the filters Gopher repetition, Gopher quality, C4 and FineWeb,
and Parquet. CPU seconds are those of a process with all its children. The runs alternate, and the smallest of each counts. F1 is that of
the pages as they were, by the sets' own scorers; a page without a row has F1 0.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from statistics import fmean
from urllib.parse import urlsplit

from benchmarks.inputs.labelled_pages import SETS, Row, half_of, page_f1, pages
from schemas.capture import Capture
from schemas.config.settings import Settings

PAGES = 5_000
RUNS = 2
OVER_TRAFILATURA, OVER_DATATROVE = 4.0, 10.0  # times the pages per CPU second
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
TEXTS = re.compile(r"(<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>)", re.DOTALL | re.IGNORECASE)
CHAIN = """
import sys
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter
from datatrove.pipeline.readers import WarcReader
from datatrove.pipeline.writers import ParquetWriter
steps = [
    WarcReader(sys.argv[1], glob_pattern="*.warc.gz"), Trafilatura(favour_precision=False, timeout=120), GopherRepetitionFilter(),
    GopherQualityFilter(), C4QualityFilter(filter_no_terminal_punct=False), FineWebQualityFilter(), ParquetWriter(sys.argv[2]),
]
LocalPipelineExecutor(pipeline=steps, tasks=1, logging_dir=sys.argv[2] + "-logs").run()
"""


def labelled() -> Iterator[tuple[str, Row, str]]:
    """The pages of the tuning halves with a main text: set, labels, HTML."""
    for name in SETS:
        yield from ((name, row, html) for row, html in pages(name) if half_of(row["host"]) == "tuning")


def captures(wanted: int) -> Iterator[Capture]:
    """As many pages, each at a URL of its own."""
    found = 0
    for variant in count():
        for number, (_, row, html) in enumerate(labelled()):
            if found == wanted:
                return
            found += 1
            yield _capture(variant, number, row, html if variant == 0 else _shuffled(html, random.Random(f"{variant} {number}")))


def page_url(variant: int, number: int, row: Row) -> str:
    """The URL of a page in this benchmark: those of the sets need not be different."""
    host = urlsplit(row.get("url") or "").hostname or row["host"]
    return f"https://{f'v{variant}.' if variant else ''}{host}/2026/03/{number}/{row['id']}".replace(" ", "-")


def _shuffled(html: str, chance: random.Random) -> str:
    parts = TEXTS.split(html)
    for place in range(0, len(parts), 2):  # what is between tags
        words = parts[place].split(" ")
        chance.shuffle(words)
        parts[place] = " ".join(words)
    return "".join(parts)


def _capture(variant: int, number: int, row: Row, html: str) -> Capture:
    return Capture(
        url=page_url(variant, number, row), fetched_at=BEGIN + timedelta(seconds=number), status=200, reason="OK", protocol="HTTP/1.1",
        request_headers=((b"Host", b"bench"),), response_headers=((b"Content-Type", b"text/html; charset=utf-8"),),
        body=html.encode("utf-8", "replace"),
    )  # fmt: skip


def whole_processing(home: Path) -> None:
    """Process the crawl run of a home, as `crawlhouse process` does."""
    from crawlhouse.actions.lake.process import run_process
    from crawlhouse.output.row_formats import ReportFormat

    run_process("bench", Settings(home=home, crawls=home), ReportFormat.JSON)


def trafilatura_alone(home: Path) -> None:
    """Read the segments of a home and give each page to trafilatura."""
    import logging

    from trafilatura import extract

    from storage.warc.reader import read_records

    logging.disable(logging.ERROR)
    for path in sorted((home / "store" / "warc").rglob("*.warc.gz")):
        with path.open("rb") as stream:
            for record in read_records(stream, path.name, 1 << 26):
                extract(record.capture.body.decode("utf-8", "replace"), include_comments=False)  # type: ignore[union-attr]


def datatrove_chain(python: str, home: Path, out: Path) -> float:
    """Run the chain; its CPU seconds."""
    folder = home / "flat"
    folder.mkdir(exist_ok=True)
    for path in (home / "store" / "warc").rglob("*.warc.gz"):
        if not (folder / path.name).exists():
            (folder / path.name).hardlink_to(path)
    return _cpu([python, "-c", CHAIN, str(folder), str(out)])


def _cpu(command: list[str]) -> float:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            raise SystemExit(f"{command[0]} failed:\n{log.read().decode(errors='replace')[-3000:]}")
    return usage.ru_utime + usage.ru_stime


def _own_cpu(part: str, home: Path) -> float:
    return _cpu([sys.executable, "-m", "benchmarks", "processing", "--only", part, "--home", str(home)])


def our_texts(home: Path) -> dict[str, str]:
    """The published articles' texts by URL."""
    from storage.lake.query import connect

    with connect(Settings(home=home, crawls=home)) as lake:
        return dict(lake.sql("SELECT url, text FROM articles").fetchall())


def chain_texts(out: Path) -> dict[str, str]:
    """The texts that passed the chain, by URL."""
    import pyarrow.parquet as pq

    found: dict[str, str] = {}
    for path in out.glob("*.parquet"):
        for row in pq.read_table(path).to_pylist():
            metadata = row["metadata"] if isinstance(row["metadata"], dict) else json.loads(row["metadata"])
            found[metadata["url"]] = row["text"]
    return found


def mean_f1(texts: dict[str, str], wanted: int, *, only_rows: bool = False) -> float:
    """The mean F1 of the pages that are not variants; of those with a row only, if wanted."""
    scores = []
    for number, (name, row, _) in enumerate(islice(labelled(), wanted)):
        url = page_url(0, number, row)
        if url in texts or not only_rows:
            scores.append(page_f1(name, row, texts.get(url, "")))
    return fmean(scores)


def main() -> int:
    """Print pages per CPU second of each, and whether the bounds are met; 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks processing", description=__doc__)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--datatrove", metavar="PYTHON")
    parser.add_argument("--only", choices=["ours", "trafilatura"], help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        (whole_processing if given.only == "ours" else trafilatura_alone)(given.home)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return _compare(given.pages, given.runs, given.datatrove, Path(folder))


def _compare(wanted: int, runs: int, datatrove: str | None, folder: Path) -> int:
    from benchmarks.inputs.synthetic_crawl import make_crawl

    seconds: dict[str, list[float]] = {"whole processing": [], "trafilatura alone": [], "datatrove's chain": []}
    for number in range(runs):
        home = folder / str(number)
        make_crawl(Settings(home=home, crawls=home), wanted, 0, captures=captures(wanted))
        begun = time.monotonic()
        seconds["whole processing"].append(_own_cpu("ours", home))
        seconds["trafilatura alone"].append(_own_cpu("trafilatura", home))
        if datatrove:
            seconds["datatrove's chain"].append(datatrove_chain(datatrove, home, home / "chain"))
        print(f"run {number + 1}: {time.monotonic() - begun:,.0f} s of wall time", flush=True)
    ours, theirs = our_texts(folder / "0"), chain_texts(folder / "0" / "chain") if datatrove else None
    return _print(wanted, {name: min(values) for name, values in seconds.items() if values}, ours, theirs)


def _print(wanted: int, seconds: dict[str, float], ours: dict[str, str], theirs: dict[str, str] | None) -> int:
    best = seconds["whole processing"]
    print(f"\n{wanted:,} pages of the tuning half\n\n| | CPU s | pages per CPU-s | whole processing has times that |\n|---|---|---|---|")
    for name, value in seconds.items():
        print(f"| {name} | {value:.1f} | {wanted / value:.1f} | {value / best:.2f} |")
    print(f"\nF1 of whole processing {mean_f1(ours, wanted):.3f}; of its {len(ours):,} rows {mean_f1(ours, wanted, only_rows=True):.3f}")
    met = [seconds["trafilatura alone"] / best >= OVER_TRAFILATURA]
    if theirs is not None:
        chain, of_rows = mean_f1(theirs, wanted), mean_f1(theirs, wanted, only_rows=True)
        print(f"F1 of datatrove's chain {chain:.3f}; of its {len(theirs):,} rows {of_rows:.3f}")
        met += [seconds["datatrove's chain"] / best >= OVER_DATATROVE, mean_f1(ours, wanted) > chain]
    print(f"bounds: {OVER_TRAFILATURA:.0f}x trafilatura, {OVER_DATATROVE:.0f}x datatrove's chain with a better F1: {met}")
    return int(not all(met))
