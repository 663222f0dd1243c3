"""Whether what others have published since a run was decided on could change a decision on it.

A decision on a record depends on the rows of its page and host, on those of the article that it is or claims to be, on the text that it
has, and on similar texts. If none of the rows that came since is such a row, the decisions would be the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from processing.resolve.resolution import CLEANED_TABLE, DECIDED_TABLE, Base, ResolveMark
from processing.staging.staging import read_rows
from schemas.keys import resolved_key
from schemas.runs import ProcessRun
from storage.lake.data_files import files_added_since
from storage.lake.lake import Lake
from storage.objects.store import ObjectStore

MAX_ROWS = 2_000  # that are looked at while the publish lock is held: a fifth of a second, if all are articles
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
class RunKeys:
    """What a run's decisions were looked up by."""

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


def read_run_keys(run: ProcessRun, mark: ResolveMark, store: ObjectStore) -> RunKeys:
    """The keys of a resolved run, from its staged rows."""
    found: dict[str, set[Any]] = {name: set() for name in (*_KEYS, "decided_article_id")}
    for bucket in mark.buckets:
        for table, names in ((CLEANED_TABLE, _KEYS), (DECIDED_TABLE, ["decided_article_id"])):
            for rows in read_rows(store, resolved_key(run.process_run, mark.base.key(), bucket, table), names):
                for name in names:
                    found[name].update(rows[name].unique().to_pylist())
    claimed = _texts(found["claimed_url"])
    return RunKeys(
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
