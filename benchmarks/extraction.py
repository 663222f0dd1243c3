"""Article extraction beside the libraries, on labelled real pages: texts, metadata, page types and CPU, from one run.

`CRAWLHOUSE_BENCH_DIR` (default `../shared/bench`) names the folder of the sets and of their scorer. The hosts of the sets are split in two
halves by `half_of`: rules were tuned on `tuned` alone, `held` is what nobody looked at. Ours runs in one configuration everywhere; on
`fundeval`, which has five pages per host, the site memory is on.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import random
import sys
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from types import ModuleType
from typing import Any

from benchmarks.peers.extractors import FETCHED_AT, Extractor, crawlhouse, libraries, text_of, trafilatura_metadata
from processing.article.metadata.metadata import read_metadata
from processing.article.outline.container import find_container
from processing.article.outline.walk import read_outline
from processing.article.pagetype.pagetype import page_type
from processing.article.tree.parse import parse
from processing.clean.site_memory import SiteMemory
from schemas.article import Article, PageType, plain_text
from schemas.page import Page

SETS = ("aeb", "fundeval", "wcxb_dev")
MAIN_METRIC = {"aeb": "f1", "fundeval": "f1", "wcxb_dev": "word_f1"}  # of a page, as the sets' own benchmarks count
WITH_MEMORY = "fundeval"
RESAMPLES = 2_000
OURS = "crawlhouse"
NO_TYPE = "crawlhouse, no page type"
PAGE_TYPE = "page type"

Row = dict[str, Any]


@dataclass
class Run:
    """What one run over the sets found: texts and CPU seconds by extractor, and our articles and trafilatura's metadata by page."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    texts: dict[tuple[str, str], dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    seconds: Counter[tuple[str, str]] = field(default_factory=Counter)
    articles: dict[str, dict[str, Article | None]] = field(default_factory=dict)
    peer_metadata: dict[str, dict[str, object]] = field(default_factory=dict)


def half_of(host: str) -> str:
    """`tuned` or `held`, by a fixed hash of the host's name."""
    return "held" if hashlib.sha256(host.encode()).digest()[0] % 2 else "tuned"


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; 1 when the sets are not there."""
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    folder = Path(os.environ.get("CRAWLHOUSE_BENCH_DIR", Path(__file__).parents[2] / "shared" / "bench"))
    if not (folder / "score.py").exists():
        print(
            f"No labelled pages in {folder}. Set CRAWLHOUSE_BENCH_DIR to the folder with aeb.zip, fundeval.zip, wcxb_dev.zip and score.py."
        )
        return 1
    scorer = _load_scorer(folder)
    run = measure(folder, libraries())
    scores = _scores(scorer, run)
    _print_texts(scorer, run, scores)
    _print_difference(run, scores)
    _print_metadata(scorer, run)
    _print_types(folder, run)
    _print_cpu(run)
    return 0


def measure(folder: Path, peers: dict[str, Extractor]) -> Run:
    """All extractors on all pages, one page after the other, so that a busy machine is unfair to nobody."""
    run = Run()
    for name in SETS:
        run.rows[name], run.articles[name] = [], {}
        memory = SiteMemory()
        for row, html in _pages(folder, name):
            run.rows[name].append(row)
            start = time.process_time()
            article = crawlhouse(row["url"], html)
            run.seconds[OURS, name] += time.process_time() - start
            run.articles[name][row["id"]] = article
            run.seconds[PAGE_TYPE, name] += _page_type_seconds(row["url"], html)
            memory.learn(row["host"], row["url"], article.blocks if article else (), FETCHED_AT)
            for peer, extract in peers.items():
                start = time.process_time()
                run.texts[peer, name][row["id"]] = extract(row["url"], html)
                run.seconds[peer, name] += time.process_time() - start
            if name == "wcxb_dev":
                run.peer_metadata[row["id"]] = trafilatura_metadata(row["url"], html)
        for row in run.rows[name]:
            run.texts[OURS, name][row["id"]] = _our_text(run.articles[name][row["id"]], row, memory if name == WITH_MEMORY else None)
        print(f"{name}: {len(run.rows[name])} pages", file=sys.stderr)
    return run


def _page_type_seconds(url: str, html: str) -> float:
    """CPU that judging the page's type takes of our reading."""
    page = Page(url, html, fetched_at=FETCHED_AT)
    tree = parse(html)
    metadata = read_metadata(tree, page)
    outline = read_outline(tree.body)
    container = find_container(outline)
    start = time.process_time()
    page_type(tree, page, metadata, outline, container)
    return time.process_time() - start


def _our_text(article: Article | None, row: Row, memory: SiteMemory | None) -> str:
    if memory is None or article is None:
        return text_of(article)
    return plain_text(memory.clean(row["host"], row["url"], article.blocks)[0])


def _pages(folder: Path, name: str) -> Iterator[tuple[Row, str]]:
    with zipfile.ZipFile(folder / f"{name}.zip") as archive:
        for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").strip("\n").split("\n"):
            row = json.loads(line)
            yield row, archive.read(row["member"]).decode("utf-8", "replace")


