"""Rows that a crawl keeps no longer leave its tables; what is still seen stays, and so do other crawls' rows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from schemas.config.settings import Settings
from schemas.datasets.dataset_file import parse_dataset
from schemas.datasets.tables import table_schema
from storage.lake.lake import Lake, open_lake
from storage.lake.maintenance import maintain
from storage.lake.query import connect
from storage.lake.upkeep.expired import count_expired, crawls_of, expiries
from tests.storage.lakerows import NOON, rows_of, table_of

pytestmark = pytest.mark.servers_in_chaos

NEWS = "seeds: [https://a.example/]\ndatasets: [articles, prices]\nretention: {articles: 30, prices: 10, quarantine: 30}\n"
PRICES = parse_dataset("{source: {items: true}, key: sku, history: observations, fields: {sku: string}}", "prices")


@pytest.fixture(params=["sqlite-directory", "postgresql-s3"])
def lake_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """An empty lake, once local and once on servers, with two crawls of which one keeps rows for a time."""
    (tmp_path / "news.yaml").write_text(NEWS)
    (tmp_path / "other.yaml").write_text("seeds: [https://b.example/]\n")
    if request.param == "sqlite-directory":
        return Settings(home=tmp_path / "home", crawls=tmp_path)
    s3: Settings = request.getfixturevalue("s3_settings")
    return s3.model_copy(update={"database": request.getfixturevalue("postgres_url"), "crawls": tmp_path})


def _article(key: str, day: int, version: int = 1, crawl: str = "news", **changed: object) -> dict[str, object]:
    row = {"process_run": "p1", "crawl": crawl, "article_id": key, "url": f"https://{key}.example/{version}", "version": version}
    return row | {"fetched_at": NOON + timedelta(days=day)} | changed


def _fill(lake: Lake) -> None:
    """Days are counted from NOON; on day 40 articles of the first ten days are older than 30."""
    articles = [
        _article("gone", 0), _article("gone", 1, 2), _article("seen", 0), _article("seen", 1, 2), _article("renewed", 2),
        _article("renewed", 20, 2), _article("foreign", 0, crawl="other"),
        _article("copy", 25, duplicate_of="gone", duplicate_kind="exact"),
    ]  # fmt: skip
    lake.ensure_dataset_tables([PRICES])
    lake.append("articles", [table_of("articles", *articles)], "p1")
    lake.append("quarantine", [table_of("quarantine", _article("q", 0), _article("q", 20))], "p1")
    prices = [{"process_run": "p1", "crawl": "news", "row_id": "x", "fetched_at": NOON + timedelta(days=day)} for day in (0, 29, 31)]
    lake.append("prices", [rows_of(table_schema(PRICES), *prices)], "p1")
    sightings = [("articles", "gone", 5), ("articles", "seen", 30), ("prices", "seen", 39)]
    seen = [{"process_run": "p1", "dataset": name, "row_id": key, "seen_at": NOON + timedelta(days=day)} for name, key, day in sightings]
    lake.append("sightings", [table_of("sightings", *seen)], "p1")
    lake.append("runs", [table_of("runs", {"process_run": "p1"})], "p1")


def _articles(settings: Settings) -> list[tuple[str, int, str | None]]:
    with connect(settings) as connection:
        return connection.sql("SELECT article_id, version, duplicate_of FROM articles ORDER BY ALL").fetchall()


def test_expired_rows_leave_the_tables(lake_settings: Settings) -> None:
    now = NOON + timedelta(days=40)
    with open_lake(lake_settings) as lake:
        _fill(lake)
        before = _articles(lake_settings)
        counts = {one.table: count_expired(lake, one) for one in expiries(crawls_of(lake_settings), now)}
        assert counts == {"articles": 4, "prices": 2, "quarantine": 1}
        assert _articles(lake_settings) == before, "counting removes nothing"
        assert maintain(lake_settings, now=now).rows_expired == 7
        assert maintain(lake_settings, now=now).rows_expired == 0
        assert _articles(lake_settings) == [
            ("copy", 1, None), ("foreign", 1, None), ("renewed", 2, None), ("seen", 2, None)
        ], "the last version of what is seen stays; a copy is shown as the original when that is gone"  # fmt: skip
        left = [row["fetched_at"] for batch in lake.scan("prices", ["fetched_at"]) for row in batch.to_pylist()]
        assert left == [NOON + timedelta(days=31)]


def test_crawls_without_retention_keep_everything(sqlite_settings: Settings) -> None:
    with open_lake(sqlite_settings) as lake:
        _fill(lake)
        assert maintain(sqlite_settings, now=NOON + timedelta(days=4_000)).rows_expired == 0
