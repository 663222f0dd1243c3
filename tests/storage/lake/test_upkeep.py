"""What publishing does so that the next one costs no more: snapshots are thinned, small files are joined, and readers of old ones go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyiceberg import table as table_module
from pyiceberg.serializers import FromInputFile

from schemas.config.settings import Settings
from storage.lake import staged_metadata, tables
from storage.lake.commit import commit
from storage.lake.data_files import decode_files, encode_files, files_added_since
from storage.lake.lake import Lake, open_lake
from storage.lake.maintenance import maintain
from storage.lake.parquet.files import write_files
from storage.lake.query import connect
from storage.lake.staged_metadata import StagedTransaction, move_pointers, stage
from storage.lake.upkeep import joining
from storage.lake.upkeep.joining import PUBLISH_MIN_FILES, join_at_publish
from storage.lake.upkeep.retention import NEWEST, surplus_snapshots
from storage.ledger.ledger import open_ledger
from tests.storage.lakerows import NOON, table_of

HOUR = 3_600_000


def commit_run(lake: Lake, name: str) -> None:
    """What a small publish does."""
    rows = {"captures": {"url": f"https://a.example/{name}", "process_run": name}, "runs": {"process_run": name, "sequence": int(name[1:])}}
    tables = lake.tables()
    staged = [lake.stage(tables[table], [table_of(table, row)], name, unpublished=()) for table, row in rows.items()]
    with lake.catalog_transaction() as connection:
        move_pointers(connection, staged)


def urls(settings: Settings) -> list[tuple[str, int]]:
    with connect(settings) as connection:
        return connection.sql("SELECT url, sequence FROM captures ORDER BY sequence").fetchall()


@pytest.mark.chaos
def test_many_publishes_leave_few_files_and_snapshots(sqlite_settings: Settings) -> None:
    count = 2 * PUBLISH_MIN_FILES + 3
    ledger = open_ledger(sqlite_settings)
    with open_lake(sqlite_settings) as lake:
        first: list[str] = []
        for number in range(1, count + 1):
            commit_run(lake, f"p{number}")
            first = first or lake.live_files("captures")
            join_at_publish(lake, ledger, ["captures", "runs"])
        tables = lake.tables()
        assert {name: len(lake.live_files(name)) for name in ("captures", "runs")} == {"captures": 5, "runs": 5}
        assert max(len(table.metadata.snapshots) for table in tables.values()) <= NEWEST + 3, "and those of an hour"
        assert urls(sqlite_settings) == [(f"https://a.example/p{number}", number) for number in range(1, count + 1)]
        replaced = [Path(file.removeprefix("file://")) for file in first]
        report = maintain(sqlite_settings)
        assert (report.orphans_deleted, all(path.exists() for path in replaced)) == (0, True)
        maintain(sqlite_settings, now=datetime.now(UTC) + timedelta(days=4))
        assert not any(path.exists() for path in replaced), "three days after they were replaced"
        assert len(urls(sqlite_settings)) == count
    ledger.close()


def test_a_joined_file_is_not_joined_again_with_new_ones(sqlite_settings: Settings) -> None:
    """Files of so many rows more are of another level, though by their bytes they would be small for a long time."""
    ledger = open_ledger(sqlite_settings)
    with open_lake(sqlite_settings) as lake:
        joined = []
        for number in range(1, 2 * PUBLISH_MIN_FILES + 1):
            commit_run(lake, f"p{number}")
            joined.append(join_at_publish(lake, ledger, ["captures"]))
        files = [task.file for task in lake.table("captures").scan().plan_files()]
    assert [rows for rows in joined if rows] == [PUBLISH_MIN_FILES] * 2
    assert [file.record_count for file in files] == [PUBLISH_MIN_FILES] * 2
    assert all(file.file_size_in_bytes < 16 * 1024 for file in files)
    ledger.close()


def test_manifests_are_read_only_where_files_may_be_many(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = open_ledger(sqlite_settings)
    read: list[str] = []
    monkeypatch.setattr(joining, "_by_partition", lambda table, _: read.append(table.name()[-1]) or [])
    with open_lake(sqlite_settings) as lake:
        for number in range(1, PUBLISH_MIN_FILES + 1):
            commit_run(lake, f"p{number}")
            join_at_publish(lake, ledger, ["captures", "articles"])
        assert read == ["captures"], "with the last publish"
    ledger.close()


def test_what_a_commit_wrote_is_not_read_again(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = open_ledger(sqlite_settings)
    with open_lake(sqlite_settings) as lake:
        empty = lake.tables()["captures"]
        staged = lake.stage(empty, [table_of("captures", {"process_run": "p1"})], "p1", unpublished=())
        with ledger.publish_lock() as token:
            commit(lake, ledger, token, [staged])
        written = FromInputFile.table_metadata(empty.io.new_input(staged.location))
        with monkeypatch.context() as unread:
            unread.setattr(tables.FromInputFile, "table_metadata", lambda file: pytest.fail(f"{file.location} is read again"))
            assert lake.table("captures").metadata == written
    ledger.close()


@pytest.mark.parametrize(("age_hours", "kept"), [(0.5, NEWEST + 2), (20, NEWEST + 1), (5 * 24, NEWEST), (8 * 24, 1)])
def test_snapshots_are_kept_by_number_and_age(sqlite_settings: Settings, age_hours: float, kept: int) -> None:
    """Forty snapshots within two hours and a half, so old: the newest stay, one of each hour of a day, one of each day of a week."""
    now = datetime(2026, 3, 20, 12, 30, tzinfo=UTC)
    end = int((now - timedelta(hours=age_hours)).timestamp() * 1000)
    with open_lake(sqlite_settings) as lake:
        lake.append("runs", [table_of("runs", {"process_run": "p1"})], "p1")
        metadata = lake.table("runs").metadata
    (one,) = metadata.snapshots
    times = [end - number * HOUR // 16 for number in range(40)]
    snapshots = [one.model_copy(update={"snapshot_id": number, "timestamp_ms": at}) for number, at in enumerate(times)]
    many = metadata.model_copy(update={"snapshots": snapshots, "current_snapshot_id": 0, "refs": {}})
    surplus = surplus_snapshots(many, now)
    assert len(times) - len(surplus) == kept
    assert set(range(NEWEST if kept > 1 else 1)).isdisjoint(surplus)


def test_what_was_added_since_a_snapshot(sqlite_settings: Settings) -> None:
    with open_lake(sqlite_settings) as lake:
        commit_run(lake, "p1")
        base = lake.snapshot_id("captures")
        commit_run(lake, "p2")
        commit_run(lake, "p3")
        table = lake.table("captures")
        added = files_added_since(table, base)
        assert added is not None
        assert decode_files(encode_files(added)) == added
        found = [row["url"] for batch in lake.scan_files(table, decode_files(encode_files(added)), ["url"]) for row in batch.to_pylist()]
        assert sorted(found) == ["https://a.example/p2", "https://a.example/p3"]
        assert (files_added_since(table, table.metadata.current_snapshot_id), len(files_added_since(table, None) or ())) == ([], 3)
        commit_run(lake, "p4")
        maintain(sqlite_settings)  # it joins the four files
        joined = files_added_since(lake.table("captures"), base)
        assert joined is not None
        assert len(joined) == 3, "the rows are those of the files before"
        assert files_added_since(lake.table("captures"), 123) is None, "a snapshot that is gone"


def test_when_a_row_was_published_stands_in_runs(sqlite_settings: Settings) -> None:
    """Files of earlier releases have the values too; those of this one have NULL."""
    old = {"url": "https://a.example/old", "process_run": "p1", "sequence": 1, "ingested_at": NOON}
    with open_lake(sqlite_settings) as lake:
        table = lake.table("captures")
        transaction = StagedTransaction(table)
        with transaction.update_snapshot().fast_append() as snapshot:
            for file in write_files(table, table_of("captures", old)):
                snapshot.append_data_file(file)
        with lake.catalog_transaction() as connection:
            move_pointers(connection, [stage(transaction)])
        lake.append("runs", [table_of("runs", {"process_run": "p1"}, {"process_run": "p1", "crawl_run": "other"})], "p1")
        commit_run(lake, "p2")
        found = [row for batch in lake.scan("captures", ["sequence", "url", "ingested_at"]) for row in batch.to_pylist()]
        assert sorted(found, key=lambda row: row["sequence"]) == [
            {"sequence": number, "url": f"https://a.example/{name}", "ingested_at": NOON} for number, name in ((1, "old"), (2, "p2"))
        ]
    assert urls(sqlite_settings) == [("https://a.example/old", 1), ("https://a.example/p2", 2)]


def test_the_next_metadata_is_made_once_for_each_change(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """pyiceberg copies the whole metadata each time that a transaction's state is asked for."""
    with open_lake(sqlite_settings) as lake:
        for number in range(3):
            commit_run(lake, f"p{number}")
        made, copied = [], []
        ours, theirs = staged_metadata._updated, table_module.update_table_metadata
        monkeypatch.setattr(staged_metadata, "_updated", lambda *given: made.append(given) or ours(*given))
        monkeypatch.setattr(table_module, "update_table_metadata", lambda *given: copied.append(given) or theirs(*given))
        lake.stage(lake.table("captures"), [table_of("captures", {"process_run": "p9"})], "p9", unpublished=())
    assert 1 <= len(made) <= 4
    assert copied == []


def test_metadata_say_when_properties_changed(sqlite_settings: Settings) -> None:
    with open_lake(sqlite_settings) as lake:
        table = lake.table("captures")
        transaction = StagedTransaction(table)
        transaction.set_properties({"a": "1"})
        staged = stage(transaction)
        assert staged.metadata.properties["a"] == "1"
        assert staged.metadata.last_updated_ms > table.metadata.last_updated_ms
