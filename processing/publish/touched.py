"""Whether what others have published since a run was decided on could change a decision on it.

A decision on a record depends on the rows of its page and host, on those of the article that it is or claims to be, on the text that it
has, and on similar texts. If none of the rows that came since is such a row, the decisions would be the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from processing.clean.identity import twin_urls, url_id
from processing.clean.minhash import text_signatures
from processing.publish.accounting import ARTICLES
from processing.resolve.near_duplicates import NearIndex
from processing.resolve.portions.deciding import DECIDED_TABLE
from processing.resolve.resolution import Base, ResolveMark
from processing.staging.staging import count_rows, read_rows
from schemas.keys import cleaned_key, resolved_key
from schemas.runs import ProcessRun
from storage.lake.data_files import files_added_since
from storage.lake.lake import Lake
from storage.objects.store import ObjectStore

MAX_ROWS = 2_000  # that are looked at while the publish lock is held: a fifth of a second, if all are articles
PART_RECORDS = 50_000  # whose keys are in memory: some 100 MB
_KEYS = ["url", "host", "article_id", "claimed_url", "text_digest", "signature", "refers_to_filename"]
_LOOKED_AT = {
    "captures": ["url", "host", "warc_filename", "crawl"],
    "articles": ["host", "article_id", "text_digest", "text", "duplicate_of"],
    "sightings": ["dataset", "row_id"],
}

Added = Mapping[str, Sequence[DataFile]]


def added_since(base: Base, tables: Mapping[str, Table]) -> Added | None:
    """The data files that were added to each table after a base. None if rows were taken out, or if it is not known."""
    added: dict[str, Sequence[DataFile]] = {}
    for name, snapshot in (("articles", base.articles), ("captures", base.captures), *base.datasets):
        files = files_added_since(tables[name], snapshot)
        if files is None:
            return None
        added[name] = files
    return added


def row_count(added: Added) -> int:
    """How many rows were added."""
    return sum(int(file.record_count) for files in added.values() for file in files)


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys of some records of a run."""

    run: ProcessRun
    hosts: pa.Array
    urls: pa.Array
    articles: pa.Array
    texts: pa.Array
    signatures: Sequence[bytes]
    warc_files: pa.Array

    def touched_by(self, added: Added, tables: Mapping[str, Table], lake: Lake) -> bool:
        """Whether one of the added rows could change a decision."""
        for name, files in added.items():
            if not files:
                continue
            if name not in _LOOKED_AT:  # a dataset's own table, which another crawl has too
                return True
            for batch in lake.scan_files(tables[name], files, _LOOKED_AT[name]):
                if getattr(self, f"_is_touched_by_{name}")(batch):
                    return True
        return False

    def _is_touched_by_captures(self, rows: pa.RecordBatch) -> bool:
        same_crawl = pc.any(pc.equal(rows["crawl"], self.run.crawl.name)).as_py()
        return same_crawl or any(
            _any_in(rows[name], values) for name, values in (("host", self.hosts), ("url", self.urls), ("warc_filename", self.warc_files))
        )

    def _is_touched_by_articles(self, rows: pa.RecordBatch) -> bool:
        if any(
            _any_in(rows[name], values)
            for name, values in (("host", self.hosts), ("article_id", self.articles), ("text_digest", self.texts))
        ):
            return True
        originals = rows.filter(pc.is_null(rows["duplicate_of"]))
        if not originals.num_rows or not self.signatures:
            return False
        theirs = text_signatures(originals["text"].to_pylist())
        ours = NearIndex([str(place) for place in range(len(self.signatures))], self.signatures, self._threshold)
        return bool(ours.query([one for one in theirs if one]))

    def _is_touched_by_sightings(self, rows: pa.RecordBatch) -> bool:
        own = [dataset.name for dataset in self.run.own_datasets]
        of_articles = rows.filter(pc.equal(rows["dataset"], ARTICLES))
        return _any_in(rows["dataset"], pa.array(own, pa.string())) or _any_in(of_articles["row_id"], self.articles)

    @property
    def _threshold(self) -> float:
        return self.run.crawl.articles.near_duplicate_similarity


class RunKeys:
    """What a run's decisions were looked up by, in parts of some PART_RECORDS records: one part is in memory."""

    def __init__(self, run: ProcessRun, mark: ResolveMark, store: ObjectStore) -> None:
        self._run, self._mark, self._store = run, mark, store
        self._only: _Keys | None = None  # of a run with one part: it is asked for under the publish lock

    def touched_by(self, added: Added, tables: Mapping[str, Table], lake: Lake) -> bool:
        """Whether one of the added rows could change a decision."""
        return any(added.values()) and any(keys.touched_by(added, tables, lake) for keys in self._parts())

    @property
    def is_read(self) -> bool:
        """Whether the keys are in memory, so that rows can be looked at while the publish lock is held."""
        return self._only is not None

    def prepare(self) -> RunKeys:
        """Read the keys of a run with one part, so that they need not be read later."""
        if self._only is None and self._count() <= PART_RECORDS:
            (self._only,) = self._read()
        return self

    def _parts(self) -> Iterable[_Keys]:
        return (self._only,) if self._only is not None else self._read()

    def _count(self) -> int:
        return sum(count_rows(self._store, self._cleaned(part)) for part in self._mark.parts)

    def _read(self) -> Iterator[_Keys]:
        """At least one part; the last one is not empty if there are others."""
        found: dict[str, set[Any]] = {name: set() for name in (*_KEYS, "decided_article_id")}
        count = parts = 0
        for part in self._mark.parts:
            cleaned = read_rows(self._store, self._cleaned(part), _KEYS)
            key = resolved_key(self._run.process_run, self._mark.base.key(), part, DECIDED_TABLE)
            decided = read_rows(self._store, key, ["decided_article_id"])
            for rows, decisions in zip(cleaned, decided, strict=True):
                for name in _KEYS:
                    found[name].update(rows[name].unique().to_pylist())
                found["decided_article_id"].update(decisions["decided_article_id"].unique().to_pylist())
                count += rows.num_rows
                if count >= PART_RECORDS:
                    yield _keys(self._run, found)
                    count, found, parts = 0, {name: set() for name in found}, parts + 1
        if count or not parts:
            yield _keys(self._run, found)

    def _cleaned(self, part: int) -> str:
        return cleaned_key(self._run.process_run, self._mark.base.memory_version, part)


def _keys(run: ProcessRun, found: Mapping[str, Iterable[Any]]) -> _Keys:  # Any: the values of a column
    claimed = _texts(found["claimed_url"])
    return _Keys(
        run,
        hosts=_array(found["host"]),
        urls=_array({*found["url"], *(url for one in claimed for url in twin_urls(one))}),
        articles=_array({*found["article_id"], *found["decided_article_id"], *map(url_id, claimed)}),
        texts=_array(found["text_digest"]),
        signatures=sorted(one for one in found["signature"] if one),
        warc_files=_array(found["refers_to_filename"]),
    )


def _texts(values: Iterable[str | None]) -> list[str]:
    return sorted(value for value in values if value)


def _array(values: Iterable[str | None]) -> pa.Array:
    return pa.array(_texts(values), pa.string())


def _any_in(column: pa.Array, values: pa.Array) -> bool:
    return bool(pc.any(pc.is_in(column.cast(pa.string()), value_set=values)).as_py())
