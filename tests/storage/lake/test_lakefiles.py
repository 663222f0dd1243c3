"""The lake's requests to S3: each metadata file is written with one request and read at most once, and there are no others."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from schemas.config.settings import Settings
from schemas.errors import StorageError
from storage.lake import files as lakefiles
from storage.lake.lake import open_lake
from storage.lake.query import connect
from tests.s3server import s3_server
from tests.storage.lakerows import table_of

Seen = list[tuple[str, str]]


@pytest.fixture
def seen() -> Seen:
    return []


@pytest.fixture
def settings(seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    bucket = f"bucket-{secrets.token_hex(4)}"
    with s3_server(seen) as endpoint:
        boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket=bucket)
        seen.clear()
        yield Settings(home=tmp_path, crawls=tmp_path, store=f"s3://{bucket}", s3_endpoint=endpoint)


def _publish(settings: Settings, process_run: str) -> None:
    with open_lake(settings) as lake:
        for table in ("captures", "runs"):
            lake.append(table, [table_of(table, {"process_run": process_run})], process_run)


def _count(seen: Seen, method: str, *endings: str) -> int:
    return sum(asked == method and path.partition("?")[0].endswith(endings) for asked, path in seen)


def test_a_commit_writes_each_file_with_one_request_and_reads_nothing_back(settings: Settings, seen: Seen) -> None:
    _publish(settings, "p1")
    seen.clear()
    _publish(settings, "p2")
    assert [path for method, path in seen if method != "PUT" and not path.endswith(".parquet")] == []
    assert (_count(seen, "PUT", ".parquet"), _count(seen, "HEAD", ".parquet"), _count(seen, "GET", ".parquet")) == (2, 2, 0)
    assert _count(seen, "PUT", ".metadata.json") == 2
    assert len(seen) == len(set(seen))


def test_another_process_reads_each_metadata_file_once(settings: Settings, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    for process_run in ("p1", "p2"):
        _publish(settings, process_run)
    monkeypatch.setattr(lakefiles, "_cache", lakefiles._Cache())
    seen.clear()
    for _ in range(2):
        with open_lake(settings) as lake:
            assert lake.published_runs() == {"p1", "p2"}
            assert sum(batch.num_rows for batch in lake.scan("captures", ["url"])) == 2
    read = [path for method, path in seen if method == "GET" and path.partition("?")[0].endswith(lakefiles.METADATA)]
    assert read
    assert len(read) == len(set(read))


def test_a_query_does_not_ask_for_what_the_metadata_says(settings: Settings, seen: Seen) -> None:
    _publish(settings, "p1")
    seen.clear()
    with connect(settings) as connection:
        assert connection.sql("SELECT count(*) FROM captures").fetchall() == [(1,)]
    assert _count(seen, "HEAD", ".parquet") == 0


def test_a_large_metadata_file_is_read_every_time(settings: Settings, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lakefiles, "CACHE_BYTES", 10)
    monkeypatch.setattr(lakefiles, "_cache", lakefiles._Cache())
    _publish(settings, "p1")
    assert _count(seen, "GET", ".metadata.json") > 1
    with open_lake(settings) as lake:
        assert lake.published_runs() == {"p1"}


def test_metadata_that_cannot_be_written_is_no_commit(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(settings, "p1")

    def refused(_: object, data: bytes) -> None:
        raise OSError(f"no room for {len(data)} bytes")

    with monkeypatch.context() as patched:
        patched.setattr(lakefiles._Metadata, "write", refused)
        with pytest.raises(StorageError, match="no room for"):
            _publish(settings, "p2")
    with open_lake(settings) as lake:
        assert lake.published_runs() == {"p1"}
        assert lake.committed_runs("captures") == {"p1"}
    _publish(settings, "p2")
    with open_lake(settings) as lake:
        assert lake.published_runs() == {"p1", "p2"}
