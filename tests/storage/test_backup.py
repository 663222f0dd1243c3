"""Back up, destroy, restore, go on: the lake has the same rows, and the next run adds what an undisturbed one would."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

import crawlhouse
from processing.stages import process_once
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.errors import ConfigError, ConflictError, NotFoundError
from spiders.adoption.adopt import adopt_stored
from spiders.run import crawl_once
from storage.backup import back_up, restore
from storage.objects.open import open_store
from tests.processing.crawlruns import html, prose
from tests.spiders.crawling import LOOPBACK
from tests.spiders.smallserver import Headers, small_server

pytestmark = pytest.mark.servers_in_chaos

PAGES = 5


class Site:
    """Pages of which the first changes with each edition."""

    edition = 0

    def __call__(self, path: str, times: int) -> tuple[int, Headers, bytes]:
        number = path.removeprefix("/news/story-")
        if not number.isdigit():
            return 404, {}, b""
        edition = self.edition if number == "0" else 0
        return 200, {}, html(f"The story of number {number}", prose(int(number) + 100 * edition)).encode()


@pytest.fixture(params=["files", "servers"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """SQLite and a directory, or PostgreSQL and S3."""
    if request.param == "files":
        return Settings(home=tmp_path / "home", crawls=tmp_path / "crawls")
    store: Settings = request.getfixturevalue("s3_settings")
    monkeypatch.setenv("CRAWLHOUSE_S3_ENDPOINT", store.s3_endpoint)  # for crawlhouse.open()
    return store.model_copy(update={"home": tmp_path / "home", "database": request.getfixturevalue("postgres_url")})


def rows(settings: Settings) -> dict[str, list[Any]]:
    with crawlhouse.open(settings.home, store=settings.store or None, database=settings.database or None) as house:
        tables = ("articles", "captures", "runs", "quarantine")
        return {name: sorted(map(str, house.query(f"SELECT * FROM {name}"))) for name in tables}


def run(crawl: Crawl, settings: Settings) -> None:
    crawl_once(crawl, settings, urls=[seed.url for seed in crawl.seeds])
    process_once(crawl.name, settings)


def destroy(settings: Settings) -> None:
    store = open_store(settings)
    for found in list(store.list("")):
        store.delete(found.key)
    shutil.rmtree(settings.home)
    if settings.database:
        _drop_schema(settings)


def _drop_schema(settings: Settings) -> None:
    engine = create_engine(settings.database_url("frontier"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


@pytest.mark.timeout(300)
def test_what_was_destroyed_is_restored_and_goes_on(settings: Settings, tmp_path: Path) -> None:
    site, place = Site(), str(tmp_path / "backup")
    with small_server(site) as server:
        seeds = [f"{server.base}/news/story-{number}" for number in range(PAGES)]
        crawl = parse_crawl(
            f"seeds: {seeds}\nscope: {{sitemaps: false}}\n{LOOPBACK}\npoliteness: {{delay: 0}}\nrevisit: {{articles_min: 0}}\n", "small"
        )
        run(crawl, settings)
        first = back_up(settings, place)
        site.edition = 1
        run(crawl, settings)
        second = back_up(settings, place)
        assert second.present > 0
        assert second.copied < first.copied + second.copied
        before = rows(settings)
        assert len(before["articles"]) == PAGES + 1
        with pytest.raises(ConflictError, match="empty"):
            restore(settings, place)
        destroy(settings)
        restore(settings, place)
        assert rows(settings) == before
        site.edition = 2
        run(crawl, settings)
        after = rows(settings)
        assert {name: len(after[name]) - len(before[name]) for name in after} == {
            "articles": 1,
            "captures": PAGES,
            "runs": 1,
            "quarantine": 0,
        }
        assert set(before["articles"]) <= set(after["articles"])


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.parametrize("lost", ["database", "everything"])
def test_what_was_fetched_after_the_backup_is_adopted(lost: str, settings: Settings, tmp_path: Path) -> None:
    """The restored database is older than the store: the segments that it does not know become a run again. A twin is never disturbed."""
    site, place = Site(), tmp_path / "backup"
    twin = Settings(home=tmp_path / "twin", crawls=tmp_path / "crawls")
    with small_server(site) as server:
        seeds = [f"{server.base}/news/story-{number}" for number in range(PAGES)]
        polite = f"scope: {{sitemaps: false}}\n{LOOPBACK}\npoliteness: {{delay: 0}}\nrevisit: {{articles_min: 0}}\n"
        crawl = parse_crawl(f"seeds: {seeds}\n{polite}", "small")
        for site.edition in range(2):
            run(crawl, settings)
            run(crawl, twin)
            if site.edition == 0:
                back_up(settings, str(place))
        if lost == "everything":
            back_up_without_end(settings, place)
            destroy(settings)
        else:
            lose_database(settings)
        restore(settings, str(place))
        assert len(compared(settings)["articles"]) == PAGES < len(compared(twin)["articles"])
        adopted = adopt_stored(crawl, settings)
        assert [len(manifest.segments) for manifest in adopted.manifests] == [1]
        process_once(crawl.name, settings)
        assert compared(settings) == compared(twin)
        assert not adopt_stored(crawl, settings).manifests
        site.edition = 2
        run(crawl, settings)
        run(crawl, twin)
        assert compared(settings) == compared(twin)


def back_up_without_end(settings: Settings, place: Path) -> None:
    """A backup that is killed before its last step: all objects are copied, and the old copy of the database counts."""
    shutil.copytree(place, place.with_name("before"), ignore=shutil.ignore_patterns("objects"))
    back_up(settings, str(place))
    shutil.rmtree(place / "database")
    shutil.copytree(place.with_name("before"), place, dirs_exist_ok=True)


def compared(settings: Settings) -> dict[str, list[str]]:
    queries = {
        "articles": "SELECT url, version, text_digest FROM articles",
        "captures": "SELECT url, outcome, count(*) FROM captures WHERE kind <> 'robots' GROUP BY ALL",
    }
    with crawlhouse.open(settings.home, store=settings.store or None, database=settings.database or None) as house:
        return {name: sorted(map(str, house.query(sql))) for name, sql in queries.items()}


def lose_database(settings: Settings) -> None:
    for file in settings.home.glob("*.sqlite*"):
        file.unlink()
    if settings.database:
        _drop_schema(settings)


def test_what_cannot_be_restored_is_refused(sqlite_settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nothing to back up"):
        back_up(sqlite_settings, str(tmp_path / "backup"))
    with pytest.raises(NotFoundError, match="no complete backup"):
        restore(sqlite_settings, str(tmp_path / "backup"))
    crawl_once(parse_crawl("seeds: [http://127.0.0.1:9/]\npoliteness: {delay: 0}", "small"), sqlite_settings)
    back_up(sqlite_settings, str(tmp_path / "backup"))
    elsewhere = sqlite_settings.model_copy(update={"home": tmp_path / "other"})
    with pytest.raises(ConfigError, match="CRAWLHOUSE_STORE"):
        restore(elsewhere, str(tmp_path / "backup"))
    with pytest.raises(ConfigError, match="CRAWLHOUSE_HOME"):
        restore(elsewhere.model_copy(update={"store": sqlite_settings.store_url()}), str(tmp_path / "backup"))
    with pytest.raises(ConfigError, match="SQLite"):
        restore(elsewhere.model_copy(update={"database": "postgresql://nobody@127.0.0.1:9/none"}), str(tmp_path / "backup"))
