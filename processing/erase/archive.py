"""Erase records from the archive: segments, their capture index, items and digests, the manifest and the CDXJ of their crawl runs."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from processing.erase.plan import Plan
from processing.erase.scope import Scope
from processing.resources import Resources
from runtime.failpoint import reached
from runtime.scratch import scratch_folder
from schemas.keys import (
    cdxj_key,
    crawl_of,
    crawl_run_of,
    index_key_of,
    items_key,
    manifest_key,
    segment_item_problems_key,
    segment_items_key,
    segment_of,
)
from schemas.manifest import Manifest
from storage.frontier.admin.erasing import set_digests
from storage.index.rows import CaptureRow, erased_row, read_index, write_index
from storage.objects.store import ObjectStore
from storage.warc.tombstone import find_edits, write_edited

Lines = Callable[[bytes], bool]


def erase_records(plan: Plan, scope: Scope, resources: Resources) -> None:
    """Erase a plan's records from the archive. Doing it again changes nothing. Raises StorageError."""
    store = resources.store
    by_run: dict[tuple[str, str], list[str]] = {}
    for name in plan.files:
        by_run.setdefault((crawl_of(name), crawl_run_of(name)), []).append(name)
    for (crawl, crawl_run), names in sorted(by_run.items()):
        made = {name: _erase_segment(plan, scope, name, store) for name in names}
        digests = {name: digest for name, digest in made.items() if digest is not None}
        set_digests(resources.ledger.database, digests)
        _erase_of_run(plan, crawl, crawl_run, digests, scope, resources)


def _erase_segment(plan: Plan, scope: Scope, name: str, store: ObjectStore) -> str | None:
    """Erase a segment's records, then its index and items; its digest, None if the segment is not there any more."""
    erased = plan.records.get(name, {})
    is_there = store.info(name) is not None
    if is_there:
        plan.counts["WARC records"] += _write_tombstones(name, erased, scope, store)
    reached("erase.after.segment")
    _erase_index(name, erased, scope, store)
    crawl, crawl_run, segment = crawl_of(name), crawl_run_of(name), segment_of(name)
    _filter_lines(segment_items_key(crawl, crawl_run, segment), lambda line: _is_of(line, {name: erased}), store, gzipped=True)
    problems = segment_item_problems_key(crawl, crawl_run, segment)
    _filter_lines(problems, lambda line: json.loads(line)["warc_record_offset"] in erased, store, gzipped=True)
    if not is_there:
        return None
    with store.open(name) as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"  # type: ignore[arg-type]


def _write_tombstones(name: str, erased: dict[int, int], scope: Scope, store: ObjectStore) -> int:
    """Write a segment again without the records; how many were replaced or cleaned."""
    with store.open(name) as stream:
        edits = find_edits(stream, name, erased, scope.covers, scope.mentions)
    if edits:
        with store.open(name) as stream, _new_object(name, store) as out:
            write_edited(stream, out, edits)
    return len(edits)


def _erase_index(name: str, erased: Collection[int], scope: Scope, store: ObjectStore) -> None:
    key = index_key_of(name)
    if store.info(key) is None:
        return
    rows = list(read_index(store.get_bytes(key)))
    left = [_left(row, erased, scope) for row in rows]
    if left != rows:
        store.put_bytes(key, write_index(left))


def _left(row: CaptureRow, erased: Collection[int], scope: Scope) -> CaptureRow:
    """What is left of a row of the capture index."""
    if row.is_erased:
        return row
    if row.warc_record_offset in erased or scope.covers(row.url):
        return erased_row(row)
    return replace(row, via=None) if scope.covers(row.via) else row


def _erase_of_run(plan: Plan, crawl: str, crawl_run: str, digests: dict[str, str], scope: Scope, resources: Resources) -> None:
    """Erase from what was made of a crawl run's segments when it was closed."""
    store = resources.store
    _filter_lines(items_key(crawl, crawl_run), lambda line: _is_of(line, plan.records), store, gzipped=True)
    _filter_lines(cdxj_key(crawl, crawl_run), lambda line: _is_cdx_of(line, plan, scope), store, gzipped=False)
    _erase_manifest(crawl, crawl_run, digests, scope, resources)


def _erase_manifest(crawl: str, crawl_run: str, digests: dict[str, str], scope: Scope, resources: Resources) -> None:
    """Give the manifest of a closed crawl run the digests of its segments, and take mentions out: in the ledger, then in the store."""
    store, ledger = resources.store, resources.ledger
    if crawl_run in ledger.closed_runs([crawl_run]):
        manifest = ledger.manifest(crawl_run)
        cleaned = _cleaned(manifest, digests, scope)
        if cleaned != manifest:
            ledger.replace_manifest(cleaned)
    reached("erase.before.manifest")
    key = manifest_key(crawl, crawl_run)
    if store.info(key) is not None:
        stored = _cleaned(Manifest.model_validate_json(store.get_bytes(key)), digests, scope)
        store.put_bytes(key, stored.object_json())


def _cleaned(manifest: Manifest, digests: dict[str, str], scope: Scope) -> Manifest:
    segments = tuple(one.model_copy(update={"digest": digests.get(one.warc_key, one.digest)}) for one in manifest.segments)
    values = scope.value(manifest.model_copy(update={"segments": segments}).model_dump(mode="json"))
    return Manifest.model_validate(values)


def _is_of(line: bytes, records: dict[str, dict[int, int]]) -> bool:
    item = json.loads(line)
    return item["warc_record_offset"] in records.get(item["warc_filename"], ())


def _is_cdx_of(line: bytes, plan: Plan, scope: Scope) -> bool:
    fields = json.loads(line.split(b" ", 2)[2])
    return int(fields["offset"]) in plan.records.get(fields["filename"], ()) or scope.covers(fields["url"])


def _filter_lines(key: str, is_erased: Lines, store: ObjectStore, *, gzipped: bool) -> None:
    """Write an object again without the lines that are erased, if it has any."""
    if store.info(key) is None:
        return
    with store.open(key) as stream:
        if not any(map(is_erased, _lines(stream, gzipped=gzipped))):
            return
    with store.open(key) as stream, _new_object(key, store) as file:
        out = gzip.GzipFile(fileobj=file, mode="wb", mtime=0) if gzipped else file
        for line in _lines(stream, gzipped=gzipped):
            if not is_erased(line):
                out.write(line)
        if gzipped:
            out.close()


def _lines(stream: BinaryIO, *, gzipped: bool) -> Iterator[bytes]:
    if not gzipped:
        yield from stream
        return
    with gzip.open(stream, "rb") as lines:
        yield from lines


@contextmanager
def _new_object(key: str, store: ObjectStore) -> Iterator[BinaryIO]:
    """A file that takes the place of an object at the end of the block."""
    with scratch_folder() as folder:
        path: Path = folder / "object"
        with path.open("wb") as file:
            yield file
        store.put_file(key, path)
