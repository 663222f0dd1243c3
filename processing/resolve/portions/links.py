"""Find the records of a run that must be decided on together, and give each group of them a portion.

A decision on a record depends on the other records of its page, of its article, of pages that claim one another's URLs, and on the record
that it refers to. These are nodes of a graph, as 64-bit hashes; the records of one connected component are decided on together. Most
pages claim nothing: then their component is the page. A component of more than MAX_LINKED records is no set of twins, but a site whose
template names one URL on all its pages: its claims are not believed, and do not link. Memory: some 100 bytes for each claim; what every
record has is on the local disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from processing.clean.identity import page_url, twin_key, twin_urls, url_id
from processing.known.keys import hash_values
from processing.resolve.earlier_rows import EarlierRows
from processing.resolve.records import RecordSummary

TWIN, ARTICLE, RECORD = "twin", "article", "record"
OWN_NODES = 3  # of a record: its page in all spellings, the article of its own URL, itself
MAX_LINKED = 25_000  # records that are decided on together because of claims: as many as a run may have that is one portion
_FILE = "own-nodes"

Nodes = NDArray[np.uint64]
_NO_EDGES = np.empty((0, 2), np.uint64)


@dataclass(frozen=True, slots=True)
class _Components:
    """The nodes that have edges, sorted, and the label of each one's connected component: its smallest node."""

    nodes: Nodes
    labels: Nodes

    def of(self, values: Nodes) -> Nodes:
        """The components of nodes; a node without edges is one of its own."""
        found = values.copy()
        known = _is_in(values, self.nodes)
        found[known] = self.labels[np.searchsorted(self.nodes, values[known])]
        return found


class Links:
    """The graph of a run's records, which are added in some order, and their portions in the same order."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._counts: list[int] = []
        self._edges: list[Nodes] = []
        self._claims: list[Nodes] = []

    def add(self, summaries: Sequence[RecordSummary], earlier: EarlierRows) -> None:
        """Add records. `earlier` has what the lake knows of their captures."""
        own = _own_nodes(summaries)
        with self._path.open("ab") as out:
            out.write(own.tobytes())
        self._counts.append(len(own))
        pages = own[:, 0]
        self._edges.append(_edges(pages, [list(_others(summary, earlier)) for summary in summaries]))
        self._claims.append(_edges(pages, [list(_claimed(summary, earlier)) for summary in summaries]))

    def portions(self, count: int) -> Iterator[tuple[NDArray[np.int16], NDArray[np.bool_]]]:
        """Of each record the number of its portion, 0 to `count` - 1, and whether a claim of its page is not believed.

        There are two arrays for each `add`.
        """
        edges, claims = (np.concatenate([_NO_EDGES, *one]) for one in (self._edges, self._claims))
        linked = self._components(np.concatenate([edges, claims]))
        crowded = self._crowded(linked)
        together = linked
        if len(crowded):
            believed = ~np.isin(linked.of(claims[:, 0]), crowded)
            together = self._components(np.concatenate([edges, claims[believed]]))
        for own in self._own():
            page = own[:, 0]
            yield (together.of(page) % np.uint64(count)).astype(np.int16), np.isin(linked.of(page), crowded)

    def _components(self, edges: Nodes) -> _Components:
        """The components of the records' own nodes and these edges."""
        linked = np.unique(edges)
        more = [edges]
        for own in self._own():
            found = own[_is_in(own, linked).any(axis=1)]
            more += [found[:, [0, place]] for place in range(1, OWN_NODES)]
        return _Components(*_labelled(np.concatenate(more)))

    def _crowded(self, components: _Components) -> Nodes:
        """The components with more than MAX_LINKED records."""
        counts = np.zeros(len(components.nodes), np.int64)
        for own in self._own():
            labels = components.of(own[:, 0])
            places = np.searchsorted(components.nodes, labels[_is_in(labels, components.nodes)])
            counts += np.bincount(places, minlength=len(counts))
        crowded: Nodes = components.nodes[counts > MAX_LINKED]
        return crowded

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


def _others(summary: RecordSummary, earlier: EarlierRows) -> Iterator[tuple[object, ...]]:
    """What a record depends on besides its own page, and what this claims."""
    yield from _articles(summary, earlier.article_of(summary.url))
    payload = earlier.payloads.get((summary.url, summary.content_digest))
    if payload is not None:
        yield from _articles(summary, payload.article_id)
    if summary.refers_to is not None:
        yield RECORD, *summary.refers_to
        record = earlier.captures.get(summary.refers_to)
        if record is not None:
            yield from _articles(summary, record.article_id)


def _claimed(summary: RecordSummary, earlier: EarlierRows) -> Iterator[tuple[object, ...]]:
    """What a record depends on because its page claims a URL."""
    if summary.claimed_url is not None:
        yield TWIN, twin_key(summary.claimed_url)
        yield from _articles(summary, url_id(summary.claimed_url), *map(earlier.article_of, twin_urls(summary.claimed_url)))


def _articles(summary: RecordSummary, *articles: str | None) -> Iterator[tuple[object, ...]]:
    return ((ARTICLE, article) for article in articles if article is not None and article != summary.page_id)


def _edges(pages: Nodes, others: Sequence[Sequence[tuple[object, ...]]]) -> Nodes:
    """The edges from each record's page to the other nodes of the record."""
    ends = hash_values("", (one for of_record in others for one in of_record)) if any(others) else np.empty(0, np.uint64)
    return np.stack([np.repeat(pages, [len(of_record) for of_record in others]), ends], axis=1)


def _is_in(values: Nodes, known: Nodes) -> NDArray[np.bool_]:
    """Which values are among the known ones, which are sorted."""
    if not len(known):
        return np.zeros(values.shape, bool)
    found: NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, values), len(known) - 1)] == values
    return found


def _labelled(edges: Nodes) -> tuple[Nodes, Nodes]:
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