def _load_scorer(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["score"] = module
    spec.loader.exec_module(module)
    return module


Scores = dict[tuple[str, str], dict[str, Row]]  # (extractor, set) -> page id -> metrics of the page


def _scores(scorer: ModuleType, run: Run) -> Scores:
    return {
        (who, name): {row["id"]: scorer.score_page(row, {"text": texts[row["id"]]}, rouge=False) for row in run.rows[name]}
        for (who, name), texts in run.texts.items()
    }


def _print_texts(scorer: ModuleType, run: Run, scores: Scores) -> None:
    print(f"\n{'text':<24}{'set':<10}{'half':<7}{'pages':>6}{'shingle F1':>12}{'exact':>8}{'> .98':>8}{'word F1':>9}")
    for who in dict.fromkeys(who for who, _ in scores):
        for name in SETS:
            for half in ("tuned", "held", "both") if who == OURS else ("both",):
                rows = [row for row in run.rows[name] if half in {"both", half_of(row["host"])}]
                found, _ = scorer.evaluate(rows, {row["id"]: {"text": run.texts[who, name][row["id"]]} for row in rows})
                print(
                    f"{who:<24}{name:<10}{half:<7}{len(rows):>6}{found['shingle_f1']:>12.4f}{found['exact']:>8.3f}"
                    f"{found['perfect']:>8.3f}{found['word_f1']:>9.4f}"
                )


def _print_difference(run: Run, scores: Scores) -> None:
    """Our F1 minus a library's per page, pooled, with the 95 % interval over resampled hosts; the best library is the last line."""
    print("\nour F1 per page minus the library's, all sets pooled, 95 % interval from resampling hosts")
    results = []
    for who in dict.fromkeys(who for who, _ in scores if who != OURS):
        by_host: dict[str, list[float]] = defaultdict(list)
        for name in SETS:
            for row in run.rows[name]:
                ours, theirs = (scores[one, name][row["id"]][MAIN_METRIC[name]] for one in (OURS, who))
                by_host[row["host"]].append(ours - theirs)
        results.append((fmean(value for values in by_host.values() for value in values), *_interval(list(by_host.values())), who))
    for mean, low, high, who in sorted(results, reverse=True):
        print(f"  {who:<24}{mean:+.4f}  [{low:+.4f}, {high:+.4f}]")


def _interval(hosts: list[list[float]]) -> tuple[float, float]:
    dice = random.Random(1)
    means = []
    for _ in range(RESAMPLES):
        chosen = dice.choices(hosts, k=len(hosts))
        means.append(sum(map(sum, chosen)) / sum(map(len, chosen)))
    means.sort()
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES)]


def _print_metadata(scorer: ModuleType, run: Run) -> None:
    print(f"\n{'metadata, wcxb_dev':<24}{'half':<7}{'title':>8}{'authors':>9}{'date':>8}")
    ours = {key: _metadata(article) for key, article in run.articles["wcxb_dev"].items()}
    for who, found in ((OURS, ours), ("trafilatura", run.peer_metadata)):
        for half in ("tuned", "held", "both"):
            rows = [row for row in run.rows["wcxb_dev"] if half in {"both", half_of(row["host"])}]
            result, _ = scorer.evaluate(rows, {row["id"]: {"text": "", **found[row["id"]]} for row in rows})
            print(f"{who:<24}{half:<7}{result['title']:>8.3f}{result['author']:>9.3f}{result['date']:>8.3f}")


def _metadata(article: Article | None) -> dict[str, object]:
    if article is None:
        return {"title": None, "author": [], "date": None}
    date = article.published_at.isoformat() if article.published_at else None
    return {"title": article.title, "author": list(article.authors), "date": date}


def _print_types(folder: Path, run: Run) -> None:
    """The confusion table of page types, and how well articles are told from everything else."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for article in run.articles["wcxb_dev"].values():
        table["article"][_type(article)] += 1
    for row, html in _pages(folder, "pagetypes"):
        table[row["page_type"]][_type(crawlhouse(row["url"], html))] += 1
    columns = [kind for kind in [*map(str, PageType), "none"] if any(counts[kind] for counts in table.values())]
    print(f"\n{'page type, labelled':<22}" + "".join(f"{column[:12]:>14}" for column in columns))
    for label, counts in table.items():
        print(f"{label:<22}" + "".join(f"{counts[column]:>14}" for column in columns))
    hits, claimed = table["article"]["article"], sum(counts["article"] for counts in table.values())
    print(f"article or not: precision {hits / claimed:.3f} at recall {hits / table['article'].total():.3f}")
    print("(the model was fitted on these pages; python -m benchmarks.train_pagetype judges each by models of other hosts)")


def _type(article: Article | None) -> str:
    return str(article.page_type) if article else "none"


def _print_cpu(run: Run) -> None:
    print(f"\n{'CPU, pages/s':<26}" + "".join(f"{name:>12}" for name in SETS) + f"{'all':>12}{'of trafilatura':>16}")
    base = sum(run.seconds["trafilatura", name] for name in SETS)
    for name in SETS:
        run.seconds[NO_TYPE, name] = run.seconds[OURS, name] - run.seconds.pop((PAGE_TYPE, name))
    for who in sorted(dict.fromkeys(who for who, _ in run.seconds), key=lambda who: who not in {OURS, NO_TYPE}):
        seconds = [run.seconds[who, name] for name in SETS]
        pages = [len(run.rows[name]) for name in SETS]
        each = "".join(f"{count / second:>12.1f}" for count, second in zip(pages, seconds, strict=True))
        print(f"{who:<26}{each}{sum(pages) / sum(seconds):>12.1f}{base / sum(seconds):>15.2f}x")
    print("(ours includes the metadata; the libraries' includes neither metadata nor page type)")


if __name__ == "__main__":
    sys.exit(main())
