"""Article extraction compared with other libraries, on labelled real pages: texts, metadata, page types and CPU, from one run.

The sets and their two halves are described in `labelled_pages`. crawlhouse runs in one configuration everywhere. On `fundeval`, which has
five pages of each host, the site memory is on. `--half tuning` reads the half that rules are made on, and nothing else.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import fmean

from benchmarks.inputs.labelled_pages import MAIN_METRIC, SETS, WITH_METADATA, Row, folder, half_of, interval, page_f1, pages, scorer
from benchmarks.inputs.ranking import ranking
from benchmarks.peers.extractors import FETCHED_AT, Extractor, crawlhouse, libraries, text_of, trafilatura_metadata
from processing.article.metadata.metadata import read_metadata
from processing.article.outline.container import find_container
from processing.article.outline.walk import read_outline
from processing.article.pagetype.pagetype import page_type
from processing.article.tree.characters import without_invisible
from processing.article.tree.parse import parse
from processing.clean.site_memory import SiteMemory
from processing.workers.child import GC_THRESHOLDS
from schemas.article import Article, PageType, plain_text
from schemas.page import Page

WITH_MEMORY = "fundeval"
OURS = "crawlhouse"
NO_TYPE = "crawlhouse, no page type"
PAGE_TYPE = "page type"
PEER = "trafilatura"
RIGHT_F1 = 0.9  # an article with this F1 counts as right
HALVES = ("tuning", "unseen", "both")


@dataclass
class Run:
    """The results of one run: texts and CPU seconds by extractor, crawlhouse's articles and trafilatura's metadata by page."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    texts: dict[tuple[str, str], dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    seconds: Counter[tuple[str, str]] = field(default_factory=Counter)
    articles: dict[str, dict[str, Article | None]] = field(default_factory=lambda: defaultdict(dict))
    peer_metadata: dict[str, dict[str, dict[str, object]]] = field(default_factory=lambda: defaultdict(dict))

    def half(self, name: str, half: str) -> list[Row]:
        """The rows of a set that are in a half."""
        return [row for row in self.rows[name] if half in {"both", half_of(row["host"])}]

    def halves(self) -> list[str]:
        """The halves that were read, and `both` if both were."""
        read = sorted({half_of(row["host"]) for rows in self.rows.values() for row in rows})
        return [*read, "both"] if len(read) > 1 else read


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; 1 when the sets are not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=HALVES, default="both", help="which half of the hosts is read (default: both)")
    parser.add_argument("--peers", default="all", help="`all` libraries, or some by name, separated by commas")
    chosen = parser.parse_args(arguments)
    if not (folder() / "score.py").exists():
        print(f"No labelled pages in {folder()}. Set CRAWLHOUSE_BENCH_DIR to the folder with {', '.join(SETS)} and score.py.")
        return 1
    peers = {name: extract for name, extract in libraries().items() if chosen.peers == "all" or name in chosen.peers.split(",")}
    run = measure(chosen.half, peers)
    _print_texts(run)
    _print_differences(run)
    _print_metadata(run)
    _print_reliability(run)
    _print_types(run, chosen.half)
    _print_cpu(run)
    return 0


def measure(half: str, peers: dict[str, Extractor]) -> Run:
    """All extractors on all pages of a half, alternating page by page, so that other load on the machine is fair to all."""
    run = Run()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)  # all extractors run as in a page worker
    for name in SETS:
        memory = SiteMemory()
        for row, html in pages(name):
            if half in {"both", half_of(row["host"])}:
                run.rows[name].append(row)
                _measure_page(run, name, row, html, peers)
                article = run.articles[name][row["id"]]
                memory.learn(row["host"], row["url"], article.blocks if article else (), FETCHED_AT)
        for row in run.rows[name]:
            run.texts[OURS, name][row["id"]] = _our_text(run.articles[name][row["id"]], row, memory if name == WITH_MEMORY else None)
        print(f"{name}: {len(run.rows[name])} pages", file=sys.stderr)
    return run


def _measure_page(run: Run, name: str, row: Row, html: str, peers: dict[str, Extractor]) -> None:
    start = time.process_time()
    run.articles[name][row["id"]] = crawlhouse(row["url"], html)
    run.seconds[OURS, name] += time.process_time() - start
    run.seconds[PAGE_TYPE, name] += _page_type_seconds(row["url"], html)
    for peer, extract in peers.items():
        start = time.process_time()
        text = extract(row["url"], html)
        run.seconds[peer, name] += time.process_time() - start
        run.texts[peer, name][row["id"]] = without_invisible(text)
    if name in WITH_METADATA:
        run.peer_metadata[name][row["id"]] = trafilatura_metadata(row["url"], html)


def _page_type_seconds(url: str, html: str) -> float:
    """CPU seconds that the page type takes."""
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


def _print_texts(run: Run) -> None:
    columns = ("shingle_f1", "exact", "perfect", "word_f1", "snippet_f1", "snippet_precision", "snippet_recall")
    titles = ("shingle F1", "exact", "> .98", "word F1", "snippet F1", "prec.", "recall")
    print(f"\n{'text':<24}{'set':<11}{'half':<7}{'pages':>6}" + "".join(f"{title:>11}" for title in titles))
    for who in _extractors(run):
        for name in SETS:
            for half in run.halves():
                rows = run.half(name, half)
                found, _ = scorer().evaluate(rows, {row["id"]: {"text": run.texts[who, name][row["id"]]} for row in rows})
                cells = "".join(f"{found[column]:>11.4f}" if column in found else f"{'':>11}" for column in columns)
                print(f"{who:<24}{name:<11}{half:<7}{len(rows):>6}{cells}")


