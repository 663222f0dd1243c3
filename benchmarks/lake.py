"""What one crawl run of 500 pages costs beside a growing lake, and the 500th small run beside the first; with `--portions` a large run.

`python -m benchmarks lake` makes lakes of 10,000 and 100,000 articles, a file of 5,000 for each day; `--articles 1000000` adds one.
The lakes are made of random words by the lake's own writer, with two captures of each article. Half of the run's pages are in the lake.
CPU seconds are those of a stage in a process of its own with its children, and MB are 10^6 bytes of VmHWM.

`python -m benchmarks lake --portions` measures instead one crawl run of up to 1,000,000 captures, which is decided on in portions: deciding
alone, and for the smaller ones all stages from extracted rows, which are made up, to the commit; then the same of a run with rows of a
user's dataset instead of articles. `--records N` measures other sizes.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.inputs.synthetic_crawl import CRAWL
from benchmarks.peaks import MAIN, Measured, measure
from schemas.config.settings import Settings

SIZES = (10_000, 100_000)
DAY_ARTICLES = 5_000
WORDS = 250
RUN_PAGES = 500
SMALL_PAGES = 5
SMALL_RUNS = 500
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
GROWTH_LIMIT = 1.3  # of CPU, the largest lake beside the smallest
MEMORY_LIMIT = 300  # MB of resolve
DECIDED_SIZES = (10_000, 100_000, 1_000_000)  # captures of one crawl run that are decided on
RUN_SIZES = (10_000, 100_000)  # the same with all stages: .8 CPU seconds for each thousand
OWN_DATASET = "offers"
RUN_MEMORY_LIMIT = 700  # MB of every process, whatever the run's size


def make_lake(articles: int, day_articles: int = DAY_ARTICLES, first: int = 0, settings: Settings | None = None) -> None:
    """Add articles to a lake, the one that the environment names without settings, a publication for each day."""
    from schemas.config.settings import load_settings
    from storage.lake.lake import open_lake

    chance = random.Random(11 + first)
    vocabulary = ["".join(chance.choices("etaoinshrdlucmfwyp", k=chance.randint(2, 11))) for _ in range(20_000)]
    with open_lake(settings or load_settings()) as lake:
        for day in range(articles // day_articles):
            _publish_day(lake, first + day, day_articles, vocabulary, chance)


def _publish_day(lake: object, day: int, count: int, vocabulary: list[str], chance: random.Random) -> None:
    import pyarrow as pa

    from processing.clean.identity import page_url, url_id
    from processing.clean.words import text_digest
    from schemas.tables import TABLES

    run, crawl_run = f"p-bench-{day:06d}", f"bench-{day:06d}"
    texts = [" ".join(chance.choices(vocabulary, k=WORDS)) for _ in range(count)]
    urls = [f"https://site{number % 20}.example.org/{day}/{number}" for number in range(count)]
    ids = [url_id(page_url(url)) for url in urls]
    times = [BEGIN + timedelta(days=day, seconds=number * 86_000 // count) for number in range(count)]
    values: dict[str, object] = {
        "url": urls, "host": [url.split("/")[2] for url in urls], "fetched_at": times, "article_id": ids, "text": texts,
        "text_digest": [text_digest(text) for text in texts], "content_digest": [f"sha1:{one}" for one in ids],
        "warc_record_offset": range(count), "fetch_status": [200] * count, "record_type": ["response"] * count, "kind": ["page"] * count,
        "outcome": ["published"] * count, "version": [1] * count, "article_version": [1] * count, "text_length": map(len, texts),
        "word_count": [WORDS] * count, "warc_record_length": [9_000] * count, "sequence": [day + 1] * count, "ingested_at": times,
    }  # fmt: skip
    same = {
        "crawl": CRAWL,
        "crawl_run": crawl_run,
        "process_run": run,
        "code_version": "bench",
        "warc_filename": f"warc/{crawl_run}/1.warc.gz",
    }

    def table(name: str, **changed: object) -> pa.Table:
        given = {**values, **{key: [value] * count for key, value in same.items()}, **changed}
        columns = [pa.array(list(given[one.name]), one.type) if one.name in given else pa.nulls(count, one.type) for one in TABLES[name]]  # type: ignore[call-overload]
        return pa.table(columns, schema=TABLES[name])

    again = table("captures", outcome=["known"] * count, warc_record_offset=range(count, 2 * count))
    lake.append("captures", [pa.concat_tables([table("captures"), again])], run)  # type: ignore[attr-defined]
    lake.append("articles", [table("articles")], run)  # type: ignore[attr-defined]
    row = {one.name: _plain(one) for one in TABLES["runs"] if not one.nullable} | same | {"sequence": day + 1, "statistics": "{}"}
    kept = {name: value for name, value in row.items() if name in TABLES["runs"].names}
    lake.append("runs", [pa.Table.from_pylist([kept], schema=TABLES["runs"])], run)  # type: ignore[attr-defined]


def _plain(field: object) -> object:
    import pyarrow as pa

    kind = field.type  # type: ignore[attr-defined]
    return "-" if pa.types.is_string(kind) else BEGIN if pa.types.is_timestamp(kind) else 0


def make_run(pages: int, known: int, seed: int) -> None:
    """Store and register one closed run, of which `known` pages are in the lake of `make_lake`."""
    from benchmarks.inputs.synthetic_crawl import make_crawl
    from schemas.config.settings import load_settings

    urls = [f"https://site{number % 20}.example.org/{number % 2}/{number}" for number in range(known)]
    make_crawl(load_settings(), pages, WORDS, seed, urls)


def upkeep() -> None:
    """Bring the index up to date, as the nightly maintenance does."""
    from processing.known.upkeep import maintain_index
    from schemas.config.settings import load_settings

    print(maintain_index(load_settings()))


def measured_stages(home: Path, pages: int, seed: int) -> Iterator[tuple[str, Measured]]:
    """The stages of one run."""
    environment = _environment(home)
    measure("benchmarks.lake", "--run", str(pages), str(pages // 2), str(seed), environment=environment)
    planned = str(home / "planned")
    yield "plan", measure("benchmarks.memory", "--stage", "plan", planned, environment=environment)
    process_run = Path(planned).read_text()
    for name in ("extract", "resolve", "gate", "publish"):
        yield name, measure("benchmarks.memory", "--stage", name, process_run, environment=environment)


def _environment(home: Path) -> dict[str, str]:
    return {"CRAWLHOUSE_HOME": str(home), "CRAWLHOUSE_CRAWLS": str(home), "CRAWLHOUSE_STORE": "", "CRAWLHOUSE_DATABASE": ""}


def measure_growth(sizes: list[int], pages: int) -> bool:
    """Print what each stage of a run costs beside each size; whether resolve is within its bounds."""
    resolve: list[Measured] = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            made = measure("benchmarks.lake", "--make", str(size), str(DAY_ARTICLES), "0", environment=_environment(home))
            index = measure("benchmarks.lake", "--upkeep", environment=_environment(home))
            sized = sum(path.stat().st_size for path in (home / "store" / "known").rglob("*") if path.is_file())
            print(
                f"{size:>10,}  lake made in {made.cpu:.1f} CPU s; index {index.cpu:.1f} CPU s, {sized / size:.0f} bytes an article",
                flush=True,
            )
            for name, one in measured_stages(home, pages, 7):
                print(f"{size:>10,}  {name:10} {one.cpu:7.2f} CPU s {one.peaks[MAIN]:6.0f} MB", flush=True)
                if name == "resolve":
                    resolve.append(one)
    growth, peak = resolve[-1].cpu / resolve[0].cpu, max(one.peaks[MAIN] for one in resolve)
    print(f"resolve of {pages} pages: {growth:.2f} x from {sizes[0]:,} to {sizes[-1]:,} articles (bound {GROWTH_LIMIT}), {peak:.0f} MB")
    return growth <= GROWTH_LIMIT and peak <= MEMORY_LIMIT


def measure_small_runs(runs: int) -> bool:
    """Print what a run of few pages costs in an empty lake, and after many others of its size that nobody has maintained."""
    resolve: list[float] = []
    for earlier in (0, runs):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            if earlier:
                measure("benchmarks.lake", "--make", str(earlier * SMALL_PAGES), str(SMALL_PAGES), "0", environment=_environment(home))
            for name, one in measured_stages(home, SMALL_PAGES, 7):
                print(f"{earlier:>6} earlier runs  {name:10} {one.cpu:7.2f} CPU s", flush=True)
                resolve += [one.cpu] if name == "resolve" else []
    print(f"resolve of {SMALL_PAGES} pages: {resolve[1] / resolve[0]:.2f} x after {runs} runs (bound {GROWTH_LIMIT})")
    return resolve[1] / resolve[0] <= GROWTH_LIMIT


def measure_large_runs(sizes: list[int]) -> bool:
    """Print what a crawl run of each size costs in an empty lake; whether all processes stay within their bound."""
    within = True
    for size in sizes or DECIDED_SIZES:
        with tempfile.TemporaryDirectory() as folder:
            environment = _environment(Path(folder))
            measure("benchmarks.inputs.cleaned_run", "make", str(size), environment=environment)
            within &= _print_run(size, "deciding", measure("benchmarks.inputs.cleaned_run", "decide", str(size), environment=environment))
    for size in sizes or RUN_SIZES:
        within &= _measure_staged(size) & _measure_staged(size, OWN_DATASET)
    return within


def _measure_staged(size: int, *dataset: str) -> bool:
    """Print what the stages of a run cost, one of articles or of a dataset; whether they stay within their bound."""
    within = True
    with tempfile.TemporaryDirectory() as folder:
        environment = {**_environment(Path(folder)), "CRAWLHOUSE_DATASETS": f"{folder}/datasets"}
        planned = Path(folder) / "planned"
        measure("benchmarks.inputs.staged_run", str(size), str(planned), *dataset, environment=environment)
        for name in ("resolve", "gate", "publish"):
            one = measure("benchmarks.memory", "--stage", name, planned.read_text(), environment=environment)
            within &= _print_run(size, " of ".join((name, *dataset)), one)
    return within


def _print_run(size: int, name: str, one: Measured) -> bool:
    """Print the figures of a stage; whether its processes stay within their bound."""
    peaks = ", ".join(f"{peak:.0f} MB {role}" for role, peak in sorted(one.peaks.items(), reverse=True))
    print(f"{size:>10,} captures  {name:17} {one.cpu:8.1f} CPU s  {peaks}", flush=True)
    return max(one.peaks.values()) <= RUN_MEMORY_LIMIT


def main(arguments: list[str] | None = None) -> int:
    """Print the figures. 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, action="append", help="the size of a further lake")
    parser.add_argument("--pages", type=int, default=RUN_PAGES, help=f"pages of the run (default: {RUN_PAGES})")
    parser.add_argument("--small-runs", type=int, default=SMALL_RUNS, help=f"small runs before the last one (default: {SMALL_RUNS})")
    parser.add_argument("--portions", action="store_true", help="measure large crawl runs instead")
    parser.add_argument("--records", type=int, action="append", help="with --portions: captures of the run")
    parser.add_argument("--make", nargs=3, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--run", nargs=3, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--upkeep", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.make:
        make_lake(*options.make)
    elif options.run:
        make_run(*options.run)
    elif options.upkeep:
        upkeep()
    if options.make or options.run or options.upkeep:
        return 0
    if options.portions:
        within = [measure_large_runs(options.records or [])]
    else:
        within = [measure_growth(sorted({*SIZES, *(options.articles or ())}), options.pages), measure_small_runs(options.small_runs)]
    print("all within bounds" if all(within) else "NOT within bounds")
    return 0 if all(within) else 1


if __name__ == "__main__":
    sys.exit(main())
