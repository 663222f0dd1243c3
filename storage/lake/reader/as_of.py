"""Which snapshot of each table shows the lake as it was after a process run, or at a time.

Snapshots are kept for some days, the older the fewer. A state is shown exactly or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pyarrow.parquet as pq

from schemas.config.settings import Settings
from schemas.errors import NotFoundError
from storage.lake.reader.lake_objects import file_system, path_of
from storage.lake.reader.manifests import live_files
from storage.lake.reader.metadata import Snapshot, TableMetadata

RUNS = "runs"


def snapshots_as_of(settings: Settings, found: Mapping[str, TableMetadata], as_of: str | datetime) -> dict[str, int | None]:
    """The id of each table's snapshot; None: the table was empty. `as_of` is a process run, or a time.

    Raises NotFoundError if the state is not kept (any more).
    """
    published = _runs_snapshot(found[RUNS], as_of)
    visible = _published_runs(settings, published)
    return {name: published.snapshot_id if name == RUNS else _snapshot(name, one, visible, published) for name, one in found.items()}


def _runs_snapshot(runs: TableMetadata, as_of: str | datetime) -> Snapshot:
    kept = _in_order(runs)
    if isinstance(as_of, datetime):
        at = as_of.replace(tzinfo=as_of.tzinfo or UTC)
        found = [one for one in kept if one.timestamp_ms <= at.timestamp() * 1000]
        if not found:
            raise NotFoundError(f"The lake has no state of {at.isoformat()} any more, or nothing was published then. {_oldest(kept)}")
        return found[-1]
    of_run = [one for one in kept if one.process_run == as_of]
    if not of_run:
        raise NotFoundError(f"The lake has no state of the process run {as_of} any more, or it was never published. {_oldest(kept)}")
    return of_run[-1]


def _oldest(kept: Sequence[Snapshot]) -> str:
    times = [datetime.fromtimestamp(one.timestamp_ms / 1000, UTC) for one in kept]
    return f"The oldest state that is kept is of {times[0]:%Y-%m-%d %H:%M:%S} UTC." if times else "It is empty."


def _published_runs(settings: Settings, snapshot: Snapshot) -> set[str]:
    runs: set[str] = set()
    for file in live_files(settings, RUNS, snapshot.manifest_list):
        column = pq.read_table(path_of(file), filesystem=file_system(settings, file), columns=["process_run"])["process_run"]
        runs.update(column.to_pylist())
    return runs


def _snapshot(name: str, table: TableMetadata, visible: set[str], published: Snapshot) -> int | None:
    """The last snapshot before the first one of a later run. Raises NotFoundError if snapshots are missing between the two."""
    kept = _in_order(table)
    later = next((place for place, one in enumerate(kept) if _is_later(one, visible, published)), len(kept))
    last = kept[later - 1] if later else None
    if later == len(kept) or (last is not None and last.process_run == published.process_run is not None):
        return None if last is None else last.snapshot_id
    if kept[later].sequence_number == (0 if last is None else last.sequence_number) + 1:  # no snapshot between the two was removed
        return None if last is None else last.snapshot_id
    when = datetime.fromtimestamp(published.timestamp_ms / 1000, UTC)
    raise NotFoundError(
        f"The state of {when:%Y-%m-%d %H:%M:%S} UTC is not kept any more: the table '{name}' has no snapshot of it. "
        "Of older states only some are kept; take a later one."
    )


def _is_later(snapshot: Snapshot, visible: set[str], published: Snapshot) -> bool:
    """Whether a run committed it after that state. A run that is not visible then may also have been rolled back before."""
    return snapshot.process_run not in {None, *visible} and snapshot.timestamp_ms > published.timestamp_ms


def _in_order(table: TableMetadata) -> list[Snapshot]:
    return sorted(table.snapshots, key=lambda one: one.sequence_number)
