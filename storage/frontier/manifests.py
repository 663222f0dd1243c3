"""The manifest of a closed run in the store, what is derived from its segments, and how missing segments are added to it."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from runtime.scratch import scratch_folder
from schemas.keys import items_key, manifest_key, segment_items_key
from schemas.manifest import FetchCounts, FetchStatistics, HostCounts, Manifest, Segment
from schemas.numbers import plural
from storage.database.engine import Database
from storage.frontier.queries import count_outcomes, host_outcomes, run_number
from storage.frontier.records import HostOutcomes
from storage.index.cdxj import store_cdxj
from storage.index.items import store_item_types
from storage.index.rows import CaptureRow, read_index
from storage.ledger.ledger import Ledger
from storage.objects.store import ObjectStore
from storage.urls.host_key import canonical_host

LOG = logging.getLogger(__name__)


def store_manifest(manifest: Manifest, store: ObjectStore) -> None:
    """Write a manifest to the store (JSON)."""
    store.put_bytes(manifest_key(manifest.crawl, manifest.crawl_run), manifest.object_json())


def index_rows(segments: Iterable[Segment], store: ObjectStore) -> Iterator[CaptureRow]:
    """The capture index of segments, row by row."""
    for segment in segments:
        yield from read_index(store.get_bytes(segment.index_key))


def store_run_items(crawl: str, crawl_run: str, segments: Sequence[Segment], store: ObjectStore, folder: Path | None = None) -> int:
    """Put the items of all segments into one object, gzip member after gzip member, and their types into another; returns their number."""
    made = [segment for segment in segments if segment.items]
    if made:
        with scratch_folder(folder) as scratch:
            path = scratch / "items"
            with path.open("wb") as file:
                for segment in made:
                    with store.open(segment_items_key(crawl, crawl_run, segment.segment)) as part:
                        shutil.copyfileobj(part, file)
            store.put_file(items_key(crawl, crawl_run), path)
        store_item_types(crawl, crawl_run, made, store)
    return sum(segment.items for segment in made)


def complete_manifest(crawl_run: str, ledger: Ledger, store: ObjectStore) -> Manifest:
    """The manifest of a closed run. Registered segments that it lacks are added, and its counts corrected.

    Earlier releases let a worker register while its run was being closed. Raises NotFoundError; ConflictError if the run is not closed.
    """
    manifest = ledger.manifest(crawl_run)
    listed = {segment.segment for segment in manifest.segments}
    missing = [segment for segment in ledger.segments(crawl_run) if segment.segment not in listed]
    if not missing:
        return manifest
    segments = tuple(sorted((*manifest.segments, *missing), key=lambda segment: segment.segment))
    counts, reasons, hosts = run_outcomes(ledger.database, crawl_run, manifest.statistics.hosts)
    found: dict[str, object] = {"segments": segments}
    if counts.due >= manifest.counts.due:  # fewer: the crawl was deleted meanwhile, and the outcomes of its URLs with it
        found |= {"counts": counts, "reasons": reasons}
    items = store_run_items(manifest.crawl, crawl_run, segments, store)
    found["statistics"] = _with_added_rows(manifest.statistics, index_rows(missing, store), hosts, items)
    whole = manifest.model_copy(update=found)
    store_cdxj(manifest.crawl, crawl_run, index_rows(segments, store), store)
    store_manifest(whole, store)
    ledger.replace_manifest(whole)
    LOG.warning(
        "%s: what was missing in its manifest is added: %s with %s. A worker had registered while the run was being closed.",
        crawl_run,
        plural(len(missing), "registered segment"),
        plural(sum(segment.records for segment in missing), "record"),
    )
    return whole


def run_outcomes(database: Database, crawl_run: str, hosts: Collection[str]) -> tuple[FetchCounts, dict[str, int], dict[str, HostOutcomes]]:
    """What became of the URLs of a closed run: the counts, the reasons, and both for some hosts by name. Raises NotFoundError."""
    with database.read() as connection:
        run_no = run_number(connection, crawl_run)
        counts, reasons = count_outcomes(connection, run_no)
        by_host = host_outcomes(connection, run_no, hosts)
    left_over = counts.due - counts.fetched - counts.denied - counts.failed - counts.filtered  # they do not wait in it any more
    return counts.model_copy(update={"left_over": left_over}), reasons, by_host


def _with_added_rows(
    statistics: FetchStatistics, rows: Iterable[CaptureRow], outcomes: Mapping[str, HostOutcomes], items: int
) -> FetchStatistics:
    """Statistics with more rows of the capture index added, for the whole run and for the hosts that are listed in it."""
    responses = [row for row in rows if row.record_type != "conversion"]
    by_host: dict[str, list[CaptureRow]] = {}
    for row in responses:
        if row.url:  # one that was erased has no host any more
            by_host.setdefault(canonical_host(row.url), []).append(row)
    hosts = {
        name: counted.model_copy(update=_added_counts(counted, by_host.get(name, [])) | _outcome_counts(outcomes.get(name)))
        for name, counted in statistics.hosts.items()
    }
    return statistics.model_copy(update=_added_counts(statistics, responses) | {"hosts": hosts, "items": items})


def _added_counts(before: FetchStatistics | HostCounts, rows: Sequence[CaptureRow]) -> dict[str, object]:
    return {
        "responses": before.responses + len(rows),
        "bytes": before.bytes + sum(row.content_length or 0 for row in rows),
        "latency_ms": before.latency_ms + sum(row.latency_ms or 0 for row in rows),
        "statuses": dict(sorted((Counter(before.statuses) + Counter(str(row.fetch_status) for row in rows)).items())),
    }


def _outcome_counts(outcomes: HostOutcomes | None) -> dict[str, object]:
    if outcomes is None:
        return {}
    return {"due": outcomes.due, "left_over": outcomes.left_over, "reasons": dict(sorted(outcomes.reasons.items()))}
