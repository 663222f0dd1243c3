"""What an erasure has to erase. It is in the store until the erasure is complete: an interrupted one goes on with it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields

from schemas.keys import PENDING_ERASURES_PREFIX, crawl_of, crawl_run_of
from storage.objects.store import ObjectStore

_SETS = ("mentions", "articles", "process_runs", "pages")

RecordId = tuple[str, int]  # WARC file and offset


@dataclass(slots=True)
class Plan:
    """An erasure: its entries, who asked for it and why, and what was found.

    `records` are the lengths of records in bytes, by WARC file and offset. `mentions` are WARC files with captures that were found on an
    erased page. `urls` are the pages of the records, by crawl; `articles` are the articles that erased URLs identify, `rows` the keys
    that lose all their rows, by dataset. `process_runs` have read some of it, `pages` link to it.
    `counts` is what was erased, by place.
    """

    entries: tuple[str, ...]
    decided_by: str
    reason: str
    begun_at: str
    records: dict[str, dict[int, int]] = field(default_factory=dict)
    mentions: set[str] = field(default_factory=set)
    urls: dict[str, set[str]] = field(default_factory=dict)
    articles: set[str] = field(default_factory=set)
    rows: dict[str, set[str]] = field(default_factory=dict)
    process_runs: set[str] = field(default_factory=set)
    pages: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        """The erasure's name: the same entries have the same."""
        return erasure_name(self.entries)

    @property
    def files(self) -> list[str]:
        """The WARC files that change."""
        return sorted(self.records.keys() | self.mentions)

    @property
    def crawl_runs(self) -> list[str]:
        """The crawl runs that fetched them."""
        return sorted({crawl_run_of(name) for name in self.files})

    @property
    def crawls(self) -> list[str]:
        """The crawls, by their names when they fetched."""
        return sorted({crawl_of(name) for name in self.files})

    def record_ids(self) -> Iterator[RecordId]:
        """All records."""
        return ((name, offset) for name, found in self.records.items() for offset in found)

    def add(self, name: str, offset: int, length: int, url: str) -> None:
        """Add a record of a page."""
        self.records.setdefault(name, {})[offset] = length
        if url:
            self.urls.setdefault(crawl_of(name), set()).add(url)

    def save(self, store: ObjectStore) -> None:
        """Write it down."""
        values = {one.name: getattr(self, one.name) for one in fields(self)} | {
            **{name: sorted(getattr(self, name)) for name in _SETS},
            "rows": {name: sorted(ids) for name, ids in self.rows.items()},
            "urls": {crawl: sorted(urls) for crawl, urls in self.urls.items()},
        }
        store.put_bytes(_key(self.name), json.dumps(values).encode())

    def forget(self, store: ObjectStore) -> None:
        """Delete it: the erasure is complete."""
        store.delete(_key(self.name))


def erasure_name(entries: Sequence[str]) -> str:
    """`e-` and 16 hex digits of SHA-256."""
    return "e-" + hashlib.sha256("\n".join(sorted(entries)).encode()).hexdigest()[:16]


def pending_plans(store: ObjectStore) -> list[Plan]:
    """The erasures that are not complete."""
    return [_read(store.get_bytes(info.key)) for info in store.list(PENDING_ERASURES_PREFIX)]


def _read(data: bytes) -> Plan:
    values = json.loads(data)
    return Plan(
        **{
            **values,
            "entries": tuple(values["entries"]),
            "records": {name: {int(offset): length for offset, length in found.items()} for name, found in values["records"].items()},
            **{name: set(values[name]) for name in _SETS},
            "urls": {crawl: set(urls) for crawl, urls in values["urls"].items()},
            "rows": {name: set(ids) for name, ids in values["rows"].items()},
            "counts": Counter(values["counts"]),
        }
    )


def _key(name: str) -> str:
    return f"{PENDING_ERASURES_PREFIX}{name}.json"
