"""The ledger: which crawl runs exist, which segments they registered, and what is published. Each commit is stored once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType

from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, Table, exists, func, insert, select, update

from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset
from schemas.errors import ConflictError, FencedError, NotFoundError
from schemas.manifest import Manifest, Segment
from schemas.runs import CrawlRun, ProcessRun, Replacement, RunKind
from schemas.yaml_files.bounds import PINNED
from storage.database.clock import Clock, current_time
from storage.database.engine import Database, open_database
from storage.database.frontier_tables import WORKERS
from storage.database.ledger_tables import COMMITS, COUNTERS, CRAWL_RUNS, MEMORIES, PROCESS_INPUTS, PROCESS_RUNS, SEGMENTS
from storage.database.locks import hold_publish_lock
from storage.database.upsert import upsert
from storage.ledger.held import accept_held
from storage.warc.removed_segments import RemovedSegments

_DATASETS = TypeAdapter(tuple[Dataset, ...])
_REPLACEMENT = TypeAdapter(Replacement)
PUBLISH_WAIT_SECONDS = 3600.0  # chosen: longer than publishing or a compaction takes
LOOKUP_NAMES = 500  # values in one IN list; far below the limit of parameters in a statement (32,766 on SQLite)
PUBLISHER = "publisher"  # the counter of the publish lock's tokens


@lru_cache(2)
def _parsed_manifest(text: str) -> Manifest:
    """The manifest of 20,000 segments takes .14 CPU s to parse, and each segment is extracted by its manifest."""
    return Manifest.model_validate_json(text)


@dataclass(frozen=True, slots=True)
class UnclosedRun:
    """A run that is not closed: whether a worker ever joined it, and how many seconds ago a worker (or its planning) last wrote."""

    has_workers: bool
    silent_seconds: float


def open_ledger(settings: Settings, clock: Clock | None = None) -> Ledger:
    """The ledger of this home; its tables are created if they are missing. Raises UnavailableError, StorageError."""
    return Ledger(open_database(settings.database_url("frontier")), clock)


class Ledger:
    """Crawl runs and process runs. Every method is one transaction.

    `clock` gives seconds since the epoch; without it the database's clock is used.
    """

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    @property
    def database(self) -> Database:
        """The database, for code that reads or writes other tables in it."""
        return self._database

    def add_crawl_run(self, run: CrawlRun) -> CrawlRun:
        """Add a crawl run. If its crawl has a run of the same key already, that one is returned and nothing changes."""
        with self._database.write() as connection:
            return insert_crawl_run(connection, run)[0]

    def crawl_run(self, crawl_run: str) -> CrawlRun:
        """A planned run. Raises NotFoundError."""
        with self._database.read() as connection:
            return _crawl_run(_crawl_run_row(connection, crawl_run))

    def crawl_runs(self, crawl: str | None = None, state: str | None = None) -> list[CrawlRun]:
        """The runs of a crawl (or of all), oldest first; `state` is `planning`, `open`, `closing`, `closed` or None for all."""
        query = select(CRAWL_RUNS).order_by(CRAWL_RUNS.c.run_no)
        if crawl is not None:
            query = query.where(CRAWL_RUNS.c.crawl == crawl)
        if state is not None:
            query = query.where(CRAWL_RUNS.c.state == state)
        with self._database.read() as connection:
            return [_crawl_run(row) for row in connection.execute(query).mappings()]

    def closed_runs(self, names: Collection[str]) -> list[str]:
        """Those of these crawl runs that are closed. Unknown names are left out."""
        wanted = sorted(names)
        closed: list[str] = []
        with self._database.read() as connection:
            for start in range(0, len(wanted), LOOKUP_NAMES):
                some = CRAWL_RUNS.c.crawl_run.in_(wanted[start : start + LOOKUP_NAMES])
                closed += connection.scalars(select(CRAWL_RUNS.c.crawl_run).where(some, CRAWL_RUNS.c.state == "closed"))
        return closed

    def latest_crawl(self, crawl: str) -> Crawl | None:
        """The configuration of a crawl's newest run; None if it has no run."""
        query = select(CRAWL_RUNS).where(CRAWL_RUNS.c.crawl == crawl).order_by(CRAWL_RUNS.c.run_no.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        return _crawl_run(row).crawl if row is not None else None

    def unclosed_runs(self, crawl: str) -> dict[str, UnclosedRun]:
        """The runs of a crawl that are not closed, oldest first."""
        heard = select(WORKERS.c.run_no, func.max(func.coalesce(WORKERS.c.seen_at, WORKERS.c.joined_at)).label("seen_at"))
        last = heard.group_by(WORKERS.c.run_no).subquery()
        query = select(CRAWL_RUNS.c.crawl_run, CRAWL_RUNS.c.planned_at, last.c.seen_at)
        query = query.outerjoin(last, last.c.run_no == CRAWL_RUNS.c.run_no)
        query = query.where(CRAWL_RUNS.c.crawl == crawl, CRAWL_RUNS.c.state != "closed").order_by(CRAWL_RUNS.c.run_no)
        with self._database.read() as connection:
            rows, now = connection.execute(query).all(), current_time(connection, self._clock)
        return {row.crawl_run: UnclosedRun(row.seen_at is not None, now - max(row.planned_at, row.seen_at or 0.0)) for row in rows}

    def segments(self, crawl_run: str) -> list[Segment]:
        """The registered segments of a crawl run, sorted by name."""
        query = select(SEGMENTS).where(SEGMENTS.c.crawl_run == crawl_run).order_by(SEGMENTS.c.segment)
        with self._database.read() as connection:
            return [_segment(row) for row in connection.execute(query).mappings()]

    def archived_bytes(self, removed: RemovedSegments | None = None) -> int:
        """The size of all registered segments together, without those that are removed."""
        query = select(func.sum(SEGMENTS.c.size))
        for one in removed.ranges if removed is not None else ():
            query = query.where(~SEGMENTS.c.crawl_run.between(one.first, one.last))
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def close_crawl_run(self, crawl_run: str, manifest: Manifest) -> Manifest:
        """Close a run with its manifest. Closing it again changes nothing and returns the first manifest."""
        with self._database.write() as connection:
            row = _crawl_run_row(connection, crawl_run)
            if row["manifest"] is not None:
                return _parsed_manifest(row["manifest"])
            connection.execute(
                update(CRAWL_RUNS).where(CRAWL_RUNS.c.crawl_run == crawl_run).values(state="closed", manifest=manifest.model_dump_json())
            )
            return manifest

    def manifest(self, crawl_run: str) -> Manifest:
        """The manifest of a closed run. Raises NotFoundError for an unknown run and ConflictError for an open one."""
        with self._database.read() as connection:
            row = _crawl_run_row(connection, crawl_run)
        if row["manifest"] is None:
            raise ConflictError(f"The crawl run {crawl_run} is still open. Let it finish, or run its close step.")
        return _parsed_manifest(row["manifest"])

    def replace_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest of a closed run."""
        closed = (CRAWL_RUNS.c.crawl_run == manifest.crawl_run) & CRAWL_RUNS.c.manifest.is_not(None)
        with self._database.write() as connection:
            connection.execute(update(CRAWL_RUNS).where(closed).values(manifest=manifest.model_dump_json()))

    def closed_unpublished(self, crawl: str) -> list[str]:
        """The closed crawl runs that are in no published process run, oldest first."""
        published = exists().where(
            PROCESS_INPUTS.c.crawl_run == CRAWL_RUNS.c.crawl_run,
            PROCESS_RUNS.c.process_run == PROCESS_INPUTS.c.process_run,
            PROCESS_RUNS.c.published_at.is_not(None),
        )
        query = select(CRAWL_RUNS.c.crawl_run).where(CRAWL_RUNS.c.crawl == crawl, CRAWL_RUNS.c.state == "closed", ~published)
        with self._database.read() as connection:
            return list(connection.scalars(query.order_by(CRAWL_RUNS.c.run_no)))

    def add_process_run(self, run: ProcessRun) -> ProcessRun:
        """Add a process run. Adding the same id again changes nothing. Raises NotFoundError for an unknown crawl run."""
        with self._database.write() as connection:
            for crawl_run in run.crawl_runs:
                _crawl_run_row(connection, crawl_run)
            values = {
                "process_run": run.process_run,
                "crawl": run.crawl.name,
                "code_version": run.code_version,
                "config_hash": run.config_hash,
                "config": run.crawl.model_dump_json(),
                "memory_version": run.memory_version,
                "base_snapshot": run.base_snapshot,
                "datasets": _DATASETS.dump_json(run.datasets).decode() if run.datasets else None,
                "replacement": _REPLACEMENT.dump_json(run.replacement).decode() if run.replacement else None,
            }
            _insert_once(connection, PROCESS_RUNS, [values])
            _insert_once(connection, PROCESS_INPUTS, [{"process_run": run.process_run, "crawl_run": name} for name in run.crawl_runs])
        return run

    def process_run(self, process_run: str) -> ProcessRun:
        """A planned process run. Raises NotFoundError."""
        with self._database.read() as connection:
            row = _process_run_row(connection, process_run)
            inputs = select(PROCESS_INPUTS.c.crawl_run).where(PROCESS_INPUTS.c.process_run == process_run)
            crawl_runs = sorted(connection.scalars(inputs))
        return ProcessRun(
            process_run=process_run,
            crawl=Crawl.model_validate_json(row["config"], context=PINNED),
            crawl_runs=tuple(crawl_runs),
            code_version=row["code_version"],
            config_hash=row["config_hash"],
            memory_version=row["memory_version"],
            base_snapshot=row["base_snapshot"],
            datasets=_DATASETS.validate_json(row["datasets"], context=PINNED) if row["datasets"] else (),
            replacement=_REPLACEMENT.validate_json(row["replacement"]) if row["replacement"] else None,
        )

    def process_runs(self, crawl: str | None = None) -> list[str]:
        """The ids of the process runs of a crawl (or of all), sorted."""
        query = select(PROCESS_RUNS.c.process_run).order_by(PROCESS_RUNS.c.process_run)
        with self._database.read() as connection:
            return list(connection.scalars(query if crawl is None else query.where(PROCESS_RUNS.c.crawl == crawl)))

    def commits(self, process_run: str) -> dict[str, int]:
        """The lake commits of a process run so far: table name -> snapshot id."""
        query = select(COMMITS.c.table_name, COMMITS.c.snapshot_id).where(COMMITS.c.process_run == process_run)
        with self._database.read() as connection:
            return {row.table_name: row.snapshot_id for row in connection.execute(query)}

    def mark_published(self, process_run: str, commits: Mapping[str, int] = MappingProxyType({})) -> None:
        """Mark a process run as published by these snapshots, one per table. The first call counts. Raises NotFoundError, ConflictError."""
        with self._database.write() as connection:
            insert_publication(connection, process_run, commits, self._clock)

    def published_at(self, process_run: str) -> datetime | None:
        """When a process run was published, or None. Raises NotFoundError."""
        with self._database.read() as connection:
            published_at = _process_run_row(connection, process_run)["published_at"]
        return None if published_at is None else datetime.fromtimestamp(published_at, UTC)

    def unpublished(self) -> set[str]:
        """The process runs that are not published."""
        with self._database.read() as connection:
            return set(connection.scalars(select(PROCESS_RUNS.c.process_run).where(PROCESS_RUNS.c.published_at.is_(None))))

    def last_published(self, crawl: str | None, *, replacing: bool = True) -> str | None:
        """The process run of a crawl, or of any, that was published last. With `replacing=False` those that replace others do not count."""
        query = select(PROCESS_RUNS.c.process_run).where(PROCESS_RUNS.c.published_at.is_not(None))
        query = query if crawl is None else query.where(PROCESS_RUNS.c.crawl == crawl)
        query = query if replacing else query.where(PROCESS_RUNS.c.replacement.is_(None))
        with self._database.read() as connection:
            return connection.scalar(query.order_by(PROCESS_RUNS.c.published_at.desc()).limit(1))

    def process_runs_of(self, crawl_run: str) -> list[str]:
        """The published process runs that have a crawl run, in the order of publishing."""
        query = select(PROCESS_RUNS.c.process_run).join(PROCESS_INPUTS, PROCESS_INPUTS.c.process_run == PROCESS_RUNS.c.process_run)
        query = query.where(PROCESS_INPUTS.c.crawl_run == crawl_run, PROCESS_RUNS.c.published_at.is_not(None))
        with self._database.read() as connection:
            return list(connection.scalars(query.order_by(PROCESS_RUNS.c.published_at, PROCESS_RUNS.c.process_run)))

    def last_process_run(self, crawl_run: str) -> str | None:
        """The process run that was published last of those that have a crawl run, or None."""
        return next(reversed(self.process_runs_of(crawl_run)), None)

    def next_sequence(self) -> int:
        """The next sequence number of a publication, over all crawls: 1, 2, 3, ... No number is used twice."""
        return self._next("sequence")

    def memory_version(self, crawl: str) -> int:
        """The current version of a crawl's site memory; 0 before the first."""
        return self.memory(crawl)[0]

    def memory(self, crawl: str) -> tuple[int, str]:
        """The current version of a crawl's site memory, 0 before the first, and the process run that made it."""
        with self._database.read() as connection:
            row = connection.execute(select(MEMORIES.c.version, MEMORIES.c.process_run).where(MEMORIES.c.crawl == crawl)).one_or_none()
        return (0, "") if row is None else (row.version, row.process_run)

    def advance_memory(self, crawl: str, from_version: int, to_version: int, process_run: str) -> None:
        """Set a crawl's site memory to its next version, once per process run (compare and set).

        Calling it again for the same process run changes nothing. Raises ConflictError if the memory has another version.
        """
        with self._database.write() as connection:
            _insert_once(connection, MEMORIES, [{"crawl": crawl, "version": 0, "process_run": ""}])
            here = (MEMORIES.c.crawl == crawl) & (MEMORIES.c.version == from_version)
            moved = connection.execute(update(MEMORIES).where(here).values(version=to_version, process_run=process_run)).rowcount
            row = connection.execute(select(MEMORIES).where(MEMORIES.c.crawl == crawl)).mappings().one()
        if not moved and (row["version"], row["process_run"]) != (to_version, process_run):
            raise ConflictError(
                f"The site memory of '{crawl}' is at version {row['version']}, not {from_version}: another process run published first. "
                "Run the processing again."
            )

    @contextmanager
    def publish_lock(self, wait_seconds: float = PUBLISH_WAIT_SECONDS) -> Iterator[int]:
        """A lock for one publisher at a time, over all processes and machines. It is free again when its holder crashes. Yields a token.

        Each token is greater than all earlier ones. If its database session ends, a holder loses the lock without noticing; then `fenced`
        refuses its commits. Raises ConflictError if the lock is not free within `wait_seconds`.
        """
        with hold_publish_lock(self._database, wait_seconds):
            yield self._next(PUBLISHER)

    @contextmanager
    def fenced(self, token: int) -> Iterator[Connection]:
        """A writing transaction for the latest holder of the publish lock; no new token is given meanwhile. Others get FencedError."""
        query = select(COUNTERS.c.value).where(COUNTERS.c.name == PUBLISHER).with_for_update()
        with self._database.write() as connection:
            if connection.scalar(query) != token:
                raise FencedError(
                    "Another process took the publish lock because this process lost its database session. Nothing was committed. "
                    "Run the command again."
                )
            yield connection

    def _next(self, counter: str) -> int:
        with self._database.write() as connection:
            _insert_once(connection, COUNTERS, [{"name": counter, "value": 0}])
            add_one = update(COUNTERS).where(COUNTERS.c.name == counter).values(value=COUNTERS.c.value + 1)
            return int(connection.execute(add_one.returning(COUNTERS.c.value)).scalar_one())

    def close(self) -> None:
        """Close the database connections."""
        self._database.close()


def insert_crawl_run(connection: Connection, run: CrawlRun, state: str = "open") -> tuple[CrawlRun, bool]:
    """Insert a run in a state, unless its crawl has one of the same key. Returns the run in the ledger, and whether it is new."""
    values = {
        "crawl_run": run.crawl_run,
        "crawl": run.crawl.name,
        "key": run.key,
        "planned_at": run.planned_at.timestamp(),
        "code_version": run.code_version,
        "config_hash": run.config_hash,
        "config": run.crawl.model_dump_json(),
        "state": state,
        "bytes": 0,
        "pages": 0,
    }
    inserted = upsert(connection, CRAWL_RUNS).values(values).on_conflict_do_nothing().returning(CRAWL_RUNS.c.run_no)
    is_new = connection.scalar(inserted) is not None
    query = select(CRAWL_RUNS).where(CRAWL_RUNS.c.crawl == run.crawl.name, CRAWL_RUNS.c.key == run.key)
    found = _crawl_run(connection.execute(query).mappings().one())
    return found, is_new


def insert_segment(connection: Connection, crawl_run: str, worker: str, segment: Segment, at: float) -> None:
    """Register a segment, inside the caller's transaction."""
    values = {**segment.model_dump(), "crawl_run": crawl_run, "worker": worker, "registered_at": at}
    connection.execute(insert(SEGMENTS).values(values))


def insert_publication(connection: Connection, process_run: str, commits: Mapping[str, int], clock: Clock | None = None) -> None:
    """Mark a process run as published by these snapshots, inside the caller's transaction. Only the first call counts.

    Raises NotFoundError, and ConflictError if it was committed by other snapshots before.
    """
    process_run_row = _process_run_row(connection, process_run)
    _insert_once(
        connection, COMMITS, [{"process_run": process_run, "table_name": name, "snapshot_id": made} for name, made in commits.items()]
    )
    found = connection.execute(select(COMMITS.c.table_name, COMMITS.c.snapshot_id).where(COMMITS.c.process_run == process_run))
    for row in found:
        if commits.get(row.table_name, row.snapshot_id) != row.snapshot_id:
            raise ConflictError(f"The process run {process_run} was committed to '{row.table_name}' before, by snapshot {row.snapshot_id}.")
    once = (PROCESS_RUNS.c.process_run == process_run) & PROCESS_RUNS.c.published_at.is_(None)
    if connection.execute(update(PROCESS_RUNS).where(once).values(published_at=current_time(connection, clock))).rowcount:
        _settle_held(connection, process_run_row)


def _settle_held(connection: Connection, row: RowMapping) -> None:
    """Enter the decision behind a process run that publishes what was held back."""
    replacement = _REPLACEMENT.validate_json(row["replacement"]) if row["replacement"] else None
    if replacement is not None and replacement.kind is RunKind.ACCEPT:
        inputs = select(PROCESS_INPUTS.c.crawl_run).where(PROCESS_INPUTS.c.process_run == row["process_run"])
        names = [one["name"] for one in json.loads(row["datasets"])]
        accept_held(connection, list(connection.scalars(inputs)), names, replacement.decided_by or "", replacement.reason or "")


def _insert_once(connection: Connection, table: Table, rows: list[dict[str, object]]) -> None:
    if rows:
        connection.execute(upsert(connection, table).on_conflict_do_nothing(), rows)


def _crawl_run_row(connection: Connection, crawl_run: str) -> RowMapping:
    row = connection.execute(select(CRAWL_RUNS).where(CRAWL_RUNS.c.crawl_run == crawl_run)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"There is no crawl run {crawl_run!r}.")
    return row


def _process_run_row(connection: Connection, process_run: str) -> RowMapping:
    row = connection.execute(select(PROCESS_RUNS).where(PROCESS_RUNS.c.process_run == process_run)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"There is no process run {process_run!r}.")
    return row


def _crawl_run(row: RowMapping) -> CrawlRun:
    return CrawlRun(
        crawl_run=row["crawl_run"],
        crawl=Crawl.model_validate_json(row["config"], context=PINNED),
        key=row["key"],
        planned_at=datetime.fromtimestamp(row["planned_at"], UTC),
        code_version=row["code_version"],
        config_hash=row["config_hash"],
    )


def _segment(row: RowMapping) -> Segment:
    return Segment(**{name: row[name] for name in Segment.model_fields})
