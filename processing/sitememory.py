"""Site memory: blocks that recur on several distinct URLs of a host are its furniture, whatever they say.

One memory belongs to one crawl. It keeps, per host, which pages (URL digests) showed which blocks (text digests) and when: enough to
count distinct URLs exactly, to forget what left the site, and to fold two memories without counting a page twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from schemas.article import Block, BlockKind

MIN_PAGES = 3  # distinct URLs of a host before anything is judged
MIN_RECURRENCE = 2  # distinct URLs that show a block
MAX_SIGHTINGS = 8  # URLs kept per block, the latest: more say nothing new
MAX_PAGES_PER_HOST = 2_000  # URLs kept per host, the latest
FORGET_DAYS = 90  # a sighting this much older than the host's latest page no longer counts
MAX_FURNITURE_SHARE = 0.6  # of a page's text: more means that the page itself recurs (a copy at another URL)
LONG_PROSE = 300  # characters: a paragraph this long must recur more often before it counts as furniture
LONG_RECURRENCE = 3

_SCHEMA = pa.schema(
    [
        pa.field("host", pa.string(), nullable=False),
        pa.field("url", pa.uint64(), nullable=False),
        pa.field("block", pa.uint64()),  # null: the page itself was seen
        pa.field("seen", pa.timestamp("s", "UTC"), nullable=False),
    ]
)

_Sightings = dict[int, int]  # URL digest -> seconds since the epoch


class _Host:
    """What the memory knows of one host."""

    __slots__ = ("blocks", "pages")

    def __init__(self) -> None:
        self.pages: _Sightings = {}
        self.blocks: dict[int, _Sightings] = {}


class SiteMemory:
    """Which blocks recur on which hosts of a crawl. The same pages, learned in any order, give the same memory."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}

    def learn(self, host: str, url: str, blocks: Sequence[Block], when: datetime) -> None:
        """Note a page's blocks; `when` is its time of fetch (aware). The same URL again is no new evidence, only a later date."""
        known = self._hosts.setdefault(host, _Host())
        page, seen = _digest(url), int(when.timestamp())
        _see(known.pages, page, seen, MAX_PAGES_PER_HOST)
        for digest in {_digest(_folded(block)) for block in blocks}:
            _see(known.blocks.setdefault(digest, {}), page, seen, MAX_SIGHTINGS)

    def clean(self, host: str, url: str, blocks: Sequence[Block]) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
        """Split a page's blocks into (kept, furniture); all are kept while the host has fewer than `MIN_PAGES` distinct URLs."""
        known = self._hosts.get(host)
        if known is None or len(known.pages.keys() | {_digest(url)}) < MIN_PAGES:
            return tuple(blocks), ()
        oldest = max(known.pages.values()) - FORGET_DAYS * 86_400
        page = _digest(url)
        recurring = [_recurs(known, block, page, oldest) for block in blocks]
        recurring = _spare_headings(blocks, recurring)
        total = sum(len(block.text) for block in blocks)
        if sum(len(b.text) for b, r in zip(blocks, recurring, strict=True) if r) > MAX_FURNITURE_SHARE * total:
            return tuple(blocks), ()
        kept = tuple(b for b, r in zip(blocks, recurring, strict=True) if not r)
        return kept, tuple(b for b, r in zip(blocks, recurring, strict=True) if r)

    def fold(self, other: SiteMemory) -> None:
        """Take over all that another memory knows. Folding the same one twice changes nothing."""
        for host, theirs in other._hosts.items():
            ours = self._hosts.setdefault(host, _Host())
            for page, seen in theirs.pages.items():
                _see(ours.pages, page, seen, MAX_PAGES_PER_HOST)
            for digest, sightings in theirs.blocks.items():
                for page, seen in sightings.items():
                    _see(ours.blocks.setdefault(digest, {}), page, seen, MAX_SIGHTINGS)

    def to_arrow(self) -> pa.Table:
        """One row per sighting, sorted; forgotten sightings are left out. The same memory gives the same bytes."""
        rows: list[tuple[str, int, int | None, int]] = []
        for host, known in self._hosts.items():
            oldest = max(known.pages.values(), default=0) - FORGET_DAYS * 86_400
            rows += [(host, page, None, seen) for page, seen in known.pages.items() if seen >= oldest]
            rows += [
                (host, page, digest, seen)
                for digest, sightings in known.blocks.items()
                for page, seen in sightings.items()
                if seen >= oldest
            ]
        rows.sort(key=lambda row: (row[0], row[2] is not None, row[2] or 0, row[1]))
        hosts, pages, digests, times = zip(*rows, strict=True) if rows else ((), (), (), ())
        columns = [pa.array(values, kind) for values, kind in zip((hosts, pages, digests, times), _kinds(), strict=True)]
        return pa.table([*columns[:3], columns[3].cast(_SCHEMA.field("seen").type)], schema=_SCHEMA)

    @classmethod
    def from_arrow(cls, table: pa.Table) -> SiteMemory:
        """The memory that `to_arrow` wrote."""
        memory = cls()
        columns = (table.column(name) for name in ("host", "url", "block"))
        times = table.column("seen").cast(pa.int64())
        for host, page, digest, seen in zip(*(c.to_pylist() for c in columns), times.to_pylist(), strict=True):
            known = memory._hosts.setdefault(host, _Host())
            target = known.pages if digest is None else known.blocks.setdefault(digest, {})
            target[page] = seen
        return memory


def _kinds() -> tuple[pa.DataType, ...]:
    return pa.string(), pa.uint64(), pa.uint64(), pa.int64()


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _folded(block: Block) -> str:
    return " ".join(block.text.casefold().split())


def _see(sightings: _Sightings, page: int, seen: int, limit: int) -> None:
    """Add a sighting and keep the `limit` latest, ties by digest, so that the order of learning does not matter."""
    sightings[page] = max(seen, sightings.get(page, seen))
    if len(sightings) > limit:
        del sightings[min(sightings, key=lambda known: (sightings[known], known))]


def _recurs(known: _Host, block: Block, page: int, oldest: int) -> bool:
    sightings = known.blocks.get(_digest(_folded(block)), {})
    urls = {url for url, seen in sightings.items() if seen >= oldest} | {page}
    prose = block.kind in {BlockKind.PARAGRAPH, BlockKind.QUOTE, BlockKind.CODE, BlockKind.TABLE}
    needed = LONG_RECURRENCE if prose and len(block.text) >= LONG_PROSE else MIN_RECURRENCE
    return len(urls) >= needed


def _spare_headings(blocks: Sequence[Block], recurring: list[bool]) -> list[bool]:
    """A heading that recurs ("Background", "Conclusion") is the article's own when prose of the article follows it."""
    spared = list(recurring)
    for place, block in enumerate(blocks[:-1]):
        follower = blocks[place + 1]
        prose = follower.kind in {BlockKind.PARAGRAPH, BlockKind.QUOTE} and len(follower.text) >= 100
        if block.kind is BlockKind.HEADING and prose and not recurring[place + 1]:
            spared[place] = False
    return spared
