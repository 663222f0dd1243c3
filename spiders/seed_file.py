"""Seeds from a file in the store: a text of one URL a line, or a column of a CSV or Parquet file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from schemas.config.crawl import Crawl, SeedsFile
from schemas.errors import ConfigError, NotFoundError
from storage.objects.store import ObjectStore
from storage.urls.host_key import host_key

BATCH_ROWS = 10_000


def read_seeds(store: ObjectStore, file: SeedsFile) -> Iterator[str]:
    """The URLs of the file, as written. Raises NotFoundError for no such file or column, ConfigError for a file that cannot be read."""
    if store.info(file.key) is None:
        raise NotFoundError(f"The store has no {file.key!r}, which the crawl's seeds_file names. Put it there or correct the key.")
    try:
        for url in _urls(store, file):
            if url and url.strip():
                yield url.strip()
    except (UnicodeDecodeError, csv.Error, ValueError, OSError) as error:
        raise ConfigError(f"The seeds_file {file.key} cannot be read: {error}. It must be text, CSV or Parquet, by its ending.") from error


def _urls(store: ObjectStore, file: SeedsFile) -> Iterator[str | None]:
    if file.key.endswith(".parquet"):
        yield from _parquet_column(store, file)
        return
    with store.open(file.key) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        if not file.key.endswith(".csv"):
            yield from (line for line in text if not line.startswith("#"))
            return
        rows = csv.DictReader(text)
        _check_column(file, list(rows.fieldnames or ()))
        yield from (row[file.column] for row in rows)


def _parquet_column(store: ObjectStore, file: SeedsFile) -> Iterator[str | None]:
    import pyarrow.parquet as pq

    with store.open(file.key) as stream:
        parquet = pq.ParquetFile(stream)
        _check_column(file, parquet.schema_arrow.names)
        for batch in parquet.iter_batches(BATCH_ROWS, columns=[file.column]):
            yield from (None if value is None else str(value) for value in batch.column(0).to_pylist())


def _check_column(file: SeedsFile, columns: list[str]) -> None:
    if file.column not in columns:
        raise NotFoundError(f"{file.key} has no column {file.column!r}; it has {', '.join(columns) or 'none'}. Set seeds_file.column.")


def with_hosts(crawl: Crawl, urls: list[str]) -> Crawl:
    """The crawl. If its YAML names no hosts, its scope gets the hosts of the file's URLs."""
    if crawl.scope.hosts or not urls:
        return crawl
    found = filter(None, map(host_key, urls))
    hosts = tuple(dict.fromkeys([*crawl.hosts(), *found]))
    return crawl.model_copy(update={"scope": crawl.scope.model_copy(update={"hosts": hosts})})
