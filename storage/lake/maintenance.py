"""Keeping the lake fit: small files put together, old snapshots expired, files that nothing refers to deleted.

Safe beside publishing: a change holds the publish lock and is committed as publishing is (`storage.lake.publishing`), and only files older
than any publishing could still be writing are deleted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.fs as pafs
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan, _dataframe_to_data_files
from pyiceberg.table import FileScanTask, Table, Transaction
from pyiceberg.table.update.snapshot import ExpireSnapshots

from runtime.scratch import remove_stale
from schemas.config.settings import Settings
from schemas.errors import LakeMovedError, NotFoundError
from schemas.keys import STAGING_PREFIX, report_key
from schemas.tables import TABLES
from storage.lake.commit import Staged, stage
from storage.lake.lake import Lake, ordered, run_of
from storage.lake.publishing import commit, repair_marks
from storage.ledger.ledger import Ledger, open_ledger
from storage.objects.open import open_store
from storage.objects.store import ObjectStore

SMALL_FILE_BYTES = 16 * 1024 * 1024
MIN_FILES = 4  # fewer small files of a day are left alone
MAX_GROUP_BYTES = 32 * 1024 * 1024  # on disk; a group is sorted in memory, where it takes several times that
KEEP_SNAPSHOTS = timedelta(days=7)
KEEP_ORPHANS = timedelta(days=3)
MOVES = 5  # by other writers; the next maintenance goes on


@dataclass(frozen=True, slots=True)
class MaintenanceReport:
    """What maintenance did, over all tables."""

    files_before: int = 0
    files_after: int = 0
    rows_rewritten: int = 0
    snapshots_expired: int = 0
    orphans_deleted: int = 0
    orphan_bytes: int = 0
    staged_deleted: int = 0

    def counts(self) -> dict[str, int]:
        """The report as plain numbers."""
        return asdict(self)

    def __add__(self, other: MaintenanceReport) -> MaintenanceReport:
        return MaintenanceReport(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


def maintain(
    settings: Settings,
    keep_snapshots: timedelta = KEEP_SNAPSHOTS,
    keep_orphans: timedelta = KEEP_ORPHANS,
    now: datetime | None = None,
) -> MaintenanceReport:
    """Compact, expire and clean every table, and delete what settled process runs staged; doing it again at once changes nothing.

    `keep_orphans` must be longer than any publishing takes. Raises UnavailableError, StorageError; ConflictError when a publisher holds
    the lock for too long.
    """
    now = now or datetime.now(UTC)
    report = MaintenanceReport()
    with ExitStack() as stack:
        lake = stack.enter_context(Lake(settings))
        ledger = open_ledger(settings)
        stack.callback(ledger.close)
        repair_marks(lake, ledger)
        for name in TABLES:
            report += compact(lake, ledger, name)
            report += expire(lake, ledger, name, now - keep_snapshots)
            report += delete_orphans(lake, name, now - keep_orphans)
        store = open_store(settings)
        report += MaintenanceReport(staged_deleted=delete_staged(store, ledger))
        store.delete_unfinished(now - keep_orphans)
        remove_stale(settings.home)
        remove_stale(Path(tempfile.gettempdir()))
    return report


def delete_staged(store: ObjectStore, ledger: Ledger) -> int:
    """Delete what was staged by process runs that are published and completed, or whose crawl runs are all published; how many objects."""
    deleted = 0
    settled: dict[str, bool] = {}
    for info in store.list(STAGING_PREFIX):
        process_run = info.key.split("/")[1]
        if process_run not in settled:
            settled[process_run] = _settled(process_run, store, ledger)
        if settled[process_run]:
            store.delete(info.key)
            deleted += 1
    return deleted


def _settled(process_run: str, store: ObjectStore, ledger: Ledger) -> bool:
    try:
        run = ledger.process_run(process_run)
    except NotFoundError:
        return False
    if ledger.published_at(process_run) is not None:
        return store.info(report_key(process_run, "report.json")) is not None  # written last: nothing reads the staging any more
    return not ledger.commits(process_run) and not set(run.crawl_runs) & set(ledger.closed_unpublished(run.crawl.name))


def compact(lake: Lake, ledger: Ledger, name: str) -> MaintenanceReport:
    """Rewrite the small files of each day into sorted larger ones, a group at a time."""
    report = MaintenanceReport(files_before=len(lake.live_files(name)))
    moves = 0
    while moves < MOVES:
        with ledger.publish_lock() as token:
            table = lake.table(name)
            group = next(_groups(table), None)
            if group is None:
                break
            rows, rewritten = _rewritten(table, name, group)
            try:
                commit(lake, ledger, token, [rewritten])
                report += MaintenanceReport(rows_rewritten=rows)
            except LakeMovedError:
                moves += 1
    return report + MaintenanceReport(files_after=len(lake.live_files(name)))


def expire(lake: Lake, ledger: Ledger, name: str, before: datetime) -> MaintenanceReport:
    """Forget the snapshots older than a moment. Their files become orphans.

    The current one always stays, and those of process runs that are not published: they say what of these is committed already.
    """
    with ledger.publish_lock() as token:
        table, unpublished = lake.table(name), ledger.unpublished()
        current, oldest = table.metadata.current_snapshot_id, before.timestamp() * 1000
        old = [
            snapshot.snapshot_id
            for snapshot in table.metadata.snapshots
            if snapshot.timestamp_ms < oldest and snapshot.snapshot_id != current and run_of(snapshot) not in unpublished
        ]
        if not old:
            return MaintenanceReport()
        transaction = Transaction(table)
        ExpireSnapshots(transaction).by_ids(old).commit()
        try:
            commit(lake, ledger, token, [stage(transaction)])
        except LakeMovedError:
            return MaintenanceReport()
        return MaintenanceReport(snapshots_expired=len(old))


def delete_orphans(lake: Lake, name: str, before: datetime) -> MaintenanceReport:
    """Delete the files under a table that no snapshot refers to and that were last written before a moment."""
    table = lake.table(name)
    filesystem, path = pafs.FileSystem.from_uri(table.location()) if "://" not in table.location() else _s3(table)
    old = [info for info in _files(filesystem, path) if info.mtime is not None and info.mtime < before]
    used = _referenced(lake.table(name))  # read after the listing: what was committed meanwhile counts as used
    orphans = [info for info in old if info.path not in used]
    for info in orphans:
        filesystem.delete_file(info.path)
    return MaintenanceReport(orphans_deleted=len(orphans), orphan_bytes=sum(info.size or 0 for info in orphans))


def _groups(table: Table) -> Iterator[list[FileScanTask]]:
    """The small files of one partition each, at most MAX_GROUP_BYTES together."""
    by_partition: dict[object, list[FileScanTask]] = {}
    for task in sorted(table.scan().plan_files(), key=lambda task: task.file.file_path):
        if task.file.file_size_in_bytes < SMALL_FILE_BYTES:
            by_partition.setdefault(str(task.file.partition), []).append(task)
    for tasks in by_partition.values():
        group, size = [], 0
        for task in tasks:
            if size + task.file.file_size_in_bytes > MAX_GROUP_BYTES:
                break
            group.append(task)
            size += task.file.file_size_in_bytes
        if len(group) >= MIN_FILES:
            yield group


def _rewritten(table: Table, name: str, group: list[FileScanTask]) -> tuple[int, Staged]:
    """How many rows a group of files has, and the table with one file in their place."""
    reader = ArrowScan(table.metadata, table.io, table.schema(), AlwaysTrue())
    rows = pa.concat_tables(pa.Table.from_batches([batch]) for task in group for batch in reader.to_record_batches([task]))
    rows = ordered(rows.select(TABLES[name].names).cast(TABLES[name]))
    transaction = Transaction(table)
    with transaction.update_snapshot().overwrite() as snapshot:
        for task in group:
            snapshot.delete_data_file(task.file)
        for data_file in _dataframe_to_data_files(table.metadata, rows, table.io):
            snapshot.append_data_file(data_file)
    return int(rows.num_rows), stage(transaction)


def _s3(table: Table) -> tuple[pafs.FileSystem, str]:
    return table.io.fs_by_scheme("s3", None), table.location().removeprefix("s3://")  # type: ignore[attr-defined]


def _files(filesystem: pafs.FileSystem, path: str) -> list[pafs.FileInfo]:
    found = filesystem.get_file_info(pafs.FileSelector(path, recursive=True, allow_not_found=True))
    return [info for info in found if info.type == pafs.FileType.File]


def _referenced(table: Table) -> set[str]:
    """The paths of all files that the table's metadata leads to, as the file system names them."""
    used = {table.metadata_location, *(entry.metadata_file for entry in table.metadata.metadata_log)}
    for snapshot in table.metadata.snapshots:
        used.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            used.add(manifest.manifest_path)
            used.update(entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True))
    return {path.removeprefix("s3://").removeprefix("file://") for path in used}
