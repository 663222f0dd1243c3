"""Site memory: which blocks recur on a host's pages and are therefore boilerplate, and in which containers its articles are.

Each crawl has one. It keeps, per host, which pages (URL digests) showed which blocks (text digests), in which container they had their
article, and when. So distinct URLs are counted exactly, blocks that left the site are forgotten, and two memories can be merged without
counting a page twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from processing.clean.block_occurrences import Digests, HostOccurrences, Seconds
from processing.clean.container_occurrences import ContainerOccurrences, Occurrence
from schemas.article import Block, BlockKind

MIN_PAGES = 3  # distinct URLs of a host before blocks are removed: fewer are not evidence
MIN_RECURRENCE = 2  # distinct URLs that show a block before it is boilerplate
MAX_BOILERPLATE_SHARE = 0.6  # of a page's text; if more recurs, the whole page is a copy of a page at another URL
LONG_PROSE = 300  # characters; a paragraph of this length must recur on LONG_RECURRENCE URLs: quotes and copies recur too
LONG_RECURRENCE = 3
DISAGREEMENT_FACTOR = 0.8  # confidence of a page whose article is in another container than those of the host's other pages, times this

SCHEMA = pa.schema(
    [
        pa.field("host", pa.string(), nullable=False),
        pa.field("url", pa.uint64(), nullable=False),
        pa.field("block", pa.uint64()),  # NULL: the row says that the page was seen
        pa.field("seen", pa.timestamp("s", "UTC"), nullable=False),
        pa.field("container", pa.string()),  # the container of the article; `block` is NULL then
    ]
)


class SiteMemory:
    """Which blocks recur on which hosts of a crawl. The order in which pages are learned does not matter."""

    def __init__(self) -> None:
        self._hosts: dict[str, HostOccurrences] = {}
        self._containers: dict[str, ContainerOccurrences] = {}

    def learn(self, host: str, url: str, blocks: Sequence[Block], when: datetime, container: str | None = None) -> None:
        """Add a page's blocks and the signature of their container; `when` is its time of fetch (aware).

        The same URL again counts once, with the later time.
        """
        self.learn_texts(host, url, [block.text for block in blocks], when, container)

    def learn_texts(self, host: str, url: str, texts: Sequence[str], when: datetime, container: str | None = None) -> None:
        """The same of the blocks' texts."""
        self.learn_blocks(host, url, _text_digests(texts), when, container)

    def learn_blocks(self, host: str, url: str, blocks: Iterable[int], when: datetime, container: str | None = None) -> None:
        """The same of the blocks' digests (`block_digests`)."""
        known = self._hosts.setdefault(host, HostOccurrences())
        page, seen = _digest(url), int(when.timestamp())
        known.add(page, set(blocks), seen)
        if container is not None:
            self._containers.setdefault(host, ContainerOccurrences()).add([(page, seen, container)])

    def containers(self, host: str) -> tuple[str, ...]:
        """The signatures of the containers in which the host's recent pages have their articles, the most frequent first."""
        found = self._containers.get(host)
        return found.current(self._oldest(host)) if found is not None and found.has_enough_pages else ()

    def all_containers(self) -> dict[str, tuple[str, ...]]:
        """The `containers` of every host that has any."""
        return {host: found for host in sorted(self._containers) if (found := self.containers(host))}

    def adjusted_confidence(self, host: str, container: str | None, confidence: float) -> float:
        """A page's confidence, reduced if its article is in another container than the articles of the host's other pages."""
        known = self.containers(host)
        return round(DISAGREEMENT_FACTOR * confidence, 3) if container and known and container not in known else confidence

    def clean(self, host: str, url: str, blocks: Sequence[Block]) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
        """Split a page's blocks into (article, boilerplate). No block is boilerplate while the host has fewer than `MIN_PAGES` URLs."""
        if not self.has_evidence(host, url):
            return tuple(blocks), ()
        recurring = self.boilerplate(host, url, blocks, _text_digests([block.text for block in blocks]))
        kept = tuple(b for b, r in zip(blocks, recurring, strict=True) if not r)
        return kept, tuple(b for b, r in zip(blocks, recurring, strict=True) if r)

    def has_evidence(self, host: str, url: str) -> bool:
        """Whether the host has enough pages for `boilerplate`, this one included."""
        known = self._hosts.get(host)
        return known is not None and known.page_count(_digest(url)) >= MIN_PAGES

    def boilerplate(self, host: str, url: str, blocks: Sequence[Block], digests: Sequence[int]) -> list[bool]:
        """Which blocks of a page are boilerplate, given their `block_digests` too. The host `has_evidence`."""
        counts = self._hosts[host].page_counts(digests, _digest(url))
        recurring = [count >= _needed(block) for block, count in zip(blocks, counts, strict=True)]
        recurring = _keep_headings(blocks, recurring)
        total = sum(len(block.text) for block in blocks)
        if sum(len(b.text) for b, r in zip(blocks, recurring, strict=True) if r) > MAX_BOILERPLATE_SHARE * total:
            return [False] * len(blocks)
        return recurring

    def merge(self, other: SiteMemory) -> None:
        """Add everything that another site memory knows. Merging the same one twice changes nothing."""
        for host, theirs in other._hosts.items():
            (pages, page_times), (digests, urls, times) = theirs.pages(), theirs.blocks()
            self._hosts.setdefault(host, HostOccurrences()).add_all(pages, page_times, digests, urls, times)
        for host, containers in other._containers.items():
            self._containers.setdefault(host, ContainerOccurrences()).add(containers.occurrences())

    def to_arrow(self) -> pa.Table:
        """One row per recent occurrence, sorted. Equal memories give equal bytes."""
        columns = _Columns()
        for host in sorted(self._hosts):
            if host in self._containers:
                oldest = self._oldest(host)
                columns.add_containers(host, [one for one in self._containers[host].occurrences() if one[1] >= oldest])
            columns.add_occurrences(host, self._hosts[host])
        return columns.table()

    @classmethod
    def from_arrow(cls, *tables: pa.Table) -> SiteMemory:
        """The site memory that `to_arrow` wrote as these tables."""
        memory = cls()
        for table in tables:
            rows, containers = _without_containers(table)
            for host, occurrence in containers:
                memory._containers.setdefault(host, ContainerOccurrences()).add([occurrence])
            is_block = rows["block"].is_valid().to_numpy()
            urls, seen, blocks = _numbers(rows, "url"), _seconds(rows), np.asarray(rows["block"].fill_null(0).to_numpy(), np.uint64)
            for host, start, end in _by_host(rows):
                of_block = is_block[start:end]
                of_page = ~of_block
                url, when = urls[start:end], seen[start:end]
                known = memory._hosts.setdefault(host, HostOccurrences())
                known.add_all(url[of_page], when[of_page], blocks[start:end][of_block], url[of_block], when[of_block])
        return memory

    def _oldest(self, host: str) -> int:
        known = self._hosts.get(host)
        return known.oldest if known else 0


