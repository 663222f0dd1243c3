"""What OpenLineage is told: the events of its own client, written by its own file transport."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import Dataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.transport.file import FileConfig, FileTransport

from crawlhouse.monitor.lineage import captures_name, fetched_datasets, is_active, published_datasets
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings, make_settings
from schemas.manifest import FetchCounts, HostCounts, Segment
from storage.ledger.ledger import open_ledger
from tests.crawlhouse.monitor.pastruns import store_runs

NEWS = Crawl.model_validate({"name": "news", "seeds": ["https://a.example/"]})


def _sent(inputs: list[Dataset], outputs: list[OutputDataset], folder: Path) -> dict[str, list[dict[str, object]]]:
    """An event with these datasets as OpenLineage's file transport writes it."""
    path = folder / "events.jsonl"
    client = OpenLineageClient(transport=FileTransport(FileConfig(str(path), append=True)))
    run, job = Run(str(UUID(int=7))), Job("default", "process_news.publish")
    client.emit(
        RunEvent(eventTime=datetime.now(UTC).isoformat(), run=run, job=job, eventType=RunState.RUNNING, inputs=inputs, outputs=outputs)
    )
    return dict(json.loads(path.read_text(encoding="utf-8").splitlines()[-1]))


def test_captures_are_named_by_their_folder(sqlite_settings: Settings, tmp_path: Path) -> None:
    (run,) = store_runs(sqlite_settings, NEWS, [FetchCounts(due=9, fetched=9)])
    ledger = open_ledger(sqlite_settings)
    segments = tuple(
        Segment(segment=f"s{number}", warc_key="w", index_key="i", size=100, digest="sha256:0", records=4) for number in range(2)
    )
    found = ledger.manifest(run)
    manifest = found.model_copy(
        update={"segments": segments, "statistics": found.statistics.model_copy(update={"hosts": {"a.example": HostCounts()}})}
    )
    ledger.close()
    event = _sent(*fetched_datasets(manifest, sqlite_settings), tmp_path)
    assert [(one["namespace"], one["name"]) for one in event["inputs"]] == [("web://a.example", "/")]
    ((namespace, name, facets),) = [(one["namespace"], one["name"], one["outputFacets"]) for one in event["outputs"]]
    assert (namespace, name) == ("file", f"{sqlite_settings.home}/store/warc/news")
    assert isinstance(facets, dict)
    assert {key: facets["outputStatistics"][key] for key in ("rowCount", "size", "fileCount")} == {
        "rowCount": 8,
        "size": 200,
        "fileCount": 2,
    }
    in_bucket = make_settings(home=tmp_path, store="s3://bucket/prefix")
    assert captures_name("news", in_bucket) == ("s3://bucket", "prefix/warc/news")


def test_tables_are_named_by_their_folder_in_the_lake(lake_home: Path, tmp_path: Path) -> None:
    tables = {"articles": {"published": 3, "snapshot": 42}, "not_there": {"published": 1, "snapshot": 1}}
    event = _sent(*published_datasets("news", tables, make_settings(home=lake_home)), tmp_path)
    (table,) = event["outputs"]
    assert Path(str(table["name"])).is_dir()
    assert Path(str(table["name"])).is_relative_to(lake_home / "store" / "lake")
    facets, made = table["facets"], table["outputFacets"]
    assert isinstance(facets, dict)
    assert isinstance(made, dict)
    assert facets["version"]["datasetVersion"] == "42"
    assert facets["symlinks"]["identifiers"][0]["name"] == "crawlhouse.articles"
    assert made["outputStatistics"]["rowCount"] == 3


def test_nothing_is_told_unless_airflow_is_configured_to() -> None:
    assert not is_active()
