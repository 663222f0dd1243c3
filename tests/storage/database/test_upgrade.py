"""A home of an earlier version: it is refused with a message, upgraded, and then crawled and processed further."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, inspect, text

from processing.stages import process_once
from schemas.config.crawl import Crawl, Seed
from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from schemas.errors import ConflictError, NotFoundError, StorageError
from schemas.runs import CrawlRun
from schemas.tables import ARTICLE_ONLY, QUARANTINE
from spiders.run import crawl_once
from storage.database import backup
from storage.database.engine import open_database
from storage.database.migration import migrations
from storage.database.migrations import SCHEMA_VERSION
from storage.database.version_table import METADATA
from storage.frontier.admin.changes import open_frontier_admin
from storage.frontier.frontier import open_frontier
from storage.lake.lake import open_lake
from storage.lake.query import connect
from storage.ledger.alarms import list_alarms
from storage.ledger.ledger import open_ledger
from storage.ledger.summaries import recent_runs
from storage.upgrade import DESCRIPTIONS, upgrade
from tests.kepthome import PROXY_PASSWORD, load_into_postgres, unpack_home
from tests.keptsite import BASE, article_paths, kept_site

KEPT = 4
pytestmark = pytest.mark.xdist_group("kept_home")  # its site has one address


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The kept home, with its databases in SQLite or in PostgreSQL."""
    settings = unpack_home(KEPT, tmp_path)
    if request.param == "postgresql":
        return load_into_postgres(KEPT, settings, request.getfixturevalue("postgres_url"))
    return settings


def _run_sql(settings: Settings, sql: str, **values: object) -> list[tuple[object, ...]]:
    engine = create_engine(settings.database_url("frontier"))
    with engine.begin() as connection:
        result = connection.execute(text(sql), values)
        rows = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return rows


def _articles(settings: Settings) -> set[tuple[str, int, str]]:
    return set(connect(settings).execute("SELECT url, version, text FROM articles").fetchall())


@pytest.mark.servers_in_chaos
def test_a_kept_home_is_refused_upgraded_and_goes_on(kept: Settings) -> None:
    before = _articles(kept)  # the lake alone can be read without an upgrade
    assert len(before) == 10
    for refused in (open_ledger, open_frontier, open_frontier_admin):
        with pytest.raises(ConflictError, match=r"has tables of version 4, this crawlhouse \(.*\) needs 6. Run `crawlhouse upgrade`"):
            refused(kept)

    progress: list[str] = []
    done = upgrade(kept, progress.append)
    assert done.migration is not None
    assert (done.migration.before, done.migration.after) == (KEPT, SCHEMA_VERSION)
    assert any(line.startswith("Version 5") for line in progress)
    assert "CRAWLHOUSE_SECRET_PROXIED_PROXY" in done.migration.notes[0]
    again = upgrade(kept)
    assert (again.migration, again.tables, again.backups, again.private) == (None, {}, (), ())

    ledger = open_ledger(kept)
    assert {run.crawl_run.partition("-")[0] for run in ledger.crawl_runs()} == {"news", "proxied"}
    proxied = ledger.crawl_runs("proxied")[0].crawl
    assert (proxied.network.proxy, proxied.network.proxy_secret) == (BASE, "proxied_proxy")
    with kept_site(2):
        crawl_once(read_crawl(kept.crawls / "news.yaml"), kept)
    report = process_once("news", kept)
    assert report is not None
    after = _articles(kept)
    assert before < after
    assert {url for url, _, _ in after} == {BASE + path for path in article_paths(2) if path != "/news/2"}
    assert (f"{BASE}/news/1", 3) in {(url, version) for url, version, _ in after}, "its versions go on"
    kinds = [kind or "process" for (kind,) in connect(kept).execute("SELECT kind FROM runs").fetchall()]
    assert sorted(kinds) == ["process"] * 4 + ["rejudge"]  # the interrupted run was processed too, and what other code had quarantined
    ledger.close()