class _Columns:
    """The columns of stored rows, host by host. One table is made of all at the end: one of each host takes ten times as long."""

    def __init__(self) -> None:
        self._hosts: list[str] = []
        self._counts: list[int] = []  # rows of each entry of _hosts
        self._urls: list[Digests] = []
        self._blocks: list[Digests] = []
        self._is_block: list[NDArray[np.bool_]] = []
        self._seen: list[Seconds] = []
        self._containers: list[str] = []
        self._container_rows: list[int] = []  # the place of each of them among the rows
        self._count = 0

    def add_containers(self, host: str, occurrences: Sequence[Occurrence]) -> None:
        """Add the containers of a host."""
        self._container_rows += range(self._count, self._count + len(occurrences))
        self._containers += [container for _, _, container in occurrences]
        urls, times = ([occurrence[field] for occurrence in occurrences] for field in range(2))
        nothing = np.zeros(len(occurrences), np.uint64)
        self._add(host, np.array(urls, np.uint64), nothing, np.zeros(len(occurrences), np.bool_), np.array(times, np.int64))

    def add_occurrences(self, host: str, known: HostOccurrences) -> None:
        """Add the pages of a host, then its blocks."""
        pages, page_times = known.pages()
        digests, urls, times = known.blocks()
        self._add(host, pages, np.zeros(len(pages), np.uint64), np.zeros(len(pages), np.bool_), page_times)
        self._add(host, urls, digests, np.ones(len(digests), np.bool_), times)

    def _add(self, host: str, urls: Digests, blocks: Digests, is_block: NDArray[np.bool_], seen: Seconds) -> None:
        self._hosts.append(host)
        self._counts.append(len(urls))
        self._count += len(urls)
        self._urls.append(urls)
        self._blocks.append(blocks)
        self._is_block.append(is_block)
        self._seen.append(seen)

    def table(self) -> pa.Table:
        """All rows."""
        if not self._count:
            return SCHEMA.empty_table()
        hosts = pa.array(self._hosts, pa.string()).take(pa.array(np.repeat(np.arange(len(self._hosts)), self._counts)))
        blocks = pa.array(np.concatenate(self._blocks), mask=~np.concatenate(self._is_block))
        seen = pa.array(np.concatenate(self._seen)).cast(SCHEMA.field("seen").type)
        places = np.full(self._count, -1)
        places[self._container_rows] = np.arange(len(self._containers))
        containers = pa.array(self._containers, pa.string()).take(pa.array(places, mask=places < 0))
        return pa.table([hosts, pa.array(np.concatenate(self._urls)), blocks, seen, containers], schema=SCHEMA)


