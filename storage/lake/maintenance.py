"""Maintenance of the lake: small files are joined, old snapshots expire, files to which nothing refers are deleted.

It may run beside publishing: a change holds the publish lock and is committed in the same way (`storage.lake.commit`), and files are
deleted only if they are too old for a publication that still goes on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.fs as pafs
from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table

from runtime.failpoint import reached
from runtime.scratch import remove_stale
from schemas.config.settings import Settings
from schemas.errors import LakeMovedError, NotFoundError
from schemas.keys import STAGING_PREFIX, mark_key, report_key
from schemas.runs import RunKind
from storage.lake.commit import commit, repair_publications
from storage.lake.lake import Lake
from storage.lake.reader.lake_file import refresh_lake_file
from storage.lake.staged_metadata import StagedTransaction, stage
from storage.lake.upkeep.expired import archive_expiries, crawls_of, expiries, remove_expired
from storage.lake.upkeep.joining import commit_joined, join, small_groups
from storage.lake.upkeep.replaced import replaced_since
from storage.lake.upkeep.retention import remove_snapshots, surplus_snapshots
from storage.lake.upkeep.superseded import remove_superseded
from storage.lake.upkeep.waiting import waiting_files
from storage.ledger.held import held_of
from storage.ledger.ledger import Ledger, open_ledger
from storage.ledger.segment_retention import remove_segments
from storage.objects.open import open_store
from storage.objects.store import ObjectStore

KEEP_SNAPSHOTS = timedelta(days=7)  # readers may use one for so long
KEEP_ORPHANS = timedelta(days=3)  # far longer than a publication takes
KEEP_PLANNED = timedelta(days=3)  # longer than rows of a whole history take that are made again
PLANNED = "planned"  # the mark with the time when such a run was planned
MAX_CONFLICTS = 5  # with other writers; the next maintenance continues


@dataclass(frozen=True, slots=True)
class MaintenanceReport:
    """What maintenance did, for all tables together."""

    files_before: int = 0
    files_after: int = 0
    rows_rewritten: int = 0
    rows_removed: int = 0
    rows_expired: int = 0
    segments_deleted: int = 0
    snapshots_expired: int = 0
    orphans_deleted: int = 0
    orphan_bytes: int = 0
    staged_deleted: int = 0

    def counts(self) -> dict[str, int]:
        """The report as numbers by name."""
        return asdict(self)

    def __add__(self, other: MaintenanceReport) -> MaintenanceReport:
        return MaintenanceReport(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


def maintain(
    settings: Settings,
    keep_snapshots: timedelta = KEEP_SNAPSHOTS,
    keep_orphans: timedelta = KEEP_ORPHANS,
    now: datetime | None = None,
) -> MaintenanceReport:
    """Remove superseded and expired rows, compact every table, expire its snapshots, delete orphan files and staged objects.

    Superseded are rows of datasets that keep the latest only, expired those that their crawl's `retention` keeps no longer. Doing it again
    at once changes nothing. `keep_orphans` must be longer than a publication takes. Raises UnavailableError, StorageError; ConflictError if
    a publisher holds the lock for too long.
    """
    now = now or datetime.now(UTC)
    report = MaintenanceReport()
    with ExitStack() as stack:
        lake = stack.enter_context(Lake(settings))
        ledger = open_ledger(settings)
        stack.callback(ledger.close)
        store = open_store(settings)
        repair_publications(lake, ledger)
        report += MaintenanceReport(rows_expired=sum(remove_expired(lake, ledger, one) for one in expiries(crawls_of(settings), now)))
        archives = archive_expiries(crawls_of(settings), now)
        with ledger.publish_lock():  # one process at a time writes the list of what is removed
            report += MaintenanceReport(segments_deleted=sum(remove_segments(ledger, store, one.crawl, one.before) for one in archives))
        waiting = waiting_files(store)
        for name in lake.tables():
            report += MaintenanceReport(rows_removed=remove_superseded(lake, ledger, name))
            report += compact(lake, ledger, name)
            report += expire(lake, ledger, name, keep_snapshots, now)
            report += delete_orphans(lake, name, now - keep_orphans, waiting)
        report += MaintenanceReport(staged_deleted=delete_staged(store, ledger))
        store.delete_unfinished(now - keep_orphans)
        remove_stale(settings.home)
        remove_stale(Path(tempfile.gettempdir()))
    reached("maintain.before.lake_file")
    refresh_lake_file(settings)
    return report


def delete_staged(store: ObjectStore, ledger: Ledger) -> int:
    """Delete the staged objects of process runs that are complete, or whose crawl runs are all published by others; returns how many."""
    deleted = 0
    obsolete: dict[str, bool] = {}
    for info in store.list(STAGING_PREFIX):
        process_run = info.key.split("/")[1]
        if process_run not in obsolete:
            obsolete[process_run] = _is_staging_obsolete(process_run, store, ledger)
        if obsolete[process_run]:
            store.delete(info.key)
            deleted += 1
            reached("maintain.staged.deleted")
    return deleted


def _is_staging_obsolete(process_run: str, store: ObjectStore, ledger: Ledger) -> bool:
    try:
        run = ledger.process_run(process_run)
    except NotFoundError:
        return False
    if ledger.published_at(process_run) is not None:
        return (
            store.info(report_key(process_run, "report.json")) is not None
        )  # the report is written last: after it nothing reads the staged objects
    if run.kind is RunKind.REPROCESS:
        return not _was_planned_lately(process_run, store)
    if run.replacement is not None:  # it may go on, though its crawl runs are published, as long as nothing is decided
        return _is_decided(run.crawl_runs, ledger)
    return not ledger.commits(process_run) and not set(run.crawl_runs) & set(ledger.closed_unpublished(run.crawl.name))


def _was_planned_lately(process_run: str, store: ObjectStore) -> bool:
    """Whether a run that makes rows again was planned a short time ago: it may go on. Planning it again writes the time again."""
    key = mark_key(process_run, PLANNED)
    if store.info(key) is None:
        return False
    return datetime.now(UTC) - datetime.fromisoformat(store.get_bytes(key).decode()) < KEEP_PLANNED


def _is_decided(crawl_runs: Iterable[str], ledger: Ledger) -> bool:
    """Whether no rows of these crawl runs are held back any more."""
    try:
        return all(one.decision is not None for crawl_run in crawl_runs for one in held_of(ledger.database, crawl_run))
    except NotFoundError:
        return True


def compact(lake: Lake, ledger: Ledger, name: str) -> MaintenanceReport:
    """Rewrite the small files of each day into larger sorted ones, one group at a time."""
    report = MaintenanceReport(files_before=len(lake.live_files(name)))
    conflicts = 0
    while conflicts < MAX_CONFLICTS:
        table = lake.table(name)
        group = next(small_groups(table), None)
        if group is None:
            break
        joined = join(table, group)
        if commit_joined(lake, ledger, [joined]):
            report += MaintenanceReport(rows_rewritten=joined.rows)
        else:
            conflicts += 1
    return report + MaintenanceReport(files_after=len(lake.live_files(name)))


def expire(lake: Lake, ledger: Ledger, name: str, keep: timedelta, now: datetime) -> MaintenanceReport:
    """Remove snapshots that are older than `keep`, or too many (`upkeep.retention`). Their files become orphans.

    The current snapshot always stays. So do those of process runs that are not published: they show which tables are committed already.
    """
    with ledger.publish_lock() as token:
        table = lake.table(name)
        surplus = surplus_snapshots(table.metadata, now, ledger.unpublished(), keep)
        if not surplus:
            return MaintenanceReport()
        transaction = StagedTransaction(table)
        remove_snapshots(transaction, surplus)
        try:
            commit(lake, ledger, token, [stage(transaction)])
        except LakeMovedError:
            return MaintenanceReport()
        return MaintenanceReport(snapshots_expired=len(surplus))


def delete_orphans(lake: Lake, name: str, before: datetime, waiting: Collection[str] = ()) -> MaintenanceReport:
    """Delete the files of a table to which nothing refers and that were last written before a time.

    Files that were replaced after that time stay too, and `waiting` ones, which process runs will add when they are published.
    """
    table = lake.table(name)
    filesystem, path = pafs.FileSystem.from_uri(table.location()) if "://" not in table.location() else _s3(table)
    files = _files(filesystem, path)
    old = [info for info in files if info.mtime is not None and info.mtime < before]
    if not old:
        return MaintenanceReport()
    used = _referenced(lake.table(name)) | set(waiting)  # read after the listing: files that were committed meanwhile are used
    used |= replaced_since(table, [info.path for info in files], int(before.timestamp() * 1000))
    used = {path.removeprefix("s3://").removeprefix("file://") for path in used}
    orphans = [info for info in old if info.path not in used]
    for info in orphans:
        filesystem.delete_file(info.path)
        reached("maintain.orphan.deleted")
    return MaintenanceReport(orphans_deleted=len(orphans), orphan_bytes=sum(info.size or 0 for info in orphans))


def _s3(table: Table) -> tuple[pafs.FileSystem, str]:
    return table.io.fs_by_scheme("s3", None), table.location().removeprefix("s3://")  # type: ignore[attr-defined]


def _files(filesystem: pafs.FileSystem, path: str) -> list[pafs.FileInfo]:
    found = filesystem.get_file_info(pafs.FileSelector(path, recursive=True, allow_not_found=True))
    return [info for info in found if info.type == pafs.FileType.File]


def _referenced(table: Table) -> set[str]:
    """The paths of all files to which the table's metadata refers. A manifest is read once, however many snapshots have it."""
    used = {table.metadata_location, *(entry.metadata_file for entry in table.metadata.metadata_log)}
    manifests: dict[str, ManifestFile] = {}
    for snapshot in table.metadata.snapshots:
        used.add(snapshot.manifest_list)
        manifests.update((manifest.manifest_path, manifest) for manifest in snapshot.manifests(table.io))
    for path, manifest in manifests.items():
        used.add(path)
        used.update(entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True))
    return used
