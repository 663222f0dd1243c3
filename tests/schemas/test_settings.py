"""Settings from the environment: what is accepted, what is refused, and that no secret is shown."""

import os
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from schemas.config.settings import Settings, load_settings, make_home, make_settings
from schemas.errors import ConfigError, CrawlhouseError, NotFoundError, StorageError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, the working directory somewhere inside it."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CRAWLHOUSE_{name.upper()}", raising=False)
    (tmp_path / "project" / "crawls" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project" / "crawls" / "deep")
    return tmp_path / "project"


def test_the_project_is_found_upward(project: Path) -> None:
    settings = load_settings()
    assert settings.home == project / "var"
    assert settings.crawls == project / "crawls"
    assert settings.store_url() == str(project / "var" / "store")
    assert settings.database_url("frontier") == f"sqlite:///{project / 'var' / 'frontier.sqlite'}"


def test_outside_a_project_there_is_no_lake(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.parent)
    with pytest.raises(NotFoundError, match="No lake here"):
        load_settings()


def test_a_home_is_enough_to_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.parent)
    monkeypatch.setenv("CRAWLHOUSE_HOME", "lakes/one")
    settings = load_settings()
    assert settings.home == project.parent / "lakes" / "one"
    assert settings.crawls == project.parent / "lakes" / "crawls"