@pytest.mark.servers_in_chaos
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_home_with_datasets_goes_on(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    kept = unpack_home(5, tmp_path)
    if database == "postgresql":
        kept = load_into_postgres(5, kept, request.getfixturevalue("postgres_url"))
    upgrade(kept)
    before = set(connect(kept).execute("SELECT url, version, title FROM headlines").fetchall())
    assert len(before) == 9
    (held,) = connect(kept).execute("SELECT url FROM quarantine WHERE dataset = 'headlines'").fetchall()
    with kept_site(2):
        crawl_once(read_crawl(kept.crawls / "news.yaml"), kept)
    report = process_once("news", kept)
    assert report is not None
    headlines = connect(kept).execute("SELECT url, version, title FROM headlines").fetchall()
    assert before < set(headlines)
    assert len(headlines) == len(set(headlines)) == len(article_paths(2)) - 1
    assert connect(kept).execute("SELECT DISTINCT url FROM quarantine WHERE dataset = 'headlines'").fetchall() == [held]
    assert len(_articles(kept)) == len({(url, version) for url, version, _ in _articles(kept)}) > 10


def test_an_upgrade_gives_the_tables_of_a_fresh_database(kept: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    upgrade(kept)
    engine = create_engine(kept.database_url("frontier"))
    with engine.connect() as connection:
        ours = {name for name in inspect(connection).get_table_names() if not name.startswith("iceberg_")}
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _is_ours})
        assert compare_metadata(context, METADATA) == []
        upgraded = _reflected(MetaData(), connection, ours)
        if kept.database:  # the same server has only one database for the test
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
            connection.commit()
    engine.dispose()
    fresh = kept if kept.database else Settings(home=tmp_path / "fresh", crawls=tmp_path)
    open_database(fresh.database_url("frontier")).close()
    engine = create_engine(fresh.database_url("frontier"))
    with engine.connect() as connection:
        assert _reflected(MetaData(), connection, ours) == upgraded
        assert set(inspect(connection).get_table_names()) == ours
    engine.dispose()


def test_a_database_of_version_5_goes_on(settings: Settings) -> None:
    ledger = open_ledger(settings)
    ledger.add_crawl_run(CrawlRun("news-1", Crawl(name="news", seeds=(Seed(url=BASE),)), "1", datetime.now(UTC), "0.1.0", "0"))
    ledger.close()
    for table in ("run_summaries", "alarms"):
        _run_sql(settings, f"DROP TABLE {table}")
    _run_sql(settings, "UPDATE schema_version SET version = 5")
    with pytest.raises(ConflictError, match="has tables of version 5"):
        open_ledger(settings)
    done = upgrade(settings)
    assert done.migration is not None
    assert (done.migration.before, done.migration.after) == (5, SCHEMA_VERSION)
    database = open_database(settings.database_url("frontier"))
    assert recent_runs(database, 10)["news"][0].summary is None
    assert list_alarms(database) == []
    database.close()


def test_renamed_columns_keep_their_values(kept: Settings) -> None:
    workers = _run_sql(kept, "SELECT run_no, worker, incarnation, answers FROM workers ORDER BY run_no, worker")
    _run_sql(kept, "INSERT INTO hint_trust (crawl, host_id, source, kept, lied, open, followed_at) VALUES ('news', 1, 'feed', 2, 3, 4, 5)")
    _run_sql(kept, "UPDATE urls SET leads = (1 = 1) WHERE url_id = 2")
    upgrade(kept)
    assert workers
    assert _run_sql(kept, "SELECT run_no, worker, attempt, responses FROM workers ORDER BY run_no, worker") == workers
    trust = "SELECT confirmed, refuted, pending FROM hint_trust WHERE crawl = 'news' AND host_id = 1 AND source = 'feed'"
    assert _run_sql(kept, trust) == [(2, 3, 4)]
    assert (2,) in _run_sql(kept, "SELECT url_id FROM urls WHERE is_primary_source")


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or not str(name).startswith("iceberg_")


