"""The first step of docker-compose.yml against a real PostgreSQL and a real S3 endpoint."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import ProgrammingError

from crawlhouse import cluster_init as clusterinit
from crawlhouse.airflow.database import make_schema
from crawlhouse.airflow.database_users import make_database_users
from schemas.config.settings import Settings
from schemas.credentials.database_url import parse_database_url
from schemas.errors import ConfigError, StorageError, UnavailableError
from storage.lake.catalog import open_catalog
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests.spiders.smallserver import small_server


def test_the_bucket_is_made_once_and_can_be_used(s3_endpoint: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, crawls=tmp_path, store="s3://fresh-bucket/main", s3_endpoint=s3_endpoint)
    clusterinit.make_bucket(settings)
    open_store(settings).put_bytes("a", b"kept")
    clusterinit.make_bucket(settings)
    assert open_store(settings).get_bytes("a") == b"kept"
    buckets = boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1").list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in buckets].count("fresh-bucket") == 1


def test_a_store_that_takes_no_object_ends_the_first_step(s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SeaweedFS without a free volume lists its buckets and refuses each object with 500."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    settings = Settings(home=tmp_path, crawls=tmp_path, store="s3://full-bucket/main", s3_endpoint=s3_endpoint)
    clusterinit.make_bucket(settings)
    clusterinit.check_store(settings)
    refuse = small_server(lambda path, times: (200, {}, b""), put=lambda path: (500, {}, b"no writable volumes"))
    with refuse as full, pytest.raises((UnavailableError, StorageError), match="500"):
        clusterinit.check_store(settings.model_copy(update={"s3_endpoint": full.base}))


def test_a_store_that_returns_other_bytes_ends_the_first_step(s3_endpoint: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, crawls=tmp_path, store="s3://odd-bucket/main")
    forget = small_server(lambda path, times: (200, {}, b"other bytes"), put=lambda path: (200, {}, b""))
    with forget as odd, pytest.raises(StorageError, match="other bytes"):
        clusterinit.check_store(settings.model_copy(update={"s3_endpoint": odd.base}))


def test_the_schema_is_made_once(postgres_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, crawls=tmp_path, database=postgres_url)
    for _ in range(2):
        make_schema(settings)
    engine = create_engine(settings.database_url("airflow"))
    assert "airflow" in inspect(engine).get_schema_names()
    engine.dispose()


def as_user(url: str, user: str) -> str:
    return replace(parse_database_url(url), user=user, password="s3cret/'").text()


def test_crawlhouse_and_airflow_have_a_database_user_each(postgres_url: str, tmp_path: Path) -> None:
    """Also where an earlier release made all tables as the administrator. Neither user reads what the other stores."""
    earlier = Settings(home=tmp_path, crawls=tmp_path, database=postgres_url)
    open_ledger(earlier).close()
    make_schema(earlier)
    administrator = create_engine(earlier.database_url("airflow"))
    with administrator.begin() as connection:
        connection.execute(text("CREATE TYPE airflow.state AS ENUM ('up', 'down')"))
        connection.execute(text("CREATE TABLE airflow.slots (id serial, state airflow.state)"))
        connection.execute(text("CREATE VIEW airflow.up AS SELECT * FROM airflow.slots"))
    lake, airflow = as_user(postgres_url, "lake"), as_user(postgres_url, "airflow")
    for _ in range(2):
        make_database_users(postgres_url, lake, airflow)
    ours = earlier.model_copy(update={"database": lake})
    ledger = open_ledger(ours)
    assert ledger.crawl_runs() == []
    ledger.close()
    open_catalog(ours).close()  # it makes its tables
    users = {
        name: create_engine(ours.model_copy(update={"database": url}).database_url("x"))
        for name, url in zip(("lake", "airflow"), (lake, airflow), strict=True)
    }
    for name, statement in (
        ("lake", "INSERT INTO airflow.slots VALUES (1)"),
        ("lake", "SELECT * FROM airflow.up"),
        ("airflow", "SELECT * FROM public.crawl_runs"),
        ("airflow", "CREATE TABLE public.mine (id int)"),
        ("lake", "CREATE ROLE other SUPERUSER"),
    ):
        with users[name].connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text(statement))
    with users["airflow"].begin() as connection:
        connection.execute(text("ALTER TABLE airflow.slots ADD COLUMN pool text"))
        connection.execute(text("ALTER TYPE airflow.state ADD VALUE 'gone'"))
        connection.execute(text("INSERT INTO airflow.slots (state) VALUES ('up')"))
    with administrator.connect() as connection:
        logins = "SELECT rolname, rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname IN ('lake', 'airflow') ORDER BY 1"
        assert [tuple(row) for row in connection.execute(text(logins))] == [("airflow", True), ("lake", True)]
    for engine in (administrator, *users.values()):
        engine.dispose()


def test_users_that_are_not_two_or_not_of_one_database_are_refused(postgres_url: str) -> None:
    with pytest.raises(ConfigError, match="a user each"):
        make_database_users(postgres_url, postgres_url, as_user(postgres_url, "airflow"))
    elsewhere = replace(parse_database_url(postgres_url), user="airflow", name="other").text()
    with pytest.raises(ConfigError, match="the same database"):
        make_database_users(postgres_url, as_user(postgres_url, "lake"), elsewhere)
    with pytest.raises(ConfigError, match="cannot be read"):
        make_database_users(postgres_url, as_user(postgres_url, "lake"), "")
    nobody = (f"postgresql://{name}@127.0.0.1:9/x" for name in ("root", "lake", "airflow"))
    with pytest.raises(UnavailableError, match="POSTGRES_ADMIN_URL does not answer"):
        make_database_users(*nobody)


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, crawls=tmp_path, database="postgresql://nobody@127.0.0.1:9/none")
    with pytest.raises(UnavailableError, match="CRAWLHOUSE_DATABASE does not answer"):
        make_schema(settings)


def test_the_password_is_written_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "passwords.json"
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", str(path))
    monkeypatch.delenv("AIRFLOW_PASSWORD", raising=False)
    with pytest.raises(ConfigError, match="AIRFLOW_PASSWORD"):
        clusterinit._write_password()
    monkeypatch.setenv("AIRFLOW_PASSWORD", "open sesame")
    clusterinit._write_password()
    assert json.loads(path.read_text(encoding="utf-8")) == {"admin": "open sesame"}
    assert path.stat().st_mode & 0o077 == 0
