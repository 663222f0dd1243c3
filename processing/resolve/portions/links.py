"""Find the records of a run that must be decided on together, and give each group of them a portion.

A decision on a record depends on the other records of its page, of its article, of pages that claim one another's URLs, and on the record
that it refers to. These are nodes of a graph, as 64-bit hashes; the records of one connected component are decided on together. Most pages
claim nothing: then their component is the page. Memory: some 50 bytes for each claim; what every record has is on the local disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from processing.clean.identity import page_url, twin_key, twin_urls, url_id
from processing.known.keys import hash_values
from processing.resolve.earlier_rows import EarlierRows
from processing.resolve.records import RecordSummary

TWIN, ARTICLE, RECORD = "twin", "article", "record"
OWN_NODES = 3  # of a record: its page in all spellings, the article of its own URL, itself
_FILE = "own-nodes"

Nodes = NDArray[np.uint64]


class Links:
    """The graph of a run's records, which are added in some order, and their portions in the same order."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._counts: list[int] = []
        self._edges: list[Nodes] = []

    def add(self, summaries: Sequence[RecordSummary], earlier: EarlierRows) -> None:
        """Add records. `earlier` has what the lake knows of their captures."""
        own = _own_nodes(summaries)
        with self._path.open("ab") as out:
            out.write(own.tobytes())
        self._counts.append(len(own))
        rows, kinds = [], []
        for row, summary in enumerate(summaries):
            for kind, value in _others(summary, earlier):
                rows.append(row)
                kinds.append((kind, *value))
        if rows:
            self._edges.append(np.stack([own[rows, 0], hash_values("", kinds)], axis=1))

    def portions(self, count: int) -> Iterator[NDArray[np.int16]]:
        """The number of each record's portion, 0 to `count` - 1, in an array for each `add`."""
        edges = np.concatenate([np.empty((0, 2), np.uint64), *self._edges])
        linked = np.unique(edges)
        more = [edges]
        for own in self._own():
            found = own[_is_in(own, linked).any(axis=1)]
            more += [found[:, [0, place]] for place in range(1, OWN_NODES)]
        nodes, labels = _components(np.concatenate(more))
        for own in self._own():
            page = own[:, 0]
            component = page.copy()
            known = _is_in(page, nodes)
            component[known] = labels[np.searchsorted(nodes, page[known])]
            yield (component % np.uint64(count)).astype(np.int16)

    def _own(self) -> Iterator[Nodes]:
        with self._path.open("rb") as file:
            for count in self._counts:
                yield np.fromfile(file, np.uint64, count * OWN_NODES).reshape(-1, OWN_NODES)


def _own_nodes(summaries: Sequence[RecordSummary]) -> Nodes:
    urls = [page_url(one.url) for one in summaries]
    columns = [
        hash_values("", ((TWIN, twin_key(url)) for url in urls)),
        hash_values("", ((ARTICLE, url_id(url)) for url in urls)),
        hash_values("", ((RECORD, *one.record_id) for one in summaries)),
    ]
    return np.stack(columns, axis=1)


def _others(summary: RecordSummary, earlier: EarlierRows) -> Iterator[tuple[str, tuple[object, ...]]]:
    """What a record depends on besides its own page."""
    articles = [earlier.article_of(summary.url)]
    payload = earlier.payloads.get((summary.url, summary.content_digest))
    articles += [payload.article_id] if payload is not None else []
    if summary.refers_to is not None:
        record = earlier.captures.get(summary.refers_to)
        articles += [record.article_id] if record is not None else []
        yield RECORD, summary.refers_to
    if summary.claimed_url is not None:
        yield TWIN, (twin_key(summary.claimed_url),)
        articles += [url_id(summary.claimed_url), *map(earlier.article_of, twin_urls(summary.claimed_url))]
    for article in articles:
        if article is not None and article != summary.page_id:
            yield ARTICLE, (article,)


def _is_in(values: Nodes, known: Nodes) -> NDArray[np.bool_]:
    """Which values are among the known ones, which are sorted."""
    if not len(known):
        return np.zeros(values.shape, bool)
    found: NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, values), len(known) - 1)] == values
    return found


def _components(edges: Nodes) -> tuple[Nodes, Nodes]:
    """The nodes, sorted, and the smallest node of each one's connected component."""
    nodes, ends = np.unique(edges, return_inverse=True)
    one, other = ends.reshape(-1, 2).T
    labels = np.arange(len(nodes))
    while True:
        smaller = np.minimum(labels[one], labels[other])
        new = labels.copy()
        for place in (one, other, labels[one], labels[other]):
            np.minimum.at(new, place, smaller)
        new = new[new]
        if np.array_equal(new, labels):
            return nodes, nodes[labels]
        labels = new