def _reflected(metadata: MetaData, connection: object, names: set[str]) -> dict[str, object]:
    """The tables in the database: columns by name, keys, indexes."""
    metadata.reflect(connection, only=sorted(names))  # type: ignore[arg-type]
    return {
        table.name: (
            {
                (column.name, str(column.type), column.nullable, str(column.server_default and column.server_default.arg))
                for column in table.columns
            },  # type: ignore[attr-defined]
            {
                (
                    index.name,
                    tuple(column.name for column in index.columns),
                    str({name: str(value) for name, value in index.dialect_kwargs.items()}),
                )
                for index in table.indexes
            },
            {(type(one).__name__, tuple(sorted(column.name for column in one.columns))) for one in table.constraints},  # type: ignore[attr-defined]
        )
        for table in metadata.sorted_tables
    }


def test_the_newest_migration_is_the_version_of_the_tables() -> None:
    steps = list(migrations().walk_revisions())
    assert steps[0].revision == str(SCHEMA_VERSION)
    assert [int(step.revision) for step in steps] == list(range(SCHEMA_VERSION, 3, -1))
    assert all(Path(step.path).name.startswith(f"v{step.revision}_") for step in steps)


def test_a_copy_is_kept_and_the_password_leaves_the_file(tmp_path: Path) -> None:
    settings = unpack_home(KEPT, tmp_path)
    file = settings.database_file("frontier")
    assert PROXY_PASSWORD.encode() in file.read_bytes()
    settings.home.chmod(0o755)
    file.chmod(0o644)
    done = upgrade(settings)
    assert PROXY_PASSWORD.encode() not in b"".join(path.read_bytes() for path in settings.home.iterdir() if path.is_file())
    copy, of_lake = done.backups
    assert copy.parent == settings.home / "backups"
    assert (copy.name[:21], of_lake.name[:12]) == ("frontier-version-4-20", "catalog-lake")
    assert {path.stat().st_mode & 0o777 for path in (copy, file, settings.database_file("catalog"))} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (copy.parent, settings.home)} == {0o700}
    file.unlink()
    copy.rename(file)  # the copy is a whole database
    assert _run_sql(settings, "SELECT version FROM schema_version") == [(KEPT,)]
    assert _run_sql(settings, "SELECT count(*) FROM urls") == [(12,)]


def test_a_home_that_a_group_shares_stays_shared(tmp_path: Path) -> None:
    settings = unpack_home(KEPT, tmp_path)
    settings.home.chmod(0o2775)
    settings.database_file("frontier").chmod(0o664)
    upgrade(settings)
    assert settings.home.stat().st_mode & 0o7777 == 0o2770
    assert settings.database_file("frontier").stat().st_mode & 0o777 == 0o660


def test_a_copy_that_cannot_be_made_leaves_all_as_it_was(tmp_path: Path) -> None:
    settings = unpack_home(KEPT, tmp_path)
    (settings.home / backup.FOLDER).write_text("in the way")
    with pytest.raises(StorageError, match=r"The backup .* cannot be written.*nothing was changed"):
        upgrade(settings)
    assert _run_sql(settings, "SELECT version FROM schema_version") == [(KEPT,)]


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (
            SCHEMA_VERSION + 1,
            r"version 7, made by crawlhouse 9.9, this crawlhouse \(.*\) knows 6 at most. Install the newer crawlhouse again",
        ),
        (3, r"version 3, this crawlhouse \(.*\) upgrades from 4. Use the crawlhouse that made them"),
    ],
)
def test_other_versions_are_refused_with_what_to_do(settings: Settings, version: int, message: str) -> None:
    open_ledger(settings).close()
    _run_sql(settings, "UPDATE schema_version SET version = :version, made_by = '9.9'", version=version)
    for refused in (open_ledger, upgrade):
        with pytest.raises(ConflictError, match=message):
            refused(settings)


