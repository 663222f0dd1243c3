"""What earlier releases stored under other names is still read: manifests, statistics of workers, journals of spools."""

import json
from dataclasses import asdict
from pathlib import Path

from schemas.capture import UrlKind
from schemas.manifest import FetchStatistics, HostCounts
from schemas.outcomes import FetchOutcome
from spiders.spool.repair import read_journal
from spiders.spool.statistics import WorkerStatistics
from storage.frontier.records import FetchResult


def test_statistics_of_a_manifest() -> None:
    earlier = '{"answers": 7, "hosts": {"a.example": {"due": 3, "answers": 5}}}'
    statistics = FetchStatistics.model_validate_json(earlier)
    assert statistics == FetchStatistics(responses=7, hosts={"a.example": HostCounts(due=3, responses=5)})
    assert FetchStatistics.model_validate_json(statistics.model_dump_json()) == statistics
    assert "answers" not in statistics.model_dump_json()


def test_statistics_of_a_worker() -> None:
    earlier = '{"crawl_run": "r", "worker": "w", "incarnation": 2, "answers": 9}'
    statistics = WorkerStatistics.model_validate_json(earlier)
    assert (statistics.attempt, statistics.responses) == (2, 9)
    assert WorkerStatistics.model_validate_json(statistics.model_dump_json()) == statistics


def test_a_journal(tmp_path: Path) -> None:
    result = FetchResult(1, 2, FetchOutcome.FETCHED, kind=UrlKind.FEED, is_primary_source=True)
    values = asdict(result)
    values["leads"] = values.pop("is_primary_source")
    path = tmp_path / "w-001.journal"
    path.write_text(json.dumps({"offset": None, "mark": values}) + "\n", encoding="utf-8")
    assert read_journal(path).results == ((None, result),)