def test_an_empty_variable_is_none(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLHOUSE_HOME", "")
    assert load_settings().home == project / "var"


def test_paths_do_not_depend_on_where_a_child_runs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLHOUSE_STORE", "warehouse")
    monkeypatch.setenv("CRAWLHOUSE_HOME", "~/lake")
    monkeypatch.setenv("HOME", "/home/somebody")
    settings = load_settings()
    assert settings.store_url() == str(Path.cwd() / "warehouse")
    assert settings.home == Path("/home/somebody/lake")


@pytest.mark.parametrize("given", ["postgresql://u:p@db/x", "postgres://u:p@db/x", "postgresql+psycopg://u:p@db/x"])
def test_postgresql_in_every_spelling(project: Path, given: str) -> None:
    assert make_settings(database=given).database_url("catalog") == "postgresql+psycopg://u:p@db/x"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("STORE", "http://127.0.0.1:9000/bucket", "a store is a directory, or s3://BUCKET/PREFIX"),
        ("STORE", "s3://", "an S3 store is s3://BUCKET"),
        ("STORE", "s3:/bucket", "an S3 store is s3://BUCKET"),
        ("DATABASE", "mysql://u:secret@db/x", "a database is postgresql://"),
        ("DATABASE", "postgresql://u:secret/x@db/x", "percent-encoded"),
        ("DATABASE", "postgresql://u:12/secret@db/x", "percent-encoded"),
        ("DATABASE", "postgresql://u:12?secret@db/x", "percent-encoded"),
        ("DATABASE", "postgresql://u:12?a=secret@db/x", "percent-encoded"),
        ("DATABASE", "postgresql://u:secret#x@db/x", "percent-encoded"),
        ("DATABASE", "postgresql://u:p@db:secret/x", "the port a number"),
        ("DATABASE", "postgresql://u:p@db:123456/x", "the port a number"),
        ("DATABASE", "postgresql://u:p@[secret/x", "percent-encoded"),
        ("DATABASE", "postgresql://u:p@db/x?secret", "NAME=VALUE"),
        ("DATABASE", "postgresql://u:se cret@db/x", "no spaces"),
        ("S3_ENDPOINT", "127.0.0.1:8333", "an endpoint is an http or https URL"),
        ("S3_ENDPOINT", "http://k:secret@127.0.0.1:8333", "an endpoint is an http or https URL"),
        ("S3_ENDPOINT", "http://127.0.0.1:secret", "an endpoint is an http or https URL"),
        ("S3_ENDPOINT", "http://127.0.0.1:8333/?key=secret", "an endpoint is an http or https URL"),
        ("STOER", "x", "did you mean CRAWLHOUSE_STORE?"),
        ("DATABASE_URL", "x", "did you mean CRAWLHOUSE_DATABASE?"),
    ],
)
def test_a_wrong_variable_is_named(project: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    monkeypatch.setenv(f"CRAWLHOUSE_{name}", value)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert f"CRAWLHOUSE_{name}" in str(caught.value)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_only_what_is_wrong_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLHOUSE_DATABASE", "mysql://x")
    monkeypatch.delenv("CRAWLHOUSE_HOME", raising=False)
    with pytest.raises(ConfigError) as told:
        load_settings()
    assert [line.partition(" is not valid")[0] for line in str(told.value).splitlines()] == ["CRAWLHOUSE_DATABASE"]


def test_other_variables_of_ours_are_left_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLHOUSE_BENCH_DIR", "/somewhere")
    assert load_settings().home == project / "var"


@pytest.mark.parametrize(
    ("given", "shown", "used"),
    [
        ("postgresql://me:secret@db:5432/lake", "postgresql://me:***@db:5432/lake", ("me", "secret", "db", 5432, "lake", {})),
        ("postgres://me:se@cret@db/lake", "postgresql://me:***@db/lake", ("me", "se@cret", "db", None, "lake", {})),
        ("postgresql://me:se%40cret%2F@[::1]:5/lake", "postgresql://me:***@[::1]:5/lake", ("me", "se@cret/", "::1", 5, "lake", {})),
        ("postgresql://me:secret[@db/lake", "postgresql://me:***@db/lake", ("me", "secret[", "db", None, "lake", {})),
        ("postgresql://me:secret%zz@db/lake", "postgresql://me:***@db/lake", ("me", "secret%zz", "db", None, "lake", {})),
        (
            "postgresql://me@db/lake?password=secret",
            "postgresql://me:***@db/lake",
            ("me", "secret", "db", None, "lake", {}),
        ),
        (
            "postgresql://me:@/lake?host=%2Ftmp%2Fsecret&options=-c%20a=secret",
            "postgresql://me:@/lake?host=***&options=***",
            ("me", "", None, None, "lake", {"host": "/tmp/secret", "options": "-c a=secret"}),
        ),
        ("postgresql://db", "postgresql://db/", (None, None, "db", None, "", {})),
    ],
)
def test_no_password_is_shown_and_each_is_used(project: Path, given: str, shown: str, used: tuple[object, ...]) -> None:
    settings = make_settings(database=given)
    assert settings.redacted_database() == shown
    url = make_url(settings.database_url("frontier"))
    assert (url.username, url.password, url.host, url.port, url.database, dict(url.query)) == used
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("name", ["per%20cent", "a?b", "a#b", "ü ' \" [x]*", "a@b:c"])
def test_a_home_of_any_name_is_that_folder(project: Path, name: str) -> None:
    home = project / name
    assert make_url(make_settings(home=home).database_url("frontier")).database == str(home / "frontier.sqlite")


def test_a_home_is_private_whatever_the_umask(project: Path) -> None:
    before = os.umask(0)
    try:
        make_home(make_settings(home=project / "deep" / "home"))
    finally:
        os.umask(before)
    assert (project / "deep" / "home").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("home", ["file", "file/below"])
def test_a_home_that_cannot_be(project: Path, home: str) -> None:
    (project / "file").write_text("in the way")
    with pytest.raises(StorageError, match="Set CRAWLHOUSE_HOME elsewhere") as caught:
        make_home(make_settings(home=project / home))
    assert isinstance(caught.value, CrawlhouseError)


def test_modules_of_a_scrapy_project_are_found_beside_its_file(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "var", crawls=tmp_path / "crawls")
    assert settings.module_folders() == [tmp_path / "crawls"]
    (tmp_path / "scrapy.cfg").touch()
    assert settings.module_folders() == [tmp_path / "crawls", tmp_path]