def _without_containers(rows: pa.Table) -> tuple[pa.Table, list[tuple[str, Occurrence]]]:
    """The rows of pages and blocks, and the containers by host. Memories that early releases wrote have no containers."""
    if "container" not in rows.column_names or rows["container"].null_count == rows.num_rows:
        return rows, []
    has_container = pc.is_valid(rows["container"])
    found = rows.filter(has_container)
    occurrences = zip(_numbers(found, "url").tolist(), _seconds(found).tolist(), found["container"].to_pylist(), strict=True)
    return rows.filter(pc.invert(has_container)), list(zip(found["host"].to_pylist(), occurrences, strict=True))


def _by_host(table: pa.Table) -> Iterator[tuple[str, int, int]]:
    """Each host of a table, and where its rows begin and end."""
    if not table.num_rows:
        return
    hosts = table["host"].combine_chunks().dictionary_encode()
    codes, names = hosts.indices.to_numpy(), hosts.dictionary.to_pylist()
    starts = np.flatnonzero(np.diff(codes, prepend=-1)).tolist()
    for start, end in zip(starts, [*starts[1:], len(codes)], strict=True):
        yield names[codes[start]], start, end


def _numbers(rows: pa.Table, column: str) -> Digests:
    return np.asarray(rows[column].to_numpy(), np.uint64)


def _seconds(rows: pa.Table) -> Seconds:
    return np.asarray(rows["seen"].cast(SCHEMA.field("seen").type).cast(pa.int64()).to_numpy(), np.int64)  # Parquet has no seconds


def page_digest(url: str) -> int:
    """The digest by which a memory knows a page."""
    return _digest(url)


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _text_digests(texts: Sequence[str]) -> list[int]:
    """The digest of each text in lower case with single blanks."""
    return block_digests([" ".join(text.casefold().split()).encode("utf-8", "replace") for text in texts])


def block_digests(folded: Sequence[bytes]) -> list[int]:
    """The digest of each block, whose text is given as `folding.folded_texts` makes it."""
    digest = hashlib.blake2b
    joined = b"".join([digest(text, digest_size=8).digest() for text in folded])
    digests: list[int] = np.frombuffer(joined, ">u8").tolist()
    return digests


def _needed(block: Block) -> int:
    """On how many distinct URLs a block must be seen before it is boilerplate."""
    prose = block.kind in {BlockKind.PARAGRAPH, BlockKind.QUOTE, BlockKind.CODE, BlockKind.TABLE}
    return LONG_RECURRENCE if prose and len(block.text) >= LONG_PROSE else MIN_RECURRENCE


def _keep_headings(blocks: Sequence[Block], recurring: list[bool]) -> list[bool]:
    """A recurring heading ("Background", "Conclusion") belongs to the article when prose of the article follows it."""
    result = list(recurring)
    for position, block in enumerate(blocks[:-1]):
        follower = blocks[position + 1]
        prose = follower.kind in {BlockKind.PARAGRAPH, BlockKind.QUOTE} and len(follower.text) >= 100
        if block.kind is BlockKind.HEADING and prose and not recurring[position + 1]:
            result[position] = False
    return result