def _extractors(run: Run) -> list[str]:
    return [OURS, *dict.fromkeys(who for who, _ in run.texts if who != OURS)]


def _print_differences(run: Run) -> None:
    """Our F1 minus a library's per page, with the 95 % interval over resampled hosts: for each set and for all sets together."""
    print("\nour F1 per page minus the library's, 95 % interval from resampling hosts")
    for half in run.halves():
        for who in _extractors(run)[1:]:
            for names in [SETS, *((name,) for name in SETS)] if who == PEER else [SETS]:
                hosts = _differences(run, who, half, names)
                mean, (low, high) = fmean(value for values in hosts for value in values), interval(hosts)
                print(f"  {half:<8}{who:<24}{'all' if len(names) > 1 else names[0]:<12}{mean:+.4f}  [{low:+.4f}, {high:+.4f}]")


def _differences(run: Run, who: str, half: str, names: Iterable[str]) -> list[list[float]]:
    by_host: dict[str, list[float]] = defaultdict(list)
    for name in names:
        for row in run.half(name, half):
            own, theirs = (page_f1(name, row, run.texts[one, name][row["id"]]) for one in (OURS, who))
            by_host[row["host"]].append(own - theirs)
    return list(by_host.values())


def _print_metadata(run: Run) -> None:
    print(f"\n{'metadata':<24}{'set':<11}{'half':<7}{'title':>8}{'authors':>9}{'date':>8}")
    for name in WITH_METADATA:
        own = {key: _metadata(article) for key, article in run.articles[name].items()}
        for who, found in ((OURS, own), (PEER, run.peer_metadata[name])):
            for half in run.halves():
                rows = run.half(name, half)
                result, _ = scorer().evaluate(rows, {row["id"]: {"text": "", **found[row["id"]]} for row in rows})
                print(f"{who:<24}{name:<11}{half:<7}{result['title']:>8.3f}{result['author']:>9.3f}{result['date']:>8.3f}")


def _metadata(article: Article | None) -> dict[str, object]:
    if article is None:
        return {"title": None, "author": [], "date": None}
    date = article.published_at.isoformat() if article.published_at else None
    return {"title": article.title, "author": list(article.authors), "date": date}


def _print_reliability(run: Run) -> None:
    """The reliability curve of `confidence`: of the articles in each tenth, how many are right. Sets with whole texts only."""
    print(f"\n{'confidence from':<24}{'half':<7}{'pages':>6}{'F1 >= .9':>10}")
    for half in run.halves():
        found = [
            (article.confidence, float(page_f1(name, row, text_of(article)) >= RIGHT_F1))
            for name in SETS
            if MAIN_METRIC[name] != "snippet_f1"
            for row in run.half(name, half)
            if (article := run.articles[name][row["id"]]) is not None
        ]
        right: dict[float, list[float]] = defaultdict(list)
        for confidence, is_right in found:
            right[min(int(confidence * 10), 9) / 10].append(is_right)
        for tenth, pages_right in sorted(right.items(), reverse=True):
            print(f"{tenth:<24}{half:<7}{len(pages_right):>6}{fmean(pages_right):>10.3f}")
        scores, rights = zip(*found, strict=True)
        print(f"{'ranks right above wrong':<24}{half:<7}{len(found):>6}{ranking(scores, rights):>10.3f}")


def _print_types(run: Run, half: str) -> None:
    """The page types of each set, and how well articles are told from everything else."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for name in SETS:
        for article in run.articles[name].values():
            table[name][_type(article)] += 1
    for row, html in pages("pagetypes"):
        if half in {"both", half_of(row["host"])}:
            table[row["page_type"]][_type(crawlhouse(row["url"], html))] += 1
    columns = [kind for kind in [*map(str, PageType), "none"] if any(counts[kind] for counts in table.values())]
    print(f"\n{'page type: set, label':<22}" + "".join(f"{column[:12]:>14}" for column in columns))
    for label, counts in table.items():
        print(f"{label:<22}" + "".join(f"{counts[column]:>14}" for column in columns))
    hits = table["wcxb_dev"]["article"]
    claimed = hits + sum(counts["article"] for label, counts in table.items() if label not in SETS)
    print(f"article or not: precision {hits / claimed:.3f} at recall {hits / table['wcxb_dev'].total():.3f}")
    print("(the model was fitted on these pages; python -m benchmarks.train_pagetype tests it on unseen hosts)")


def _type(article: Article | None) -> str:
    return str(article.page_type) if article else "none"


def _print_cpu(run: Run) -> None:
    print(f"\n{'CPU, pages/s':<26}" + "".join(f"{name:>12}" for name in SETS) + f"{'all':>12}{'of trafilatura':>16}")
    base = sum(run.seconds[PEER, name] for name in SETS)
    for name in SETS:
        run.seconds[NO_TYPE, name] = run.seconds[OURS, name] - run.seconds.pop((PAGE_TYPE, name))
    for who in sorted(dict.fromkeys(who for who, _ in run.seconds), key=lambda who: who not in {OURS, NO_TYPE}):
        seconds = [run.seconds[who, name] for name in SETS]
        counts = [len(run.rows[name]) for name in SETS]
        each = "".join(f"{count / second:>12.1f}" for count, second in zip(counts, seconds, strict=True))
        print(f"{who:<26}{each}{sum(counts) / sum(seconds):>12.1f}{base / sum(seconds):>15.2f}x")
    print("(crawlhouse's time includes the metadata; the libraries' times include neither metadata nor page type)")


if __name__ == "__main__":
    sys.exit(main())
