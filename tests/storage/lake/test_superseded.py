"""Maintenance removes superseded rows of a dataset that keeps the latest only, and of no other; columns of users' own outlive it."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.config.settings import Settings
from schemas.datasets.dataset_file import parse_dataset
from schemas.datasets.tables import table_schema
from storage.lake.lake import Lake, open_lake
from storage.lake.maintenance import maintain
from tests.storage.lakerows import rows_of, table_of

pytestmark = pytest.mark.servers_in_chaos

HISTORIES = {
    name: parse_dataset(f"{{source: {{items: true}}, key: sku, history: {history}, fields: {{sku: string, note: string}}}}", name)
    for name, history in (("stock", "latest"), ("prices", "changes"))
}


@pytest.fixture(params=["sqlite-directory", "postgresql-s3"])
def lake_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """An empty lake, once local and once on servers."""
    if request.param == "sqlite-directory":
        return Settings(home=tmp_path / "home", crawls=tmp_path)
    s3: Settings = request.getfixturevalue("s3_settings")
    return s3.model_copy(update={"database": request.getfixturevalue("postgres_url")})


def _publish(lake: Lake, run: str, versions: dict[str, int], *, visible: bool = True) -> None:
    rows = [{"process_run": run, "row_id": key, "sku": key, "version": version, "note": run} for key, version in versions.items()]
    for name, dataset in HISTORIES.items():
        lake.append(name, [rows_of(table_schema(dataset), *rows)], run)
    if visible:
        lake.append("runs", [table_of("runs", {"process_run": run})], run)


def _rows(lake: Lake, name: str) -> list[tuple[str, int, str]]:
    columns = ["row_id", "version", "note"]
    return sorted((row["row_id"], row["version"], row["note"]) for batch in lake.scan(name, columns) for row in batch.to_pylist())


def test_only_the_latest_rows_stay(lake_settings: Settings) -> None:
    with open_lake(lake_settings) as lake:
        lake.ensure_dataset_tables(HISTORIES.values())
        _publish(lake, "p1", {"a": 1, "b": 1, "c": 1})
        _publish(lake, "p2", {"a": 2})
        _publish(lake, "p3", {"a": 3, "b": 2})
        _publish(lake, "half", {"c": 2}, visible=False)
        everything = _rows(lake, "prices")
        assert maintain(lake_settings).rows_removed == 3
        assert _rows(lake, "stock") == [("a", 3, "p3"), ("b", 2, "p3"), ("c", 1, "p1")], "an unpublished version supersedes nothing"
        assert _rows(lake, "prices") == everything
        assert lake.table("stock").scan().to_arrow().num_rows == 4
        assert maintain(lake_settings).rows_removed == 0
        _publish(lake, "p4", {"a": 4})
        assert maintain(lake_settings).rows_removed == 1


def test_small_files_of_a_dataset_are_joined(sqlite_settings: Settings) -> None:
    with open_lake(sqlite_settings) as lake:
        lake.ensure_dataset_tables(HISTORIES.values())
        for number in range(1, 6):
            _publish(lake, f"p{number}", {"a": number})
        before = _rows(lake, "prices")
        maintain(sqlite_settings)
        assert len(lake.live_files("prices")) == 1
        assert _rows(lake, "prices") == before
