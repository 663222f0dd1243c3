"""The dataset `pages` on labelled pages of all types: page types, main text by type, and CPU, beside trafilatura.

The shipped models were fitted on these pages. What they are worth on other sites is said by `python -m benchmarks.pages.train`: by folds of
sites, and with `--half tuning` by fitting on one half and scoring the other.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from statistics import fmean

from benchmarks.inputs.labelled_pages import half_of, pages, scorer
from benchmarks.peers.extractors import FETCHED_AT
from processing.article.article import read_article
from processing.article.page_body.content import read_content
from processing.article.page_body.kinds import KINDS
from processing.article.tree.parse import parse
from schemas.page import Page

PEER = "trafilatura"


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=("yes", "no"), default="yes", help="whether trafilatura is measured beside it")
    chosen = parser.parse_args(arguments)
    scores: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    right: dict[str, list[bool]] = defaultdict(list)
    for name in ("wcxb_dev", "pagetypes"):
        for row, html in pages(name):
            kind, half = row.get("page_type", "article"), half_of(row["host"])
            start = time.process_time()
            found, text = _ours(row["url"], html)
            seconds["crawlhouse"] += time.process_time() - start
            scores["crawlhouse", kind, half].append(_f1(text, row))
            right[kind].append(found == kind)
            if chosen.peer == "yes":
                start = time.process_time()
                text = _theirs(html)
                seconds[PEER] += time.process_time() - start
                scores[PEER, kind, half].append(_f1(text, row))
    _print(scores, right, seconds)
    return 0


def _ours(url: str, html: str) -> tuple[str, str]:
    page = Page(url, html, fetched_at=FETCHED_AT)
    tree = parse(html)
    content = read_content(page, tree, None, read_article(page, tree=tree))
    return str(content.page_type), "\n".join(block.text for block in content.blocks)


def _theirs(html: str) -> str:
    from trafilatura import extract

    return extract(html, include_comments=True) or ""


def _f1(text: str, row: dict[str, object]) -> float:
    references = row["body"] or [""]
    assert isinstance(references, list)
    return max(float(scorer().word_prf(text, reference)[2]) for reference in references)


def _print(scores: dict[tuple[str, str, str], list[float]], right: dict[str, list[bool]], seconds: dict[str, float]) -> None:
    print(f"{'word F1':<14}{'half':<9}" + "".join(f"{kind:>15}" for kind in KINDS) + f"{'all':>9}")
    for who in seconds:
        for half in ("tuning", "unseen", "both"):
            by_kind = {kind: [value for part in _halves(half) for value in scores[who, kind, part]] for kind in KINDS}
            every = fmean(value for values in by_kind.values() for value in values)
            print(f"{who:<14}{half:<9}" + "".join(f"{fmean(by_kind[kind]):>15.4f}" for kind in KINDS) + f"{every:>9.4f}")
    hits = [one for found in right.values() for one in found]
    print(f"{'type right':<23}" + "".join(f"{fmean(right[kind]):>15.4f}" for kind in KINDS) + f"{fmean(hits):>9.4f}")
    print("pages per CPU-second: " + ", ".join(f"{who} {len(hits) / spent:.1f}" for who, spent in seconds.items()))


def _halves(half: str) -> tuple[str, ...]:
    return ("tuning", "unseen") if half == "both" else (half,)


if __name__ == "__main__":
    sys.exit(main())