STAMPS = ("ingested_at", "sequence")  # may be NULL now
LAYOUT = ("write.parquet.compression-level", "write.parquet.row-group-limit")
MORE = ("content_usage", "content_signal", "markdown", "chunks", "dataset", "row_id", "row_json", "position")  # that quarantine had not


def test_tables_of_an_earlier_lake_get_their_columns_and_properties(tmp_path: Path) -> None:
    settings = unpack_home(KEPT, tmp_path)
    with open_lake(settings) as lake:
        with lake.table("articles").update_schema() as change:
            change.delete_column("duplicate_similarity")
        with lake.table("runs").transaction() as transaction:
            transaction.set_properties({"write.parquet.compression-codec": "gzip"})
    done = upgrade(settings)
    assert done.tables == {
        "articles": ["duplicate_similarity", *LAYOUT],
        "captures": [*STAMPS, "outcomes", "content_usage", "content_signal", "bytes_available", DESCRIPTIONS, *LAYOUT],
        "quarantine": [*sorted({*ARTICLE_ONLY, "blocks"}, key=QUARANTINE.names.index), *STAMPS, *MORE, DESCRIPTIONS, *LAYOUT],
        "runs": ["write.parquet.compression-codec", *LAYOUT],
    }
    assert [copy.name.rpartition("-")[0] for copy in done.backups] == ["frontier-version-4", "catalog-lake"]
    assert connect(settings).execute("SELECT count(*), count(duplicate_similarity) FROM articles").fetchone() == (10, 0)
    assert upgrade(settings).tables == {}


def test_without_a_database_there_is_nothing_to_upgrade(sqlite_settings: Settings) -> None:
    with pytest.raises(NotFoundError, match="nothing to upgrade"):
        upgrade(sqlite_settings)
    assert not sqlite_settings.home.exists()


def test_nothing_is_changed_while_a_worker_is_at_work(kept: Settings) -> None:
    lease = "UPDATE hosts SET leased = (1 = 1), lease_run = 3, lease_worker = 'w1', free_at = :until"
    _run_sql(kept, lease, until=time.time() + 60)
    with pytest.raises(ConflictError, match=r"The worker w1 of the run news-.* is running"):
        upgrade(kept)
    assert _run_sql(kept, "SELECT version FROM schema_version") == [(KEPT,)]
    _run_sql(kept, lease, until=time.time() - 1)
    assert upgrade(kept).migration is not None


@pytest.mark.servers_in_chaos
def test_an_upgrade_that_dies_leaves_the_old_version(kept: Settings) -> None:
    died = _start_upgrade(kept, "upgrade.before.commit")
    died.communicate(timeout=120)
    assert died.returncode == -signal.SIGKILL
    engine = create_engine(kept.database_url("frontier"))
    assert [column["name"] for column in inspect(engine).get_columns("schema_version")] == ["version"]
    engine.dispose()
    assert _run_sql(kept, "SELECT version FROM schema_version") == [(KEPT,)]
    assert _run_sql(kept, "SELECT count(*) FROM crawl_runs WHERE config LIKE '%kept-proxy-password%'") == [(1,)]
    assert upgrade(kept).migration is not None


@pytest.mark.chaos
def test_of_two_upgrades_at_once_one_does_it(kept: Settings) -> None:
    both = [_start_upgrade(kept) for _ in range(2)]
    said = [process.communicate(timeout=240)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sorted(f"brought from version 4 to {SCHEMA_VERSION}" in text for text in said) == [False, True], said
    assert sorted("Nothing to do" in text for text in said) == [False, True], said
    assert _run_sql(kept, "SELECT version FROM schema_version") == [(SCHEMA_VERSION,)]


def _start_upgrade(settings: Settings, failpoint: str = "") -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CRAWLHOUSE_")}
    places = {"CRAWLHOUSE_HOME": str(settings.home), "CRAWLHOUSE_DATABASE": settings.database, "CRAWLHOUSE_FAILPOINT": failpoint}
    command = [sys.executable, "-c", "from crawlhouse.command import main; main()", "upgrade"]
    return subprocess.Popen(command, env=environment | places, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
