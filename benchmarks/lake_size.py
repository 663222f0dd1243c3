"""How many bytes a row of `articles` takes, by column, and how much a look-up by URL reads.

The rows are those of the labelled real pages (the tuning half), as processing makes them, of articles with 250 to 600 words. The bound is
for 400 words without `markdown`, both as one publish writes them and after small files were joined. A look-up is asked in a lake of made-up
articles, of the plain files and of the view `articles`.
"""

from __future__ import annotations

import argparse
import gzip
import io
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.inputs.labelled_pages import SETS, folder, half_of, pages
from benchmarks.inputs.synthetic_crawl import BEGIN, CRAWL, HEADERS, make_crawl
from benchmarks.lake import make_lake
from schemas.capture import Capture
from schemas.config.settings import Settings
from schemas.numbers import plural
from storage.lake.lake import open_lake
from storage.lake.parquet.layout import COMPRESSION_LEVEL, FRESH_LEVEL, ROW_GROUP_ROWS, writer_options
from storage.lake.query import connect
from storage.lake.reader.tables import read_tables
from storage.lake.sources import quoted

ROW_LIMIT = 2_000  # bytes
LOOK_UP_LIMIT = 1.5  # what the view reads beside the plain files: it reads `runs` too
FEWEST, MOST, TYPICAL = 250, 600, 400  # words
LAKE_ARTICLES, DAY_ARTICLES = 40_000, 5_000
READ = re.compile(r"Data Read: ([\d.]+) (bytes|kB|KiB|MB|MiB)")
UNITS = {"bytes": 1, "kB": 1_000, "KiB": 1_024, "MB": 1_000_000, "MiB": 1_048_576}
GROUPS = re.compile(r"Row Groups Scanned: (\d+) / (\d+)")


def real_captures() -> Iterator[Capture]:
    """The labelled pages of the tuning half."""
    number = 0
    for name in SETS:
        for row, html in pages(name):
            if half_of(row["host"]) == "tuning":
                number += 1
                yield Capture(
                    url=row["url"], fetched_at=BEGIN + timedelta(seconds=number), status=200, reason="OK", protocol="HTTP/1.1",
                    request_headers=((b"Host", row["host"].encode()),), response_headers=HEADERS,
                    body=gzip.compress(html.encode("utf-8", "replace"), 1, mtime=0),
                )  # fmt: skip


def measure_rows(settings: Settings) -> bool:
    """Print the bytes of each column; whether a row is small enough."""
    from processing import stages

    make_crawl(settings, 0, 0, captures=real_captures())
    stages.process_once(CRAWL, settings)
    with open_lake(settings) as lake:
        table = lake.table("articles")
        parts = []
        for path in lake.live_files("articles"):
            with table.io.new_input(path).open() as stream:
                parts.append(pq.ParquetFile(stream).read())
    parts = [part.filter(pc.and_(pc.greater_equal(part["word_count"], FEWEST), pc.less_equal(part["word_count"], MOST))) for part in parts]
    joined = pa.concat_tables(parts).sort_by([("host", "ascending"), ("url", "ascending")])
    published = [_print_sizes("as published", parts, FRESH_LEVEL), _print_sizes("joined", [joined], COMPRESSION_LEVEL)]
    return max(published) <= ROW_LIMIT


def _print_sizes(how: str, files: list[pa.Table], level: int) -> float:
    """Print the bytes of each column of rows in some files; those of a typical row."""
    sizes: Counter[str] = Counter()
    whole = 0
    for rows in files:
        of_columns, size = _sizes(rows, level)
        sizes, whole = sizes + of_columns, whole + size
    count = sum(rows.num_rows for rows in files)
    words = sum(pc.sum(rows["word_count"]).as_py() or 0 for rows in files) / count
    for name, size in sizes.most_common(20):
        print(f"{size / count:8.1f}  {name}")
    typical: float = (whole - sizes["text"]) / count + sizes["text"] / count * TYPICAL / words
    print(
        f"{whole / count:8.1f}  bytes a row of {words:.0f} words {how}, {count} rows in {plural(len(files), 'file')}; {typical:.0f} of "
        f"{TYPICAL} words (bound {ROW_LIMIT:,})"
    )
    return typical


def _sizes(rows: pa.Table, level: int) -> tuple[Counter[str], int]:
    """The bytes of each column, and of the whole file."""
    out = io.BytesIO()
    with pq.ParquetWriter(out, rows.schema, **writer_options(rows.schema, rows.num_rows, level)) as writer:
        writer.write_table(rows, row_group_size=ROW_GROUP_ROWS)
    metadata = pq.ParquetFile(out).metadata
    sizes: Counter[str] = Counter()
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            sizes[chunk.path_in_schema] += chunk.total_compressed_size
    return sizes, len(out.getvalue())


def measure_look_up(settings: Settings) -> bool:
    """Print what a look-up reads; whether the view reads what the plain files need."""
    make_lake(LAKE_ARTICLES, DAY_ARTICLES, settings=settings)
    url = f"https://site7.example.org/3/{DAY_ARTICLES // 2 + 7}"
    files = quoted(read_tables(settings)["articles"].files)
    read: dict[str, float] = {}
    with duckdb.connect() as plain, connect(settings) as views:
        for name, lake, source in (("plain files", plain, f"read_parquet([{files}])"), ("view", views, "articles")):
            (_, plan), *_ = lake.execute(f"EXPLAIN ANALYZE SELECT url, title, host FROM {source} WHERE url = $1", [url]).fetchall()
            size, unit = READ.search(plan).groups()  # type: ignore[union-attr]
            read[name] = float(size) * UNITS[unit]
            scanned = " ".join(f"{found[0]} of {found[1]} row groups" for found in GROUPS.findall(plan))
            print(f"{read[name] / 1e3:8.0f} kB  look-up by URL, {name}: {scanned}")
    return read["view"] <= LOOK_UP_LIMIT * read["plain files"]


def main(arguments: list[str] | None = None) -> int:
    """Print the figures. 1 if a bound is missed."""
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    within = []
    for measure in (measure_rows, measure_look_up):
        if measure is measure_rows and not folder().is_dir():
            print("no labelled pages: CRAWLHOUSE_BENCH_DIR names their folder")
            continue
        with tempfile.TemporaryDirectory() as home:
            within.append(measure(Settings(home=Path(home) / "home", crawls=Path(home))))
    print("all within bounds" if all(within) else "NOT within bounds")
    return 0 if all(within) else 1
