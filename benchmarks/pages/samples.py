"""The labelled pages as the models of the dataset `pages` see them: types, words, measures, and how much of each block is main text."""

from __future__ import annotations

import difflib
import hashlib
import pickle
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

import processing.article
from benchmarks.inputs.labelled_pages import half_of, pages
from benchmarks.peers.extractors import FETCHED_AT
from processing.article.article import analyze_page, read_article
from processing.article.page_body.features import word_counts
from processing.article.page_body.kinds import KINDS, KindWords, kind_words, shape_of
from processing.article.pagetype.features import page_features
from processing.article.structure.structure import Structure
from processing.article.structure.walk import read_structure
from processing.article.tree.parse import parse
from schemas.article import Article
from schemas.page import Page
from storage.urls.surt import registered_domain

Matrix = np.ndarray
SETS = ("wcxb_dev", "pagetypes")
MAX_LABEL_WORDS = 25_000  # of a page and of its reference; the alignment takes time that grows with their product
_PAGES_A_LINE = 100  # of the progress
_WORD = re.compile(r"\w+")


@dataclass
class Sample:
    """A labelled page as the models see it. `labels` is the share of each block's words that the reference text has."""

    kind: int
    site: str
    half: str
    reference: Counter[str]
    structure: Structure
    article: list[str]
    words_of_kinds: KindWords
    measures: dict[str, float]
    shape: list[float]
    labels: Matrix

    @cached_property
    def words(self) -> Matrix:
        """The number of words of each block."""
        return word_counts(self.structure)


def read_samples(cache: Path | None) -> list[Sample]:
    """All labelled pages. `cache` is a file that keeps them as long as the code of articles is the same."""
    code = _code_digest()
    if cache is not None and cache.exists():
        stored: tuple[str, list[Sample]] = pickle.loads(cache.read_bytes())
        if stored[0] == code:
            return stored[1]
        print(f"{cache} is of other code: the pages are read again", file=sys.stderr)
    samples = [sample for name in SETS for sample in _read(name)]
    if cache is not None:
        cache.write_bytes(pickle.dumps((code, samples)))
    return samples


def fold_of(site: str, salt: str, folds: int) -> int:
    """The fold of a site, from 0. Another salt makes other folds."""
    return hashlib.sha256(f"{salt}{site}".encode()).digest()[0] % folds


def vocabulary_of(bags: Sequence[tuple[str, set[str]]], least: int) -> dict[str, int]:
    """The words that at least so many sites have, numbered. `bags` are pairs of a site and words."""
    sites: dict[str, set[str]] = defaultdict(set)
    for site, bag in bags:
        for word in bag:
            sites[word].add(site)
    return {word: place for place, word in enumerate(sorted(word for word, found in sites.items() if len(found) >= least))}


def word_f1(texts: Sequence[str], reference: Counter[str]) -> float:
    """The F1 of the words of some texts, 0 to 1."""
    found = Counter(word for text in texts for word in _WORD.findall(text.lower()))
    shared = (found & reference).total()
    if not shared:
        return float(not found and not reference)
    return 2 * shared / (found.total() + reference.total())


def _code_digest() -> str:
    """The digest of the code that reads pages, and of this file."""
    folder = Path(processing.article.__path__[0])
    files = [*sorted(folder.rglob("*.py")), Path(__file__)]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _read(name: str) -> Iterator[Sample]:
    for count, (row, html) in enumerate(pages(name)):
        yield _sample(row, html)
        if count % _PAGES_A_LINE == 0:
            print(name, count, file=sys.stderr)


def _sample(row: dict[str, object], html: str) -> Sample:
    url, host, body = str(row["url"]), str(row["host"]), row["body"]
    assert isinstance(body, list)
    page = Page(url, html, fetched_at=FETCHED_AT)
    tree = parse(html)
    found = read_article(page, tree=tree)
    analysis = analyze_page(page, None, tree)
    structure = read_structure(tree, page.url)
    kind = KINDS.index(str(row.get("page_type", "article")))
    reference = _WORD.findall((body or [""])[0].lower())
    return Sample(
        kind=kind,
        site=registered_domain(host) or host,
        half=half_of(host),
        reference=Counter(reference),
        structure=structure,
        article=[block.text for block in found.blocks] if isinstance(found, Article) else [],
        words_of_kinds=kind_words(page.url, analysis.metadata, structure, tree),
        measures=page_features(tree, page, analysis.metadata, analysis.outline, analysis.container),
        shape=shape_of(structure),
        labels=_labels(structure, reference) if kind else np.zeros(len(structure.blocks)),
    )


def _labels(structure: Structure, reference: list[str]) -> Matrix:
    """The share of each block's words that stand in the reference, in its order."""
    wanted = set(reference)
    words: list[str] = []
    owners: list[int] = []
    counts = np.zeros(len(structure.blocks))
    for place, block in enumerate(structure.blocks):
        for word in _WORD.findall(block.text.lower()):
            counts[place] += 1
            if word in wanted:
                words.append(word)
                owners.append(place)
    hits = np.zeros(len(structure.blocks))
    if max(len(words), len(reference)) < MAX_LABEL_WORDS:
        for match in difflib.SequenceMatcher(None, words, reference, autojunk=False).get_matching_blocks():
            for owner in owners[match.a : match.a + match.size]:
                hits[owner] += 1
    labels: Matrix = hits / np.maximum(counts, 1)
    return labels
