"""The commit to several tables and the ledger: all or none, only if no table has changed, and only by the last holder of the lock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from schemas.config.settings import Settings
from schemas.errors import FencedError, LakeMovedError
from schemas.tables import TABLES
from storage.lake.commit import commit, repair_publications
from storage.lake.lake import Lake, open_lake
from storage.lake.maintenance import maintain
from storage.lake.staged_metadata import Staged
from storage.ledger.ledger import Ledger, open_ledger
from tests.storage.lakerows import table_of
from tests.storage.ledger.test_ledger import closed, process_run


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    ledger = open_ledger(settings)
    ledger.add_process_run(process_run("p1", closed(ledger, 1)))
    yield ledger
    ledger.close()


@pytest.fixture
def lake(settings: Settings) -> Iterator[Lake]:
    with open_lake(settings) as lake:
        yield lake


def _staged(lake: Lake, name: str = "p1") -> list[Staged]:
    return [lake.stage(table, [table_of(table_name, {"process_run": name})], name) for table_name, table in lake.tables().items()]


def _rows(lake: Lake) -> dict[str, int]:
    return {name: table.scan().to_arrow().num_rows for name, table in lake.tables().items()}


def test_all_tables_and_the_ledger_at_once(lake: Lake, ledger: Ledger) -> None:
    staged = _staged(lake)
    assert _rows(lake) == dict.fromkeys(TABLES, 0)
    with ledger.publish_lock() as token:
        commit(lake, ledger, token, staged, "p1")
    assert _rows(lake) == dict.fromkeys(TABLES, 1)
    assert ledger.commits("p1") == {name: lake.snapshot_of(name, "p1") for name in TABLES}
    assert ledger.unpublished() == set()
    assert [row["process_run"] for row in lake.run_rows("p1")] == ["p1"]
    assert lake.append("captures", [table_of("captures", {"process_run": "p2"})], "p2") != lake.snapshot_of("captures", "p1")


def test_an_earlier_token_commits_nothing(lake: Lake, ledger: Ledger) -> None:
    with ledger.publish_lock() as stale:
        staged = _staged(lake)
    with ledger.publish_lock():
        with pytest.raises(FencedError, match="Nothing was committed"):
            commit(lake, ledger, stale, staged, "p1")
        with pytest.raises(FencedError):
            commit(lake, ledger, stale, staged)
    assert _rows(lake) == dict.fromkeys(TABLES, 0)
    assert ledger.unpublished() == {"p1"}


def test_one_table_that_was_changed_stops_all(lake: Lake, ledger: Ledger) -> None:
    staged = _staged(lake)
    lake.append("runs", [table_of("runs", {"process_run": "other"})], "other")
    with ledger.publish_lock() as token, pytest.raises(LakeMovedError, match="'runs' was changed by another writer"):
        commit(lake, ledger, token, staged, "p1")
    assert _rows(lake) == dict.fromkeys(TABLES, 0) | {"runs": 1}
    assert (ledger.unpublished(), ledger.commits("p1")) == ({"p1"}, {})


def test_a_missing_entry_in_the_ledger_is_added(settings: Settings, lake: Lake, ledger: Ledger) -> None:
    """The publisher died between the commits of the two databases. Maintenance a month later must not remove the snapshots either."""
    for name in TABLES:
        lake.append(name, [table_of(name, {"process_run": "p1"})], "p1")
        lake.append(name, [table_of(name, {"process_run": "p2"})], "p2")
    assert ledger.unpublished() == {"p1"}
    maintain(settings, now=datetime.now(UTC) + timedelta(days=30))
    repair_publications(lake, ledger)
    assert ledger.unpublished() == set()
    assert set(ledger.commits("p1")) == set(TABLES)


def test_the_snapshots_of_an_unpublished_run_do_not_expire(settings: Settings, lake: Lake, ledger: Ledger) -> None:
    for name in ("p1", "p2", "p3"):
        lake.append("captures", [table_of("captures", {"process_run": name})], name)
    maintain(settings, now=datetime.now(UTC) + timedelta(days=30))
    assert lake.committed_runs("captures") == {"p1", "p3"}
    assert ledger.unpublished() == {"p1"}
